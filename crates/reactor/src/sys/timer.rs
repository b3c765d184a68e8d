//! `Timer`: the clock, and what ends a sleep in time.
//!
//! A poll that is told how long it may sleep has the kernel set a timer before each sleep and take it back behind it. This one is set and
//! left: it rings for the earliest moment that anybody has waited for since it rang, though that may not be awaited any more. Then there was
//! one sleep too few, and for most messages there is nothing to be set.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::clock_gettime;

use super::{Token, WAKE};

/// As what the poll reports that it rang.
pub(super) const TOKEN: Token = WAKE - 1;

const NEVER: u64 = u64::MAX;

/// See the top of this file. Times are milliseconds of the monotonic clock.
pub(super) struct Timer {
    descriptor: TimerFd,
    /// When the clock was read last.
    now: u64,
    /// When it rings, or `NEVER`.
    rings: u64,
}

impl Timer {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let mut timer = Self { descriptor: TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?, now: 0, rings: NEVER };
        timer.now();
        Ok(timer)
    }

    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_fd().as_raw_fd()
    }

    /// Reads the clock.
    #[inline]
    pub(super) fn now(&mut self) -> Duration {
        // Every Linux has this clock. (To say what else would be wrong takes 10 KiB of names of errors.)
        let time = clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).unwrap_or(TimeSpec::new(0, 0));
        let now = Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32);
        self.now = now.as_millis() as u64;
        now
    }

    /// Makes sure that it rings when so much time has passed since the clock was read, or sooner. Returns how long a poll may sleep
    /// beside that.
    #[inline]
    pub(super) fn ring_within(&mut self, timeout: Option<Duration>) -> io::Result<Option<Duration>> {
        let Some(wait) = timeout.filter(|wait| !wait.is_zero()) else { return Ok(timeout) };
        let wait =
            wait.as_secs().saturating_mul(1_000).saturating_add(u64::from(wait.subsec_nanos().div_ceil(1_000_000)));
        let due = self.now.saturating_add(wait);
        if due < self.rings {
            self.set(due)?;
        }
        Ok(None)
    }

    /// It rings once.
    pub(super) const fn has_rung(&mut self) {
        self.rings = NEVER;
    }

    fn set(&mut self, due: u64) -> io::Result<()> {
        let at = TimeSpec::from_duration(Duration::from_millis(due));
        self.descriptor.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
        self.rings = due;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_to_ring_sooner_is_set_anew_and_nothing_else() {
        let mut timer = Timer::new().expect("a timer");
        let set = |timer: &mut Timer, wait| {
            assert_eq!(timer.ring_within(Some(wait)).expect("it can be set"), None);
            timer.rings - timer.now
        };
        assert_eq!(set(&mut timer, 3 * SECOND), 3_000);
        assert_eq!(set(&mut timer, 5 * SECOND), 3_000, "it rings too early");
        assert_eq!(set(&mut timer, 2 * SECOND), 2_000);
        timer.has_rung();
        assert_eq!(set(&mut timer, 5 * SECOND), 5_000, "it has rung");
        assert_eq!(set(&mut timer, Duration::from_micros(1_001)), 2, "no millisecond is too short");
    }

    #[test]
    fn who_does_not_sleep_or_sleeps_for_ever_needs_no_timer() {
        let mut timer = Timer::new().expect("a timer");
        for wait in [None, Some(Duration::ZERO)] {
            assert_eq!(timer.ring_within(wait).expect("nothing is to be set"), wait);
            assert_eq!(timer.rings, NEVER);
        }
    }
}
