//! One message in progress, on the heap: feature `alloc`.

use alloc::{string::String, vec::Vec};
use core::mem::{replace, take};

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
    /// Initialised memory, of which `filled` bytes from `start` on are the message.
    binary: Vec<u8>,
    start: usize,
    filled: usize,
}

/// From this size on a binary message begins `LEAD` bytes into its memory.
const LONG: usize = 64 << 10;
const LEAD: usize = Assembly::LEAD;

impl Assembly {
    /// So many bytes stand in front of a binary message whose memory is made, or used again, for 64 KiB and more.
    ///
    /// Large memory begins at the beginning of a page, and what a sender's kernel holds of a message does, too, but for its header. A copy
    /// whose target is just ahead of its source, page by page, takes several times as long: the processor takes what it is about to
    /// read for what it has just written. From the middle of a page on it cannot.
    pub const LEAD: usize = 2 << 10;

    /// A buffer that owns nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::reusing(Vec::new())
    }

    /// A buffer in memory that is there already. What stands in it is overwritten; as long as it is, it need not be
    /// zeroed.
    #[must_use]
    pub const fn reusing(memory: Vec<u8>) -> Self {
        let start = start_in(&memory);
        Self { kind: Kind::Binary, text: String::new(), binary: memory, start, filled: 0 }
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
        let begin = self.start + self.filled;
        match self.binary.get_mut(begin..begin.saturating_add(bytes.len())) {
            Some(place) => place.copy_from_slice(bytes),
            None => {
                self.binary.resize(begin, 0);
                self.binary.extend_from_slice(bytes);
            }
        }
        self.filled += bytes.len();
    }

    /// How much longer a binary message can become without being moved.
    #[must_use]
    pub const fn spare(&self) -> usize {
        let room = self.capacity().saturating_sub(self.start);
        match self.kind {
            Kind::Text => room.saturating_sub(self.text.len()),
            Kind::Binary => room.saturating_sub(self.filled),
        }
    }

    /// Sees to it that a binary message can grow by so much without being moved. Ask in proportion to what has arrived, never for what
    /// was announced alone.
    pub fn reserve(&mut self, more: usize) {
        self.become_binary();
        if more <= self.spare() {
            return;
        }
        let (begin, length) = (self.start, self.filled.saturating_add(more));
        self.start = if length < LONG { 0 } else { LEAD };
        self.binary.truncate(begin + self.filled);
        self.binary.reserve_exact((self.start + length).saturating_sub(self.binary.len()));
        if self.start != begin {
            self.binary.resize(self.start + self.filled, 0);
            self.binary.copy_within(begin..begin + self.filled, self.start);
        }
    }

    /// Moves what is there into other memory, which is better if it is large enough, and returns the memory that it was in.
    #[must_use]
    pub fn move_to(&mut self, memory: Vec<u8>) -> Vec<u8> {
        let mut moved = Self::reusing(memory);
        match self.message() {
            Message::Text(text) => moved.push_text(None, text),
            Message::Binary(bytes) => moved.push_binary(bytes),
        }
        replace(self, moved).into_memory()
    }

    /// `len` bytes behind those of a binary message, to read into: they become part of it by [`fill`](Self::fill). Ask
    /// for as much as one read may bring, not for as much as a header announces.
    ///
    /// Only memory that was never used is zeroed. If what is there is text, it is another message's and forgotten.
    pub fn place(&mut self, len: usize) -> &mut [u8] {
        self.become_binary();
        let begin = self.start + self.filled;
        let end = begin.saturating_add(len);
        if self.binary.len() < end {
            self.binary.resize(end, 0);
        }
        self.binary.get_mut(begin..end).unwrap_or_default()
    }

    /// Says that the first `len` bytes of [`place`](Self::place) are part of the message now; at most as many as there
    /// are.
    pub fn fill(&mut self, len: usize) {
        self.become_binary();
        self.filled = self.filled.saturating_add(len).min(self.binary.len().saturating_sub(self.start));
    }

    /// What is there of the message.
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        match self.kind {
            Kind::Text => Message::Text(&self.text),
            Kind::Binary => Message::Binary(self.binary.get(self.start..self.start + self.filled).unwrap_or_default()),
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
            (self.start, self.filled) = (0, 0);
            let mut memory = take(&mut self.binary);
            memory.clear();
            self.text = String::from_utf8(memory).unwrap_or_default();
        }
    }

    fn become_binary(&mut self) {
        if self.kind == Kind::Text {
            self.kind = Kind::Binary;
            self.binary = take(&mut self.text).into_bytes();
            self.start = start_in(&self.binary);
        }
    }
}

/// Where a binary message begins in memory that is there.
const fn start_in(memory: &Vec<u8>) -> usize {
    if memory.capacity() < LONG + LEAD { 0 } else { LEAD }
}

impl Default for Assembly {
    fn default() -> Self {
        Self::new()
    }
}
