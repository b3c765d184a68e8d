//! `Room`: everybody who is connected, for fan-out over tasks of one thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use slab::Slab;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What somebody said; whether it was text, and its bytes, which all share.
pub type Said = (bool, Bytes);

/// See the top of this file.
#[derive(Clone, Default)]
pub struct Room(Arc<Mutex<Slab<UnboundedSender<Said>>>>);

impl Room {
    fn everybody(&self) -> MutexGuard<'_, Slab<UnboundedSender<Said>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes in: under which number, and where one hears what is said.
    pub fn enter(&self) -> (usize, UnboundedReceiver<Said>) {
        let (sender, receiver) = unbounded_channel();
        (self.everybody().insert(sender), receiver)
    }

    /// Leaves.
    pub fn leave(&self, number: usize) {
        self.everybody().remove(number);
    }

    /// Says something to everybody, oneself included.
    pub fn say(&self, said: &Said) {
        for (_, one) in self.everybody().iter() {
            let _ = one.send(said.clone());
        }
    }
}
