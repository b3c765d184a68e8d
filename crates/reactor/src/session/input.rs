//! What one connection has received and not used up: it exists only while there is something in it.

use longwire_frame::Assembly;

use crate::ledger::OBJECT;

/// The carried input of one connection.
#[derive(Default)]
pub(crate) struct Input {
    /// An incomplete head, frame header or control frame; a request that waits for its body or its answer; or bytes that
    /// were read before reading was paused.
    pub(crate) carry: Vec<u8>,
    /// A message that arrives in pieces.
    pub(crate) assembly: Option<Assembly>,
}

impl Input {
    pub(crate) fn is_empty(&self) -> bool {
        self.carry.is_empty() && self.assembly.is_none()
    }

    /// Bytes that it pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        // Itself, and each of its buffers, is an object on the heap.
        let assembly = self.assembly.as_ref().map_or(0, |assembly| assembly.capacity() + OBJECT);
        size_of::<Self>() + self.carry.capacity() + 2 * OBJECT + assembly
    }
}
