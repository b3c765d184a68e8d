//! One message in progress, on the heap: feature `alloc`.

use alloc::{string::String, vec::Vec};
use core::mem::take;

use crate::{Event, Kind, Message};

/// A buffer for the pieces of one message, used again for the next.
///
/// Text is appended to a `String` as it comes, validated: one copy, no second look. It grows with what has arrived,
/// never with what was announced.
///
/// The memory serves text and binary in turn: it is in `text` or in `binary`, and the other one is empty.
#[derive(Debug)]
pub struct Assembly {
    kind: Kind,
    text: String,
    /// Initialised memory, of which `filled` bytes are the message.
    binary: Vec<u8>,
    filled: usize,
}

impl Assembly {
    /// A buffer that owns nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::reusing(Vec::new())
    }

    /// A buffer in memory that is there already. What stands in it is overwritten; as long as it is, it need not be
    /// zeroed.
    #[must_use]
    pub const fn reusing(memory: Vec<u8>) -> Self {
        Self { kind: Kind::Binary, text: String::new(), binary: memory, filled: 0 }
    }

    /// The memory, for [`reusing`](Self::reusing) it.
    #[must_use]
    pub fn into_memory(self) -> Vec<u8> {
        match self.kind {
            Kind::Text => self.text.into_bytes(),
            Kind::Binary => self.binary,
        }
    }

    /// Takes the next event, and returns the message if this was its end: the event itself, without a copy, if it is a
    /// whole message. Call [`clear`](Self::clear) when done with a message that was put together.
    ///
    /// Events that are no data change nothing, nor does an extension's payload.
    pub fn push<'a>(&'a mut self, event: Event<'a>) -> Option<Message<'a>> {
        match event {
            Event::Text { carried: None, rest, end: true } if self.is_empty() => Some(Message::Text(rest)),
            Event::Binary { bytes, end: true } if self.is_empty() => Some(Message::Binary(bytes)),
            Event::Text { carried, rest, end } => {
                self.push_text(carried, rest);
                end.then(|| self.message())
            }
            Event::Binary { bytes, end } => {
                self.push_binary(bytes);
                end.then(|| self.message())
            }
            Event::Extended { .. } | Event::Ping(_) | Event::Pong(_) | Event::Close(_) => None,
        }
    }

    /// Appends text. If what is there is binary, it is another message's and forgotten.
    pub fn push_text(&mut self, carried: Option<char>, rest: &str) {
        self.become_text();
        self.text.extend(carried);
        self.text.push_str(rest);
    }

    /// Appends bytes. If what is there is text, it is another message's and forgotten.
    pub fn push_binary(&mut self, bytes: &[u8]) {
        self.become_binary();
        let end = self.filled.saturating_add(bytes.len());
        match self.binary.get_mut(self.filled..end) {
            Some(place) => place.copy_from_slice(bytes),
            None => {
                self.binary.truncate(self.filled);
                self.binary.extend_from_slice(bytes);
            }
        }
        self.filled = end;
    }

    /// Sees to it that a binary message can grow by so much without being moved. Ask in proportion to what has arrived, never for what
    /// was announced alone.
    pub fn reserve(&mut self, more: usize) {
        self.become_binary();
        self.binary.reserve_exact(self.filled.saturating_add(more).saturating_sub(self.binary.len()));
    }

    /// `len` bytes behind those of a binary message, to read into: they become part of it by [`fill`](Self::fill). Ask
    /// for as much as one read may bring, not for as much as a header announces.
    ///
    /// Only memory that was never used is zeroed. If what is there is text, it is another message's and forgotten.
    pub fn place(&mut self, len: usize) -> &mut [u8] {
        self.become_binary();
        let end = self.filled.saturating_add(len);
        if self.binary.len() < end {
            self.binary.resize(end, 0);
        }
        self.binary.get_mut(self.filled..end).unwrap_or_default()
    }

    /// Says that the first `len` bytes of [`place`](Self::place) are part of the message now; at most as many as there
    /// are.
    pub fn fill(&mut self, len: usize) {
        self.become_binary();
        self.filled = self.filled.saturating_add(len).min(self.binary.len());
    }

    /// What is there of the message.
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        match self.kind {
            Kind::Text => Message::Text(&self.text),
            Kind::Binary => Message::Binary(self.binary.get(..self.filled).unwrap_or_default()),
        }
    }

    /// Whether nothing is there of a message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message().is_empty()
    }

    /// Bytes of memory that this buffer pins.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.text.capacity() + self.binary.capacity()
    }

    /// Forgets the message and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.filled = 0;
    }

    fn become_text(&mut self) {
        if self.kind == Kind::Binary {
            self.kind = Kind::Text;
            self.filled = 0;
            let mut memory = take(&mut self.binary);
            memory.clear();
            self.text = String::from_utf8(memory).unwrap_or_default();
        }
    }

    fn become_binary(&mut self) {
        if self.kind == Kind::Text {
            self.kind = Kind::Binary;
            self.binary = take(&mut self.text).into_bytes();
        }
    }
}

impl Default for Assembly {
    fn default() -> Self {
        Self::new()
    }
}
