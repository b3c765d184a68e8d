//! `Alarm`: what ends a sleep in time.
//!
//! A poll that is told how long it may sleep has the kernel start a timer before each sleep and cancel it behind it. This one is set and left: it
//! rings at the earliest moment that anybody has waited for since it rang, though nobody may wait for that any more. Then there is one turn too
//! many; and for most messages there is nothing to be set.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

const NEVER: u64 = u64::MAX;

/// See the top of this file.
pub(super) struct Alarm {
    descriptor: TimerFd,
    /// The millisecond of the monotonic clock in which it rings, or `NEVER`.
    rings: u64,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Self { descriptor: TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?, rings: NEVER })
    }

    /// What the poll is to watch. It is never read: an edge for each ring is all that is wanted.
    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_fd().as_raw_fd()
    }

    /// Makes sure that it rings by this moment of the monotonic clock; at once, if that has passed.
    #[inline]
    pub(super) fn ring_by(&mut self, moment: Duration) -> io::Result<()> {
        let milliseconds = u64::from(moment.subsec_nanos().div_ceil(1_000_000));
        let due = moment.as_secs().saturating_mul(1_000).saturating_add(milliseconds);
        if due < self.rings { self.set(due) } else { Ok(()) }
    }

    fn set(&mut self, due: u64) -> io::Result<()> {
        let at = TimeSpec::from_duration(Duration::from_millis(due));
        self.descriptor.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
        self.rings = due;
        Ok(())
    }

    /// It rings once.
    pub(super) const fn has_rung(&mut self) {
        self.rings = NEVER;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_ring_sooner_is_set_anew_and_nothing_else() {
        let mut alarm = Alarm::new().expect("an alarm");
        let rings = |alarm: &mut Alarm, microseconds| {
            alarm.ring_by(Duration::from_micros(microseconds)).expect("it can be set");
            alarm.rings
        };
        assert_eq!(rings(&mut alarm, 30_000), 30);
        assert_eq!(rings(&mut alarm, 50_000), 30, "it rings too early");
        assert_eq!(rings(&mut alarm, 20_000), 20);
        alarm.has_rung();
        assert_eq!(rings(&mut alarm, 50_000), 50);
        assert_eq!(rings(&mut alarm, 41_001), 42, "no millisecond is too short");
    }
}
