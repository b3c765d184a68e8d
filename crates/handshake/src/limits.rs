//! `Limits`: how long a head may be. Each number stops one attack; there is no value for "unlimited".

/// What a head may measure; every limit is inclusive. RFC 9112 §3 asks for request lines of 8,000 octets at least.
///
/// ```
/// use longwire_handshake::Limits;
///
/// let limits = Limits { head: 4096, ..Limits::default() };
/// assert_eq!((limits.head, limits.fields, limits.target), (4096, 100, 8192));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes of the head, from the first to the blank line's last. By default 16 KiB; one more is answered with 431.
    /// Stops heads that never end.
    pub head: u32,
    /// Field lines. By default 100; one more is answered with 431. Stops heads whose cost is their number of fields.
    pub fields: u16,
    /// Bytes of the request target. By default 8 KiB; one more is answered with 414. Stops what would fill logs.
    pub target: u32,
}

impl Limits {
    /// The defaults, for a `const`.
    pub const DEFAULT: Self = Self { head: 16 << 10, fields: 100, target: 8 << 10 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
