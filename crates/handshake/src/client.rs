//! The client's half of the opening handshake (RFC 6455 §4.1): the request that asks, and the check of what was
//! answered. No randomness here: the caller brings the key.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::deflate::check_answer;
use crate::extensions::extensions;
use crate::fields::Fields;
use crate::grammar::decimal;
use crate::output::Output;
use crate::request::split_first_line;
use crate::request_line::{is_origin_form, parse_version};
use crate::{
    Accept, Deflate, DeflateOffer, FieldName, FieldSlots, FieldValue, Full, Head, Limits, Status, Token, Version,
};

/// The request that opens a WebSocket.
///
/// Send what [`encode`](Self::encode) writes; find the end of the answer's head with [`Head`]; check it
/// with [`check_response`]. What follows that head are frames.
///
/// ```
/// use longwire_handshake::{FieldValue, client::{Opening, OriginForm, check_response}};
///
/// let opening = Opening {
///     host: FieldValue::literal("localhost:8080"),
///     target: OriginForm::literal("/chat"),
///     key: *b"the sample nonce", // sixteen random bytes
///     protocols: &[],
///     origin: None,
///     deflate: None,
///     fields: &[],
/// };
/// let mut out = [0; 256];
/// let len = opening.encode(&mut out)?;
/// assert!(out[..len].starts_with(b"GET /chat HTTP/1.1\r\nHost: localhost:8080\r\n"));
///
/// let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// assert_eq!(check_response(answer, &opening)?.protocol, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The server's host, with its port unless it is the scheme's own.
    pub host: FieldValue<'a>,
    /// The path and the query.
    pub target: OriginForm<'a>,
    /// 16 random bytes, new for every connection.
    pub key: [u8; 16],
    /// The subprotocols that the client would speak, the best first; each only once.
    pub protocols: &'a [Token<'a>],
    /// The page that connects, if there is one.
    pub origin: Option<FieldValue<'a>>,
    /// The compression that the client offers (RFC 7692), if any.
    pub deflate: Option<DeflateOffer>,
    /// More fields, such as `Cookie` or `Authorization`. Those that the handshake itself writes are passed over.
    pub fields: &'a [(FieldName<'a>, FieldValue<'a>)],
}

impl<'a> Opening<'a> {
    /// The bytes that [`encode`](Self::encode) writes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let mut output = Output::counter();
        self.write(&mut output);
        output.len()
    }

    /// Writes the request to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Full`] if `out` is shorter than [`encoded_len`](Self::encoded_len); `out` may hold a part then.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Full> {
        let mut output = Output::new(out);
        self.write(&mut output);
        output.finish()
    }

    /// RFC 9112 §3.2: with `Host`, first of all.
    fn write(&self, output: &mut Output<'_>) {
        let mut key = [0; 24];
        output.put("GET ");
        output.put(self.target.as_str());
        output.put(" HTTP/1.1\r\n");
        output.put_field("Host", self.host.as_str());
        output.put_field("Upgrade", "websocket");
        output.put_field("Connection", "Upgrade");
        output.put_field("Sec-WebSocket-Key", self.key_text(&mut key));
        output.put_field("Sec-WebSocket-Version", "13");
        if let Some((first, others)) = self.protocols.split_first() {
            output.put("Sec-WebSocket-Protocol: ");
            output.put(first.as_str());
            for (before, protocol) in (1..).zip(others) {
                // §4.1 item 10: each stands there once.
                if self.protocols.iter().take(before).all(|said| said != protocol) {
                    output.put(", ");
                    output.put(protocol.as_str());
                }
            }
            output.put("\r\n");
        }
        if let Some(origin) = self.origin {
            output.put_field("Origin", origin.as_str());
        }
        if let Some(offer) = self.deflate {
            output.put("Sec-WebSocket-Extensions: ");
            offer.write(output);
            output.put("\r\n");
        }
        for (name, value) in self.fields.iter().filter(|(name, _)| !is_ours(name.as_str())) {
            output.put_field(name.as_str(), value.as_str());
        }
        output.put("\r\n");
    }

    /// The key as its field says it: 16 bytes are 24 letters.
    fn key_text<'k>(&self, letters: &'k mut [u8; 24]) -> &'k str {
        let _ = STANDARD.encode_slice(self.key, letters);
        str::from_utf8(letters).unwrap_or_default()
    }

    fn accept(&self) -> Accept {
        Accept::for_key(self.key_text(&mut [0; 24]))
    }
}

/// The fields that nobody but the handshake writes, and those that would give the request a body.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 6] = ["host", "upgrade", "connection", "origin", "content-length", "transfer-encoding"];
    const PREFIX: &str = "sec-websocket-";
    OURS.into_iter().any(|ours| ours.eq_ignore_ascii_case(name))
        || name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// A path with or without a query, as a request line says it (RFC 9112 §3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginForm<'a>(&'a str);

impl<'a> OriginForm<'a> {
    /// The text, if it begins with a slash and holds nothing but what RFC 3986 lets stand in paths and queries. RFC 6455 §3 and
    /// §11.1.1: no fragment, and nothing that is not percent-encoded by then.
    #[must_use]
    pub const fn new(text: &'a str) -> Option<Self> {
        if is_origin_form(text.as_bytes()) { Some(Self(text)) } else { None }
    }

