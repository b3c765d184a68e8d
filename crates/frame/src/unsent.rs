//! What the *caller* asked for and cannot have. Nothing was written and nothing has changed when one of these comes
//! back.

/// The lent output is too short. [`encoded_len`](crate::Header::encoded_len) says how long it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Full;

/// A fragmented message of ours is open: until its last piece has been sent, no other may begin (RFC 6455 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unfinished;

/// Our Close has been sent, or the connection failed: nothing may follow (RFC 6455 §5.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closed;

/// Why nothing was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsent {
    /// See [`Full`].
    Full,
    /// See [`Unfinished`].
    Unfinished,
    /// See [`Closed`].
    Closed,
    /// The payload of a control frame is at most 125 bytes (RFC 6455 §5.5).
    TooLong,
}

impl From<Full> for Unsent {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl From<Unfinished> for Unsent {
    fn from(_: Unfinished) -> Self {
        Self::Unfinished
    }
}

impl From<Closed> for Unsent {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl core::error::Error for Full {}
impl core::error::Error for Unfinished {}
impl core::error::Error for Closed {}
impl core::error::Error for Unsent {}
