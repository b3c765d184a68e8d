//! Work: what a loop does for its peers, counted in bytes that could have been read meanwhile. By it visits and turns end. What a thing costs
//! stands here and nowhere else.

use crate::stats::count;

/// See the top of this file.
#[derive(Default)]
pub(crate) struct Work {
    /// What was done so far.
    done: u64,
    /// The visit reads no more once that is `done`.
    enough: u64,
    /// It ends amid what was read once that is `done`: `enough`, and as much more as was read or looked at in it.
    too_much: u64,
}

impl Work {
    /// So many bytes that are only copied, from a socket or to one, are as much work as one that is looked at.
    pub(crate) const COPIED: usize = 4;
    /// To compress a byte is as much work as to read so many, and up to five times as much where nothing becomes shorter.
    const DEFLATED: usize = 4;
    /// To decompress a byte is as much work as to read so many, whatever comes of it: there are blocks that say nothing, and take 90 ns a byte.
    const INFLATED: usize = 16;
    /// A final block in a compressed message.
    const FINAL_BLOCK: usize = 1 << 10;
    /// To see what one more listener is owed, and to give it.
    const DELIVERY: usize = 1 << 10;
    /// To queue one message or event that is looked at by itself.
    const UNIT: usize = 64;

    /// A visit begins, for which so much is enough.
    pub(crate) const fn begin_visit(&mut self, visit: usize) {
        self.enough = self.done.wrapping_add(visit as u64);
        self.too_much = self.enough;
    }

    /// So many bytes were read, or, if an earlier visit had left them over, are looked at now.
    #[inline]
    pub(crate) const fn read(&mut self, bytes: usize) {
        count(&mut self.done, bytes as u64);
        count(&mut self.too_much, bytes as u64);
    }

    /// So many were read into their place.
    pub(crate) const fn placed(&mut self, bytes: usize) {
        self.read(bytes.div_ceil(Self::COPIED));
    }

    /// So many bytes of a compressed message brought so many, and had so many final blocks among them.
    pub(crate) const fn inflated(&mut self, consumed: usize, brought: usize, final_blocks: u32) {
        let consumed = Self::INFLATED * consumed;
        let most = if consumed > brought { consumed } else { brought };
        self.beside_reading(most + Self::FINAL_BLOCK * final_blocks as usize);
    }

    /// So many were compressed.
    pub(crate) const fn deflated(&mut self, bytes: usize) {
        self.beside_reading(Self::DEFLATED * bytes);
    }

    /// A listener is looked after.
    pub(crate) const fn delivers(&mut self) {
        self.beside_reading(Self::DELIVERY);
    }

    /// One of the things that it is given is queued by itself.
    pub(crate) const fn queues_one(&mut self) {
        self.beside_reading(Self::UNIT);
    }

    /// So many bytes are given to a listener, or have left a queue; if a socket did not take `all`, somebody looks where that ends.
    pub(crate) const fn wrote(&mut self, bytes: usize, all: bool) {
        self.beside_reading(if all { bytes / Self::COPIED } else { bytes });
    }

    const fn beside_reading(&mut self, work: usize) {
        count(&mut self.done, work as u64);
    }

    /// How much the visit may still read.
    pub(crate) const fn left(&self) -> usize {
        self.enough.saturating_sub(self.done) as usize
    }

    /// Whether so much was done beside reading that the visit must end before all that was read is looked at: as much as it may read.
    pub(crate) const fn is_too_much(&self) -> bool {
        self.done >= self.too_much
    }

    /// When so much more will be done: see [`has_come_to`](Self::has_come_to).
    pub(crate) const fn after(&self, more: u64) -> u64 {
        self.done.saturating_add(more)
    }

    pub(crate) const fn has_come_to(&self, mark: u64) -> bool {
        self.done >= mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_has_its_price() {
        let price = |act: fn(&mut Work)| {
            let mut work = Work::default();
            act(&mut work);
            work.done
        };
        assert_eq!(price(|work| work.read(100)), 100);
        assert_eq!(price(|work| work.placed(101)), 26);
        assert_eq!(price(|work| work.inflated(10, 1_000, 0)), 1_000);
        assert_eq!(price(|work| work.inflated(100, 200, 0)), 1_600);
        assert_eq!(price(|work| work.inflated(0, 0, 3)), 3 * 1_024);
        assert_eq!(price(|work| work.deflated(100)), 400);
        assert_eq!(price(Work::delivers), 1_024);
        assert_eq!(price(Work::queues_one), 64);
        assert_eq!(price(|work| work.wrote(100, true)), 25);
        assert_eq!(price(|work| work.wrote(100, false)), 100);
    }

    #[test]
    fn a_visit_reads_until_it_is_enough_and_looks_at_what_it_read_unless_all_else_is_too_much() {
        let mut work = Work::default();
        work.read(7);
        work.begin_visit(1_000);
        work.read(400);
        assert_eq!((work.left(), work.is_too_much()), (600, false));
        work.read(5_000);
        assert_eq!((work.left(), work.is_too_much()), (0, false));
        work.inflated(0, 999, 0);
        assert!(!work.is_too_much());
        work.read(50);
        assert!(!work.is_too_much());
        work.inflated(0, 1, 0);
        assert!(work.is_too_much());
        work.begin_visit(1_000);
        work.deflated(100);
        assert_eq!((work.left(), work.is_too_much()), (600, false));
    }

    #[test]
    fn a_turn_ends_when_so_much_more_is_done() {
        let mut work = Work::default();
        work.read(50);
        let end = work.after(100);
        work.read(99);
        assert!(!work.has_come_to(end));
        work.read(1);
        assert!(work.has_come_to(end));
    }
}
