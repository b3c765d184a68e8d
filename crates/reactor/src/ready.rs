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

    #[inline]
    pub(crate) fn push(&mut self, connection: &mut Connection, key: Key) {
        if !std::mem::replace(&mut connection.listed, true) {
            self.keys.push(key);
        }
    }

    /// Where the list ends now: whoever is put on it from here on stands behind that.
    pub(crate) const fn end(&self) -> usize {
        self.keys.len()
    }

    /// The next one that still lives and stands before this end.
    #[inline]
    pub(crate) fn pop(&mut self, end: usize, slots: &mut Slots) -> Option<Key> {
        while self.taken < end {
            let key = *self.keys.get(self.taken)?;
            self.taken += 1;
            if let Some(connection) = slots.find(key) {
                connection.listed = false;
                return Some(key);
            }
        }
        None
    }

    /// Those that were taken off have no room any more, and an end that was asked for before means nothing.
    pub(crate) fn close_ranks(&mut self) {
        if self.is_empty() {
            self.keys.clear();
        } else {
            self.keys.drain(..self.taken);
        }
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many connections, all on the list.
    fn crowd(many: usize) -> (Slots, Ready, Vec<Key>) {
        let (mut slots, mut ready) = (Slots::new(), Ready::new());
        let keys: Vec<Key> = (0..many).map(|_| slots.insert(Connection::vacant())).collect();
        for key in &keys {
            ready.push(&mut slots[key.slot], *key);
        }
        (slots, ready, keys)
    }

    #[test]
    fn who_is_put_on_it_while_it_is_gone_through_waits_for_the_next_time() {
        let (mut slots, mut ready, keys) = crowd(3);
        slots.remove(keys[0].slot);
        let end = ready.end();
        for key in &keys[1..] {
            assert_eq!(ready.pop(end, &mut slots), Some(*key), "the dead are passed over");
            ready.push(&mut slots[key.slot], *key);
            ready.push(&mut slots[key.slot], *key);
        }
        assert_eq!((ready.pop(end, &mut slots), ready.len()), (None, 2));
        ready.close_ranks();
        let end = ready.end();
        assert_eq!([ready.pop(end, &mut slots), ready.pop(end, &mut slots)], [Some(keys[1]), Some(keys[2])]);
        assert!(ready.is_empty() && ready.pop(end, &mut slots).is_none());
    }

    #[test]
    fn who_was_not_reached_stands_before_who_came_later() {
        let (mut slots, mut ready, keys) = crowd(4);
        let end = ready.end();
        assert_eq!(ready.pop(end, &mut slots), Some(keys[0]));
        ready.push(&mut slots[keys[0].slot], keys[0]);
        ready.close_ranks();
        assert_eq!(ready.end(), 4, "nothing is left of whom it was taken off");
        let order = [1, 2, 3, 0].map(|at| Some(keys[at]));
        assert_eq!([(); 4].map(|()| ready.pop(4, &mut slots)), order);
    }
}
