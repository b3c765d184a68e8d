//! Deadlines: a hierarchical timer wheel whose timers are links inside the connections.
//!
//! Six levels of 64 buckets, the lowest one millisecond wide. Arming, disarming and firing touch a few words and never
//! allocate. A timer never fires early; one that is armed far ahead moves down a level when its bucket comes round.

use crate::slots::{Key, Slots};

/// A moment on the loop's clock: milliseconds that wrap after 49 days. Moments are compared by their distance, so no
/// two that are compared may lie more than 24 days apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Moment(pub(crate) u32);

impl Moment {
    pub(crate) const fn after(self, milliseconds: u32) -> Self {
        Self(self.0.wrapping_add(milliseconds))
    }

    /// Milliseconds from `earlier` to here; 0 if that lies ahead.
    pub(crate) const fn since(self, earlier: Self) -> u32 {
        if self.reached(earlier) { self.0.wrapping_sub(earlier.0) } else { 0 }
    }

    /// Whether `other` is now or has passed.
    pub(crate) const fn reached(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) >= 0
    }

    pub(crate) fn earlier(self, other: Self) -> Self {
        if other.reached(self) { self } else { other }
    }
}

const NOBODY: u32 = u32::MAX;
const LEVELS: usize = 6;

/// A connection's place in the wheel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    previous: u32,
    next: u32,
    due: Moment,
    /// The bucket it hangs in, level × 64 + place; `u16::MAX` when it is not armed.
    bucket: u16,
}

impl Link {
    pub(crate) const fn new() -> Self {
        Self { previous: NOBODY, next: NOBODY, due: Moment(0), bucket: u16::MAX }
    }

    pub(crate) const fn armed(&self) -> Option<Moment> {
        if self.bucket == u16::MAX { None } else { Some(self.due) }
    }
}

/// The wheel of one loop.
pub(crate) struct Deadlines {
    heads: [u32; LEVELS * 64],
    occupied: [u64; LEVELS],
    /// Everything due before this moment has fired.
    now: Moment,
    /// Nothing is due before this moment. It may be too early, never too late.
    soonest: Option<Moment>,
}

impl Deadlines {
    pub(crate) const fn new(now: Moment) -> Self {
        Self { heads: [NOBODY; LEVELS * 64], occupied: [0; LEVELS], now, soonest: None }
    }

    /// Arms the connection's one timer, or moves it.
    pub(crate) fn arm(&mut self, slots: &mut Slots, slot: u32, due: Moment) {
        if slots[slot].link.armed() == Some(due) {
            return;
        }
        self.disarm(slots, slot);
        self.hang(slots, slot, due);
    }

    pub(crate) fn disarm(&mut self, slots: &mut Slots, slot: u32) {
        let link = std::mem::replace(&mut slots[slot].link, Link::new());
        if link.bucket == u16::MAX {
            return;
        }
        if link.previous == NOBODY {
            self.heads[link.bucket as usize] = link.next;
            if link.next == NOBODY {
                self.occupied[link.bucket as usize / 64] &= !(1 << (link.bucket % 64));
            }
        } else {
            slots[link.previous].link.next = link.next;
        }
        if link.next != NOBODY {
            slots[link.next].link.previous = link.previous;
        }
    }

    fn hang(&mut self, slots: &mut Slots, slot: u32, due: Moment) {
        // What is already due hangs in the next bucket to be looked at.
        let at = if self.now.reached(due) { self.now } else { due };
        self.soonest = Some(self.soonest.map_or(at, |soonest| soonest.earlier(at)));
        let differing = (at.0 ^ self.now.0) | 63;
        let level = ((31 - differing.leading_zeros()) as usize / 6).min(LEVELS - 1);
        let place = (at.0 >> (level * 6)) as usize & 63;
        let bucket = level * 64 + place;
        let next = std::mem::replace(&mut self.heads[bucket], slot);
        self.occupied[level] |= 1 << place;
        slots[slot].link = Link { previous: NOBODY, next, due, bucket: bucket as u16 };
        if next != NOBODY {
            slots[next].link.previous = slot;
        }
    }

    /// The earliest moment at which [`Deadlines::expired`] may have something to say.
    pub(crate) const fn next(&self) -> Option<Moment> {
        self.soonest
    }

    fn search(&self) -> Option<Moment> {
        (0..LEVELS).filter_map(|level| self.next_in(level)).reduce(Moment::earlier)
    }

    /// When the next occupied bucket of a level comes round.
    fn next_in(&self, level: usize) -> Option<Moment> {
        if self.occupied[level] == 0 {
            return None;
        }
        let shift = (level * 6) as u32;
        let here = (self.now.0 >> shift) & 63;
        // What is due within this bucket's own span hangs on a lower level, so `ahead` is 0 on the lowest only.
        let ahead = self.occupied[level].rotate_right(here).trailing_zeros();
        Some(Moment((self.now.0 >> shift).wrapping_add(ahead) << shift))
    }

