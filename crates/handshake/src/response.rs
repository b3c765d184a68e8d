//! `Response`: what is answered, as bytes. Status line, Date, Connection and the length are written here and nowhere
//! else, so they cannot be forgotten, doubled or contradict each other.

use crate::output::Output;
use crate::{Date, FieldName, FieldValue, Full, Status};

/// An answer: a value that borrows all it says.
///
/// ```
/// use longwire_handshake::{Body, Connection, Date, FieldName, FieldValue, Response, Status};
///
/// let response = Response {
///     status: Status::OK,
///     fields: &[(FieldName::CONTENT_TYPE, FieldValue::literal("text/plain"))],
///     body: Body::Bytes(b"ok\n"),
///     connection: Connection::KeepAlive,
/// };
/// let mut out = [0; 256];
/// let len = response.encode(&Date::from_unix(784_111_777), &mut out)?;
/// assert_eq!(
///     str::from_utf8(&out[..len])?,
///     "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
///      Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The status.
    pub status: Status,
    /// The fields, in this order. Those that the response writes itself are passed over: `Date`, `Connection`,
    /// `Content-Length` and `Transfer-Encoding`.
    ///
    /// What a status must say is never lacking: a 405 that has no `Allow` here gets `GET, HEAD` (RFC 9110 §9.1: the two
    /// that every server has), a 401 without `WWW-Authenticate` gets `Bearer realm="server"`.
    pub fields: &'a [(FieldName<'a>, FieldValue<'a>)],
    /// The body, and how the client finds its end.
    pub body: Body<'a>,
    /// What becomes of the connection.
    pub connection: Connection,
}

/// The body of an answer. With a status that has none (1xx, 204, 205, 304) no body is written, whatever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// No body.
    None,
    /// These bytes.
    Bytes(&'a [u8]),
    /// Bytes that are written apart, without a length: they end with the connection, which is therefore closed.
    Stream,
    /// So many bytes, which are written apart, or not at all in answer to HEAD.
    LengthOnly(u64),
}

/// What an answer says about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Another request may follow. HTTP/1.1 takes that for granted, so nothing is written.
    KeepAlive,
    /// Another request may follow, and this is said, to an HTTP/1.0 client that asked (RFC 9112 §9.3).
    EchoKeepAlive,
    /// This is the last answer.
    Close,
    /// Behind the blank line another protocol begins; its name stands in the field `Upgrade`.
    Upgrade,
}

/// The kind of the texts that are answered from here.
pub(crate) const PLAIN_TEXT: (FieldName<'static>, FieldValue<'static>) =
    (FieldName::CONTENT_TYPE, FieldValue::literal("text/plain; charset=utf-8"));

