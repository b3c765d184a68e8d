//! A body in chunks, incrementally: RFC 9112 §7.1. Extensions are read over; trailer fields are read over, too, and nothing is made
//! of them.

use crate::{Refusal, Token};

/// A decoder of one body in the chunked coding. It owns no bytes: the data are pieces of what it is lent.
///
/// Call [`Chunks::decode`] with what has come and is not taken yet, until it says [`Part::More`] or [`Part::End`]. What follows the
/// end belongs to the next request.
///
/// ```
/// use longwire_handshake::{Chunks, Part};
///
/// let (mut chunks, mut coded, mut body) = (Chunks::new(100), &b"4\r\nWiki\r\n0\r\n\r\nGET"[..], Vec::new());
/// loop {
///     let (part, taken) = chunks.decode(coded)?;
///     coded = &coded[taken..];
///     match part {
///         Part::Data(data) => body.extend_from_slice(data),
///         Part::More | Part::End => break,
///     }
/// }
/// assert_eq!((body.as_slice(), coded), (&b"Wiki"[..], &b"GET"[..]));
/// # Ok::<(), longwire_handshake::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    expects: Expects,
    /// Whether the present line has begun.
    begun: bool,
    /// Bytes of this chunk still to come, or its size as far as it was read.
    left: u64,
    /// Bytes of data so far, and how many there may be.
    length: u32,
    most: u32,
    /// Bytes of all lines, so that they have an end.
    overhead: u32,
}

/// What the next bytes of a body are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'b> {
    /// Data, never empty.
    Data(&'b [u8]),
    /// All bytes were taken, and the body goes on.
    More,
    /// The body ended.
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expects {
    Size,
    /// Blanks behind a size stand only before an extension.
    Blank,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    /// A trailer field's name, or the empty line behind all of them.
    TrailerName,
    TrailerValue,
    TrailerEnd,
    FinalEnd,
}

impl Chunks {
    /// Sizes, extensions and trailer fields may have so many bytes …
    const OVERHEAD: u32 = 16 << 10;
    /// … and so many more for each byte of the body (one-byte chunks need five) …
    const OVERHEAD_PER_BYTE: u32 = 8;
    /// … as far as its first so many bytes.
    const OVERHEAD_BYTES: u32 = 16 << 20;

    /// A body that may have `most` bytes of data.
    #[must_use]
    pub const fn new(most: u32) -> Self {
        Self { expects: Expects::Size, begun: false, left: 0, length: 0, most, overhead: 0 }
    }

    /// Takes bytes up to and with the next data that are there. Returns what they are, and how many were taken. RFC 9112 §6.1:
    /// everybody must.
    ///
    /// # Errors
    /// [`Refusal::BadChunk`] for what is no chunk, or takes too many bytes to say little; [`Refusal::BodyTooLarge`] at the size of
    /// the chunk that is too much.
    pub fn decode<'b>(&mut self, bytes: &'b [u8]) -> Result<(Part<'b>, usize), Refusal> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.expects == Expects::Data {
                let (_, there) = bytes.split_at(at);
                let data = there.get(..usize::try_from(self.left).unwrap_or(usize::MAX)).unwrap_or(there);
                self.left -= data.len() as u64;
                // No more than the size of its chunk, which was held against the limit.
                self.length = self.length.saturating_add(u32::try_from(data.len()).unwrap_or(u32::MAX));
                if self.left == 0 {
                    self.expects = Expects::DataCr;
                }
                return Ok((Part::Data(data), at + data.len()));
            }
            if self.step(*byte)? {
                return Ok((Part::End, at + 1));
            }
        }
        Ok((Part::More, bytes.len()))
    }

    /// Takes a byte that is no data. `true` if it was the last. §7.1.1: extensions, and RFC 9112 §7.1.2 and RFC 9110 §6.5.1:
    /// trailers, mean nothing here.
    fn step(&mut self, byte: u8) -> Result<bool, Refusal> {
        let credit = Self::OVERHEAD_PER_BYTE * self.length.min(Self::OVERHEAD_BYTES);
        if self.overhead >= Self::OVERHEAD + credit {
            return Err(Refusal::BadChunk);
        }
        self.overhead += 1;
        let begun = core::mem::replace(&mut self.begun, true);
        self.expects = match (self.expects, byte) {
            (Expects::Size, b'\r' | b';' | b' ' | b'\t') if !begun => return Err(Refusal::BadChunk),
            (Expects::Size, b'\r') => Expects::SizeEnd,
            (Expects::Size | Expects::Blank, b';') => Expects::Extension,
            (Expects::Size | Expects::Blank, b' ' | b'\t') => Expects::Blank,
            (Expects::Size, byte) => {
                let digit = char::from(byte).to_digit(16).ok_or(Refusal::BadChunk)?;
                // A size that no 64 bits hold is no size.
                let shifted = self.left.checked_mul(16).ok_or(Refusal::BadChunk)?;
                self.left = shifted + u64::from(digit);
                Expects::Size
            }
            (Expects::Extension, b'\r') => Expects::SizeEnd,
            (Expects::Extension, b'\t' | b' '..=b'~' | 0x80..) => Expects::Extension,
            (Expects::SizeEnd, b'\n') if self.left == 0 => self.next(Expects::TrailerName),
            (Expects::SizeEnd, b'\n') if self.left > u64::from(self.most - self.length) => {
                return Err(Refusal::BodyTooLarge);
            }
            (Expects::SizeEnd, b'\n') => Expects::Data,
            (Expects::DataCr, b'\r') => Expects::DataLf,
            (Expects::DataLf, b'\n') => self.next(Expects::Size),
            (Expects::TrailerName, b'\r') if !begun => Expects::FinalEnd,
            (Expects::TrailerName, b':') if begun => Expects::TrailerValue,
            (Expects::TrailerName, byte) if Token::may_contain(byte) => Expects::TrailerName,
            (Expects::TrailerValue, b'\r') => Expects::TrailerEnd,
            (Expects::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => Expects::TrailerValue,
            (Expects::TrailerEnd, b'\n') => self.next(Expects::TrailerName),
            (Expects::FinalEnd, b'\n') => return Ok(true),
            _ => return Err(Refusal::BadChunk),
        };
        Ok(false)
    }

    /// The line has ended.
    const fn next(&mut self, expects: Expects) -> Expects {
        self.begun = false;
        expects
    }
}
