//! The memory that is lent to a parser, cut into places. What stands in them is the parser's business.
//!
//! ```text
//! ┌───────┬───────┬───────┬───────┬──────────────────────────────┐
//! │ short │ short │ short │ short │ data                         │
//! └───────┴───────┴───────┴───────┴──────────────────────────────┘
//!  an eighth each, 1 KiB at most    what is left: half and more
//! ```
//!
//! The four short places hold the event's name, the last event id, the id that will become it, and the line that is
//! being read. They are swapped, not copied: a line costs its own bytes, however often it comes and however much stands
//! beside it.

use crate::utf8;

/// The longest id or event name that is understood, in bytes, if the memory is 8 KiB or more.
const SHORT_MAX: usize = 1024;

/// One of the places, and how many bytes of it are in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    index: usize,
    len: usize,
}

impl Place {
    pub(crate) const SHORT: [Self; 4] = [Self::new(0), Self::new(1), Self::new(2), Self::new(3)];
    pub(crate) const DATA: Self = Self::new(4);

    const fn new(index: usize) -> Self {
        Self { index, len: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Adds to the text of this place; `None` if there is no room.
    pub(crate) fn push(&mut self, memory: &mut [u8], bytes: &[u8]) -> Option<()> {
        self.all_of(memory).get_mut(self.len..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// Makes the text of this place UTF-8; `None` if there is no room for what must be inserted.
    pub(crate) fn repair(&mut self, memory: &mut [u8]) -> Option<()> {
        self.len = utf8::repair(self.all_of(memory), self.len)?;
        Some(())
    }

    /// The text of this place, once it was [repaired](Self::repair).
    pub(crate) fn text(self, memory: &[u8]) -> &str {
        let start = self.index * short_len(memory.len());
        let bytes = memory.get(start..).and_then(|from| from.get(..self.len)).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }

    fn all_of(self, memory: &mut [u8]) -> &mut [u8] {
        let short = short_len(memory.len());
        let from = memory.get_mut(self.index * short..).unwrap_or_default();
        if self.index == Self::DATA.index { from } else { from.get_mut(..short).unwrap_or_default() }
    }
}

fn short_len(memory: usize) -> usize {
    (memory / 8).min(SHORT_MAX)
}
