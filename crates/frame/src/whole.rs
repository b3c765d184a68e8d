//! `Whole`: the short way for whole messages. Most of what is received lies whole in the input, in one short frame, and of that nothing can be
//! wrong but its text: so no rule is asked, and the machine need not be there.

use core::mem::size_of;

use crate::utf8::text;
use crate::{Error, Mask, Message, Role};

/// Takes messages that lie whole in the input, in one frame of fewer than 64 KiB, for a connection that has them next.
///
/// [`Connection::whole`](crate::Connection::whole) gives it. It remembers nothing and changes nothing: it may be used as long as nothing else
/// was received, and nothing was sent that closes.
///
/// ```
/// use longwire_frame::{Connection, Limits, Message};
///
/// let connection = Connection::client(Limits::default());
/// let mut arrived = *b"\x81\x08a letter\x82\x06bytes!\x89\x00";
/// let mut input = &mut arrived[..];
/// let whole = connection.whole().expect("it is open, and nothing is begun");
/// assert_eq!(whole.next(&mut input), Ok(Some(Message::Text("a letter"))));
/// assert_eq!(whole.next(&mut input), Ok(Some(Message::Binary(b"bytes!"))));
/// assert_eq!(whole.next(&mut input), Ok(None)); // a Ping: for `Connection::receive`
/// assert_eq!(input.len(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Payload bytes that a message may have.
    room: u32,
    /// The mask bit that a frame must have, and the bytes of its key. §5.1: a client masks every frame, a server none.
    bit: u8,
    key: u8,
}

/// Where a message lies in the input, and its first bytes.
#[derive(Clone, Copy)]
struct Frame {
    word: u64,
    at: usize,
    end: usize,
}

const _: () = assert!(size_of::<Whole>() == 8, "it is kept in a register");

impl Whole {
    pub(crate) const fn new(role: Role, room: u32) -> Self {
        match role {
            Role::Server => Self { room, bit: 0x80, key: 4 },
            Role::Client => Self { room, bit: 0, key: 0 },
        }
    }

    /// Takes the message that `input` begins with, unmasked in place, off its front. `None` says only that what comes is for
    /// [`Connection::receive`](crate::Connection::receive), and so are all faults but one.
    ///
    /// # Errors
    /// [`Error::NotUtf8`] (§8.1); then the connection is to be [failed](crate::Connection::fail).
    #[inline(always)]
    pub fn next<'i>(self, input: &mut &'i mut [u8]) -> Result<Option<Message<'i>>, Error> {
        let Some(Frame { word, at, end }) = self.frame(input) else { return Ok(None) };
        if end > input.len() {
            return Ok(None);
        }
        let (frame, rest) = core::mem::take(input).split_at_mut(end);
        *input = rest;
        let payload = frame.get_mut(at..).unwrap_or_default();
        let [first, ..] = word.to_le_bytes();
        if self.bit != 0 {
            let [a, b, c, d, ..] = (if at == 6 { word >> 16 } else { word >> 32 }).to_le_bytes();
            Mask::new([a, b, c, d]).apply(payload);
        }
        if first == 0x82 {
            Ok(Some(Message::Binary(payload)))
        } else {
            text(payload).map(|text| Some(Message::Text(text)))
        }
    }

    /// What the input begins with, whether or not all of it is there. (What is shorter than eight bytes in all may go the long way.)
    #[inline(always)]
    fn frame(self, input: &[u8]) -> Option<Frame> {
        // §5.2: the shortest of the forms that a length may have. One load, and shifts: bytes that are taken apart one by one are looked up one by one.
        let word = u64::from_le_bytes(*input.first_chunk::<8>()?);
        let [first, second, higher, lower, ..] = word.to_le_bytes();
        let (len, header) = match (second ^ self.bit, u16::from_be_bytes([higher, lower])) {
            (len @ 0..=125, _) => (u16::from(len), 2),
            (126, len @ 126..) => (len, 4),
            _ => return None,
        };
        let at = header + usize::from(self.key);
        let is_message = first == 0x81 || first == 0x82;
        (is_message && u32::from(len) <= self.room).then_some(Frame { word, at, end: at + usize::from(len) })
    }
}
