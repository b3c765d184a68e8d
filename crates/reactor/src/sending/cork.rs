//! From a callback to the socket: the cork, in which the visited connection's output is collected, and the queues of what sockets
//! did not take.

use std::borrow::Cow;
use std::io::{self, IoSlice};

use super::{Sending, broken};
use crate::connection::Connection;
use crate::handler::Closed;
use crate::queue::Queue;
use crate::slots::Key;
use crate::wire::Machine;

impl Sending {
    /// From here on output of this connection is collected.
    pub(crate) fn cork(&mut self, slot: u32) {
        debug_assert!(self.cork.is_empty());
        self.corked = Some(slot);
    }

    /// Writes what was collected.
    pub(crate) fn uncork(&mut self, machine: &mut dyn Machine, slot: u32) {
        self.flush(machine, slot, &[]);
        self.corked = None;
        if self.cork.capacity() > 4 * (self.limits.cork + self.limits.direct) {
            self.cork.shrink_to(self.limits.cork + self.limits.direct);
        }
    }

    /// A callback begins: its output can be cut off if it panics.
    pub(crate) const fn mark(&mut self) {
        self.mark = self.cork.len();
        self.closed_at = None;
    }

    /// Takes back what the running callback has sent, as far as it has not left. `true` if a Close was among it.
    pub(crate) fn cut_back(&mut self) -> bool {
        self.cork.truncate(self.mark);
        self.closed_at.take().is_some_and(|at| at >= self.mark)
    }

    /// Appends bytes to a connection's output.
    pub(crate) fn push(&mut self, slot: u32, bytes: &[u8]) {
        if self.corked == Some(slot) {
            self.cork.extend_from_slice(bytes);
        } else {
            self.queue(slot).push(bytes);
            self.touch(slot);
        }
    }

    /// Appends what `encode` writes to a connection's output.
    pub(crate) fn push_with(&mut self, slot: u32, encode: impl FnOnce(&mut Vec<u8>)) {
        let start = self.cork.len();
        encode(&mut self.cork);
        if self.corked != Some(slot) {
            self.slots[slot].queue(self.now).push(&self.cork[start..]);
            self.cork.truncate(start);
            self.touch(slot);
        }
    }

    /// Appends a body that was given away.
    pub(crate) fn push_body(&mut self, machine: &mut dyn Machine, slot: u32, body: Cow<'static, [u8]>) {
        if body.len() < self.limits.direct {
            return self.push(slot, &body);
        }
        let sent = if self.corked == Some(slot) { self.flush(machine, slot, &body) } else { 0 };
        if sent < body.len() {
            self.queue(slot).push_body(body, sent);
            // Nothing may be queued behind a body: the next request waits until it has left.
            self.slots[slot].paused = true;
            self.touch(slot);
        }
    }

    pub(super) fn queue(&mut self, slot: u32) -> &mut Queue {
        self.slots[slot].queue(self.now)
    }

    /// The loop shall look at this connection at the end of the turn.
    pub(crate) fn touch(&mut self, slot: u32) {
        let generation = self.slots[slot].generation;
        self.touched.push(Key { slot, generation });
    }

    /// Bytes that wait for this connection's socket.
    pub(crate) fn queued(&self, slot: u32) -> usize {
        self.slots[slot].queued() + if self.corked == Some(slot) { self.cork.len() } else { 0 }
    }

    /// Writes the cork and then `payload` in one call. What the socket does not take of the cork goes to the queue; returns
    /// how much it took of the payload.
    pub(super) fn flush(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) -> usize {
        (self.mark, self.closed_at) = (0, None);
        let connection = &mut self.slots[slot];
        let waits = connection.blocked || connection.waits();
        let mut taken = 0;
        let whole = self.cork.len() + payload.len();
        if !waits && whole > 0 {
            let written = if payload.is_empty() {
                machine.write(slot, &[IoSlice::new(&self.cork)])
            } else {
                machine.write(slot, &[IoSlice::new(&self.cork), IoSlice::new(payload)])
            };
            taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
            self.stats.bytes_out += taken as u64;
        }
        let left = taken.min(self.cork.len());
        if left < self.cork.len() {
            connection.queue(self.now).push(&self.cork[left..]);
        }
        self.cork.clear();
        taken - left
    }

    /// Books the outcome of a write: a short one means that an edge is owed.
    pub(super) fn wrote(
        connection: &mut Connection,
        endings: &mut Vec<(Key, Closed)>,
        slot: u32,
        written: io::Result<usize>,
        whole: usize,
    ) -> usize {
        match written {
            Ok(taken) => {
                connection.blocked = taken < whole;
                taken
            }
            Err(error) => {
                match error.kind() {
                    io::ErrorKind::WouldBlock => connection.blocked = true,
                    // Nothing was taken: the connection stays writable and the caller's next look tries again.
                    io::ErrorKind::Interrupted => {}
                    kind => {
                        connection.blocked = true;
                        connection.ending = true;
                        endings.push((Key { slot, generation: connection.generation }, broken(kind)));
                    }
                }
                0
            }
        }
    }

    /// Writes from the queue what the socket takes. `true` if it became empty.
    pub(crate) fn write_queue(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        let connection = &mut self.slots[slot];
        let Some(mut queue) = connection.output.take() else { return false };
        while !connection.blocked && !queue.is_drained() {
            let slices = queue.slices();
            let whole = slices.iter().map(|slice| slice.len()).sum();
            let written = match slices.each_ref().map(|slice| slice.is_empty()) {
                [_, true, true, true] => machine.write(slot, &slices[..1]),
                _ => machine.write(slot, &slices),
            };
            let taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
            self.stats.bytes_out += taken as u64;
            queue.advance(taken, self.now);
        }
        let drained = queue.is_drained();
        if queue.len() > 0 {
            connection.output = Some(queue);
        }
        connection.paused &= !drained;
        drained
    }
}
