//! What the *peer* did wrong. Mistakes of the caller are in `unsent`; closing is an event and no error.

use crate::CloseCode;

/// A fault of the peer: it ends the connection (RFC 6455 §7.1.7).
///
/// Every variant knows the [section](Self::section) that it breaks and the [close code](Self::close_code) that answers
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// A reserved bit is set that no negotiated extension gave a meaning.
    ReservedBits,
    /// The opcode is one that has no meaning yet.
    ReservedOpcode,
    /// A control frame without FIN.
    FragmentedControl,
    /// An extension's bit on a control frame or on a continuation: it may stand on a message's first frame only.
    MisplacedBits,
    /// A continuation although no message is open.
    NothingToContinue,
    /// A new message although the last one is not finished.
    UnfinishedMessage,
    /// A client's frame without a mask.
    Unmasked,
    /// A server's frame with a mask.
    Masked,
    /// A control frame of more than 125 bytes.
    LongControl,
    /// A length written with more bytes than it needs.
    LengthNotMinimal,
    /// A 64-bit length with its highest bit set.
    LengthTooLarge,
    /// A Close whose payload is one byte.
    ShortClose,
    /// A close code that must not appear in a frame.
    CloseCode,
    /// Text, or the reason of a Close, that is not UTF-8.
    NotUtf8,
    /// More payload bytes in a message than [`Limits::message`](crate::Limits::message), as they come or inflated.
    MessageTooBig,
    /// More frames in a message than [`Limits::parts`](crate::Limits::parts).
    TooManyParts,
    /// A compressed payload that does not inflate, or ends within a block. (Only the feature `deflate` finds it.)
    Inflate,
    /// A compressed message with so many final blocks that they are all it is for. (The same.)
    TooManyFinalBlocks,
}

impl Error {
    /// Every fault there is, in the order in which the wire shows them.
    pub const ALL: &'static [Self] = &[
        Self::ReservedBits,
        Self::ReservedOpcode,
        Self::FragmentedControl,
        Self::MisplacedBits,
        Self::NothingToContinue,
        Self::UnfinishedMessage,
        Self::Unmasked,
        Self::Masked,
        Self::LongControl,
        Self::LengthNotMinimal,
        Self::LengthTooLarge,
        Self::ShortClose,
        Self::CloseCode,
        Self::NotUtf8,
        Self::MessageTooBig,
        Self::TooManyParts,
        Self::Inflate,
        Self::TooManyFinalBlocks,
    ];

    /// The rule that was broken, such as `RFC 6455 §5.2`.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Unmasked | Self::Masked => "RFC 6455 §5.1",
            Self::ReservedBits | Self::ReservedOpcode | Self::LengthNotMinimal | Self::LengthTooLarge => {
                "RFC 6455 §5.2"
            }
            Self::NothingToContinue | Self::UnfinishedMessage => "RFC 6455 §5.4",
            Self::FragmentedControl | Self::LongControl => "RFC 6455 §5.5",
            Self::ShortClose => "RFC 6455 §5.5.1",
            Self::CloseCode => "RFC 6455 §7.4",
            Self::NotUtf8 => "RFC 6455 §8.1",
            Self::MessageTooBig | Self::TooManyParts | Self::TooManyFinalBlocks => "RFC 6455 §10.4",
            Self::MisplacedBits => "RFC 7692 §6",
            Self::Inflate => "RFC 7692 §7.2.2",
        }
    }

    /// The code of the Close that fails the connection: 1002, 1007 or 1009 (RFC 6455 §7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::NotUtf8 | Self::Inflate => CloseCode::INVALID_DATA,
            Self::MessageTooBig | Self::TooManyParts | Self::TooManyFinalBlocks => CloseCode::TOO_BIG,
            _ => CloseCode::PROTOCOL,
        }
    }

    /// What happened, in a few words of ASCII: short enough to be the reason of a Close.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bit without an extension",
            Self::ReservedOpcode => "reserved opcode",
            Self::FragmentedControl => "fragmented control frame",
            Self::MisplacedBits => "extension bit on a frame that begins no message",
            Self::NothingToContinue => "continuation of nothing",
            Self::UnfinishedMessage => "new message before the end of the last",
            Self::Unmasked => "unmasked frame from a client",
            Self::Masked => "masked frame from a server",
            Self::LongControl => "control frame of more than 125 bytes",
            Self::LengthNotMinimal => "length not in its shortest form",
            Self::LengthTooLarge => "length with the highest bit set",
            Self::ShortClose => "close payload of one byte",
            Self::CloseCode => "close code that may not be sent",
            Self::NotUtf8 => "text that is not UTF-8",
            Self::MessageTooBig => "message too big",
            Self::TooManyParts => "message in too many frames",
            Self::Inflate => "compressed payload that does not inflate",
            Self::TooManyFinalBlocks => "compressed message of too many final blocks",
        }
    }
}

impl core::error::Error for Error {}
