//! Randomness that is nothing but a number: the same seed gives the same draws.

/// A source of draws (SplitMix64). Nobody may rely on it being unguessable, everybody on its being repeatable.
#[derive(Clone, Debug, Default)]
pub struct Random(u64);

impl Random {
    /// All that this source will ever say follows from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Sixty-four bits.
    #[inline]
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    #[inline]
    pub const fn below(&mut self, bound: usize) -> usize {
        // The upper half of a product is as even as anybody needs here, and takes no division.
        ((self.draw() as u128 * bound as u128) >> 64) as usize
    }

    /// A number from `least` to `most`, both included.
    #[inline]
    pub const fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True once in `times` times.
    #[inline]
    pub const fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    #[inline]
    pub const fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A source of its own, so that what is drawn here does not shift what is drawn there.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self(self.draw())
    }
}
