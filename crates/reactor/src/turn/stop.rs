//! Stopping: nobody new, everybody told, and an end when all are gone or had their time.

use super::{Loop, Turn};
use crate::closed::Closed;
use crate::due::milliseconds;
use crate::handler::Handler;
use crate::session::Session;
use crate::slots::Key;
use crate::sys::Sys;

impl<H: Handler, S: Sys> Loop<H, S> {
    /// Stops accepting and tells everybody, once. What was said before is heard before.
    pub(super) fn drain(&mut self) {
        if self.sending.fellows.drains() == 0 || self.told {
            return;
        }
        if self.drained_at.is_none() {
            self.close_doors();
            self.collect_letters();
        }
        if self.letters.is_empty() {
            self.told = true;
            for key in self.sending.slots.keys() {
                self.tell(key);
            }
        }
    }

    /// Whether it stops, and not everybody has been told.
    pub(super) const fn is_about_to_tell(&self) -> bool {
        self.drained_at.is_some() && !self.told
    }

    /// Nobody new comes in.
    fn close_doors(&mut self) {
        let wait = milliseconds(self.sending.limits.drain);
        // Accept until nobody waits, then close: closing a listener resets whoever waits in its queue.
        for listener in 0..self.wires.sys.listeners() {
            for _ in 0..=self.sending.limits.backlog as usize / self.sending.limits.accepts {
                self.waiting.clear();
                self.accept_from(listener);
                if self.waiting.is_empty() {
                    break;
                }
            }
            self.wires.sys.stop_listening(listener);
        }
        self.waiting.clear();
        self.retry_accept = None;
        self.drained_at = Some(self.sending.now.after(wait));
        self.sending.draining = true;
    }

    /// Tells one connection that the server is stopping.
    fn tell(&mut self, key: Key) {
        // A request that lies in the socket is answered, so it is looked for before a silent connection is sent away.
        if self.sending.slots.find(key).is_some_and(|connection| connection.session.is_silent()) {
            self.visit(key, true);
        }
        let Some(connection) = self.sending.slots.find(key) else { return };
        match connection.session {
            Session::Opening(_) => self.remove(key, Closed::Drained),
            ref session if session.is_silent() => self.with_visit(key, |visit| {
                visit.finish(Closed::Drained);
                None
            }),
            _ => self.visit_of(key, &mut None).stop(),
        }
    }

    /// Whether the loop goes on; ends everybody when the time is over.
    pub(super) fn outlook(&mut self) -> Turn {
        let Some(at) = self.drained_at else { return Turn::Goes };
        let waits = self.sending.slots.len() > 0 || !self.told;
        if waits && !self.sending.now.reached(at) && self.sending.fellows.drains() < 2 {
            return Turn::Goes;
        }
        for key in self.sending.slots.keys() {
            self.remove(key, Closed::Drained);
        }
        self.settle_all();
        Turn::Ended
    }
}
