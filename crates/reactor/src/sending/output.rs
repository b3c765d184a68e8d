//! From a callback to the socket: into the cork if it is the visited connection's output, into the queue if the socket does not take
//! it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, IoSlice};

use super::{Sending, broken};
use crate::closed::Closed;
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::ledger::Ledger;
use crate::publication::Publication;
use crate::queue::Queue;
use crate::slots::Key;
use crate::stats::count;
use crate::tail::Tail;
use crate::wire::Machine;

/// So many blocks of a queue are written in one call, and what stands before and behind them.
const PARTS: usize = 16 + 3;

impl Sending {
    /// Writes what was collected. Whether all of it has left.
    #[inline]
    pub(crate) fn uncork<M: Machine>(&mut self, machine: &mut M, slot: u32) -> bool {
        let collected = self.cork.len();
        let left = self.write_out(machine, slot, &[]);
        self.cork.end();
        left == collected
    }

    /// Something is open now: what was collected or queued so far is its head, and whatever else was said before.
    pub(crate) fn mark_opened(&mut self, slot: u32) {
        self.cork.mark_opened();
        if let Some(queue) = &mut self.slots[slot].output {
            queue.keep_all();
        }
    }

    /// Appends bytes to a connection's output.
    pub(crate) fn push(&mut self, slot: u32, bytes: &[u8]) {
        if self.cork.is_of(slot) {
            self.cork.bytes.push(bytes);
        } else {
            self.enqueue(slot, bytes, 0);
            self.touch(slot);
        }
    }

    /// Appends what `encode` writes to a connection's output.
    #[inline]
    pub(crate) fn push_with(&mut self, slot: u32, encode: impl FnOnce(&mut Tail)) {
        if self.cork.is_of(slot) { encode(&mut self.cork.bytes) } else { self.push_apart(slot, encode) }
    }

    /// See [`push_with`](Self::push_with).
    fn push_apart(&mut self, slot: u32, encode: impl FnOnce(&mut Tail)) {
        // Not behind what somebody else has collected: where there is no room, that may be cut off just now.
        let mut bytes = std::mem::take(&mut self.scratch);
        encode(&mut bytes);
        self.enqueue(slot, &bytes, 0);
        self.touch(slot);
        bytes.clear();
        bytes.shrink_to(self.limits.cork + self.limits.direct);
        self.scratch = bytes;
    }

    /// Appends a long body that was given away: what the socket does not take of it waits where it lies.
    pub(crate) fn push_body(&mut self, machine: &mut dyn Machine, slot: u32, body: Cow<'static, [u8]>) {
        let sent = if self.cork.is_of(slot) { self.flush(machine, slot, &body) } else { 0 };
        if sent < body.len() {
            let pins = if let Cow::Owned(body) = &body { body.capacity() } else { 0 };
            if !self.make_room(slot, pins) {
                return self.tear(slot);
            }
            self.alter_queue(slot, |queue| queue.push_body(body, sent));
            // Nothing may be queued behind a body: the next request waits until it has left.
            self.slots[slot].paused = true;
            self.touch(slot);
        }
    }

    /// Changes a connection's queue, made if it has none, and books what it pins then.
    pub(super) fn alter_queue<T>(&mut self, slot: u32, act: impl FnOnce(&mut Queue) -> T) -> T {
        alter(&mut self.slots[slot], &mut self.ledger, self.now, act)
    }

    /// Appends to a connection's queue, `begun` bytes of which belong to a unit that has begun to leave.
    pub(super) fn enqueue(&mut self, slot: u32, bytes: &[u8], begun: usize) {
        if self.reserve(slot, bytes.len()) {
            let Self { slots, ledger, pool, now, .. } = self;
            alter(&mut slots[slot], ledger, *now, |queue| queue.push_rest(bytes, begun, pool));
        } else if begun > 0 {
            self.tear(slot);
        }
    }

    /// Makes sure that so many bytes may be queued; if not, the connection ends.
    fn reserve(&mut self, slot: u32, more: usize) -> bool {
        let output = self.slots[slot].output.as_deref();
        let (grows, awaits) = output.map_or((more, false), |queue| (queue.growth(more), queue.awaits_rest()));
        if grows == 0 || self.make_room(slot, grows) {
            return true;
        }
        if awaits {
            self.tear(slot);
        } else {
            self.end_and_cut(slot, Closed::NoRoom);
        }
        false
    }

    /// The loop shall look at this connection at the end of the turn.
    pub(crate) fn touch(&mut self, slot: u32) {
        let key = Key { slot, generation: self.slots[slot].generation };
        // Many messages to one peer are one look at it …
        if self.touched.last() != Some(&key) {
            // … and so are those to a few, by turns. (A flag, as that of the ready list, would cost each connection eight bytes.)
            if self.touched.len() >= 2 * self.slots.len() + 16 {
                let Self { touched, slots, .. } = self;
                let mut seen = vec![false; touched.iter().map(|key| key.slot as usize + 1).max().unwrap_or_default()];
                touched
                    .retain(|key| slots.find(*key).is_some() && !std::mem::replace(&mut seen[key.slot as usize], true));
            }
            self.touched.push(key);
        }
    }

    /// Bytes that wait for this connection's socket.
    pub(crate) fn queued(&self, slot: u32) -> usize {
        self.slots[slot].queued() + if self.cork.is_of(slot) { self.cork.bytes.len() } else { 0 }
    }

