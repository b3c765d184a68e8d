//! What one message may cost its receiver (RFC 6455 §10.4). There is no value that means "without limit".

/// The bounds of one incoming message, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Payload bytes of one message, all its frames together; 1 MiB by default. Judged by the *declared* lengths, before
    /// any payload arrives. Stops messages that are meant to fill the memory.
    ///
    /// What an extension has marked may be longer on the wire, by an eighth and 64 bytes. What comes out of it is bounded by
    /// this number again, while it does (`Inflater`, feature `deflate`).
    pub message: u32,
    /// Frames of one message, empty ones included; 131,072 by default. Stops messages that never end and cost a frame's
    /// work for each byte, or for none.
    pub parts: u32,
}

impl Limits {
    /// 1 MiB in at most 131,072 frames.
    pub const DEFAULT: Self = Self { message: 1 << 20, parts: 1 << 17 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
