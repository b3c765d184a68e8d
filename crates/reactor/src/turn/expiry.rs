//! What time does: deadlines, timers of the application, and the server's own tick.

use super::Loop;
use crate::due::Due;
use crate::handler::Handler;
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
        if self.sending.deadlines.next().is_some_and(|soonest| !now.reached(soonest)) {
            return;
        }
        let mut expired = std::mem::take(&mut self.expired);
        // As with events, there is a most for one turn: the others' bytes are not to wait for all timers of a second.
        while expired.len() < self.sending.limits.events
            && let Some(key) = self.sending.deadlines.expired(&mut self.sending.slots, now)
        {
            expired.push(key);
        }
        // What is read for them is work as well: whom the turn has no time for is due in the next.
        let enough = self.sending.work.after(self.quota);
        for key in expired.drain(..) {
            if !self.sending.work.has_come_to(enough) {
                self.fire(key);
            }
            if self.sending.slots.find(key).is_some() {
                self.sending.settle(key.slot);
            }
        }
        expired.shrink_to(4_096);
        self.expired = expired;
    }

    /// Does what is due for a connection.
    fn fire(&mut self, key: Key) {
        let passed = self.passed(key);
        if passed.is_some_and(|due| !matches!(due, Due::Wake | Due::Ping | Due::Heartbeat)) {
            // Before a deadline kills one read is tried: what lies in the kernel may be the sign of life.
            self.visit(key, true);
        }
        if let Some(due) = self.passed(key) {
            self.with_visit(key, |visit| visit.expire(due));
            self.run_endings();
        }
    }

    /// What is due for a connection, if it still lives.
    fn passed(&mut self, key: Key) -> Option<Due> {
        let (due, what) = self.sending.slots.find(key)?.due(&self.sending.times)?;
        self.sending.now.reached(due).then_some(what)
    }
}
