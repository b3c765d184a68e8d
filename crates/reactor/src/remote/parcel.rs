//! A publication on its way to another thread: it owns its bytes.

use longwire_frame::Message;
use longwire_sse::{Event, Id, Line};

use crate::publication::Publication;

/// See the top of this file.
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
