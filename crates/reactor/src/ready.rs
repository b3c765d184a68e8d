//! The loop's own ready list: connections that have something to do without a new event from the machine.
//!
//! An edge is reported once. What a visit leaves over (its budget is spent, reading was paused) must be remembered here,
//! or the connection would sleep for ever. A connection stands on the list at most once.

use crate::connection::Connection;
use crate::slots::{Key, Slots};

/// A queue of connections, each at most once.
pub(crate) struct Ready {
    keys: Vec<Key>,
    /// So many in front have been taken off.
    taken: usize,
}

impl Ready {
    pub(crate) const fn new() -> Self {
        Self { keys: Vec::new(), taken: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) const fn len(&self) -> usize {
        self.keys.len() - self.taken
    }

    /// Those that have been taken off take no room any more.
    #[inline]
    pub(crate) fn close_ranks(&mut self) {
        if self.is_empty() {
            self.keys.clear();
        } else {
            self.keys.drain(..self.taken);
        }
        self.taken = 0;
    }

    #[inline]
    pub(crate) fn push(&mut self, connection: &mut Connection, key: Key) {
        if !std::mem::replace(&mut connection.listed, true) {
            self.keys.push(key);
        }
    }

    /// The next one that still lives.
    #[inline]
    pub(crate) fn pop(&mut self, slots: &mut Slots) -> Option<Key> {
        loop {
            let key = *self.keys.get(self.taken)?;
            self.taken += 1;
            if let Some(connection) = slots.find(key) {
                connection.listed = false;
                return Some(key);
            }
        }
    }
}
