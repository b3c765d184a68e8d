//! Masking: RFC 6455 §5.3. An involution, so that one function masks and unmasks.
//!
//! [`Mask::apply`] is the fast form, [`Mask::apply_naive`] the specification beside it; they are equal for every
//! length, every alignment and every phase of the key.

/// A masking key, turned so that its first byte is for the payload byte that comes next.
///
/// The key comes from whoever calls: unpredictable and fresh for every frame that a client sends (§10.3). A server
/// masks nothing and passes [`Mask::NONE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mask([u8; 4]);

impl Mask {
    /// The key that changes nothing.
    pub const NONE: Self = Self([0; 4]);

    /// A key as it stands in a header.
    #[inline]
    #[must_use]
    pub const fn new(key: [u8; 4]) -> Self {
        Self(key)
    }

    /// The key, turned as far as it has been applied: as it stood in the header if nothing has been masked yet.
    #[inline]
    #[must_use]
    pub const fn key(self) -> [u8; 4] {
        self.0
    }

    /// Masks or unmasks in place, and turns the key by as many bytes: a payload may come in pieces.
    ///
    /// Lanes of `u64`, which compilers turn into whatever vectors the target has. Up to 128 bytes, which most payloads have,
    /// take no loop; what is longer goes in blocks.
    #[inline(always)]
    pub fn apply(&mut self, payload: &mut [u8]) {
        let turned = self.turned(payload.len());
        match payload.len() {
            16..=32 => self.ends::<16>(turned, payload), // most messages are of this length
            0..=128 => self.short(turned, payload),
            _ => self.long(payload),
        }
        *self = turned;
    }

    /// What masking is, word for word as in §5.3: byte *i* of the payload with byte *i* modulo 4 of the key. The
    /// specification of [`apply`](Self::apply), and slower.
    pub fn apply_naive(&mut self, payload: &mut [u8]) {
        for byte in payload {
            *byte ^= self.0[0];
            self.0.rotate_left(1);
        }
    }

    /// The key behind `len` bytes of payload. As a number, because turning a slice of four bytes is a call.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "what is left of a division by four is a small number")]
    const fn turned(self, len: usize) -> Self {
        let bits = 8 * (len % 4) as u32;
        Self(u32::from_le_bytes(self.0).rotate_right(bits).to_le_bytes())
    }

    /// At most 128 bytes: two blocks, one from the beginning and one up to the end, for whose first byte `turned` is the key, too.
    #[inline(never)]
    fn short(self, turned: Self, payload: &mut [u8]) {
        match payload.len() {
            16..=32 => self.ends::<16>(turned, payload),
            33..=64 => self.ends::<32>(turned, payload),
            65.. => self.ends::<64>(turned, payload),
            8.. => self.ends::<8>(turned, payload),
            4.. => self.ends::<4>(turned, payload),
            _ => {
                let [first, second, third, _] = self.0;
                for (byte, key) in payload.iter_mut().zip([first, second, third]) {
                    *byte ^= key;
                }
            }
        }
    }

    /// Masks `N` to `2 * N` bytes. Both blocks are read before either is written: where they overlap they write the same.
    #[inline]
    fn ends<const N: usize>(self, turned: Self, payload: &mut [u8]) {
        let ends = (payload.first_chunk::<N>().copied(), payload.last_chunk::<N>().copied());
        let (Some(mut first), Some(mut last)) = ends else { return };
        self.block(&mut first);
        turned.block(&mut last);
        if let Some(place) = payload.first_chunk_mut() {
            *place = first;
        }
        if let Some(place) = payload.last_chunk_mut() {
            *place = last;
        }
    }

    /// Any number of bytes: blocks, and what is left over. A function of its own, so that what is inlined stays small.
    #[inline(never)]
    fn long(mut self, mut payload: &mut [u8]) {
        // From here on it pays to begin the blocks at a line of the cache: a store to two lines takes twice the time.
        if payload.len() >= 2048 {
            let (head, rest) = payload.split_at_mut(payload.as_ptr().align_offset(64).min(64));
            let turned = self.turned(head.len());
            self.short(turned, head);
            (self, payload) = (turned, rest);
        }
        let (blocks, rest) = payload.as_chunks_mut::<256>();
        for block in blocks {
            self.block(block);
        }
        if !rest.is_empty() {
            let (blocks, rest) = rest.as_chunks_mut::<64>();
            for block in blocks {
                self.block(block);
            }
            self.short(self.turned(rest.len()), rest);
        }
    }

    /// Masks a block whose length is a multiple of four, so that the key need not be turned.
    #[inline]
    fn block<const N: usize>(self, block: &mut [u8; N]) {
        let key = u64::from(u32::from_ne_bytes(self.0)) * 0x1_0000_0001; // twice in a row
        let (lanes, half) = block.as_chunks_mut::<8>();
        for lane in lanes {
            *lane = (u64::from_ne_bytes(*lane) ^ key).to_ne_bytes();
        }
        for (byte, key) in half.iter_mut().zip(&self.0) {
            *byte ^= key;
        }
    }
}
