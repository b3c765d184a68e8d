//! What the application says to a request.

use std::borrow::Cow;
use std::time::Duration;

use longwire_handshake::{FieldName, FieldValue, Status};

/// The answer to a request: one of four kinds, each with any fields added.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    pub(crate) kind: Kind,
    pub(crate) fields: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    WebSocket { protocols: Vec<&'static str>, pieces: bool, dropping: bool },
    Events { retry: Option<Duration>, dropping: bool },
    Page(Page),
    Later,
}

/// A plain response.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: Status,
    /// Its media type.
    pub(crate) kind: &'static str,
    pub(crate) body: Cow<'static, [u8]>,
}

/// The media type of plain text.
const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    const fn new(kind: Kind) -> Self {
        Self { kind, fields: Vec::new() }
    }

    /// Opens a WebSocket (RFC 6455 §4.2.2), or refuses with the status that the request deserves.
    pub const fn web_socket() -> Self {
        Self::new(Kind::WebSocket { protocols: Vec::new(), pieces: false, dropping: false })
    }

    /// Offers a subprotocol; the client's first choice among those offered is taken.
    ///
    /// # Panics
    /// If this reply is no `web_socket()`.
    pub fn protocol(mut self, name: &'static str) -> Self {
        match &mut self.kind {
            Kind::WebSocket { protocols, .. } => protocols.push(name),
            _ => panic!("only a WebSocket has a subprotocol"),
        }
        self
    }

    /// Asks for [`Handler::piece`](crate::Handler::piece) instead of whole messages.
    ///
    /// # Panics
    /// If this reply is no `web_socket()`.
    pub fn pieces(mut self) -> Self {
        match &mut self.kind {
            Kind::WebSocket { pieces, .. } => *pieces = true,
            _ => panic!("only a WebSocket has pieces"),
        }
        self
    }

    /// Opens an event stream. It ends with its connection.
    pub const fn events() -> Self {
        Self::new(Kind::Events { retry: None, dropping: false })
    }

    /// Tells the client how long to wait before it comes back.
    ///
    /// # Panics
    /// If this reply is no `events()`.
    pub fn retry(mut self, wait: Duration) -> Self {
        match &mut self.kind {
            Kind::Events { retry, .. } => *retry = Some(wait),
            _ => panic!("only an event stream has a reconnection time"),
        }
        self
    }

    /// At the bound of its queue (`Limits::send_queue`) this WebSocket or stream does not end, but messages and events are
    /// dropped. [`Handler::dropped`](crate::Handler::dropped) hears how many, and a stream is told so, too, in an event
    /// named `gap` as soon as there is room.
    ///
    /// # Panics
    /// If this reply opens nothing.
    pub fn dropping(mut self) -> Self {
        match &mut self.kind {
            Kind::WebSocket { dropping, .. } | Kind::Events { dropping, .. } => *dropping = true,
            _ => panic!("only what is open has a queue"),
        }
        self
    }

    /// A page: its media type and its bytes. For plain text there is [`text`](Self::text). RFC 9110 §8.3: content says of what kind
    /// it is.
    ///
    /// # Panics
    /// If `kind` is no field value.
    pub fn page(kind: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        assert!(FieldValue::new(kind).is_ok(), "{kind:?} is no field value");
        Self::new(Kind::Page(Page { status: Status::OK, kind, body: body.into() }))
    }

    /// A page of plain text, in UTF-8.
    ///
    /// ```
    /// use longwire_reactor::Reply;
    ///
    /// let fixed = Reply::text("hello\n");
    /// let made = Reply::text(format!("hello, {}\n", "you")).with_status(201);
    /// # let _ = (fixed, made);
    /// ```
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        let body = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self::new(Kind::Page(Page { status: Status::OK, kind: TEXT, body }))
    }

    /// The same page under another status, such as 400 or 201.
    ///
    /// # Panics
    /// If this reply is no page, or `code` is not between 200 and 599.
    pub fn with_status(mut self, code: u16) -> Self {
        match &mut self.kind {
            Kind::Page(page) => page.status = final_status(code),
            _ => panic!("only a page has a status of the application's"),
        }
        self
    }

    /// A status, with its reason as a line of text.
    ///
    /// # Panics
    /// If `code` is not between 200 and 599.
    pub fn status(code: u16) -> Self {
        let status = final_status(code);
        let body = match code {
            204 | 304 => Vec::new(),
            _ => format!("{} {}\n", code, status.reason()).into_bytes(),
        };
        Self::new(Kind::Page(Page { status, kind: TEXT, body: body.into() }))
    }

    /// No answer yet: `answer` or `answer_to` will give it, within `Limits::later`.
    pub const fn later() -> Self {
        Self::new(Kind::Later)
    }

    /// Adds a field.
    ///
    /// # Panics
    /// If `name` is no token, or names what the server itself says: the connection, the length, the kind, the date
    /// or the handshake.
    pub fn field(mut self, name: &'static str, value: FieldValue<'_>) -> Self {
        assert!(FieldName::new(name).is_some(), "{name:?} is no field name");
        let ours = ["connection", "content-length", "content-type", "transfer-encoding", "upgrade", "date"];
        let lower = name.to_ascii_lowercase();
        assert!(
            !ours.contains(&lower.as_str()) && !lower.starts_with("sec-websocket-"),
            "{name} is the server's to say"
        );
        self.fields.push((name, value.as_str().to_owned()));
        self
    }

    /// Bytes that it pins, itself included.
    pub(crate) fn bytes(&self) -> usize {
        let body = match &self.kind {
            Kind::Page(Page { body: Cow::Owned(body), .. }) => body.capacity(),
            _ => 0,
        };
        let fields: usize = self.fields.iter().map(|(_, value)| value.capacity()).sum();
        size_of::<Self>() + body + self.fields.capacity() * size_of::<(&str, String)>() + fields
    }
}

/// A status that ends a request.
fn final_status(code: u16) -> Status {
    Status::new(code).filter(|_| (200..600).contains(&code)).expect("a final status code")
}
