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
    /// Blocks of 128 bytes as lanes of `u64`, which compilers turn into whatever vectors the target has; then at most
    /// one block each of 64, 32, 16, 8 and 4 bytes, so that short payloads, which are most payloads, take few steps and no
    /// loop; then at most three single bytes.
    #[inline]
    pub fn apply(&mut self, payload: &mut [u8]) {
        let turned = self.turned(payload.len());
        let (blocks, rest) = payload.as_chunks_mut::<128>();
        for block in blocks {
            self.block(block);
        }
        let rest = self.one::<64>(rest);
        let rest = self.one::<32>(rest);
        let rest = self.one::<16>(rest);
        let rest = self.one::<8>(rest);
        let rest = self.one::<4>(rest);
        for (byte, key) in rest.iter_mut().zip(&self.0) {
            *byte ^= key;
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
        Self(u32::from_be_bytes(self.0).rotate_left(bits).to_be_bytes())
    }

    /// Masks the first `N` bytes if there are as many, and returns what is left over. (Taking the first block of
    /// `as_chunks_mut` reads better, but takes more instructions at small sizes: the bench `mask` tells.)
    #[inline]
    fn one<'p, const N: usize>(&self, payload: &'p mut [u8]) -> &'p mut [u8] {
        if payload.len() < N {
            return payload;
        }
        match payload.split_first_chunk_mut::<N>() {
            Some((block, rest)) => {
                self.block(block);
                rest
            }
            None => &mut [],
        }
    }

    /// Masks a block whose length is a multiple of four, so that the key need not be turned.
    #[inline]
    fn block<const N: usize>(&self, block: &mut [u8; N]) {
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
