//! A loop's mailbox: many hands put in, one loop takes out. Nobody waits here for longer than another hand is in the box, and
//! nothing is called or dropped while one is.
//!
//! It does not know what lies in it, nor where its lock comes from: `tests/loom.rs` includes this very file with a model
//! checker's lock around it, and proves under every order of steps that no wake-up is lost.

use std::sync::Arc;

use super::Wake;
use super::sync::{Mutex, MutexGuard, PoisonError};

/// See the top of this file.
pub(crate) struct Mailbox<T> {
    waker: Arc<dyn Wake>,
    inside: Mutex<Inside<T>>,
}

/// What the lock guards.
#[derive(Default)]
struct Inside<T> {
    letters: T,
    /// Set from the first letter until the loop looks, so that a burst of letters wakes it once.
    woken: bool,
}

impl<T: Default> Mailbox<T> {
    pub(crate) fn new(waker: Arc<dyn Wake>) -> Self {
        Self { waker, inside: Mutex::new(Inside::default()) }
    }

    /// Puts something in, and wakes the loop. Whether there is room is `put`'s to say. (If not, the loop is awake anyway.)
    pub(crate) fn put<R>(&self, put: impl FnOnce(&mut T) -> R) -> R {
        let mut inside = self.lock();
        let outcome = put(&mut inside.letters);
        // Under the same lock as the letter: whoever finds it set has put a letter in before the loop looks again.
        let was_woken = std::mem::replace(&mut inside.woken, true);
        drop(inside);
        if !was_woken {
            self.waker.wake();
        }
        outcome
    }

    /// Wakes the loop, unless it is awake already.
    pub(crate) fn wake(&self) {
        self.put(|_| ());
    }

    /// Empties the box.
    pub(crate) fn collect(&self) -> T {
        std::mem::take(&mut *self.lock()).letters
    }

    /// A thread that panicked with its hand in the box left the letters whole.
    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
