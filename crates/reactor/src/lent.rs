//! What waits for a socket where it lies, instead of being copied: a body that the application gave away, or the rest of a long message
//! that it was told and has sent on. That memory is free when the last of it has left.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use longwire_frame::{Assembly, Message};

use crate::ledger::OBJECT;
use crate::pool::{Pool, Shelf};

/// A long message that was put together, in the hands of the callback that is told it. A clone is the same message.
#[derive(Clone)]
pub(crate) struct Lent(Arc<Assembly>);

impl Lent {
    /// How many times as long as what is worth a call of its own ([`Limits::direct`](crate::Limits::direct)) it must be: what is shorter
    /// costs less to be copied.
    pub(crate) const LONG: usize = 4;

    pub(crate) fn new(assembly: Assembly) -> Self {
        Self(Arc::new(assembly))
    }

    pub(crate) fn message(&self) -> Message<'_> {
        self.0.message()
    }

    /// Where in the message these bytes lie, if they are a part of it, and not so little that all of its memory should not wait for them.
    pub(crate) fn find(&self, part: &[u8]) -> Option<Range<usize>> {
        let whole = self.message().as_bytes();
        let begin = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let place = begin..begin.checked_add(part.len())?;
        let is_worth_it = part.len() >= self.0.capacity() / 4;
        (place.end <= whole.len() && is_worth_it).then_some(place)
    }

    /// Bytes that it pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        size_of::<Assembly>() + self.0.capacity() + 3 * OBJECT
    }

    /// It is not needed here any more. Its memory serves again if it is needed nowhere else.
    pub(crate) fn give_back(self, shelf: &mut Shelf) {
        if let Some(assembly) = Arc::into_inner(self.0) {
            shelf.keep(assembly.into_memory());
        }
    }
}

/// What is written from where it lies.
pub(crate) enum Body {
    /// A response's, which the application gave away: nothing is queued behind it.
    Given(Cow<'static, [u8]>),
    /// The rest of a frame that has begun to leave: up to there of a message.
    Lent(Lent, usize),
}

impl Body {
    pub(crate) const NONE: Self = Self::Given(Cow::Borrowed(&[]));

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Given(bytes) => bytes,
            Self::Lent(message, end) => &message.message().as_bytes()[..*end],
        }
    }

    /// Bytes that it pins.
    pub(crate) fn pinned(&self) -> usize {
        match self {
            Self::Given(Cow::Owned(bytes)) => bytes.capacity() + OBJECT,
            Self::Given(Cow::Borrowed(_)) => 0,
            Self::Lent(message, _) => message.pinned(),
        }
    }

    /// All of it has left.
    pub(crate) fn give_back(self, pool: &mut Pool) {
        if let Self::Lent(message, _) = self {
            message.give_back(&mut pool.messages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lent(length: usize) -> Lent {
        let mut assembly = Assembly::new();
        assembly.push_binary(&vec![7; length]);
        Lent::new(assembly)
    }

    #[test]
    fn only_its_own_bytes_are_found_and_only_where_they_are_worth_it() {
        let message = lent(1_000);
        let bytes = message.message().as_bytes();
        assert_eq!(message.find(bytes), Some(0..1_000));
        assert_eq!(message.find(&bytes[9..]), Some(9..1_000));
        assert_eq!(message.find(&bytes[9..300]), Some(9..300));
        assert_eq!(message.find(&bytes[..message.0.capacity() / 4 - 1]), None, "too little for so much memory");
        assert_eq!(message.find(&vec![7; 1_000]), None, "the same words of somebody else");
        assert_eq!(lent(1_000).find(bytes), None);
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
