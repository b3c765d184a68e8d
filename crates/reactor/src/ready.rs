//! The loop's own ready list: connections that have something to do without a new event from the machine.
//!
//! An edge is reported once. What a visit leaves over (its budget is spent, reading was paused) must be remembered here,
//! or the connection would sleep for ever. A connection stands on the list at most once.

use std::collections::VecDeque;

use crate::connection::Connection;
use crate::slots::{Key, Slots};

/// A queue of connections, each at most once.
pub(crate) struct Ready {
    keys: VecDeque<Key>,
}

impl Ready {
    pub(crate) const fn new() -> Self {
        Self { keys: VecDeque::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, connection: &mut Connection, key: Key) {
        if !std::mem::replace(&mut connection.listed, true) {
            self.keys.push_back(key);
        }
    }

    /// The next one that still lives.
    pub(crate) fn pop(&mut self, slots: &mut Slots) -> Option<Key> {
        while let Some(key) = self.keys.pop_front() {
            if let Some(connection) = slots.find(key) {
                connection.listed = false;
                return Some(key);
            }
        }
        None
    }
}
