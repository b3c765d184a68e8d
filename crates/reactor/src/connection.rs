//! What the loop keeps for one connection, whatever it is for: at most 160 bytes while it is idle.
//!
//! The socket and the application's value lie in side tables (`slots.rs`). What only some connections have at some times is
//! boxed. Nothing here knows a protocol; the session does.

use crate::closed::Deadline;
use crate::deadlines::{Link, Moment};
use crate::due::{Due, Times, earliest};
use crate::queue::Queue;
use crate::session::Session;
use crate::session::input::Input;
use crate::topics::Subscriptions;

/// One connection.
pub(crate) struct Connection {
    /// 0 in a vacant slot.
    pub(crate) generation: u32,
    /// Which request it answers, or what it was opened by: part of the name that the application knows.
    pub(crate) request: u32,
    pub(crate) link: Link,
    /// When it was accepted or begun.
    pub(crate) opened: Moment,
    /// When the session's present state began.
    pub(crate) since: Moment,
    /// The last sign of life: a byte read, or on an event stream a byte sent.
    pub(crate) heard: Moment,
    /// When the application wants to be called, if `waking`.
    pub(crate) wake: Moment,
    pub(crate) session: Session,
    pub(crate) output: Option<Box<Queue>>,
    pub(crate) input: Option<Box<Input>>,
    pub(crate) subscriptions: Option<Box<Subscriptions>>,
    /// What the ledger has booked for it, its slot included.
    pub(crate) pinned: usize,
    /// It stands on the ready list.
    pub(crate) listed: bool,

    /// A read may find something: only a short read, WouldBlock or the end clears it.
    pub(crate) readable: bool,
    /// The machine said that the peer will send no more.
    pub(crate) read_closed: bool,
    /// The machine said that the connection is broken.
    pub(crate) broken: bool,
    /// The end of the peer's bytes was read.
    pub(crate) finished: bool,
    /// The last write was short: an edge is owed.
    pub(crate) blocked: bool,
    /// Reading is paused until the queue is empty.
    pub(crate) paused: bool,
    /// Something that was read was left over, and can be gone on with though nothing more comes.
    pub(crate) left_over: bool,
    /// An end was noted: nothing is sent any more, the loop will close it.
    pub(crate) ending: bool,
    pub(crate) waking: bool,
    /// Its queue became empty, and the application has not been told.
    pub(crate) emptied: bool,
    /// A unit has begun to leave that will not be finished: nothing can follow it.
    pub(crate) torn: bool,
    /// Its own address is a loopback address.
    pub(crate) loopback: bool,
    /// We are the client.
    pub(crate) client: bool,
    /// At its queue's bound what comes is dropped, and it goes on.
    pub(crate) dropping: bool,
    /// A read that brings less than there was room for has drained the socket.
    pub(crate) short_read_drains: bool,
}

impl Connection {
    pub(crate) const fn vacant() -> Self {
        Self {
            generation: 0,
            request: 0,
            link: Link::new(),
            opened: Moment(0),
            since: Moment(0),
            heard: Moment(0),
            wake: Moment(0),
            session: Session::closing(),
            output: None,
            input: None,
            subscriptions: None,
            pinned: 0,
            listed: false,
            readable: false,
            read_closed: false,
            broken: false,
            finished: false,
            blocked: false,
            paused: false,
            left_over: false,
            ending: false,
            waking: false,
            emptied: false,
            torn: false,
            loopback: false,
            client: false,
            dropping: false,
            short_read_drains: true,
        }
    }

    pub(crate) fn new(session: Session, now: Moment) -> Self {
        Self { session, opened: now, since: now, heard: now, ..Self::vacant() }
    }

    /// Bytes of the peer are looked at: a sign of its life, where what it sends is one.
    #[inline]
    pub(crate) const fn hears(&mut self, now: Moment) {
        if self.session.heard() {
            self.heard = now;
        }
    }

    /// Bytes in its queue.
    pub(crate) fn queued(&self) -> usize {
        self.output.as_ref().map_or(0, |queue| queue.len())
    }

    /// Its queue, made if it has none.
    pub(crate) fn queue(&mut self, now: Moment) -> &mut Queue {
        self.output.get_or_insert_with(|| Box::new(Queue::new(now)))
    }

    /// Whether bytes wait for the socket. (What is held back for the end of a fragmented message does not.)
    pub(crate) fn waits(&self) -> bool {
        self.output.as_ref().is_some_and(|queue| !queue.is_drained())
    }

    /// Whether there may be something to read, or to look at once more, and it is time for it.
    pub(crate) fn wants_read(&self) -> bool {
        let may = !self.paused && !self.ending && self.session.reads();
        may && (self.left_over || self.readable && !self.finished)
    }

    /// Whether it is an open WebSocket on which nothing is begun, waits or is to be looked at: it pins its slot alone, and of time only
    /// its next ping and its age concern it.
    #[inline]
    pub(crate) fn is_at_rest(&self) -> bool {
        let owns = self.output.is_some() || self.input.is_some() || self.subscriptions.is_some();
        let has_to = self.readable
            || self.left_over
            || self.finished
            || self.paused
            || self.ending
            || self.waking
            || self.emptied;
        !owns && !has_to && self.session.is_at_rest()
    }

    /// Whether all that there is to be done is to read, and what comes may be a whole message.
    #[inline]
    pub(crate) fn only_reads(&self) -> bool {
        let owns = self.output.is_some() || self.input.is_some();
        // One word of questions, without a branch for each.
        let has_to = self.read_closed | self.finished | self.paused | self.ending | self.left_over | self.emptied;
        let reads = self.readable && self.short_read_drains;
        reads && !owns && !has_to && self.session.takes_whole()
    }

    /// Bytes that it pins beside its slot, by capacity.
    pub(crate) fn pins(&self) -> usize {
        self.output.as_ref().map_or(0, |queue| queue.pinned())
            + self.input.as_ref().map_or(0, |input| input.pinned())
            + self.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.pinned())
            + self.session.pinned()
    }

    /// The earliest thing that time will do to it.
    pub(crate) fn due(&self, times: &Times) -> Option<(Moment, Due)> {
        let own = self.session.due(self, times);
        // While our bytes wait, a slow peer is the write stall's affair.
        let stall = self.output.as_ref().filter(|queue| !queue.is_drained());
        let stall = stall.map(|queue| (queue.progress.after(times.write_stall), Due::Late(Deadline::WriteStall)));
        let wake = self.waking.then_some((self.wake, Due::Wake));
        let age = self.session.is_open().then_some(times.max_age).flatten();
        let age = age.map(|age| (self.opened.after(age), Due::Late(Deadline::Age)));
        earliest([own, stall, wake, age])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_small() {
        // With the socket (4), the application's () (1) and its share of the page: under 160.
        assert!(size_of::<Connection>() <= 144, "{}", size_of::<Connection>());
        assert!(size_of::<Session>() <= 56, "{}", size_of::<Session>());
    }
}
