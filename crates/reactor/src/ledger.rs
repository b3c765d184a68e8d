//! The ledger: what the connections of the process pin, and how much of it may be pinned at all.
//!
//! There is one account for the process; each loop borrows from it in steps, so that counting a connection's bytes
//! touches nothing shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a loop borrows at a time, at most.
const STEP: usize = 1 << 20;
/// So many steps at least are in the budget: what a loop has borrowed and does not need must not be all there is.
const STEPS: usize = 16;

/// The account of the process.
#[derive(Debug, Default)]
pub(crate) struct Account {
    bytes: AtomicUsize,
    connections: AtomicUsize,
}

/// One loop's book.
#[derive(Debug)]
pub(crate) struct Ledger {
    account: Arc<Account>,
    budget: usize,
    step: usize,
    most_connections: usize,
    borrowed: usize,
    pinned: usize,
}

impl Ledger {
    pub(crate) fn new(account: Arc<Account>, budget: usize, most_connections: usize) -> Self {
        let step = (budget / STEPS).clamp(1, STEP);
        Self { account, budget, step, most_connections, borrowed: 0, pinned: 0 }
    }

    /// Bytes that this loop's connections pin.
    pub(crate) const fn pinned(&self) -> usize {
        self.pinned
    }

    /// One connection pins `now` bytes where it pinned `before`.
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

    /// Whether the process has room for new work.
    pub(crate) fn has_room(&self) -> bool {
        self.account.bytes.load(Ordering::Relaxed) < self.budget
    }

    /// Counts a connection in, unless there are as many as may be.
    pub(crate) fn admit(&self) -> bool {
        let before = self.account.connections.fetch_add(1, Ordering::Relaxed);
        let admitted = before < self.most_connections && self.has_room();
        if !admitted {
            self.release();
        }
        admitted
    }

    pub(crate) fn release(&self) {
        self.account.connections.fetch_sub(1, Ordering::Relaxed);
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

    #[test]
    fn loops_borrow_in_steps_and_give_back() {
        let account = Arc::new(Account::default());
        let mut one = Ledger::new(account.clone(), STEPS * STEP, 10);
        let mut two = Ledger::new(account.clone(), STEPS * STEP, 10);
        one.settle(0, 10);
        one.settle(10, 500);
        assert_eq!((one.pinned(), account.bytes.load(Ordering::Relaxed)), (500, STEP));
        two.settle(0, 14 * STEP + 1);
        assert_eq!(account.bytes.load(Ordering::Relaxed), STEPS * STEP);
        assert!(!one.has_room());
        two.settle(14 * STEP + 1, 0);
        drop(two);
        assert!(one.has_room());
        assert_eq!(account.bytes.load(Ordering::Relaxed), STEP);
    }

    #[test]
    fn a_small_budget_is_given_back_too() {
        for budget in [1, 100, STEP, 2 * STEP] {
            let mut ledger = Ledger::new(Arc::default(), budget, 10);
            ledger.settle(0, budget);
            assert!(!ledger.has_room());
            ledger.settle(budget, 0);
            assert!(budget < STEPS || ledger.has_room(), "{budget}");
        }
    }

    #[test]
    fn connections_are_counted_for_the_process() {
        let account = Arc::new(Account::default());
        let one = Ledger::new(account.clone(), 1, 2);
        let two = Ledger::new(account, 1, 2);
        assert!(one.admit() && two.admit());
        assert!(!one.admit());
        two.release();
        assert!(one.admit());
    }
}
