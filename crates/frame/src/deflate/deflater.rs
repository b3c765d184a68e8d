//! From messages to compressed payload: RFC 7692 §7.2.1.

use alloc::vec::Vec;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

use super::{Context, TAIL};

/// What compresses our messages.
///
/// Calling order: [`message`](Self::message) as often as one likes, or [`piece`](Self::piece) until one of them is the end.
/// Which messages are worth it is the caller's to decide: below some hundred bytes hardly any is, and what comes out may be
/// a little longer than what went in. A message that was compressed and is not sent so after all does no harm if the
/// context is [`Fresh`](Context::Fresh).
///
/// **Compressed bytes belong to a context.** Those of a [`Fresh`](Context::Fresh) one, which nobody else's messages have
/// touched, may go to every connection that has negotiated no context takeover for this direction, and a window at least
/// as large. They must never go to a connection whose machine keeps its window, between two messages of that machine: the
/// peer's window would have moved and ours not, and its next message inflates to some other text, *without an error*.
/// Such a connection gets the message through its own machine, or plain.
///
/// ```
/// use longwire_frame::{Connection, Context, Deflater, Header, Limits, Mask, Message};
///
/// let connection = Connection::server(Limits::DEFAULT);
/// let mut deflater = Deflater::new(Context::Fresh, 15).unwrap();
/// let message = Message::Text("Hello, Hello, Hello, Hello, Hello!");
///
/// let mut payload = Vec::new();
/// deflater.message(message.as_bytes(), &mut payload);
/// assert!(payload.len() < message.len());
/// let header = connection.message_header(message, Mask::NONE).unwrap().deflated(payload.len());
/// assert_eq!(header.to_string(), format!("FIN RSV1 text len={}", payload.len()));
/// ```
pub struct Deflater {
    deflate: Deflate,
    context: Context,
}

impl Deflater {
    /// A deflater before its first message, with a window of 2 to the power of `window_bits` bytes: 9 to 15.
    ///
    /// `None` for any other number. 8 may be negotiated (§7.1.2), but zlib does not compress so: whoever is told 8 sends
    /// everything plain.
    #[must_use]
    pub fn new(context: Context, window_bits: u8) -> Option<Self> {
        if !(9..=15).contains(&window_bits) {
            return None;
        }
        // The fastest level, and the least memory beside the window: at this level more of it shortened nothing.
        let config =
            DeflateConfig { level: 1, window_bits: -i32::from(window_bits), mem_level: 1, ..DeflateConfig::default() };
        Some(Self { deflate: Deflate::new_with_config(config), context })
    }

    /// Bytes of memory that a deflater of this window pins: for whoever must find room before making one.
    #[must_use]
    pub const fn capacity(window_bits: u8) -> usize {
        OF_ANY_WINDOW + (OF_THE_WINDOW << window_bits)
    }

    /// A whole message, behind what stands in `out`.
    pub fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.piece(payload, true, out);
    }

    /// A piece of a message, behind what stands in `out`. All that is in it can be read by the peer when it arrives.
    pub fn piece(&mut self, piece: &[u8], end: bool, out: &mut Vec<u8>) {
        let start = out.len();
        self.flush(piece, out);
        if !end {
            return;
        }
        // §7.2.1 item 3: what every flush ends with is not sent.
        if out.get(start..).unwrap_or_default().ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if out.len() == start {
            // §7.2.3.6: there was nothing to flush. The header of an empty block, to which the tail belongs.
            out.push(0);
        }
        if self.context == Context::Fresh {
            self.clear();
        }
    }

    /// Forgets the window, and the message that was not ended, for another connection. §8: nothing of one peer is left to the next.
    pub fn clear(&mut self) {
        self.deflate.reset();
    }

    /// All that is there of the message, up to a byte's boundary.
    fn flush(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        loop {
            let start = out.len();
            // Most messages that are worth it shrink by half; zlib wants a few bytes for a flush in one go.
            out.resize(start + piece.len() / 2 + 64, 0);
            let place = out.get_mut(start..).unwrap_or_default();
            let before = (self.deflate.total_in(), self.deflate.total_out());
            // With a stream that is not finished, and is never asked to be, there is no error to come.
            let _ = self.deflate.compress(piece, place, DeflateFlush::SyncFlush);
            let passed = |after: u64, before| usize::try_from(after - before).unwrap_or(usize::MAX);
            let read = passed(self.deflate.total_in(), before.0);
            let wrote = passed(self.deflate.total_out(), before.1);
            let filled = wrote == place.len();
            out.truncate(start.saturating_add(wrote));
            piece = piece.get(read..).unwrap_or_default();
            if !filled {
                debug_assert!(piece.is_empty(), "what finds room goes in");
                return;
            }
        }
    }
}

/// Bytes that `Deflate` has on the heap, whatever its window.
const OF_ANY_WINDOW: usize = 135_168;

/// Bytes that it has for each byte of its window.
const OF_THE_WINDOW: usize = 4;

impl core::fmt::Debug for Deflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Deflater").field("context", &self.context).finish_non_exhaustive()
    }
}
