//! The cork: the buffer in which the visited connection's output is collected.

use crate::tail::Tail;
use crate::unit;

/// See the top of this file. All places are places in `bytes`.
pub(crate) struct Cork {
    pub(super) bytes: Tail,
    /// Whose output it is.
    whose: Option<u32>,
    /// Where the running callback's output began.
    mark: usize,
    /// Where its Close stands, if it has sent one.
    closed_at: Option<usize>,
    /// Where the frames or events begin of what was opened in this visit.
    opened_at: usize,
    /// Whether behind what the running callback was told there is more that has come.
    more: bool,
    /// What it holds as a rule.
    usual: usize,
}

impl Cork {
    pub(super) fn new(usual: usize) -> Self {
        Self {
            bytes: Tail::with_capacity(usual),
            whose: None,
            mark: 0,
            closed_at: None,
            opened_at: 0,
            more: false,
            usual,
        }
    }

    /// From here on output of this connection is collected.
    pub(crate) fn begin(&mut self, slot: u32) {
        debug_assert!(self.bytes.is_empty());
        (self.whose, self.opened_at, self.more) = (Some(slot), 0, false);
    }

    /// Behind what the next callback is told more has come already, or nothing that is known of.
    #[inline]
    pub(crate) const fn expect(&mut self, more: bool) {
        self.more = more;
    }

    /// Whether what is sent now leaves with what will be sent for what else has come.
    #[inline]
    pub(super) const fn expects_more(&self) -> bool {
        self.more
    }

    /// What was collected has gone, and nobody's output is collected any more.
    pub(super) fn end(&mut self) {
        self.whose = None;
        self.bytes.shrink_to(self.usual);
    }

    /// How many bytes are collected.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whose output is collected.
    pub(super) const fn whose(&self) -> Option<u32> {
        self.whose
    }

    /// Whether output of this connection is collected.
    #[inline]
    pub(super) fn is_of(&self, slot: u32) -> bool {
        self.whose == Some(slot)
    }

    /// A callback begins: its output can be cut off if it panics.
    pub(crate) fn mark(&mut self) {
        self.mark = self.bytes.len();
        self.closed_at = None;
    }

    /// A Close of this connection follows.
    pub(super) fn mark_close(&mut self, slot: u32) {
        self.closed_at = self.is_of(slot).then_some(self.bytes.len());
    }

    /// Frames or events follow: what is here is the head of what was opened, and whatever else was said before.
    pub(super) fn mark_opened(&mut self) {
        self.opened_at = self.bytes.len();
    }

    /// Takes back what the running callback has sent, as far as it has not left. `true` if a Close was among it.
    pub(crate) fn cut_back(&mut self) -> bool {
        self.bytes.truncate(self.mark);
        self.closed_at.take().is_some_and(|at| at >= self.mark)
    }

    /// What was collected leaves: nothing of it can be cut off.
    pub(super) const fn keep_all(&mut self) {
        (self.mark, self.closed_at) = (0, None);
    }

    /// What was collected has left, or is in the queue.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.opened_at = 0;
    }

    /// How many bytes behind the first `left` belong to what has begun: the rest of a frame or an event, or all that was said
    /// before the session was open.
    pub(super) fn begun(&self, left: usize, is_open: bool) -> usize {
        if left <= self.opened_at {
            return self.opened_at - left;
        }
        if !is_open {
            // Responses: what follows half of one belongs to it.
            return self.bytes.len() - left;
        }
        unit::ends_in(&self.bytes, self.opened_at).find(|end| *end >= left).map_or(0, |end| end - left)
    }

    /// Drops frames or events. Returns how many that were.
    pub(super) fn drop_units(&mut self) -> u64 {
        let dropped = unit::ends_in(&self.bytes, self.opened_at).count();
        self.bytes.truncate(self.opened_at);
        dropped as u64
    }
}
