//! When there is no room: at the bound of one connection's queue, and at the budget of the process.
//!
//! At its own bound a connection ends or drops what comes, as its reply said. At the budget the greediest connections of the loop
//! go first, and who finds no room then ends. What ends for lack of room keeps only the unit that has begun to leave.

use longwire_frame::State;

use super::Sending;
use crate::closed::Closed;
use crate::notices::Notice;
use crate::queue::Queue;
use crate::session::Session;
use crate::slots::Key;
use crate::wire::Machine;

/// Nobody is sent away for less.
const GREEDY: usize = 4 << 10;

impl Sending {
    /// Lets something be sent if the connection is open and its queue below the bound. At the bound the policy drops it, or ends the
    /// connection.
    #[inline(always)]
    pub(super) fn admit(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        if !self.is_sendable(slot) {
            return false;
        }
        // Usually nothing waits.
        let corked = self.cork.is_of(slot) && self.cork.bytes.len() < self.limits.send_queue;
        corked && self.slots[slot].output.is_none() || self.admit_behind_others(machine, slot)
    }

    fn admit_behind_others(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        if self.come_below_bound(machine, slot) {
            self.tell_gap(slot);
            return true;
        }
        self.stats.dropped += 1;
        if self.slots[slot].dropping {
            self.note_drop(slot);
        } else {
            self.end_and_cut(slot, Closed::Overflow);
        }
        false
    }

    /// Whether messages or events can be sent: open, and no Close of ours on its way (RFC 6455 §5.5.1).
    #[inline]
    pub(super) fn is_sendable(&self, slot: u32) -> bool {
        let connection = &self.slots[slot];
        !connection.ending
            && match &connection.session {
                Session::WebSocket(socket) => socket.connection.state() == State::Open,
                session => session.is_open(),
            }
    }

    /// Sees to it that the queue is below its bound, by writing what the socket takes by now. `false` if it is not, or the connection has
    /// come to an end over that.
    pub(super) fn come_below_bound(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        let most = self.limits.send_queue;
        if self.queued(slot) < most {
            return true;
        }
        let connection = &mut self.slots[slot];
        if connection.waits() && connection.output.as_ref().is_some_and(|queue| queue.untold == 0) {
            // Its peer may have read since the socket was full: the edge that says so comes with the next poll, which is too late for what
            // this turn has to say. Where that is dropped it is tried once, until its application was told.
            connection.blocked = false;
            self.write_queue(machine, slot);
            self.touch(slot);
        }
        // What was only collected has not been refused by the socket yet.
        if self.cork.is_of(slot) && !self.slots[slot].blocked {
            self.flush(machine, slot, &[]);
        }
        self.queued(slot) < most && self.is_sendable(slot)
    }

    /// Something was dropped by policy: the application hears of it after the running callback, the client of a stream when
    /// there is room.
    fn note_drop(&mut self, slot: u32) {
        let is_stream = matches!(self.slots[slot].session, Session::Events(_));
        let first = self.alter_queue(slot, |queue| {
            queue.untold += 1;
            queue.gap += u32::from(is_stream);
            queue.untold == 1
        });
        if first {
            let generation = self.slots[slot].generation;
            self.drops.push(Key { slot, generation });
        }
    }

    /// How many were dropped since the application was told last, if there is still somebody to tell about.
    pub(crate) fn take_drops(&mut self, key: Key) -> u32 {
        match self.slots.find(key) {
            Some(connection) if connection.output.is_some() && connection.session.is_open() && !connection.ending => {
                self.alter_queue(key.slot, |queue| std::mem::take(&mut queue.untold))
            }
            _ => 0,
        }
    }

    /// Makes room for `more` bytes that this connection would pin: if there is none, the greediest have to go.
    pub(crate) fn make_room(&mut self, slot: u32, more: usize) -> bool {
        if self.ledger.admits(more) {
            if more >= GREEDY {
                self.nobody_greedy = None;
            }
            return true;
        }
        self.relieve(more, None);
        self.ledger.admits(more) && !self.slots[slot].ending
    }

    /// Finds room for something new to be opened on the visited connection.
    pub(crate) fn find_room(&mut self) -> bool {
        !self.draining && self.find_room_for(GREEDY.min(self.ledger.relief()))
    }

