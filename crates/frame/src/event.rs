//! What a machine hands out: one thing that the peer said, borrowed from the input in which it arrived.

use crate::{Close, Opcode, Rsv};

/// One thing that the peer said. It borrows the input and never the machine, so one may answer while holding it.
///
/// A data event without `end` has a payload: a piece that brought nothing is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'i> {
    /// A text message, or a piece of one (RFC 6455 §5.6). Its characters are those of `carried`, then those of `rest`.
    Text {
        /// The character that was cut in two where the last piece ended; never there in a message that arrived whole.
        carried: Option<char>,
        /// What follows, up to the last whole character.
        rest: &'i str,
        /// This is the end of the message.
        end: bool,
    },
    /// A binary message, or a piece of one (§5.6).
    Binary {
        /// What arrived of it.
        bytes: &'i [u8],
        /// This is the end of the message.
        end: bool,
    },
    /// Payload of a message whose first frame had a negotiated reserved bit (§5.8): it belongs to the extension, and
    /// what it means, UTF-8 included, is the extension's to find out. The message limit has counted it as it came.
    Extended {
        /// The bits of the message's first frame.
        rsv: Rsv,
        /// The opcode of the message's first frame: `Text` or `Binary`.
        opcode: Opcode,
        /// What arrived of it.
        bytes: &'i [u8],
        /// This is the end of the message.
        end: bool,
    },
    /// To be answered by a Pong with this payload of at most 125 bytes (§5.5.2).
    Ping(&'i [u8]),
    /// The answer to a Ping, or a sign of life that nobody asked for (§5.5.3).
    Pong(&'i [u8]),
    /// The peer sends nothing after this (§5.5.1). None: it gave no code.
    Close(Option<Close<'i>>),
}

/// What one call of a machine did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'i> {
    /// Bytes at the front of the input that are done with. The caller drops them, whatever the event.
    pub consumed: usize,
    /// None: more bytes are needed if `consumed` is 0, else call again with the rest.
    pub event: Option<Event<'i>>,
}

impl Step<'_> {
    /// More bytes are needed.
    pub(crate) const NEED_MORE: Self = Self { consumed: 0, event: None };
}
