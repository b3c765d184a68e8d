//! The first 2 to 14 bytes of a frame: RFC 6455 §5.2.
//!
//! Every rule about a header stands once, in [`Header::parse_within`], in the order in which the wire shows what it
//! needs. [`Whole`](crate::Whole) is a shortcut to what most headers come to; whatever it does not take goes that way.

use crate::{Error, Full, Mask, Opcode, Rsv};

/// A frame's header.
///
/// The fields are what stands on the wire, and any combination can be written down: to be sure that what is sent may be
/// sent, take headers from an [`Encoder`](crate::Encoder) or a [`Connection`](crate::Connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// This is the last frame of its message.
    pub fin: bool,
    /// The reserved bits that are set.
    pub rsv: Rsv,
    /// What the frame is for.
    pub opcode: Opcode,
    /// The key, if the payload is masked.
    pub mask: Option<Mask>,
    /// Payload bytes, less than 2⁶³.
    pub len: u64,
}

/// What a header must fit besides itself.
pub(crate) struct Rules {
    /// Reserved bits that may be set.
    pub(crate) negotiated: Rsv,
    /// Whether it must be masked.
    pub(crate) masked: Option<bool>,
    /// Whether a message is open that a data frame must continue.
    pub(crate) open: Option<bool>,
    /// Whether the message may have one frame more.
    pub(crate) part: bool,
    /// Payload bytes that the message may still have.
    pub(crate) room: u64,
}

/// §5.2: "the most significant bit MUST be 0".
const LARGEST: u64 = u64::MAX >> 1;

impl Header {
    /// Bytes of the longest header: two, a 64-bit length, a key.
    pub const MAX_LEN: usize = 14;

    /// The header of the same frame if its payload is compressed, to `len` bytes (RFC 7692).
    ///
    /// RFC 7692 §6.1: RSV1 stands on the first frame of a message alone, and on no control frame.
    #[must_use]
    pub const fn deflated(self, len: usize) -> Self {
        let rsv = match self.opcode {
            Opcode::Text | Opcode::Binary => self.rsv.union(Rsv::RSV1),
            _ => self.rsv,
        };
        Self { rsv, len: len as u64, ..self }
    }

    /// The header at the front of `bytes` and how many bytes it takes, `None` if its end is not there yet.
    ///
    /// Refuses what no header may be, whoever sent it and whatever came before: a reserved opcode; a control frame that
    /// is fragmented, longer than 125 bytes or has a reserved bit; a continuation that has one; a Close of one byte; a
    /// length that is not in its shortest form or has the highest bit set. It does so at the first byte that makes it
    /// certain.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        let any = Rules { negotiated: Rsv::ALL, masked: None, open: None, part: true, room: LARGEST };
        Self::parse_within(bytes, &any)
    }

    /// The same, within the rules of a connection.
    #[inline]
    pub(crate) fn parse_within(bytes: &[u8], rules: &Rules) -> Result<Option<(Self, usize)>, Error> {
        let Some((&first, after_first)) = bytes.split_first() else { return Ok(None) };
        let fin = first & 0x80 != 0;
        let rsv = Rsv::of_first_byte(first);
        if !rules.negotiated.contains(rsv) {
            return Err(Error::ReservedBits); // §5.2: RSV is 0 unless an extension defines it
        }
        let Some(opcode) = Opcode::from_bits(first & 0x0F) else {
            return Err(Error::ReservedOpcode); // §5.2: an unknown opcode fails the connection
        };
        let control = opcode.is_control();
        if control && !fin {
            return Err(Error::FragmentedControl); // §5.5
        }
        if !rsv.is_empty() && (control || opcode == Opcode::Continuation) {
            return Err(Error::MisplacedBits); // RFC 7692 §6: the bit is the message's and stands on its first frame
        }
        if !control {
            match (rules.open, opcode) {
                (Some(false), Opcode::Continuation) => return Err(Error::NothingToContinue), // §5.4
                (Some(true), Opcode::Text | Opcode::Binary) => return Err(Error::UnfinishedMessage), // §5.4
                _ if !rules.part => return Err(Error::TooManyParts),                         // §10.4
                _ => {}
            }
        }

        let Some((&second, after_second)) = after_first.split_first() else { return Ok(None) };
        let masked = second & 0x80 != 0;
        match rules.masked {
            Some(true) if !masked => return Err(Error::Unmasked), // §5.1: a server refuses an unmasked frame
            Some(false) if masked => return Err(Error::Masked),   // §5.1: a client refuses a masked frame
            _ => {}
        }
        let short = second & 0x7F;
        if control && short > 125 {
            return Err(Error::LongControl); // §5.5
        }
        if opcode == Opcode::Close && short == 1 {
            return Err(Error::ShortClose); // §5.5.1: a payload begins with a code of two bytes
        }

        let room = match (control, rsv.is_empty()) {
            (true, _) => 125,
            (false, true) => rules.room,
            (false, false) => extended_room(rules.room),
        };
        let (len, length_bytes) = match short {
            126 => (extended_length::<2>(after_second, 126, room)?, 2),
            127 => (extended_length::<8>(after_second, 1 << 16, room)?, 8),
            _ => (Some(verdict(u64::from(short), 0, room)?), 0),
        };
        let Some(len) = len else { return Ok(None) };
        if !masked {
            return Ok(Some((Self { fin, rsv, opcode, mask: None, len }, 2 + length_bytes)));
        }
        let after_length = after_second.get(length_bytes..).unwrap_or_default();
        let Some(&key) = after_length.first_chunk::<4>() else { return Ok(None) };
        Ok(Some((Self { fin, rsv, opcode, mask: Some(Mask::new(key)), len }, 2 + length_bytes + 4)))
    }

    /// The first byte.
    #[inline]
    const fn first(&self) -> u8 {
        (self.fin as u8) << 7 | self.rsv.bits() | self.opcode.bits()
    }

    /// Bytes that [`encode`](Self::encode) writes: 2 to [`MAX_LEN`](Self::MAX_LEN).
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let length = match self.len {
            0..=125 => 2,
            126..=0xFFFF => 4,
            _ => 10,
        };
        if self.mask.is_some() { length + 4 } else { length }
    }

    /// Writes the header to the front of `out` and says how many bytes that took. With a mask the mask bit is set (§5.3).
    ///
    /// `Full` if `out` is too short, and for a length from 2⁶³ on, for which no output is long enough.
    #[inline]
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Full> {
        // Most headers of a server: two bytes, or four.
        match (u16::try_from(self.len), self.mask, &mut *out) {
            (Ok(len @ 0..=125), None, [first, second, ..]) => {
                (*first, *second) = (self.first(), len.to_be_bytes()[1]);
                return Ok(2);
            }
            (Ok(len @ 126..), None, [first, second, higher, lower, ..]) => {
                (*first, *second) = (self.first(), 126);
                [*higher, *lower] = len.to_be_bytes();
                return Ok(4);
            }
            _ => {}
        }
        let encoded_len = self.encoded_len();
        if out.len() < encoded_len || self.len > LARGEST {
            return Err(Full);
        }
        let first = self.first();
        let masked = u8::from(self.mask.is_some()) << 7;
        // §5.2: the shortest form that holds the length, in network byte order.
        let rest = match (u8::try_from(self.len), u16::try_from(self.len)) {
            (Ok(short @ 0..=125), _) => put(out, [first, masked | short])?,
            (_, Ok(medium)) => put(put(out, [first, masked | 126])?, medium.to_be_bytes())?,
            _ => put(put(out, [first, masked | 127])?, self.len.to_be_bytes())?,
        };
        if let Some(mask) = self.mask {
            put(rest, mask.key())?;
        }
        Ok(encoded_len)
    }
}

