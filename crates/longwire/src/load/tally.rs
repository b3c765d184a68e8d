//! `Tally`: what was measured, and over all threads.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Of the window that counts, this many parts are drawn.
const SLICES: u32 = 60;

/// Nanoseconds of the longest that a message may take; what took longer counts as this.
const LONGEST: u64 = 600_000_000_000;

/// Messages that were due at one time and came at one time, as all often do that one read has brought.
#[derive(Debug, Default)]
struct Batch {
    /// When the window begins that they count in.
    begin: u64,
    due: u64,
    here: u64,
    messages: u64,
}

/// What came back, and how long it took. The histograms are of what was [added](Tally::add).
#[derive(Debug)]
pub(super) struct Tally {
    /// Nanoseconds per message, to three digits.
    pub(super) latencies: Histogram<u64>,
    /// The same over time, to two digits.
    pub(super) slices: Vec<Histogram<u64>>,
    /// The last that were counted, and are in no histogram yet.
    last: Batch,
    /// Nanoseconds of one slice.
    pub(super) slice: u64,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// What was sent in the window, where it is sent at a rate.
    pub(super) sent: u64,
    /// Echoes that were not what was sent.
    pub(super) wrong: u64,
    /// What was sent in the window and had not come when all was over.
    pub(super) missing: u64,
    /// What should have been delivered, where one speaks and many listen, and what of that was.
    pub(super) expected: u64,
    pub(super) delivered: u64,
    /// What ended connections before their time, in words, and how often.
    pub(super) ends: std::collections::BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn new(window: Duration) -> Self {
        let histogram = |digits| Histogram::new_with_bounds(1, LONGEST, digits).expect("these bounds are fine");
        Self {
            latencies: histogram(3),
            slices: (0..SLICES).map(|_| histogram(2)).collect(),
            last: Batch::default(),
            slice: (super::nanoseconds(window) / u64::from(SLICES)).max(1),
            messages: 0,
            bytes: 0,
            sent: 0,
            wrong: 0,
            missing: 0,
            expected: 0,
            delivered: 0,
            ends: std::collections::BTreeMap::new(),
        }
    }

    /// A message of `bytes` that was due at one time and here at another, if that is in the window.
    pub(super) fn count(&mut self, window: Option<(u64, u64)>, due: u64, here: u64, bytes: usize) {
        let Some((begin, end)) = window.filter(|(begin, end)| (*begin..*end).contains(&here)) else { return };
        debug_assert!(begin < end);
        if (self.last.due, self.last.here) != (due, here) {
            self.settle();
            self.last = Batch { begin, due, here, messages: 0 };
        }
        self.last.messages += 1;
        self.messages += 1;
        self.bytes += bytes as u64;
    }

    /// Puts the last ones into the histograms.
    fn settle(&mut self) {
        let Batch { begin, due, here, messages } = std::mem::take(&mut self.last);
        if messages == 0 {
            return;
        }
        let took = here.saturating_sub(due).clamp(1, LONGEST);
        self.latencies.saturating_record_n(took, messages);
        let at = (here - begin) / self.slice;
        if let Some(slice) = usize::try_from(at).ok().and_then(|at| self.slices.get_mut(at)) {
            slice.saturating_record_n(took, messages);
        }
    }

    /// So much should have been delivered: the rest is missing.
    pub(super) fn expect(&mut self, deliveries: u64) {
        self.expected = deliveries;
        self.missing = deliveries.saturating_sub(self.delivered);
    }

    /// What another thread has measured is measured, too.
    pub(super) fn add(&mut self, mut other: Self) {
        other.settle();
        let same = "all have the same bounds";
        self.latencies.add(&other.latencies).expect(same);
        for (slice, others) in self.slices.iter_mut().zip(&other.slices) {
            slice.add(others).expect(same);
        }
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.sent += other.sent;
        self.wrong += other.wrong;
        self.missing += other.missing;
        self.expected += other.expected;
        self.delivered += other.delivered;
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_of_the_window_does_not_count() {
        let mut all = Tally::new(Duration::from_nanos(6_000));
        for _ in 0..2 {
            let mut tally = Tally::new(Duration::from_nanos(6_000));
            // Those at 12,345 came together.
            for here in [9_999, 10_000, 12_345, 12_345, 12_345, 15_999, 16_000] {
                tally.count(Some((10_000, 16_000)), here - 100, here, 20);
            }
            tally.count(None, 1, 2, 20);
            assert_eq!((tally.messages, tally.bytes), (5, 100));
            all.add(tally);
        }
        assert_eq!((all.messages, all.latencies.len(), all.latencies.max()), (10, 10, 100));
        let slices: Vec<u64> = all.slices.iter().map(Histogram::len).collect();
        assert_eq!((slices[0], slices[23], slices[59], slices.iter().sum::<u64>()), (2, 6, 2, 10));
    }

    #[test]
    fn one_that_took_longer_is_told_from_those_that_came_with_it() {
        let mut tally = Tally::new(Duration::from_nanos(6_000));
        for due in [500, 500, 400, 500] {
            tally.count(Some((1, 6_001)), due, 600, 20);
        }
        let mut all = Tally::new(Duration::from_nanos(6_000));
        all.add(tally);
        let latencies = all.latencies.iter_recorded().map(|at| (at.value_iterated_to(), at.count_at_value()));
        assert_eq!(latencies.collect::<Vec<_>>(), [(100, 3), (200, 1)]);
    }
}
