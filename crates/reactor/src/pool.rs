//! Large buffers that were used, for the next that are needed. Their pages are there: fresh ones would cost a fault each, which is more
//! than what is copied into them. Nothing is kept for longer than anybody is connected, and of a small budget little.

use std::ops::RangeInclusive;

/// See the top of this file. By default it keeps nothing.
#[derive(Default)]
pub(crate) struct Pool {
    /// Memory that messages in pieces were put together in. What stands in it is of no account.
    pub(crate) messages: Shelf,
    /// Blocks of queues, of the largest size.
    pub(crate) blocks: Shelf,
}

impl Pool {
    const BLOCKS: usize = 1 << 20;
    /// What is smaller costs little to be had anew.
    const LEAST: usize = 32 << 10;
    /// So many of a kind at most, for all are looked at whenever one is needed.
    const MOST: usize = 64;

    /// One of so many whose connections may pin so many bytes together.
    pub(crate) fn new(budget: usize, loops: usize) -> Self {
        let share = budget / loops.max(1);
        let shelf = |room| Shelf { buffers: Vec::new(), room };
        Self { messages: shelf(share / 48), blocks: shelf(Self::BLOCKS.min(share / 256)) }
    }

    /// Gives all of it back.
    pub(crate) fn clear(&mut self) {
        for shelf in [&mut self.messages, &mut self.blocks] {
            shelf.room += std::mem::take(&mut shelf.buffers).iter().map(Vec::capacity).sum::<usize>();
        }
    }
}

/// Buffers of one kind.
#[derive(Default)]
pub(crate) struct Shelf {
    buffers: Vec<Vec<u8>>,
    /// So many bytes more may be kept.
    room: usize,
}

impl Shelf {
    /// The smallest buffer of so many bytes that was kept, as it was.
    pub(crate) fn take(&mut self, sizes: RangeInclusive<usize>) -> Option<Vec<u8>> {
        let fitting = self.buffers.iter().enumerate().filter(|(_, buffer)| sizes.contains(&buffer.capacity()));
        let (at, _) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = self.buffers.swap_remove(at);
        self.room += buffer.capacity();
        Some(buffer)
    }

    /// Keeps a buffer, if there is room for it. Smaller ones make room for it: what serves a long message serves a short one, too.
    pub(crate) fn keep(&mut self, buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        let smaller: usize = self.buffers.iter().map(Vec::capacity).filter(|kept| *kept < capacity).sum();
        let has_place = self.buffers.len() < Pool::MOST || smaller > 0;
        if capacity < Pool::LEAST || capacity > self.room + smaller || !has_place {
            return;
        }
        while self.buffers.len() == Pool::MOST || self.room < capacity {
            let smallest = self.buffers.iter().enumerate().min_by_key(|(_, kept)| kept.capacity());
            let Some((at, _)) = smallest else { return };
            self.room += self.buffers.swap_remove(at).capacity();
        }
        self.room -= capacity;
        self.buffers.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1 << 10;

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut shelf = Shelf { buffers: Vec::new(), room: 200 * KIB };
        for capacity in [0, 31, 60, 201, 140, 139, 32] {
            shelf.keep(Vec::with_capacity(capacity * KIB));
        }
        let mut kept = |sizes| shelf.take(sizes).map(|buffer| buffer.capacity() / KIB);
        assert_eq!(kept(61 * KIB..=139 * KIB), None, "none is of such a size");
        assert_eq!(kept(50 * KIB..=200 * KIB), Some(60), "the smallest that fits");
        assert_eq!([kept(0..=200 * KIB), kept(0..=200 * KIB)], [Some(140), None]);
        for capacity in [60, 40, 201, 150] {
            shelf.keep(Vec::with_capacity(capacity * KIB));
        }
        let mut kept = |sizes| shelf.take(sizes).map(|buffer| buffer.capacity() / KIB);
        assert_eq!(
            [(); 2].map(|()| kept(0..=200 * KIB)),
            [Some(150), None],
            "both had to go for it, and none before for the longest"
        );
        shelf.keep(vec![7; 200 * KIB]);
        assert_eq!(shelf.take(0..=usize::MAX), Some(vec![7; 200 * KIB]), "there is room again, and it is as it was");
    }

    #[test]
    fn what_is_kept_is_bounded_in_number() {
        let mut shelf = Shelf { buffers: Vec::new(), room: usize::MAX };
        (0..2 * Pool::MOST).for_each(|_| shelf.keep(Vec::with_capacity(Pool::LEAST)));
        shelf.keep(Vec::with_capacity(2 * Pool::LEAST));
        let kept: Vec<usize> = std::iter::from_fn(|| shelf.take(0..=usize::MAX)).map(|kept| kept.capacity()).collect();
        assert_eq!(
            (kept.len(), kept.last()),
            (Pool::MOST, Some(&(2 * Pool::LEAST))),
            "the larger one has taken a place"
        );
    }

    #[test]
    fn a_small_budget_keeps_little() {
        for (budget, loops, kept) in [
            (0, 0, (0, 0)),
            (3 << 20, 1, (64 * KIB, 12 * KIB)),
            (6 << 20, 2, (64 * KIB, 12 * KIB)),
            (192 << 20, 1, (4 << 20, 768 * KIB)),
            (3 << 30, 8, (8 << 20, Pool::BLOCKS)),
        ] {
            let mut pool = Pool::new(budget, loops);
            assert_eq!((pool.messages.room, pool.blocks.room), kept, "{budget}");
            pool.messages.keep(vec![0; 40 * KIB]);
            pool.clear();
            assert_eq!((pool.messages.room, pool.messages.take(0..=usize::MAX)), (kept.0, None));
        }
    }
}
