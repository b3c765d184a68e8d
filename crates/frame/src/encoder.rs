//! From messages to bytes: RFC 6455 §5 and §6.1, for either role. Owns the fragmentation of what we send, and nothing
//! else.

use crate::{Close, Full, Header, Mask, Message, Opcode, Role, Rsv, Unfinished, Unsent};

/// The sending half of a connection, 2 bytes in size.
///
/// Calling order: [`message`](Self::message) as often as one likes, or [`piece`](Self::piece) until one of them is the
/// end. Control frames may come at any time. The `_header` forms are for callers who write the payload themselves: a
/// server writes it as it is, a client masks it with the header's key.
///
/// Every call is lent a key: fresh and unpredictable for every frame of a client (§5.3, §10.3); a server passes
/// [`Mask::NONE`], and its frames are never masked.
#[derive(Clone, Debug)]
pub struct Encoder {
    role: Role,
    open: bool,
}

impl Encoder {
    /// An encoder at the beginning of a connection.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self { role, open: false }
    }

    /// Whether a fragmented message of ours has begun and not ended.
    #[inline]
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// The header of a whole message.
    #[inline]
    pub fn message_header(&self, message: Message<'_>, key: Mask) -> Result<Header, Unfinished> {
        if self.open {
            return Err(Unfinished); // §5.4: the frames of two messages are not mixed
        }
        Ok(self.header(true, message.kind().opcode(), message.len(), key))
    }

    /// The header of a piece of a message, and the memory that it has been sent.
    ///
    /// The first piece says what the message is, whatever the later ones say they are: later pieces of a text must be
    /// text.
    #[inline]
    pub fn piece_header(&mut self, piece: Message<'_>, end: bool, key: Mask) -> Header {
        let header = self.next_piece_header(piece, end, key);
        self.open = !end;
        header
    }

    /// A whole message, into `out`. Returns how many bytes that took.
    #[inline(always)]
    pub fn message(&self, message: Message<'_>, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        match self.short(message, key, out) {
            Some(written) => Ok(written),
            None => self.long(message, key, out),
        }
    }

    #[inline(never)]
    fn long(&self, message: Message<'_>, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        Ok(frame(&self.message_header(message, key)?, message.as_bytes(), out)?)
    }

    /// A piece of a message, into `out`. Returns how many bytes that took. See [`piece_header`](Self::piece_header).
    #[inline]
    pub fn piece(&mut self, piece: Message<'_>, end: bool, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        let written = frame(&self.next_piece_header(piece, end, key), piece.as_bytes(), out)?;
        self.open = !end;
        Ok(written)
    }

    /// A Ping with at most 125 bytes of payload, into `out`. Returns how many bytes that took.
    pub fn ping(&self, payload: &[u8], key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.control(Opcode::Ping, payload, key, out)
    }

    /// A Pong with at most 125 bytes of payload, into `out`. Returns how many bytes that took.
    pub fn pong(&self, payload: &[u8], key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.control(Opcode::Pong, payload, key, out)
    }

    /// A Close, into `out`. Returns how many bytes that took. That nothing follows is
    /// [`Connection`](crate::Connection)'s to see to.
    pub fn close(&self, close: Option<Close<'_>>, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        let mut payload = [0; 125];
        let len = close.map_or(Ok(0), |close| close.encode(&mut payload))?;
        self.control(Opcode::Close, payload.get(..len).unwrap_or_default(), key, out)
    }

    /// What most messages are, into `out`: one frame of fewer than 64 KiB, whose header is two bytes or four (§5.2), and the key of a client's
    /// (§5.1, §5.3). Returns how many bytes that took. `None` says only that this is for [`message`](Self::message).
    #[inline(always)]
    pub fn short(&self, message: Message<'_>, key: Mask, out: &mut [u8]) -> Option<usize> {
        let first = 0x80 | message.kind().opcode().bits();
        let payload = message.as_bytes();
        let len = u16::try_from(payload.len()).ok().filter(|_| !self.open)?;
        let [higher, lower] = len.to_be_bytes();
        let (bit, key_len) = if self.role == Role::Client { (0x80, 4) } else { (0, 0) };
        let frame = if len <= 125 {
            let frame = out.get_mut(..2 + key_len + payload.len())?;
            *frame.first_chunk_mut()? = [first, bit | lower];
            frame
        } else {
            let frame = out.get_mut(..4 + key_len + payload.len())?;
            *frame.first_chunk_mut()? = [first, bit | 126, higher, lower];
            frame
        };
        let written = frame.len();
        let (head, body) = frame.split_at_mut(written - payload.len());
        copy(payload, body);
        if self.role == Role::Client {
            *head.last_chunk_mut()? = key.key();
            { key }.apply(body);
        }
        Some(written)
    }

    fn control(&self, opcode: Opcode, payload: &[u8], key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        if payload.len() > 125 {
            return Err(Unsent::TooLong); // §5.5
        }
        Ok(frame(&self.header(true, opcode, payload.len(), key), payload, out)?)
    }

    /// §5.4: the opcode stands on the first frame, FIN on the last.
    #[inline]
    fn next_piece_header(&self, piece: Message<'_>, end: bool, key: Mask) -> Header {
        let opcode = if self.open { Opcode::Continuation } else { piece.kind().opcode() };
        self.header(end, opcode, piece.len(), key)
    }

    #[inline]
    fn header(&self, fin: bool, opcode: Opcode, len: usize, key: Mask) -> Header {
        let mask = match self.role {
            Role::Server => None,      // §5.1: a server masks no frame
            Role::Client => Some(key), // §5.1: a client masks every frame
        };
        Header { fin, rsv: Rsv::NONE, opcode, mask, len: len as u64 }
    }
}

/// Copies a payload into its place. Most are so short that two blocks, which may overlap, are all of it, and no function is called.
#[inline(always)]
fn copy(payload: &[u8], place: &mut [u8]) {
    const N: usize = 16;
    let ends = (payload.first_chunk::<N>(), payload.last_chunk::<N>());
    match (ends, place.first_chunk_mut::<N>()) {
        ((Some(first), Some(last)), Some(begin)) if payload.len() <= 2 * N => {
            *begin = *first;
            if let Some(end) = place.last_chunk_mut() {
                *end = *last;
            }
        }
        _ => place.copy_from_slice(payload),
    }
}

/// Header and payload, masked if the header says so.
#[inline]
fn frame(header: &Header, payload: &[u8], out: &mut [u8]) -> Result<usize, Full> {
    let at = header.encoded_len();
    let end = at.checked_add(payload.len()).ok_or(Full)?;
    let (head, body) = out.get_mut(..end).and_then(|out| out.split_at_mut_checked(at)).ok_or(Full)?;
    header.encode(head)?;
    body.copy_from_slice(payload);
    if let Some(mut mask) = header.mask {
        mask.apply(body);
    }
    Ok(end)
}
