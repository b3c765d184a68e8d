//! Bytes in the order in which they came, in blocks that are never moved: what grows is not copied and never there twice, and
//! what has left is given back block by block. Blocks of few sizes leave few holes in the heap.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::ledger::OBJECT;
use crate::pool::Pool;

const SMALLEST: usize = 256;
/// With the allocator's own word it takes sixteen pages, and not one more.
const LARGEST: usize = (64 << 10) - 32;

/// A queue of bytes.
#[derive(Default)]
pub(crate) struct Blocks {
    blocks: VecDeque<Vec<u8>>,
    /// How much of the first block has left.
    gone: usize,
    length: usize,
    /// What the blocks pin.
    pinned: usize,
}

impl Blocks {
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// Bytes that it pins beside itself.
    pub(crate) fn pinned(&self) -> usize {
        self.pinned + self.blocks.capacity() * size_of::<Vec<u8>>()
    }

    /// What it would pin beside that, if so many bytes more came.
    pub(crate) fn growth(&self, more: usize) -> usize {
        let (mut length, mut rest, mut growth, mut blocks) = (self.length, more, 0, self.blocks.len());
        let spare = self.blocks.back().map_or(0, |last| last.capacity() - last.len());
        length += spare.min(rest);
        rest -= spare.min(rest);
        while rest > 0 {
            let capacity = capacity(length, rest);
            growth += capacity + OBJECT;
            blocks += 1;
            length += capacity.min(rest);
            rest -= capacity.min(rest);
        }
        // The list of the blocks doubles.
        let mut places = self.blocks.capacity();
        while places < blocks {
            places = (2 * places).max(4);
            growth += places * size_of::<Vec<u8>>();
        }
        growth
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], pool: &mut Pool) {
        while !bytes.is_empty() {
            if self.blocks.back().is_none_or(|last| last.len() == last.capacity()) {
                let capacity = capacity(self.length, bytes.len());
                let used = if capacity == LARGEST { pool.blocks.take(LARGEST..=LARGEST) } else { None };
                let block = used.unwrap_or_else(|| Vec::with_capacity(capacity));
                self.pinned += block.capacity() + OBJECT;
                self.blocks.push_back(block);
            }
            let Some(last) = self.blocks.back_mut() else { return };
            let (fits, rest) = bytes.split_at(bytes.len().min(last.capacity() - last.len()));
            last.extend_from_slice(fits);
            self.length += fits.len();
            bytes = rest;
        }
    }

    /// Puts a few bytes before all others, of which nothing has left.
    pub(crate) fn push_front(&mut self, bytes: &[u8]) {
        debug_assert!(self.gone == 0, "the rest of a block is not behind anything");
        if !bytes.is_empty() {
            self.pinned += bytes.len() + OBJECT;
            self.length += bytes.len();
            self.blocks.push_front(bytes.into());
        }
    }

    /// The first so many bytes leave.
    pub(crate) fn advance(&mut self, mut count: usize, pool: &mut Pool) {
        self.length -= count;
        while let Some(first) = self.blocks.front() {
            let left = first.len() - self.gone;
            if count < left {
                self.gone += count;
                return;
            }
            count -= left;
            self.gone = 0;
            self.pinned -= first.capacity() + OBJECT;
            if let Some(mut block) = self.blocks.pop_front()
                && block.capacity() == LARGEST
            {
                block.clear();
                pool.blocks.keep(block);
            }
        }
    }

    /// Keeps the first so many bytes, and no more room than they need.
    pub(crate) fn truncate(&mut self, keep: usize) {
        let mut excess = self.length.saturating_sub(keep);
        if excess == 0 {
            return;
        }
        self.length -= excess;
        while let Some(mut last) = self.blocks.pop_back() {
            self.pinned -= last.capacity() + OBJECT;
            if self.blocks.is_empty() {
                last.drain(..std::mem::take(&mut self.gone));
            }
            if excess < last.len() {
                last.truncate(last.len() - excess);
                last.shrink_to_fit();
                self.pinned += last.capacity() + OBJECT;
                self.blocks.push_back(last);
                break;
            }
            excess -= last.len();
        }
        self.blocks.shrink_to_fit();
    }

    /// The parts of it, in order.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let gone = self.gone;
        self.blocks.iter().enumerate().map(move |(number, block)| &block[if number == 0 { gone } else { 0 }..])
    }

    /// The bytes from one place on.
    pub(crate) fn bytes_from(&self, at: usize) -> impl Iterator<Item = u8> + Clone {
        let mut skip = at;
        let parts = self.slices().map(move |part| {
            let skipped = skip.min(part.len());
            skip -= skipped;
            &part[skipped..]
        });
        parts.flat_map(|part| part.iter().copied())
    }

    /// Fills `parts` with what to write first; returns how many parts that are, and whether it is all of it.
    pub(crate) fn fill<'b>(&'b self, parts: &mut [IoSlice<'b>]) -> (usize, bool) {
        let mut count = 0;
        for (part, slice) in parts.iter_mut().zip(self.slices()) {
            *part = IoSlice::new(slice);
            count += 1;
        }
        (count, count == self.blocks.len())
    }
}

