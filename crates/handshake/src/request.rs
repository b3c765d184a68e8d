//! `Request`: a whole head, parsed and borrowed. If there is one, it is valid: it has the host that it must have, one
//! length at most, and no byte that may not stand there.

use core::fmt;

use crate::authority::Authority;
use crate::fields::Fields;
use crate::grammar::trim;
use crate::request_line::RequestLine;
use crate::{Connection, Content, Field, FieldSlots, Refusal, Target, Version};

/// A request, as its head says it. It borrows the head's bytes (`'b`) and the memory for its fields (`'h`).
///
/// First [`Head::scan`](crate::Head::scan) finds the end of the head; then `parse` reads it; then the values are
/// there to be asked, each by a pass over the fields. Parse again after a body that came in later packets has moved
/// the bytes.
///
/// ```
/// use longwire_handshake::{FieldSlots, Request};
///
/// let mut slots = FieldSlots::new();
/// let head = b"GET /clock?from=7 HTTP/1.1\r\nHost: localhost\r\nCookie: a=1; b=2\r\n\r\n";
/// let request = Request::parse(head, &mut slots)?;
/// assert_eq!((request.method(), request.path(), request.query()), ("GET", "/clock", Some("from=7")));
/// assert_eq!(request.cookie("b"), Some("2"));
/// assert!(request.keep_alive());
/// # Ok::<(), longwire_handshake::Refusal>(())
/// ```
#[derive(Clone, Copy)]
pub struct Request<'h, 'b> {
    line: RequestLine<'b>,
    pub(crate) fields: Fields<'h, 'b>,
    host: &'b str,
    content: Content,
}

impl<'h, 'b> Request<'h, 'b> {
    /// Parses a head: `buf[..n]` of [`Head::scan`](crate::Head::scan). Bytes that come from elsewhere are judged by the same rules,
    /// but for the limits on bytes. RFC 9112 §8: half a head is none.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that the request deserves; [`Refusal::TooManyFields`] if there are more than `N`.
    pub fn parse<const N: usize>(head: &'b [u8], slots: &'h mut FieldSlots<'b, N>) -> Result<Self, Refusal> {
        let (line, lines) = split_first_line(head)?;
        let line = RequestLine::parse(line)?;
        let fields = Fields::parse(lines, slots)?;
        let host = host(line.target, line.version, fields)?;
        let content = Content::of(fields, line.version)?;
        Ok(Self { line, fields, host, content })
    }

    /// The method, as sent: it has case.
    #[must_use]
    pub const fn method(&self) -> &'b str {
        self.line.method
    }

    /// Whether the answer must have no body (RFC 9110 §9.3.2).
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.line.method == "HEAD"
    }

    /// The form of the target.
    #[must_use]
    pub const fn target(&self) -> Target<'b> {
        self.line.target
    }

    /// The target, as sent: the path with its query, a whole URI, or `*`.
    #[must_use]
    pub const fn target_as_sent(&self) -> &'b str {
        self.line.sent
    }

    /// The path, as sent (not decoded), from its slash to the question mark; `*` if the target is that.
    #[must_use]
    pub const fn path(&self) -> &'b str {
        self.line.path
    }

    /// What follows the first question mark of the target, as sent.
    #[must_use]
    pub const fn query(&self) -> Option<&'b str> {
        self.line.query
    }

    /// The version; what is later than HTTP/1.1 counts as that.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.line.version
    }

    /// Every field, in the order in which they were sent.
    pub fn fields(&self) -> impl Iterator<Item = Field<'b>> + use<'h, 'b> {
        self.fields.iter()
    }

    /// The value of the first field of that name (in any case), if it is UTF-8.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'b str> {
        str::from_utf8(self.fields.values(name).next()?).ok()
    }

    /// The values of all fields of that name (in any case).
    pub fn field_values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'h, 'b, 'n> {
        self.fields.values(name)
    }

    /// The host that the request is for, with its port if it has one: the target's, or else what Host says. Empty if
    /// Host is, or if HTTP/1.0 did without.
    #[must_use]
    pub const fn host(&self) -> &'b str {
        self.host
    }

    /// The page that asks, for a browser's request; [`Origins`](crate::Origins) judges it.
    #[must_use]
    pub fn origin(&self) -> Option<&'b str> {
        self.field("origin")
    }

    /// The id of the last event that the client of an event stream has seen. WHATWG HTML §9.2.4.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&'b str> {
        self.field("last-event-id")
    }

    /// The value of the first cookie of that name, as sent. Their names have case (RFC 6265 §4.2).
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&'b str> {
        let pairs = self.fields.values("cookie").flat_map(|value| value.split(|byte| *byte == b';'));
        let value = pairs.filter_map(|pair| trim(pair).strip_prefix(name.as_bytes())?.strip_prefix(b"=")).next()?;
        str::from_utf8(value).ok()
    }

    /// How the body is delimited.
    #[must_use]
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Whether the client waits for `100 Continue` before it sends the body. RFC 9110 §10.1.1: not in HTTP/1.0. RFC 9110 §10.1.1
    /// and §15.2: HTTP/1.0 knows no 100.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.line.version == Version::Http11 && self.fields.lists("expect", "100-continue")
    }

    /// Whether another request may follow on the connection (RFC 9112 §9.3). Never after a request that
    /// [asked for another protocol](Self::names_websocket) and did not get it.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.fields.persist(self.line.version) && !self.names_websocket()
    }

    /// What an ordinary answer says about the connection: `Close`, or one of the two ways to keep it.
    #[must_use]
    pub fn connection(&self) -> Connection {
        match (self.keep_alive(), self.line.version) {
            (false, _) => Connection::Close,
            (true, Version::Http11) => Connection::KeepAlive,
            (true, Version::Http10) => Connection::EchoKeepAlive,
        }
    }
}

/// The first line without its end, and the lines behind it.
pub(crate) fn split_first_line(head: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    // RFC 9112 §2.2: one empty line is skipped, as `head` does.
    let head = head.strip_prefix(b"\r\n").unwrap_or(head);
    let end = head.iter().position(|byte| *byte == b'\n').ok_or(Refusal::HeadIncomplete)?;
    let (line, lines) = head.split_at_checked(end + 1).unwrap_or_default();
    Ok((line.strip_suffix(b"\r\n").ok_or(Refusal::BareLineEnd)?, lines))
}

/// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0, also beside a target that replaces it. RFC 9112
/// §3.2.2: that of the target replaces the field. RFC 6455 §4.2.1 item 2 asks for no more.
fn host<'b>(target: Target<'b>, version: Version, fields: Fields<'_, 'b>) -> Result<&'b str, Refusal> {
    let host = match fields.single("host").map_err(|_| Refusal::HostRepeated)? {
        Some(value) => str::from_utf8(value).map_err(|_| Refusal::BadHost)?,
        None if version == Version::Http10 => "",
        None => return Err(Refusal::HostMissing),
    };
    Authority::parse(host).ok_or(Refusal::BadHost)?;
    match target {
        Target::Absolute { authority } => Ok(authority),
        Target::Origin | Target::Asterisk => Ok(host),
    }
}

impl fmt::Debug for Request<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.line.method, self.line.path)?;
        match self.line.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}
