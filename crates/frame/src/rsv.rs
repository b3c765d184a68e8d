//! The bits that belong to extensions: RFC 6455 §5.2, RSV1 to RSV3.

/// A set of reserved bits.
///
/// As what was negotiated it says which bits may come at all; in a header it says which ones are set.
/// permessage-deflate is [`RSV1`](Self::RSV1) (RFC 7692 §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rsv(u8);

impl Rsv {
    /// No bit: no extension.
    pub const NONE: Self = Self(0);
    /// The first reserved bit.
    pub const RSV1: Self = Self(0x40);
    /// The second reserved bit.
    pub const RSV2: Self = Self(0x20);
    /// The third reserved bit.
    pub const RSV3: Self = Self(0x10);
    /// All three.
    pub const ALL: Self = Self(0x70);

    /// The reserved bits of a frame's first byte; its other bits are not looked at.
    #[inline]
    #[must_use]
    pub const fn of_first_byte(first: u8) -> Self {
        Self(first & Self::ALL.0)
    }

    /// The bits where the frame's first byte has them: a part of `0x70`.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every bit of `other` is in this set.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no bit is in this set.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