    /// Counts a new connection in, if there is room for it.
    pub(crate) fn admit_newcomer(&mut self) -> bool {
        let admitted = self.ledger.admit();
        if admitted && !self.find_room_for(self.slot_cost) {
            self.ledger.release();
            return false;
        }
        admitted
    }

    /// Finds room for something new; whoever takes everybody's room must not keep newcomers out.
    fn find_room_for(&mut self, more: usize) -> bool {
        if !self.ledger.admits(more) {
            self.relieve(more, self.cork.whose());
        }
        self.ledger.admits(more)
    }

    /// Sends the greediest connections of this loop away, until there is room for `more` and some to spare.
    #[cold]
    fn relieve(&mut self, more: usize, but: Option<u32>) {
        // Nobody needs to go for what is only there to save bytes or time.
        self.forget_deflaters();
        self.pool.clear();
        if self.nobody_greedy == Some(self.now) {
            return;
        }
        let least = GREEDY.min(self.ledger.relief());
        let mut greedy: Vec<(usize, u32)> = Vec::new();
        for key in self.slots.keys() {
            let connection = &self.slots[key.slot];
            let pins = connection.pinned - self.slot_cost;
            if pins >= least && !connection.ending && but != Some(key.slot) {
                greedy.push((pins, key.slot));
            }
        }
        greedy.sort_unstable_by(|a, b| b.cmp(a));
        self.nobody_greedy = (greedy.is_empty() && but.is_none()).then_some(self.now);
        let wanted = more.saturating_add(self.ledger.relief());
        for (_, slot) in greedy {
            if self.ledger.admits(wanted) {
                return;
            }
            self.end_and_cut(slot, Closed::NoRoom);
            if self.cork.is_of(slot) {
                // Its input is with the visit, and what that pins is free when it ends.
                return;
            }
        }
    }

    /// We end it for a reason of our own; the loop says so to the peer, after the running callback. Of several reasons the first
    /// one counts.
    pub(crate) fn end(&mut self, slot: u32, why: Closed) {
        let connection = &mut self.slots[slot];
        if !std::mem::replace(&mut connection.ending, true) {
            self.endings.push_back((Key { slot, generation: connection.generation }, why));
        }
    }

    /// Ends it for lack of room: what has not begun to leave is dropped, and what has come and is not whole.
    pub(crate) fn end_and_cut(&mut self, slot: u32, why: Closed) {
        self.end(slot, why);
        if why == Closed::NoRoom {
            let (now, id) = (self.now, self.id_at(slot));
            self.notices.tell(now, Notice::NoRoom, format_args!("no room: {id} ends"));
        }
        let is_open = self.slots[slot].session.is_open();
        let mut dropped = 0;
        if is_open && self.cork.is_of(slot) {
            dropped += self.cork.drop_units();
        }
        if self.slots[slot].output.is_some() {
            if is_open {
                dropped += self.alter_queue(slot, Queue::cut);
                let kept = self.slots[slot].output.as_ref().map_or(0, |queue| queue.pinned());
                if why == Closed::NoRoom && kept >= GREEDY {
                    // What has begun is nearly all there is: others must not go in its stead.
                    self.slots[slot].torn = true;
                    self.alter_queue(slot, Queue::clear);
                }
            } else {
                // Half a response is none: the peer must see that it ends here.
                self.slots[slot].torn |= self.slots[slot].waits();
                self.alter_queue(slot, Queue::clear);
            }
        }
        let connection = &mut self.slots[slot];
        if let Session::WebSocket(socket) = &connection.session {
            // Our Close was the last in the queue: it is gone, and there is no second one.
            connection.torn |= dropped > 0 && socket.connection.state() == State::CloseSent;
        }
        self.stats.dropped += dropped;
        // The head of a request that waits is needed for its answer.
        if !matches!(connection.session, Session::Later(_)) && connection.input.take().is_some() {
            self.book(slot);
        }
    }

    /// Ends it in the middle of a unit: nothing can follow what has left.
    pub(super) fn tear(&mut self, slot: u32) {
        self.slots[slot].torn = true;
        self.end_and_cut(slot, Closed::NoRoom);
    }
}
