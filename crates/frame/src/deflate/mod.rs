//! permessage-deflate behind its handshake, RFC 7692 §6 and §7.2: feature `deflate`. What inflates and what compresses is
//! a file each; here is what they share.
//!
//! How they meet a [`Connection`](crate::Connection): tell it that [`RSV1`](crate::Rsv::RSV1) is
//! [negotiated](crate::Connection::negotiated), and it hands out what comes compressed as
//! [`Event::Extended`](crate::Event::Extended). An [`Inflater`] makes the events of a plain message of that; its faults
//! go to [`Connection::fail`](crate::Connection::fail). Whoever sends compresses with a [`Deflater`], and marks the
//! frame's header by [`Header::deflated`](crate::Header::deflated).

mod deflater;
mod inflater;

pub use deflater::Deflater;
pub use inflater::Inflater;

/// What a compressor remembers from one message to the next (§7.1.1). Both sides must mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Nothing: `…_no_context_takeover` was negotiated for this direction. One machine serves any number of connections, a
    /// message at a time.
    Fresh,
    /// Its window: a message may refer to those before it, and the machine belongs to one connection.
    TakenOver,
}

/// What ends every flush, and so is not sent (§7.2.1 item 3): the lengths of an empty block without compression, whose
/// header is the last thing that is sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
