//! What time does: deadlines, timers of the application, and the server's own tick.

use super::Loop;
use crate::Reply;
use crate::closed::{Closed, Deadline};
use crate::due::Due;
use crate::handler::Handler;
use crate::session::{Session, head};
use crate::slots::Key;
use crate::sys::Sys;

impl<H: Handler, S: Sys> Loop<H, S> {
    pub(super) fn run_tick(&mut self) {
        let Some((every, at)) = self.tick else { return };
        if self.sending.now.reached(at) {
            // After a stall one tick stands for those that were missed.
            let mut next = at.after(every);
            if self.sending.now.reached(next) {
                next = self.sending.now.after(every);
            }
            self.tick = Some((every, next));
            self.guarded(|handler, hub| handler.tick(hub));
        }
    }

    /// Fires what is due, each connection at most once a turn: a timer that is asked for again at once waits for the next.
    pub(super) fn run_deadlines(&mut self) {
        let now = self.sending.now;
        let mut expired = std::mem::take(&mut self.expired);
        // As with events, there is a most for one turn: the others' bytes are not to wait for all timers of a second.
        while expired.len() < self.sending.limits.events
            && let Some(key) = self.sending.deadlines.expired(&mut self.sending.slots, now)
        {
            expired.push(key);
        }
        for key in expired.drain(..) {
            let passed = self.passed(key);
            if passed.is_some_and(|due| !matches!(due, Due::Wake | Due::Ping | Due::Heartbeat)) {
                // Before a deadline kills one read is tried: what lies in the kernel may be the sign of life.
                self.visit(key, true);
            }
            if let Some(due) = self.passed(key) {
                self.expire(key, due);
                self.run_endings();
            }
            if self.sending.slots.find(key).is_some() {
                self.sending.settle(key.slot);
            }
        }
        expired.shrink_to(4_096);
        self.expired = expired;
    }

    /// What is due for a connection, if it still lives.
    fn passed(&mut self, key: Key) -> Option<Due> {
        let (due, what) = self.sending.slots.find(key)?.due(&self.sending.times)?;
        self.sending.now.reached(due).then_some(what)
    }

    fn wake(&mut self, key: Key) {
        self.sending.slots[key.slot].waking = false;
        self.with_visit(key, |visit| visit.call(|handler, peer| handler.timer(peer)));
    }

    /// Does what a deadline does.
    fn expire(&mut self, key: Key, due: Due) {
        match due {
            Due::Quiet => self.remove(key, Closed::Late(Deadline::Idle)),
            Due::Linger => self.remove(key, Closed::Gone),
            Due::Wake => self.wake(key),
            Due::Heartbeat => self.with_visit(key, |visit| visit.sending.heartbeat(visit.key.slot)),
            Due::RequestTimeout => self.with_visit(key, head::timed_out),
            Due::Ping => {
                let now = self.sending.now;
                if let Session::WebSocket(socket) = &mut self.sending.slots[key.slot].session {
                    socket.pinged = Some(now);
                }
                self.with_visit(key, |visit| visit.sending.ping(visit.machine, visit.key.slot, b""));
            }
            Due::Late(Deadline::Answer) => {
                self.with_visit(key, |visit| visit.answer(Reply::status(503), Closed::Late(Deadline::Answer)));
            }
            Due::Late(deadline @ (Deadline::Age | Deadline::Message)) => {
                self.sending.end(key.slot, Closed::Late(deadline));
            }
            Due::Late(deadline) => self.remove(key, Closed::Late(deadline)),
        }
    }
}
