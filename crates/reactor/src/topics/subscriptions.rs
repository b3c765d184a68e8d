//! What one connection listens to.

use crate::ledger::OBJECT;

/// One connection's subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    pub(super) entries: Vec<Entry>,
    /// The delivery in which this connection was last served, so that nobody is served twice.
    pub(super) served: u32,
    /// What the topics themselves would cost, if nobody else listened to them.
    pub(super) topics: u32,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) topic: u32,
    /// Where this connection stands in the topic's list.
    pub(super) place: u32,
    /// The first publication that concerns it: those before were published before it came.
    pub(super) since: u64,
}

impl Subscriptions {
    /// What they pin, each charged as if it were its topic's only one.
    pub(crate) fn pinned(&self) -> usize {
        size_of::<Self>() + 2 * OBJECT + self.entries.capacity() * size_of::<Entry>() + self.topics as usize
    }
}