    /// Where nothing is armed, nothing has to come round before what is armed next: that may be long after.
    #[inline]
    pub(crate) const fn keep_up(&mut self, now: Moment) {
        if self.soonest.is_none() {
            self.now = now;
        }
    }

    /// Takes the next connection whose deadline has passed by `now`, disarmed; `None` when there are no more.
    pub(crate) fn expired(&mut self, slots: &mut Slots, now: Moment) -> Option<Key> {
        if self.soonest.is_none_or(|soonest| !now.reached(soonest)) {
            return None;
        }
        loop {
            let next = self.search();
            let Some(at) = next.filter(|next| now.reached(*next)) else {
                self.soonest = next;
                if now.reached(self.now) {
                    self.now = now;
                }
                return None;
            };
            self.now = at;
            for level in (1..LEVELS).rev() {
                if at.0 & ((1 << (level * 6)) - 1) == 0 {
                    self.cascade(slots, level);
                }
            }
            let slot = self.heads[at.0 as usize & 63];
            if slot != NOBODY {
                self.disarm(slots, slot);
                return Some(Key { slot, generation: slots[slot].generation });
            }
        }
    }

    /// Moves what hangs in the bucket under a level's hand to where it belongs now.
    fn cascade(&mut self, slots: &mut Slots, level: usize) {
        let place = (self.now.0 >> (level * 6)) as usize & 63;
        self.occupied[level] &= !(1 << place);
        let mut slot = std::mem::replace(&mut self.heads[level * 64 + place], NOBODY);
        while slot != NOBODY {
            let link = std::mem::replace(&mut slots[slot].link, Link::new());
            self.hang(slots, slot, link.due);
            slot = link.next;
        }
    }

    /// Whether nothing is armed.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.occupied == [0; LEVELS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Connection;
    use proptest::prelude::*;

    #[test]
    fn moments_wrap() {
        let late = Moment(u32::MAX - 5);
        let early = late.after(10);
        assert!(early.reached(late) && !late.reached(early));
        assert_eq!(early.since(late), 10);
        assert_eq!(late.since(early), 0);
        assert_eq!(late.earlier(early), late);
    }

    /// Runs the wheel beside a sorted list.
    fn agrees_with_a_list(start: u32, delays: &[u32], steps: &[u32]) {
        let mut slots = Slots::new();
        let mut wheel = Deadlines::new(Moment(start));
        let mut list = Vec::new();
        for delay in delays {
            let key = slots.insert(Connection::vacant());
            let due = Moment(start).after(*delay);
            wheel.arm(&mut slots, key.slot, due);
            list.push((due, key));
        }
        let mut now = Moment(start);
        for step in steps {
            now = now.after(*step);
            if let Some(next) = wheel.next() {
                let first = list.iter().map(|(due, _)| *due).reduce(Moment::earlier).unwrap();
                assert!(first.reached(next), "the wheel would sleep past {first:?}: {next:?}");
            }
            let mut fired = Vec::new();
            while let Some(key) = wheel.expired(&mut slots, now) {
                fired.push(key);
            }
            fired.sort();
            let mut expected: Vec<Key> =
                list.iter().filter(|(due, _)| now.reached(*due)).map(|(_, key)| *key).collect();
            expected.sort();
            list.retain(|(due, _)| !now.reached(*due));
            assert_eq!(fired, expected);
        }
        for (_, key) in &list {
            wheel.disarm(&mut slots, key.slot);
        }
        assert!(wheel.is_empty());
    }

    proptest! {
        #[test]
        fn no_deadline_is_early_late_or_lost(
            start: u32,
            delays in prop::collection::vec(prop_oneof![0_u32..200, 0_u32..100_000, 0_u32..2_000_000_000], 0..40),
            steps in prop::collection::vec(prop_oneof![0_u32..3, 1_u32..5_000, 1_u32..100_000_000], 1..40),
        ) {
            agrees_with_a_list(start, &delays, &steps);
        }
    }

    #[test]
    fn the_wrap_of_the_clock_is_crossed() {
        agrees_with_a_list(u32::MAX - 100, &[0, 50, 100, 101, 150, 5_000], &[1, 49, 60, 100, 100, 6_000]);
    }

    #[test]
    fn a_timer_may_be_moved() {
        let mut slots = Slots::new();
        let mut wheel = Deadlines::new(Moment(0));
        let keys: Vec<Key> = (0..3).map(|_| slots.insert(Connection::vacant())).collect();
        for key in &keys {
            wheel.arm(&mut slots, key.slot, Moment(30));
        }
        wheel.arm(&mut slots, keys[1].slot, Moment(5_000));
        wheel.disarm(&mut slots, keys[0].slot);
        assert_eq!(wheel.expired(&mut slots, Moment(100)), Some(keys[2]));
        assert_eq!(wheel.expired(&mut slots, Moment(4_999)), None);
        assert_eq!(wheel.expired(&mut slots, Moment(5_000)), Some(keys[1]));
        assert!(wheel.is_empty());
    }
}
