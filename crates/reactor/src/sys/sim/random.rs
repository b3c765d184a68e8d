//! Randomness that is nothing but a number: the same seed gives the same draws. Or it is read from a tape, for whoever wants to
//! choose every draw: a fuzzer.

use std::sync::Arc;

/// A source of draws (SplitMix64). Nobody may rely on it being unguessable, everybody on its being repeatable.
#[derive(Clone, Debug, Default)]
pub struct Random {
    state: u64,
    tape: Option<Tape>,
}

/// Bytes that are drawn as long as there are any, two for a draw.
#[derive(Clone, Debug)]
struct Tape {
    bytes: Arc<[u8]>,
    /// The next draw, and how far apart the draws of this source are: what lies between is for those that were forked.
    at: usize,
    stride: usize,
}

impl Random {
    /// All that this source will ever say follows from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, tape: None }
    }

    /// A source that says what stands on the tape, two bytes for a draw; behind its end it goes on as any other.
    #[must_use]
    pub fn reading(tape: &[u8]) -> Self {
        Self { state: 0, tape: Some(Tape { bytes: tape.into(), at: 0, stride: 1 }) }
    }

    /// Sixty-four bits.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        match &mut self.tape {
            None => self.mixed(),
            Some(tape) => tape.draw().unwrap_or_else(|| self.mixed()),
        }
    }

    const fn mixed(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        // The upper half of a product is as even as anybody needs here, and takes no division.
        ((self.draw() as u128 * bound as u128) >> 64) as usize
    }

    /// A number from `least` to `most`, both included.
    #[inline]
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True once in `times` times.
    #[inline]
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    #[inline]
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A source of its own, so that what is drawn here does not shift what is drawn there. Of a tape each gets every second draw.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self { state: self.mixed(), tape: self.tape.as_mut().map(Tape::fork) }
    }
}

impl Tape {
    /// The bytes that come next, in every part of the number: who looks at its upper bits sees the same as who looks at its lower.
    fn draw(&mut self) -> Option<u64> {
        let start = self.at.checked_mul(2)?;
        let [higher, lower] = *self.bytes.get(start..)?.first_chunk()?;
        self.at += self.stride;
        Some(u64::from(u16::from_be_bytes([higher, lower])) * 0x0001_0001_0001_0001)
    }

    fn fork(&mut self) -> Self {
        let at = self.at + self.stride;
        self.stride *= 2;
        Self { bytes: self.bytes.clone(), at, stride: self.stride }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_is_read_to_its_end_and_shared_with_who_is_forked() {
        let mut random = Random::reading(&[0, 0, 0x80, 0, 0, 1, 0xFF, 0xFF, 0, 2, 9]);
        assert_eq!(random.below(1000), 0);
        let mut fork = random.fork();
        assert_eq!((random.below(1000), random.below(1000)), (500, 999));
        assert_eq!((fork.draw() & 0xFFFF, fork.draw() & 0xFFFF), (1, 2));
        let (behind, again) = (random.draw(), random.draw());
        assert!(behind != again && fork.draw() != behind, "each goes on by itself");
    }
}
