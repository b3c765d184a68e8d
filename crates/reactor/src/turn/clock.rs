//! What time it is: how long the poll may sleep, when the clocks are read, and whether the loop was away for too long.

use std::time::Duration;

use longwire_handshake::Date;

use super::Loop;
use crate::deadlines::Moment;
use crate::handler::Handler;
use crate::sys::Sys;

/// Milliseconds of the longest sleep.
const DAY: u32 = 24 * 3_600_000;

impl<H: Handler, S: Sys> Loop<H, S> {
    /// Until when the poll may sleep, on the machine's clock: never for so long that moments could not be compared any more.
    pub(super) fn patience(&self, timeout: Option<Duration>) -> Option<Duration> {
        let waits = !self.sending.ready.is_empty() || !self.waiting.is_empty() || !self.sending.drops.is_empty();
        if waits || self.has_letters() || timeout == Some(Duration::ZERO) {
            return Some(Duration::ZERO);
        }
        // As of the last turn, or of what was done since: for the loop's own sake the clock is not read before a poll.
        let now = self.sending.now;
        let mut due = self.sending.deadlines.next();
        if self.tick.is_some() || self.retry_accept.is_some() || self.drained_at.is_some() {
            let others = [self.tick.map(|(_, at)| at), self.retry_accept, self.drained_at];
            due = others.into_iter().chain([due]).flatten().reduce(Moment::earlier);
        }
        let sleep = due.map_or(DAY, |due| due.since(now).min(DAY));
        if sleep == 0 {
            return Some(Duration::ZERO);
        }
        let due = Duration::from_millis(self.clock + u64::from(sleep));
        Some(timeout.map_or(due, |timeout| self.wires.sys.now().saturating_add(timeout).min(due)))
    }

    pub(super) fn read_clock(&mut self) {
        let sending = &mut self.sending;
        self.clock = milliseconds_of(&self.wires.sys);
        let now = Moment(self.clock as u32);
        sending.now = now;
        sending.deadlines.keep_up(now);
        if self.clock >= self.wall_due {
            let wall = self.wires.sys.wall();
            // Both clocks are cut to milliseconds, so one more.
            self.wall_due = self.clock + 1_001 - u64::from(wall.subsec_millis());
            sending.wall = wall.as_secs();
            sending.date = Date::from_unix(sending.wall);
            sending.notices.catch_up(now);
        }
    }

    /// Whether the loop was away for so long between two polls that peers are to be read before their deadlines fire.
    pub(super) fn note_stall(&mut self) {
        // A deadline that is overdue by more, after so long since the last poll, is the loop's own doing.
        const STALL: u32 = 1_000;
        // Nor may peers that keep the loop busy hold deadlines up for longer.
        const CATCH_UP: u32 = 1_000;
        let now = self.sending.now;
        let away = now.since(std::mem::replace(&mut self.polled, now));
        // Once for each stall: between two of these, deadlines have fired.
        if away > STALL && self.late.is_none() {
            let overdue = self.sending.deadlines.next().is_some_and(|due| now.since(due) > STALL);
            self.late = overdue.then(|| now.after(CATCH_UP));
        }
    }
}

pub(super) fn milliseconds_of<S: Sys>(sys: &S) -> u64 {
    sys.now().as_millis() as u64
}