    /// Writes the cork and then `payload` in one call. Returns how much the socket took of the payload.
    pub(super) fn flush(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) -> usize {
        let collected = self.cork.len();
        self.write_out(machine, slot, payload).saturating_sub(collected)
    }

    /// Writes what was collected, if that is as much as may be.
    #[inline]
    pub(crate) fn flush_if_long(&mut self, machine: &mut dyn Machine, slot: u32) {
        if self.cork.is_of(slot) && self.cork.bytes.len() >= self.limits.cork {
            self.flush(machine, slot, &[]);
        }
    }

    /// As [`flush`](Self::flush); returns how much it took of both. What it does not take of the cork goes to the queue. RFC 6455 §6.1: what was formed is
    /// transmitted.
    #[inline]
    fn write_out<M: Machine + ?Sized>(&mut self, machine: &mut M, slot: u32, payload: &[u8]) -> usize {
        self.cork.keep_all();
        let corked = &*self.cork.bytes;
        let whole = corked.len() + payload.len();
        if whole == 0 {
            self.cork.clear();
            return 0;
        }
        let connection = &mut self.slots[slot];
        let mut taken = 0;
        if !connection.blocked && !connection.waits() {
            let written = if payload.is_empty() {
                machine.write(slot, &[IoSlice::new(corked)])
            } else {
                machine.write(slot, &[IoSlice::new(corked), IoSlice::new(payload)])
            };
            taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
            count(&mut self.stats.bytes_out, taken as u64);
        }
        let left = taken.min(corked.len());
        if left < corked.len() {
            self.enqueue_corked(slot, left);
        }
        self.cork.clear();
        taken
    }

    /// What the socket has not taken of the cork waits in the queue.
    fn enqueue_corked(&mut self, slot: u32, left: usize) {
        let begun = self.cork.begun(left, self.slots[slot].session.is_open());
        let bytes = std::mem::take(&mut self.cork.bytes);
        self.enqueue(slot, &bytes[left..], begun);
        self.cork.bytes = bytes;
    }

    /// Books the outcome of a write: a short one means that an edge is owed.
    #[inline]
    pub(super) fn wrote(
        connection: &mut Connection,
        endings: &mut VecDeque<(Key, Closed)>,
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
                        (connection.blocked, connection.torn) = (true, true);
                        if !std::mem::replace(&mut connection.ending, true) {
                            endings.push_back((Key { slot, generation: connection.generation }, broken(kind)));
                        }
                    }
                }
                0
            }
        }
    }

    /// Writes from the queue what the socket takes.
    pub(crate) fn write_queue(&mut self, machine: &mut dyn Machine, slot: u32) {
        let connection = &mut self.slots[slot];
        if connection.blocked || !connection.waits() {
            return;
        }
        let Some(mut queue) = connection.output.take() else { return };
        let (before, paused) = (queue.pinned(), connection.paused);
        let units = connection.session.is_open();
        while !connection.blocked && !queue.is_drained() {
            let mut parts = [IoSlice::new(&[]); PARTS];
            let filled = queue.fill(&mut parts);
            let parts = &parts[..filled];
            let whole = parts.iter().map(|part| part.len()).sum();
            let written = machine.write(slot, parts);
            let taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
            count(&mut self.stats.bytes_out, taken as u64);
            self.work.wrote(taken, taken == whole);
            queue.advance(taken, self.now, units, &mut self.pool);
            if queue.is_drained() && !connection.ending {
                // There is room again: first of all for how much was dropped.
                gap(&mut queue);
            }
        }
        let drained = queue.is_drained();
        let after = if queue.is_over() { 0 } else { queue.pinned() };
        if after > 0 {
            connection.output = Some(queue);
        }
        self.ledger.settle(before, after);
        connection.pinned = connection.pinned + after - before;
        connection.paused &= !drained;
        connection.emptied |= drained;
        if drained && connection.session.sent(self.now, paused) {
            connection.since = self.now;
        }
    }

    /// The event that says how many were dropped goes in front of what comes next.
    pub(super) fn tell_gap(&mut self, slot: u32) {
        if self.slots[slot].output.as_ref().is_some_and(|queue| queue.gap > 0) {
            self.alter_queue(slot, gap);
        }
    }
}

/// Queues the event `gap`, if something was dropped: its data is how many events.
fn gap(queue: &mut Queue) {
    let count = std::mem::take(&mut queue.gap);
    if count > 0 {
        let mut event = Vec::new();
        Publication::gap(count, &mut event);
        queue.push(&event);
    }
}

/// See [`Sending::alter_queue`].
fn alter<T>(connection: &mut Connection, ledger: &mut Ledger, now: Moment, act: impl FnOnce(&mut Queue) -> T) -> T {
    let before = connection.output.as_ref().map_or(0, |queue| queue.pinned());
    let queue = connection.queue(now);
    if queue.is_drained() {
        // The peer owes nothing yet, whatever the queue was kept for.
        queue.progress = now;
    }
    let value = act(queue);
    let after = if queue.is_over() { 0 } else { queue.pinned() };
    if after == 0 {
        connection.output = None;
    }
    ledger.settle(before, after);
    connection.pinned = connection.pinned + after - before;
    value
}
