//! Whole messages from pieces, in memory that is lent. The same on the heap is `assembly`.

use crate::{Event, Full, Kind, Message};

/// Joins the pieces of a message in lent memory.
///
/// A message that arrived whole is handed through and not copied. A message in pieces needs as much memory as it is
/// long: lend as many bytes as [`Limits::message`](crate::Limits::message) allows, and it is never full.
#[derive(Debug)]
pub struct Assembler<'m> {
    memory: &'m mut [u8],
    filled: usize,
    kind: Option<Kind>,
}

impl<'m> Assembler<'m> {
    /// An assembler with nothing in it.
    #[must_use]
    pub const fn new(memory: &'m mut [u8]) -> Self {
        Self { memory, filled: 0, kind: None }
    }

    /// Takes the next event, and returns the message if this was its end.
    ///
    /// Events that are no data change nothing, nor does an extension's payload: what becomes of that, the extension
    /// says. `Full`: the message does not fit, and every later piece of it will say the same; the connection cannot go
    /// on with it (close code 1009).
    pub fn push<'a>(&'a mut self, event: Event<'a>) -> Result<Option<Message<'a>>, Full> {
        match event {
            Event::Text { carried: None, rest, end: true } if self.begins(Kind::Text) => Ok(Some(Message::Text(rest))),
            Event::Binary { bytes, end: true } if self.begins(Kind::Binary) => Ok(Some(Message::Binary(bytes))),
            Event::Text { carried, rest, end } => {
                self.begins(Kind::Text);
                if let Some(carried) = carried {
                    self.append(carried.encode_utf8(&mut [0; 4]).as_bytes());
                }
                self.append(rest.as_bytes());
                Ok(self.taken(end)?.map(|bytes| Message::Text(as_text(bytes))))
            }
            Event::Binary { bytes, end } => {
                self.begins(Kind::Binary);
                self.append(bytes);
                Ok(self.taken(end)?.map(Message::Binary))
            }
            Event::Extended { .. } | Event::Ping(_) | Event::Pong(_) | Event::Close(_) => Ok(None),
        }
    }

    /// Whether nothing of a message has been kept. A piece of the other kind belongs to another message: what is there
    /// is forgotten.
    fn begins(&mut self, kind: Kind) -> bool {
        if self.kind != Some(kind) {
            self.kind = Some(kind);
            self.filled = 0;
        }
        self.filled == 0
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.filled.saturating_add(bytes.len());
        match self.memory.get_mut(self.filled..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled = end;
            }
            None => self.filled = TOO_MUCH,
        }
    }

    /// The message, if this is its end.
    fn taken(&mut self, end: bool) -> Result<Option<&[u8]>, Full> {
        let filled = self.filled;
        if end {
            self.filled = 0;
        }
        let message = self.memory.get(..filled).ok_or(Full)?;
        Ok(end.then_some(message))
    }
}

/// Bytes of a message that does not fit: more than any memory has, until its end.
const TOO_MUCH: usize = usize::MAX;

/// What was put together from text is text: the second look that this takes is the price of safe code without a heap.
fn as_text(bytes: &[u8]) -> &str {
    crate::utf8::text(bytes).unwrap_or_default()
}
