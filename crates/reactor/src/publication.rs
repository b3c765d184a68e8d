//! One publication, every transport: what a message looks like on a WebSocket and on an event stream.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longwire_frame::Message;
use longwire_sse::{Event, Line};

use crate::encode::append_encoded;
use crate::tail::Append;

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
    pub(crate) fn encode_event(&self, out: &mut impl Append) {
        match self {
            Self::Event(event) | Self::Both(_, event) => append(event, out),
            Self::Message(Message::Text(text)) => append(&Event::data(text), out),
            Self::Message(Message::Binary(bytes)) => {
                append(&Event::data(&STANDARD.encode(bytes)).name(Line::literal("binary")), out);
            }
        }
    }

    /// The event that says how many events were dropped before it. (Comments never reach scripts.)
    pub(crate) fn gap(count: u32, out: &mut impl Append) {
        append(&Event::data(&count.to_string()).name(Line::literal("gap")), out);
    }
}

/// Appends an event's bytes.
fn append(event: &Event<'_>, out: &mut impl Append) {
    append_encoded(event.encoded_len(), |place| event.encode(place), out);
}

/// Whatever can be a message can be published as one.
macro_rules! from_messages {
    ($($from:ty),*) => {
        $(impl<'a> From<$from> for Publication<'a> {
            #[inline]
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