/// The size of the next block: as much as is wanted, and a quarter of what is there, within bounds; of a long queue all are the same.
fn capacity(length: usize, wanted: usize) -> usize {
    if length < LARGEST { wanted.max(length / 4).clamp(SMALLEST, LARGEST) } else { LARGEST }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(blocks: &Blocks) -> Vec<u8> {
        blocks.slices().flatten().copied().collect()
    }

    #[derive(Clone, Debug)]
    enum Act {
        Push(usize),
        PushFront(usize),
        Advance(usize),
        Truncate(usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        let length = prop_oneof![4 => 0_usize..10, 4 => 200_usize..600, 1 => 0_usize..200_000];
        prop_oneof![
            3 => length.clone().prop_map(Act::Push),
            1 => length.clone().prop_map(Act::PushFront),
            2 => length.clone().prop_map(Act::Advance),
            1 => length.prop_map(Act::Truncate),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_queue_of_bytes(acts in prop::collection::vec(act(), 1..40)) {
            let (mut blocks, mut pool, mut model) = (Blocks::default(), Pool::new(1 << 30, 1), Vec::new());
            let mut next = 0_u8;
            for act in acts {
                match act {
                    Act::Push(length) => {
                        let bytes: Vec<u8> = (0..length).map(|at| next.wrapping_add(at as u8)).collect();
                        next = next.wrapping_add(length as u8).wrapping_add(1);
                        let (growth, before) = (blocks.growth(length), blocks.pinned());
                        blocks.push(&bytes, &mut pool);
                        prop_assert!(blocks.pinned() <= before + growth);
                        model.extend(bytes);
                    }
                    Act::PushFront(length) if blocks.gone == 0 => {
                        let bytes = vec![next; length];
                        blocks.push_front(&bytes);
                        model.splice(..0, bytes);
                    }
                    Act::PushFront(_) => {}
                    Act::Advance(count) => {
                        let count = count.min(model.len());
                        blocks.advance(count, &mut pool);
                        model.drain(..count);
                    }
                    Act::Truncate(keep) => {
                        blocks.truncate(keep);
                        model.truncate(keep);
                    }
                }
                prop_assert_eq!(blocks.len(), model.len());
                prop_assert_eq!(&all(&blocks), &model);
                let at = model.len() / 3;
                prop_assert!(blocks.bytes_from(at).eq(model[at..].iter().copied()));
                let pinned: usize = blocks.blocks.iter().map(|block| block.capacity() + OBJECT).sum();
                prop_assert_eq!(blocks.pinned, pinned);
                prop_assert!(!model.is_empty() || pinned == 0, "what is empty pins nothing");
            }
        }
    }

    #[test]
    fn little_of_it_is_empty() {
        for step in [1, 20, 1_000, 70_000] {
            let mut blocks = Blocks::default();
            while blocks.len() < 1 << 20 {
                blocks.push(&vec![0; step], &mut Pool::default());
                let most = (blocks.len() + blocks.len() / 4).max(SMALLEST) + LARGEST.min(blocks.len());
                assert!(
                    blocks.pinned <= most + blocks.blocks.len() * OBJECT,
                    "{step}: {} in {}",
                    blocks.len(),
                    blocks.pinned
                );
            }
            assert!(blocks.blocks.len() < 50, "{step}: {}", blocks.blocks.len());
        }
    }

    #[test]
    fn the_parts_to_write_are_as_many_as_there_is_place_for() {
        let mut blocks = Blocks::default();
        blocks.push(&[1; 3 * LARGEST], &mut Pool::default());
        blocks.advance(5, &mut Pool::default());
        let mut parts = [IoSlice::new(&[]); 2];
        assert_eq!(blocks.fill(&mut parts), (2, false));
        assert_eq!(parts.map(|part| part.len()), [LARGEST - 5, LARGEST]);
        for places in [3, 9] {
            assert_eq!(blocks.fill(&mut vec![IoSlice::new(&[]); places]), (3, true));
        }
    }
}
