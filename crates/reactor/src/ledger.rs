//! The ledger: what the connections of the process pin, and how much of it may be pinned at all.
//!
//! There is one account for the process; each loop borrows from it in steps, so that counting a connection's bytes
//! touches nothing shared. What is about to grow asks first ([`Ledger::admits`]), with what would be there for a moment: the new
//! buffer beside the old one. What has changed is booked afterwards ([`Ledger::settle`]).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::crowd::{Block, Crowd};

/// What an object on the heap costs beside its bytes: the allocator's own word and rounding.
pub(crate) const OBJECT: usize = 16;

/// What a loop borrows at a time, at most.
const STEP: usize = 1 << 20;
/// So many steps at least are in the budget: what a loop has borrowed and does not need must not be all there is.
const STEPS: usize = 16;

/// The account of the process.
#[derive(Debug, Default)]
pub(crate) struct Account {
    bytes: AtomicUsize,
    connections: AtomicUsize,
    crowd: Crowd,
}

/// What of the limits concerns the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) budget: usize,
    pub(crate) connections: usize,
    pub(crate) per_address: usize,
}

/// One loop's book.
#[derive(Debug)]
pub(crate) struct Ledger {
    account: Arc<Account>,
    bounds: Bounds,
    step: usize,
    borrowed: usize,
    pinned: usize,
}

impl Ledger {
    pub(crate) fn new(account: Arc<Account>, bounds: Bounds) -> Self {
        let step = (bounds.budget / STEPS).clamp(1, STEP);
        Self { account, bounds, step, borrowed: 0, pinned: 0 }
    }

    /// Bytes that this loop's connections pin.
    pub(crate) const fn pinned(&self) -> usize {
        self.pinned
    }

    /// Something pins `now` bytes where it pinned `before`.
    #[inline]
    pub(crate) fn settle(&mut self, before: usize, now: usize) {
        self.pinned = self.pinned + now - before;
        if self.pinned > self.borrowed || self.borrowed - self.pinned > 2 * self.step {
            self.balance();
        }
    }

    #[cold]
    fn balance(&mut self) {
        let wanted = self.pinned.div_ceil(self.step) * self.step;
        if wanted > self.borrowed {
            self.account.bytes.fetch_add(wanted - self.borrowed, Ordering::Relaxed);
        } else {
            self.account.bytes.fetch_sub(self.borrowed - wanted, Ordering::Relaxed);
        }
        self.borrowed = wanted;
    }

    /// Whether so many bytes more may be pinned now.
    pub(crate) fn admits(&self, more: usize) -> bool {
        let others = self.account.bytes.load(Ordering::Relaxed).saturating_sub(self.borrowed);
        others.saturating_add(self.pinned).saturating_add(more) <= self.bounds.budget
    }

    /// So much is to be freed when there is no room, so that the next to grow need not look for it again.
    pub(crate) const fn relief(&self) -> usize {
        self.bounds.budget / STEPS
    }

    /// Counts a connection in, unless there are as many as may be.
    pub(crate) fn admit(&self) -> bool {
        let before = self.account.connections.fetch_add(1, Ordering::Relaxed);
        let admitted = before < self.bounds.connections;
        if !admitted {
            self.release();
        }
        admitted
    }

    pub(crate) fn release(&self) {
        self.account.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a connection in under its address, unless that has as many as it may.
    pub(crate) fn admit_from(&self, address: IpAddr) -> bool {
        self.account.crowd.enter(Block::of(address), self.bounds.per_address)
    }

    pub(crate) fn release_from(&self, address: IpAddr) {
        self.account.crowd.leave(Block::of(address));
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.account.bytes.fetch_sub(self.borrowed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(budget: usize, connections: usize) -> Bounds {
        Bounds { budget, connections, per_address: 10 }
    }

    #[test]
    fn loops_borrow_in_steps_and_give_back() {
        let account = Arc::new(Account::default());
        let mut one = Ledger::new(account.clone(), bounds(STEPS * STEP, 10));
        let mut two = Ledger::new(account.clone(), bounds(STEPS * STEP, 10));
        one.settle(0, 10);
        one.settle(10, 500);
        assert_eq!((one.pinned(), account.bytes.load(Ordering::Relaxed)), (500, STEP));
        two.settle(0, 14 * STEP + 1);
        assert_eq!(account.bytes.load(Ordering::Relaxed), STEPS * STEP);
        assert!(one.admits(STEP - 500) && !one.admits(STEP - 499));
        two.settle(14 * STEP + 1, 0);
        drop(two);
        assert!(one.admits(STEPS * STEP - 500));
        assert_eq!(account.bytes.load(Ordering::Relaxed), STEP);
    }

    #[test]
    fn who_is_about_to_grow_asks_for_what_the_others_have_not_borrowed() {
        let account = Arc::new(Account::default());
        let mut one = Ledger::new(account.clone(), bounds(STEPS * STEP, 10));
        let mut two = Ledger::new(account, bounds(STEPS * STEP, 10));
        assert!(one.admits(STEPS * STEP));
        assert!(!one.admits(STEPS * STEP + 1));
        two.settle(0, 10 * STEP);
        assert!(one.admits(6 * STEP));
        assert!(!one.admits(6 * STEP + 1));
        one.settle(0, 100);
        assert!(one.admits(6 * STEP - 100));
        assert!(!one.admits(6 * STEP - 99));
        two.settle(10 * STEP, 0);
        assert!(one.admits(12 * STEP));
        assert!(!one.admits(usize::MAX));
    }

    #[test]
    fn a_small_budget_is_given_back_too() {
        for budget in [1, 100, STEP, 2 * STEP] {
            let mut ledger = Ledger::new(Arc::default(), bounds(budget, 10));
            ledger.settle(0, budget);
            assert!(!ledger.admits(1));
            ledger.settle(budget, 0);
            assert!(ledger.admits(budget), "{budget}");
        }
    }

    #[test]
    fn connections_are_counted_for_the_process() {
        let account = Arc::new(Account::default());
        let one = Ledger::new(account.clone(), bounds(1, 2));
        let two = Ledger::new(account, bounds(1, 2));
        assert!(one.admit() && two.admit());
        assert!(!one.admit());
        two.release();
        assert!(one.admit());
    }
}