    /// The text as it stands in the source; in a `const` it is checked by the compiler.
    ///
    /// # Panics
    ///
    /// If it is not in origin-form.
    #[must_use]
    #[expect(clippy::panic, reason = "the text stands in the source: the programmer is told, not the peer")]
    pub const fn literal(text: &'static str) -> OriginForm<'static> {
        match OriginForm::new(text) {
            Some(target) => target,
            None => panic!("a target begins with a slash and is percent-encoded"),
        }
    }

    /// The text of the target.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// A WebSocket that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened<'p> {
    /// The subprotocol that the server chose from [`Opening::protocols`].
    pub protocol: Option<&'p str>,
    /// What the server made of [`Opening::deflate`]; none if nothing is to be compressed.
    pub deflate: Option<Deflate>,
}

/// Checks the head of the answer, from its first byte to its blank line. At most 100 fields are read. RFC 6455 §11.3.3 and §11.3.4:
/// accept and subprotocol stand there once. RFC 9112 §5.2 would have a folded line unfolded; it is a fault.
///
/// # Errors
///
/// The [`Fault`] that the server committed, or its refusal, which is no fault: [`Fault::NotSwitching`].
pub fn check_response<'p>(head: &[u8], opening: &Opening<'p>) -> Result<Opened<'p>, Fault> {
    let len = Head::new(ANY_LENGTH).scan(head).map_err(|_| Fault::BadHead)?.ok_or(Fault::BadHead)?;
    let head = head.get(..len).unwrap_or_default();
    let (line, lines) = split_first_line(head).map_err(|_| Fault::BadHead)?;
    // §4.1: first of all the status.
    let (version, status) = parse_status_line(line).ok_or(Fault::BadHead)?;
    if status != Status::SWITCHING_PROTOCOLS {
        return Err(Fault::NotSwitching(status));
    }
    let mut slots = FieldSlots::new();
    let fields = Fields::parse(lines, &mut slots).map_err(|_| Fault::BadHead)?;
    // Item 2. RFC 9110 §7.8: HTTP/1.0 has no Upgrade, nor a 101.
    let names_us = |value: &[u8]| value.eq_ignore_ascii_case(b"websocket");
    if version == Version::Http10 || !matches!(fields.single("upgrade"), Ok(Some(value)) if names_us(value)) {
        return Err(Fault::Upgrade);
    }
    // Item 3.
    if !fields.lists("connection", "upgrade") {
        return Err(Fault::Connection);
    }
    // Item 4.
    let accept = opening.accept();
    if !matches!(fields.single("sec-websocket-accept"), Ok(Some(value)) if value == accept.as_str().as_bytes()) {
        return Err(Fault::Accept);
    }
    // Item 5: an extension that was not asked for, or not so.
    let answers = fields.values("sec-websocket-extensions").flat_map(extensions);
    let deflate = check_answer(opening.deflate, answers).map_err(|_| Fault::Extensions)?;
    // Item 6: a subprotocol that was not asked for.
    let protocol = match fields.single("sec-websocket-protocol") {
        Ok(None) => None,
        Ok(Some(chosen)) => {
            let asked = opening.protocols.iter().find(|asked| asked.as_str().as_bytes() == chosen);
            Some(asked.ok_or(Fault::Protocol)?.as_str())
        }
        Err(_) => return Err(Fault::Protocol),
    };
    Ok(Opened { protocol, deflate })
}

/// For a head that is already there: its caller has bounded it.
const ANY_LENGTH: Limits = Limits { head: u32::MAX, target: u32::MAX, fields: u16::MAX };

/// RFC 9112 §4: version, blank, three digits, and after another blank a reason, which means nothing.
fn parse_status_line(line: &[u8]) -> Option<(Version, Status)> {
    let mut words = line.split(|byte| *byte == b' ');
    let version = parse_version(words.next()?).ok()?;
    let code = words.next().filter(|code| code.len() == 3)?;
    let code = u16::try_from(decimal(code)?).ok()?;
    Some((version, Status::new(code)?))
}

/// What the server did wrong, or that it did not open the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// What was answered is no head of HTTP/1.
    BadHead,
    /// The server answered, but not with 101: with this.
    NotSwitching(Status),
    /// Upgrade does not name the protocol.
    Upgrade,
    /// Connection does not name Upgrade.
    Connection,
    /// The proof is missing, or is not that for our key.
    Accept,
    /// An extension was accepted that was not offered, or with parameters that were not (RFC 7692 §5.1, §7.1).
    Extensions,
    /// A subprotocol was chosen that was not offered.
    Protocol,
}

impl Fault {
    /// The rule that was broken, as `RFC number §section`.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::BadHead => "RFC 9112 §2.1",
            _ => "RFC 6455 §4.1",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadHead => f.write_str("the answer is no head of HTTP/1"),
            Self::NotSwitching(status) => write!(f, "the server answered {status}"),
            Self::Upgrade => f.write_str("Upgrade does not name WebSocket"),
            Self::Connection => f.write_str("Connection does not name Upgrade"),
            Self::Accept => f.write_str("Sec-WebSocket-Accept is not the answer to our key"),
            Self::Extensions => f.write_str("an extension was accepted that was not offered so"),
            Self::Protocol => f.write_str("a subprotocol was chosen that was not offered"),
        }
    }
}

impl core::error::Error for Fault {}
