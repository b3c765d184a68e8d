//! Mask keys for the frames that we write as a client (RFC 6455 §5.3, §10.3).

use longwire_frame::Mask;

use crate::wire::Machine;

/// Keys that nobody can guess: drawn from the machine, sixty-four at a time.
pub(super) struct Masks {
    pool: [u8; 256],
    left: usize,
}

impl Masks {
    pub(super) const fn new() -> Self {
        Self { pool: [0; 256], left: 0 }
    }

    /// The next key, not used up yet.
    pub(super) fn peek(&mut self, machine: &mut dyn Machine) -> Mask {
        if self.left == 0 {
            machine.entropy(&mut self.pool);
            self.left = self.pool.len() / 4;
        }
        let at = (self.left - 1) * 4;
        Mask::new([self.pool[at], self.pool[at + 1], self.pool[at + 2], self.pool[at + 3]])
    }

    /// Uses up the key that was looked at.
    pub(super) const fn take(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// The next key, and uses it up.
    pub(super) fn next(&mut self, machine: &mut dyn Machine) -> Mask {
        let mask = self.peek(machine);
        self.take();
        mask
    }
}
