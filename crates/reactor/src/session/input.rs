//! What one connection has received and not used up: it exists only while there is something in it.

use longwire_frame::{Assembly, Opcode};

use crate::carry::Carry;
use crate::deflate::Inflating;
use crate::ledger::OBJECT;

/// What one connection has received and not used up.
#[derive(Default)]
pub(crate) struct Input {
    /// An incomplete head, frame header or control frame; or bytes that were read before the visit ended.
    pub(crate) carry: Carry,
    /// A request that waits for its body or its answer: its head, and what is there of its body.
    pub(crate) request: Vec<u8>,
    /// A message that arrives in pieces.
    pub(crate) assembly: Option<Assembly>,
    /// What decompresses a message that has begun, or all messages of a peer that keeps its window.
    pub(crate) inflating: Option<Box<Inflating>>,
    /// The beginning of a compressed message for which nothing decompresses yet.
    pub(crate) begun: Option<Box<Begun>>,
}

/// Too little of a compressed message to take a decompressor for it.
pub(crate) struct Begun {
    pub(crate) opcode: Opcode,
    pub(crate) bytes: Vec<u8>,
}

impl Input {
    pub(crate) fn is_empty(&self) -> bool {
        let parts = self.assembly.is_none() && self.inflating.is_none() && self.begun.is_none();
        parts && self.carry.is_empty() && self.request.is_empty()
    }

    /// Whether there is something that has come and only waits for its turn.
    pub(crate) fn is_parked(&self) -> bool {
        self.inflating.as_ref().is_some_and(|inflating| inflating.parked.is_some())
    }

    /// How much of a message in pieces is there, and how much longer it can become without being moved.
    pub(crate) fn assembled(&self) -> (usize, usize) {
        self.assembly.as_ref().map_or((0, 0), |begun| (begun.message().len(), begun.spare()))
    }

    /// Bytes that it pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        // Itself, and each of its buffers, is an object on the heap.
        let buffer = |capacity: usize| if capacity == 0 { 0 } else { capacity + OBJECT };
        let bytes = buffer(self.carry.pinned()) + buffer(self.request.capacity());
        let assembly = self.assembly.as_ref().map_or(0, |assembly| assembly.capacity() + OBJECT);
        let inflating = self.inflating.as_ref().map_or(0, |inflating| inflating.pinned());
        let begun = self.begun.as_ref().map_or(0, |begun| size_of::<Begun>() + begun.bytes.capacity() + 2 * OBJECT);
        size_of::<Self>() + OBJECT + bytes + assembly + inflating + begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_pins_itself_and_each_buffer_by_capacity() {
        let bare = size_of::<Input>() + OBJECT;
        assert_eq!(Input::default().pinned(), bare);
        let mut carry = Carry::default();
        carry.push(&[0; 100]);
        assert_eq!(Input { carry, ..Input::default() }.pinned(), bare + 100 + OBJECT);
        assert_eq!(Input { request: Vec::with_capacity(90), ..Input::default() }.pinned(), bare + 90 + OBJECT);
        let assembly = Some(Assembly::reusing(Vec::with_capacity(300)));
        assert_eq!(Input { assembly, ..Input::default() }.pinned(), bare + 300 + OBJECT);
        let begun = Begun { opcode: Opcode::Text, bytes: Vec::with_capacity(70) };
        let kept = size_of::<Begun>() + 70 + 2 * OBJECT;
        assert_eq!(Input { begun: Some(Box::new(begun)), ..Input::default() }.pinned(), bare + kept);
    }
}
