//! One publication, every transport: what a message looks like on a WebSocket and on an event stream.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longwire_frame::{Header, Message, Rsv};
use longwire_sse::{Event, Id, Line};

/// Something to send or to publish. Whoever gets it sees the form of its own transport:
///
/// | from | on a WebSocket | on an event stream |
/// |---|---|---|
/// | text message | that message | an event with that data |
/// | binary message | that message | an event named `binary`, its data in Base64 |
/// | event | its data as a text message (nothing without data) | that event |
/// | [`Publication::both`] | the message | the event |
#[derive(Clone, Copy, Debug)]
pub enum Publication<'a> {
    /// A message, and an event made of it.
    Message(Message<'a>),
    /// An event, and a text message made of its data.
    Event(Event<'a>),
    /// Each form said explicitly.
    Both(Message<'a>, Event<'a>),
}

impl<'a> Publication<'a> {
    /// Says both forms explicitly.
    #[must_use]
    pub fn both(message: impl Into<Message<'a>>, event: Event<'a>) -> Self {
        Self::Both(message.into(), event)
    }

    /// The form for a WebSocket.
    pub(crate) fn message(&self) -> Option<Message<'a>> {
        match self {
            Self::Message(message) | Self::Both(message, _) => Some(*message),
            Self::Event(event) => event.data.map(Message::Text),
        }
    }

    /// Appends the form for an event stream.
    pub(crate) fn encode_event(&self, out: &mut Vec<u8>) {
        match self {
            Self::Event(event) | Self::Both(_, event) => append(event, out),
            Self::Message(Message::Text(text)) => append(&Event::data(text), out),
            Self::Message(Message::Binary(bytes)) => {
                append(&Event::data(&STANDARD.encode(bytes)).name(Line::literal("binary")), out);
            }
        }
    }

    /// The event that says how many events were dropped before it. (Comments never reach scripts.)
    pub(crate) fn gap(count: u32, out: &mut Vec<u8>) {
        append(&Event::data(&count.to_string()).name(Line::literal("gap")), out);
    }
}

/// Appends an event's bytes.
fn append(event: &Event<'_>, out: &mut Vec<u8>) {
    append_encoded(event.encoded_len(), |place| event.encode(place), out);
}

/// Appends what knows its length and encodes itself.
pub(crate) fn append_encoded<E: std::fmt::Debug>(
    length: usize,
    encode: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    out.resize(start + length, 0);
    encode(&mut out[start..]).expect("as many bytes as it said are enough");
}

/// Appends a message as one unmasked frame, as a server writes it.
pub(crate) fn append_frame(message: Message<'_>, out: &mut Vec<u8>) {
    let opcode = message.kind().opcode();
    let header = Header { fin: true, rsv: Rsv::NONE, opcode, mask: None, len: message.len() as u64 };
    append_framed(header, message.as_bytes(), out);
}

/// Appends a header and its payload, masked if the header says so.
pub(crate) fn append_framed(header: Header, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(header.encoded_len() + payload.len());
    append_header(header, out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(mut mask) = header.mask {
        mask.apply(&mut out[start..]);
    }
}

/// Appends a header alone, of a payload that is written from where it lies.
pub(crate) fn append_header(header: Header, out: &mut Vec<u8>) {
    let mut bytes = [0; Header::MAX_LEN];
    let length = header.encode(&mut bytes).expect("a header fits");
    out.extend_from_slice(&bytes[..length]);
}

/// Whatever can be a message can be published as one.
macro_rules! from_messages {
    ($($from:ty),*) => {
        $(impl<'a> From<$from> for Publication<'a> {
            fn from(message: $from) -> Self {
                Self::Message(message.into())
            }
        })*
    };
}

from_messages!(Message<'a>, &'a str, &'a String, &'a [u8], &'a Vec<u8>);

impl<'a, const N: usize> From<&'a [u8; N]> for Publication<'a> {
    fn from(message: &'a [u8; N]) -> Self {
        Self::Message(message.into())
    }
}

impl<'a> From<Event<'a>> for Publication<'a> {
    fn from(event: Event<'a>) -> Self {
        Self::Event(event)
    }
}

/// A publication that owns its bytes, on its way to another thread.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    message: Option<OwnedMessage>,
    event: Option<OwnedEvent>,
}

#[derive(Clone, Debug)]
enum OwnedMessage {
    Text(Box<str>),
    Binary(Box<[u8]>),
}

#[derive(Clone, Debug)]
struct OwnedEvent {
    id: Option<Box<str>>,
    name: Option<Box<str>>,
    retry: Option<std::time::Duration>,
    data: Option<Box<str>>,
}

impl Parcel {
    pub(crate) fn pack(publication: &Publication<'_>) -> Self {
        let (message, event) = match publication {
            Publication::Message(message) => (Some(message), None),
            Publication::Event(event) => (None, Some(event)),
            Publication::Both(message, event) => (Some(message), Some(event)),
        };
        Self {
            message: message.map(|message| match message {
                Message::Text(text) => OwnedMessage::Text((*text).into()),
                Message::Binary(bytes) => OwnedMessage::Binary((*bytes).into()),
            }),
            event: event.map(|event| OwnedEvent {
                id: event.id.map(|id| id.as_str().into()),
                name: event.name.map(|name| name.as_str().into()),
                retry: event.retry,
                data: event.data.map(Into::into),
            }),
        }
    }

    /// Bytes that it pins beside itself.
    pub(crate) fn bytes(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |message| match message {
            OwnedMessage::Text(text) => text.len(),
            OwnedMessage::Binary(bytes) => bytes.len(),
        });
        let event = self.event.as_ref().map_or(0, |event| {
            [&event.id, &event.name, &event.data].into_iter().flatten().map(|text| text.len()).sum()
        });
        message + event
    }

    pub(crate) fn unpack(&self) -> Publication<'_> {
        let message = self.message.as_ref().map(|message| match message {
            OwnedMessage::Text(text) => Message::Text(text),
            OwnedMessage::Binary(bytes) => Message::Binary(bytes),
        });
        let event = self.event.as_ref().map(|event| Event {
            id: event.id.as_deref().map(|id| Id::new(id).expect("it was an id when it was packed")),
            name: event.name.as_deref().map(|name| Line::new(name).expect("it was a line when it was packed")),
            retry: event.retry,
            data: event.data.as_deref(),
        });
        match (message, event) {
            (Some(message), Some(event)) => Publication::Both(message, event),
            (None, Some(event)) => Publication::Event(event),
            (Some(message), None) => Publication::Message(message),
            (None, None) => unreachable!("pack fills one or both"),
        }
    }
}
