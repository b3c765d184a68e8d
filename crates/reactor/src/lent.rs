//! `Lent`: a long message that was put together, in the hands of the callback that is told it. What is sent of it and not taken by the
//! socket need not be copied: it waits where it lies, until no more than a little of it is left.

use std::ops::Range;
use std::rc::Rc;

use longwire_frame::{Assembly, Message};

use crate::ledger::OBJECT;
use crate::pool::Shelf;

/// See the top of this file. A clone is the same message.
#[derive(Clone)]
pub(crate) struct Lent(Rc<Assembly>);

/// What of it is still to leave, in a queue.
pub(crate) struct Rest {
    message: Lent,
    left: Range<usize>,
}

/// How many times as long as what is worth a call of its own ([`Limits::direct`](crate::Limits::direct)) it must be: what is shorter costs less
/// to be copied.
const LONG: usize = 4;

/// A quarter of its memory must be needed, at least, for all of it to wait; and when no more than a sixteenth is, it waits no longer.
const NEEDED: usize = 4;
const LITTLE: usize = 16;

impl Lent {
    /// Whether a message is long enough to be lent.
    pub(crate) const fn is_long(length: usize, direct: usize) -> bool {
        length >= direct.saturating_mul(LONG)
    }

    pub(crate) fn new(assembly: Assembly) -> Self {
        Self(Rc::new(assembly))
    }

    pub(crate) fn message(&self) -> Message<'_> {
        self.0.message()
    }

    /// These bytes as the rest of something, if they are a part of this message, and not too little of its memory.
    pub(crate) fn rest(&self, part: &[u8]) -> Option<Rest> {
        let whole = self.message().as_bytes();
        let begin = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let end = begin.checked_add(part.len())?;
        let is_needed = part.len() >= self.0.capacity() / NEEDED;
        (end <= whole.len() && is_needed).then(|| Rest { message: self.clone(), left: begin..end })
    }

    /// It is not needed here any more. Its memory serves again if it is needed nowhere else.
    pub(crate) fn give_back(self, shelf: &mut Shelf) {
        if let Some(assembly) = Rc::into_inner(self.0) {
            shelf.keep(assembly.into_memory());
        }
    }
}

impl Rest {
    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.message.message().as_bytes()[self.left.clone()]
    }

    /// The socket took so much, of this and what is behind it. Returns how much was of this.
    pub(crate) fn advance(&mut self, taken: usize) -> usize {
        let taken = taken.min(self.left.len());
        self.left.start += taken;
        taken
    }

    /// Whether it is too little for so much memory to wait for it.
    pub(crate) fn is_little(&self) -> bool {
        self.len() <= self.message.0.capacity() / LITTLE
    }

    /// Bytes that it pins: all of the message.
    pub(crate) fn pinned(&self) -> usize {
        // The counts of its holders stand beside it, and its memory is another object.
        2 * size_of::<usize>() + size_of::<Assembly>() + self.message.0.capacity() + 2 * OBJECT
    }

    pub(crate) fn give_back(self, shelf: &mut Shelf) {
        self.message.give_back(shelf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Pool;

    fn lent(length: usize) -> Lent {
        let mut assembly = Assembly::new();
        assembly.push_binary(&vec![7; length]);
        Lent::new(assembly)
    }

    #[test]
    fn only_its_own_bytes_are_lent_and_only_where_they_are_worth_it() {
        let message = lent(1_000);
        let bytes = message.message().as_bytes();
        let found = |part: &[u8]| message.rest(part).map(|rest| rest.left);
        assert_eq!(found(bytes), Some(0..1_000));
        assert_eq!(found(&bytes[9..]), Some(9..1_000));
        assert_eq!(found(&bytes[9..300]), Some(9..300));
        assert_eq!(found(&bytes[..message.0.capacity() / NEEDED - 1]), None, "too little for so much memory");
        assert_eq!(found(&vec![7; 1_000]), None, "the same words of somebody else");
        assert!(lent(1_000).rest(bytes).is_none());
        assert_eq!([399, 400].map(|length| Lent::is_long(length, 100)), [false, true]);
    }

    #[test]
    fn what_has_left_is_gone_from_its_front() {
        let message = lent(1_000);
        let mut rest = message.rest(&message.message().as_bytes()[100..]).expect("a part");
        assert_eq!((rest.advance(300), rest.len()), (300, 600));
        assert_eq!(rest.bytes().as_ptr(), message.message().as_bytes()[400..].as_ptr());
        let most = message.0.capacity() / LITTLE;
        assert_eq!((rest.advance(600 - most - 1), rest.is_little()), (600 - most - 1, false));
        assert_eq!((rest.advance(1), rest.is_little()), (1, true));
        assert_eq!((rest.advance(most + 1), rest.len()), (most, 0));
    }

    #[test]
    fn its_memory_serves_again_when_the_last_has_given_it_back() {
        let message = lent(100 << 10);
        let mut pool = Pool::new(1 << 30, 1);
        message.clone().give_back(&mut pool.messages);
        assert_eq!(pool.messages.take(0..=usize::MAX), None);
        message.give_back(&mut pool.messages);
        assert!(pool.messages.take(0..=usize::MAX).is_some_and(|memory| memory.capacity() >= 100 << 10));
    }
}
