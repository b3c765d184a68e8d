//! The one frame that a received frame can call for. Memory that a loop has once and lends: no connection keeps a copy.

/// A Pong, the echo of a Close, or the Close that fails the connection: at most 131 bytes, inline.
///
/// [`Connection::receive`](crate::Connection::receive) empties it, and fills it if there is something to be sent.
#[derive(Clone, Debug)]
pub struct Reply {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Reply {
    /// Bytes of the longest control frame: two, a key, 125 of payload.
    pub const MAX_LEN: usize = 131;

    /// Nothing to be sent.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; Self::MAX_LEN], len: 0 }
    }

    /// What is to be sent: one whole frame or nothing.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether nothing is to be sent.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets what was to be sent.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes what `encode` writes, and nothing if it fails.
    #[inline]
    pub(crate) fn fill<E>(&mut self, encode: impl FnOnce(&mut [u8]) -> Result<usize, E>) {
        let written = encode(&mut self.bytes).unwrap_or(0);
        self.len = u8::try_from(written).unwrap_or(0);
    }
}

impl Default for Reply {
    fn default() -> Self {
        Self::new()
    }
}
