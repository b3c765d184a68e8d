//! `Speech`: what one has said for all to hear, when each message was due, and which of it counts. The speaker's thread writes, those of the
//! listeners read.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use longwire_reactor::Message;

use super::Plan;
use super::tally::Tally;

/// Messages of which it is remembered when they were due: no more than these can be on their way at once.
const REMEMBERED: usize = 1 << 16;

pub(super) struct Speech {
    /// When each of the last messages was due.
    due: Box<[AtomicU64]>,
    said: AtomicU64,
    /// The number of the first message that counts, and of the first that does not any more.
    counted: [AtomicU64; 2],
}

impl Speech {
    pub(super) fn new() -> Self {
        Self {
            due: std::iter::repeat_with(AtomicU64::default).take(REMEMBERED).collect(),
            said: AtomicU64::new(0),
            counted: [const { AtomicU64::new(u64::MAX) }; 2],
        }
    }

    /// The next message, which is due at this time.
    pub(super) fn say<'m>(&self, plan: &Plan, memory: &'m mut [u8], due: u64) -> Message<'m> {
        let number = self.said.fetch_add(1, Ordering::Relaxed);
        self.due[number as usize % REMEMBERED].store(due, Ordering::Release);
        if let Some((begin, end)) = plan.window() {
            let now = plan.clock.now();
            for (counted, from) in self.counted.iter().zip([begin, end]) {
                if now >= from {
                    counted.fetch_min(number, Ordering::Relaxed);
                }
            }
        }
        plan.shape.stamp(memory, 0, number);
        plan.shape.message(memory)
    }

    /// The numbers of what counts, as far as it was said.
    pub(super) fn counted(&self) -> Range<u64> {
        let [first, behind] = self.counted.each_ref().map(|number| number.load(Ordering::Relaxed));
        first..behind.min(self.said.load(Ordering::Relaxed)).max(first)
    }

    /// A listener has a message of so many bytes.
    pub(super) fn arrived(&self, plan: &Plan, number: u64, bytes: usize, tally: &mut Tally) {
        let due = self.due[number as usize % REMEMBERED].load(Ordering::Acquire);
        tally.count(plan.window(), due, plan.clock.now(), bytes);
        tally.delivered += u64::from(self.counted().contains(&number));
    }
}

/// What one listener has heard.
#[derive(Default)]
pub(super) struct Ear {
    next: Option<u64>,
}

impl Ear {
    /// Whether this may come now: nothing comes twice, or behind what was said later.
    pub(super) fn hears(&mut self, number: u64) -> bool {
        let may = self.next.is_none_or(|next| number >= next);
        if may {
            self.next = Some(number + 1);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_twice_or_late() {
        let mut ear = Ear::default();
        let heard = [4, 5, 5, 7, 6, 8].map(|number| ear.hears(number));
        assert_eq!(heard, [true, true, false, true, false, true]);
    }

    #[test]
    fn nothing_counts_before_it_was_said() {
        assert!(Speech::new().counted().is_empty());
    }
}
