//! What time does to a connection, and the limits that are times.

use std::time::Duration;

use crate::Limits;
use crate::closed::Deadline;
use crate::deadlines::Moment;

/// What a deadline does when it has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// Ends a connection that has no request under way.
    Quiet,
    /// Answers 408 and ends.
    RequestTimeout,
    /// Sends a ping.
    Ping,
    /// Sends a comment.
    Heartbeat,
    /// Calls the application.
    Wake,
    /// Ends what is open, for this reason.
    Late(Deadline),
    /// The peer had its time to close.
    Linger,
}

/// The limits that are times, in milliseconds.
pub(crate) struct Times {
    pub(crate) head: u32,
    pub(crate) body: u32,
    pub(crate) later: u32,
    pub(crate) keep_alive: u32,
    pub(crate) message: u32,
    pub(crate) write_stall: u32,
    pub(crate) ping: u32,
    pub(crate) pong: u32,
    pub(crate) heartbeat: u32,
    pub(crate) max_age: Option<u32>,
    pub(crate) close: u32,
    pub(crate) linger_idle: u32,
    pub(crate) linger: u32,
}

impl Times {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            head: milliseconds(limits.head_deadline),
            body: milliseconds(limits.body_deadline),
            later: milliseconds(limits.later),
            keep_alive: milliseconds(limits.keep_alive),
            message: milliseconds(limits.message_deadline),
            write_stall: milliseconds(limits.write_stall),
            ping: milliseconds(limits.ping),
            pong: milliseconds(limits.pong),
            heartbeat: milliseconds(limits.heartbeat),
            max_age: limits.max_age.map(milliseconds),
            close: milliseconds(limits.close),
            linger_idle: milliseconds(limits.linger_idle),
            linger: milliseconds(limits.linger),
        }
    }
}

/// A time in milliseconds, rounded up, at most 24 days.
pub(crate) fn milliseconds(time: Duration) -> u32 {
    const MOST: u32 = 24 * 24 * 3_600 * 1_000;
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(MOST).min(MOST)
}

/// What is due first, if anything is.
pub(crate) fn earliest<const N: usize>(dues: [Option<(Moment, Due)>; N]) -> Option<(Moment, Due)> {
    dues.into_iter().flatten().reduce(|a, b| if b.0.reached(a.0) { a } else { b })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_and_bounded() {
        assert_eq!(milliseconds(Duration::from_micros(1)), 1);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2_000);
        assert_eq!(milliseconds(Duration::MAX), 24 * 24 * 3_600 * 1_000);
    }
}
