//! What a frame is for: RFC 6455 §5.2 and §11.8. Only the six opcodes that have a meaning can be constructed.

/// The four low bits of a frame's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A later frame of the message that a [`Text`](Self::Text) or [`Binary`](Self::Binary) frame began.
    Continuation = 0x0,
    /// The first frame of a message that is UTF-8.
    Text = 0x1,
    /// The first frame of a message that is any bytes.
    Binary = 0x2,
    /// The sender sends nothing after this frame.
    Close = 0x8,
    /// To be answered by a [`Pong`](Self::Pong) with the same payload.
    Ping = 0x9,
    /// The answer to a [`Ping`](Self::Ping), or a sign of life that nobody asked for.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode in the four low bits of `bits`, or none if RFC 6455 §5.2 reserves it. Higher bits make it none, too.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// The opcode as it stands on the wire, 0 to 10.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Close, Ping and Pong: at most 125 bytes, never fragmented, welcome between the frames of a message (§5.5).
    #[inline]
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}