/// Payload bytes that a message may have on the wire if what an extension makes of it may have `room`. A compressor can make
/// longer what it cannot make shorter: by an eighth with RFC 1951's fixed codes.
#[inline]
pub(crate) const fn extended_room(room: u64) -> u64 {
    let extended = room + room / 8 + 64;
    if extended < LARGEST { extended } else { LARGEST }
}

/// A length field of `N` bytes whose shortest value is `least`; `None` if its end is not there yet and not needed
/// either.
#[inline]
fn extended_length<const N: usize>(bytes: &[u8], least: u64, room: u64) -> Result<Option<u64>, Error> {
    match bytes.first_chunk::<N>() {
        Some(field) => verdict(big_endian(field), least, room).map(Some),
        None => doomed_length::<N>(bytes, least, room).map_or(Ok(None), Err),
    }
}

/// The fault of a length field that is not there as a whole, if every possible end of it has the same one.
///
/// From small to large, lengths are not minimal, fine, beyond the limit, beyond 63 bits: what holds at both ends of a
/// range holds within it.
#[cold]
fn doomed_length<const N: usize>(begun: &[u8], least: u64, room: u64) -> Option<Error> {
    let ended_by = |fill: u8| {
        let mut field = [fill; N];
        for (byte, known) in field.iter_mut().zip(begun) {
            *byte = *known;
        }
        verdict(big_endian(&field), least, room)
    };
    match (ended_by(0x00), ended_by(0xFF)) {
        (Err(fault), Err(same)) if fault == same => Some(fault),
        _ => None,
    }
}

/// What is to be said of a length once it is known.
#[inline]
const fn verdict(len: u64, least: u64, room: u64) -> Result<u64, Error> {
    if len < least {
        Err(Error::LengthNotMinimal) // §5.2: the minimal number of bytes
    } else if len <= room {
        Ok(len)
    } else if len <= LARGEST {
        Err(Error::MessageTooBig) // §10.4, before any payload
    } else {
        Err(Error::LengthTooLarge) // §5.2
    }
}

#[inline]
fn big_endian(field: &[u8]) -> u64 {
    field.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Writes `bytes` to the front of `out` and returns what is left over.
#[inline]
fn put<const N: usize>(out: &mut [u8], bytes: [u8; N]) -> Result<&mut [u8], Full> {
    let (front, rest) = out.split_first_chunk_mut::<N>().ok_or(Full)?;
    *front = bytes;
    Ok(rest)
}
