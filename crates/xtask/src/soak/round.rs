//! `Round`: guests came, all at once, and went.

use std::time::Duration;

use serde::Serialize;

use super::guests::Met;
use super::watch::Moment;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Round {
    /// When it was over, since the first began.
    pub(super) minute: f64,
    /// How some of the guests misbehaved.
    pub(super) abuse: String,
    /// Echoes that the steady ones had, and how long these took from when the message was due, in milliseconds.
    pub(super) messages: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// The most while they were there, and what was left when all had gone.
    pub(super) peak: Moment,
    pub(super) rest: Moment,
    /// Checks of the guests that passed, and those that did not, in words.
    pub(super) passed: usize,
    pub(super) failures: Vec<String>,
}

impl Round {
    pub(super) fn new(at: Duration, met: Met, peak: Moment, rest: Moment) -> Self {
        let minute = at.as_secs_f64() / 60.0;
        let Met { abuse, messages, p50, p99, passed, failures } = met;
        let failures = failures.into_iter().map(|why| format!("minute {minute:.1}: {why}")).collect();
        Self { minute, abuse, messages, p50, p99, peak, rest, passed, failures }
    }
}

/// One of four equal parts, the first being 0.
pub(super) fn quarter(rounds: &[Round], number: usize) -> impl Iterator<Item = &Round> {
    let at = |number: usize| number * rounds.len() / 4;
    rounds[at(number)..at(number + 1)].iter()
}

/// The value in the middle; 0 if there is none.
pub(super) fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_a_value_and_quarters_are_all_there_is() {
        assert_eq!(median([5, 1, 9].into_iter()), 5);
        assert_eq!(median(std::iter::empty()), 0);
        let met = || Met { abuse: String::new(), messages: 0, p50: 0.0, p99: 0.0, passed: 0, failures: Vec::new() };
        let round = |at| Round::new(Duration::from_secs(at), met(), Moment::default(), Moment::default());
        let rounds: Vec<_> = (0..10).map(round).collect();
        let lengths: Vec<_> = (0..4).map(|number| quarter(&rounds, number).count()).collect();
        assert_eq!(lengths, [2, 3, 2, 3]);
    }
}
