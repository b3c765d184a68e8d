//! permessage-deflate (RFC 7692) in a loop: who compresses for whom, and who keeps what.
//!
//! As a rule nobody keeps a window from one message to the next, so the machines belong to the loop: one compressor for each size
//! of window, and a decompressor that is lent to whoever is amid a message. Where a window is kept, the machine belongs to
//! the connection, and what it pins is booked for it.
//!
//! Without the feature `deflate` nothing is ever agreed on, and there are no machines (`absent.rs`).

use longwire_frame::Rsv;
use longwire_handshake::{Deflate, WindowBits};

use crate::carry::Carry;
use crate::topics::Form;

#[cfg(not(feature = "deflate"))]
mod absent;
#[cfg(feature = "deflate")]
mod deflaters;
#[cfg(feature = "deflate")]
mod inflaters;

#[cfg(not(feature = "deflate"))]
pub(crate) use absent::{Deflaters, Inflaters, Inflating};
#[cfg(feature = "deflate")]
pub(crate) use deflaters::Deflaters;
#[cfg(feature = "deflate")]
pub(crate) use inflaters::{Inflaters, Inflating};

/// The windows that zlib can compress with, as their logarithms.
const WINDOWS: std::ops::RangeInclusive<u8> = 9..=15;

/// What one connection has agreed on, seen from our side, in one byte: an idle connection has no more to spare. RFC 7692 §7.1.1.2:
/// the client does as the answer demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Terms(u8);

/// The window that we may compress with; 0 where nothing was agreed.
const WINDOW: u8 = 0x0f;
/// We keep our window from one message to the next.
const WE_KEEP: u8 = 0x10;
/// The peer keeps its own.
const PEER_KEEPS: u8 = 0x20;
/// A compressor of this connection's own exists.
const OWNS: u8 = 0x40;

impl Terms {
    /// Nothing is compressed.
    pub(crate) const PLAIN: Self = Self(0);

    /// A server's.
    pub(crate) fn of_server(agreed: Option<Deflate>) -> Self {
        agreed.map_or(Self::PLAIN, |agreed| {
            let (we, peer) = (agreed.server_no_context_takeover, agreed.client_no_context_takeover);
            Self::new(agreed.server_max_window_bits, we, peer)
        })
    }

    /// A client's.
    pub(crate) fn of_client(agreed: Option<Deflate>) -> Self {
        agreed.map_or(Self::PLAIN, |agreed| {
            let (we, peer) = (agreed.client_no_context_takeover, agreed.server_no_context_takeover);
            Self::new(agreed.client_max_window_bits, we, peer)
        })
    }

    fn new(window: Option<WindowBits>, we_forget: bool, peer_forgets: bool) -> Self {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let window = window.unwrap_or(WindowBits::MAX).get();
        Self(window | flag(!we_forget, WE_KEEP) | flag(!peer_forgets, PEER_KEEPS))
    }

    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// The bits that frames may have.
    pub(crate) const fn rsv(self) -> Rsv {
        if self.has(WINDOW) { Rsv::RSV1 } else { Rsv::NONE }
    }

    /// The window that we compress with. None if nothing was agreed, or 8: that zlib cannot, so everything goes plain.
    pub(crate) fn window(self) -> Option<u8> {
        let window = self.0 & WINDOW;
        WINDOWS.contains(&window).then_some(window)
    }

    /// Whether our messages may refer to those before, and so need a compressor of their own.
    pub(crate) const fn we_keep(self) -> bool {
        self.has(WE_KEEP)
    }

    /// Whether the peer's may, and so need a decompressor of their own.
    pub(crate) const fn peer_keeps(self) -> bool {
        self.has(PEER_KEEPS)
    }

    /// Whether there is a compressor of its own.
    pub(crate) const fn owns(self) -> bool {
        self.has(OWNS)
    }

    pub(crate) const fn set_owns(&mut self, owns: bool) {
        self.0 = if owns { self.0 | OWNS } else { self.0 & !OWNS };
    }

    /// How this connection reads what is published.
    ///
    /// One that keeps our window reads it plain. Bytes that others share would move its peer's window and not ours, and
    /// the next message would inflate to some other text, without an error.
    pub(crate) fn form(self) -> Form {
        let shares = !self.we_keep();
        self.window().filter(|_| shares).map_or(Form::Frames, Form::Deflated)
    }

    /// Bytes that it pins on the heap.
    pub(crate) fn pinned(self) -> usize {
        self.window().filter(|_| self.owns()).map_or(0, Deflaters::cost)
    }
}

/// What has come compressed and must wait, for its visit has had enough, or its connection is paused.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) bytes: Carry,
    /// They end their message.
    pub(crate) end: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_reads_the_agreement_from_its_own_end() {
        let agreed = Deflate {
            server_no_context_takeover: true,
            client_no_context_takeover: false,
            server_max_window_bits: WindowBits::new(10),
            client_max_window_bits: WindowBits::new(8),
        };
        let (server, client) = (Terms::of_server(Some(agreed)), Terms::of_client(Some(agreed)));
        assert_eq!((server.window(), server.we_keep(), server.peer_keeps()), (Some(10), false, true));
        assert_eq!((client.window(), client.we_keep(), client.peer_keeps()), (None, true, false));
        assert_eq!((server.form(), client.form()), (Form::Deflated(10), Form::Frames));
        assert_eq!((server.rsv(), client.rsv()), (Rsv::RSV1, Rsv::RSV1));
        assert_eq!(Terms::of_server(None), Terms::PLAIN);
        assert_eq!((Terms::PLAIN.rsv(), Terms::PLAIN.window(), Terms::PLAIN.form()), (Rsv::NONE, None, Form::Frames));
        assert_eq!(Terms::of_client(Some(Deflate::DEFAULT)).form(), Form::Deflated(15));
    }

    #[test]
    fn who_keeps_our_window_shares_no_bytes() {
        let own = Deflate { server_no_context_takeover: false, ..Deflate::DEFAULT };
        let mut terms = Terms::of_server(Some(own));
        assert_eq!((terms.form(), terms.pinned()), (Form::Frames, 0));
        terms.set_owns(true);
        assert_eq!(terms.pinned(), Deflaters::cost(15));
        terms.set_owns(false);
        assert_eq!(terms, Terms::of_server(Some(own)));
    }
}