impl Response<'_> {
    /// The bytes that [`encode`](Self::encode) writes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let mut output = Output::counter();
        self.write(&Date::from_unix(0), &mut output);
        output.len()
    }

    /// Writes head and body to the front of `out` and returns their length in bytes.
    ///
    /// # Errors
    ///
    /// [`Full`] if `out` is shorter than [`encoded_len`](Self::encoded_len); `out` may hold a part then.
    pub fn encode(&self, date: &Date, out: &mut [u8]) -> Result<usize, Full> {
        let mut output = Output::new(out);
        self.write(date, &mut output);
        output.finish()
    }

    /// The bytes that [`encode_head`](Self::encode_head) writes.
    #[must_use]
    pub fn encoded_head_len(&self) -> usize {
        let mut output = Output::counter();
        self.write_head(&Date::from_unix(0), &mut output);
        output.len()
    }

    /// Writes the head alone, as the body has it: in answer to HEAD, or before a body that is written apart.
    ///
    /// # Errors
    ///
    /// [`Full`] if `out` is shorter than [`encoded_head_len`](Self::encoded_head_len); `out` may hold a part then.
    pub fn encode_head(&self, date: &Date, out: &mut [u8]) -> Result<usize, Full> {
        let mut output = Output::new(out);
        self.write_head(date, &mut output);
        output.finish()
    }

    fn write(&self, date: &Date, output: &mut Output<'_>) {
        self.write_head(date, output);
        if let (Body::Bytes(bytes), Framing::Content) = (self.body, self.framing()) {
            output.put_bytes(bytes);
        }
    }

    /// RFC 9112 §2.2: field lines follow the status line at once.
    fn write_head(&self, date: &Date, output: &mut Output<'_>) {
        output.put("HTTP/1.1 ");
        output.put_decimal(u64::from(self.status.code()));
        // RFC 9112 §4: the blank stands there even if no reason follows.
        output.put(" ");
        output.put(self.status.reason());
        output.put("\r\n");
        // RFC 9110 §6.6.1: whoever has a clock says when.
        output.put_field("Date", date.as_str());
        if let Some(options) = self.connection_options() {
            output.put_field("Connection", options);
        }
        if let Some((name, value)) = self.demanded() {
            output.put_field(name.as_str(), value.as_str());
        }
        for (name, value) in self.fields.iter().filter(|(name, _)| !is_ours(*name)) {
            output.put_field(name.as_str(), value.as_str());
        }
        self.write_length(output);
        output.put("\r\n");
    }

    /// RFC 9110 §7.6.1. RFC 9112 §9.6: who will close says so.
    fn connection_options(&self) -> Option<&'static str> {
        // A body without a length ends with the connection (RFC 9112 §6.3 item 8).
        let endless = self.framing() == Framing::Content && matches!(self.body, Body::Stream);
        let close = endless || self.connection == Connection::Close;
        // RFC 9110 §7.8: Upgrade is for the next hop alone, and must be named so.
        match (self.connection == Connection::Upgrade || self.has(FieldName::UPGRADE), close) {
            (true, true) => Some("Upgrade, close"),
            (true, false) => Some("Upgrade"),
            (false, true) => Some("close"),
            (false, false) => (self.connection == Connection::EchoKeepAlive).then_some("keep-alive"),
        }
    }

    /// The field that the status demands, if the caller has not given it. RFC 9110 §15.5.2 and §11.6.1, §15.5.6 and §10.2.1,
    /// §15.5.22; RFC 6455 §4.4.
    fn demanded(&self) -> Option<(FieldName<'static>, FieldValue<'static>)> {
        const ALLOW: FieldValue<'static> = FieldValue::literal("GET, HEAD");
        const CHALLENGE: FieldValue<'static> = FieldValue::literal("Bearer realm=\"server\"");
        let field = match self.status {
            // RFC 9110 §15.5.6.
            Status::METHOD_NOT_ALLOWED => (FieldName::ALLOW, ALLOW),
            // RFC 9110 §15.5.2.
            Status::UNAUTHORIZED => (FieldName::WWW_AUTHENTICATE, CHALLENGE),
            _ => return None,
        };
        (!self.has(field.0)).then_some(field)
    }

    /// RFC 9112 §6.1 and §6.2: chunks are never sent, so never beside a length.
    fn write_length(&self, output: &mut Output<'_>) {
        let length = match (self.framing(), self.body) {
            (Framing::Nothing, _) | (_, Body::Stream) => return,
            (Framing::Empty, _) | (_, Body::None) => 0,
            (_, Body::Bytes(bytes)) => bytes.len() as u64,
            (_, Body::LengthOnly(length)) => length,
        };
        output.put("Content-Length: ");
        output.put_decimal(length);
        output.put("\r\n");
    }

    fn framing(&self) -> Framing {
        match self.status.code() {
            // RFC 9110 §8.6: no Content-Length in a 1xx or 204; §15.4.5: a 304 ends with its head.
            100..=199 | 204 | 304 => Framing::Nothing,
            // RFC 9110 §15.3.6: a 205 has no content, and says so.
            205 => Framing::Empty,
            _ => Framing::Content,
        }
    }

    fn has(&self, name: FieldName<'_>) -> bool {
        self.fields.iter().any(|(given, _)| given.as_str().eq_ignore_ascii_case(name.as_str()))
    }
}

/// What a status has behind its head.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Nothing,
    Empty,
    Content,
}

/// The fields that nobody but the response writes. RFC 9110 §5.3: none of them is a list.
fn is_ours(name: FieldName<'_>) -> bool {
    ["date", "connection", "content-length", "transfer-encoding"]
        .into_iter()
        .any(|ours| ours.eq_ignore_ascii_case(name.as_str()))
}
