//! Where written bytes go: lent memory, counted whether they fit or not. One walk over a head serves measuring and
//! writing, so that the length and the bytes cannot disagree.

use core::error::Error;
use core::fmt;

/// The lent output is shorter than what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output is full")
    }
}

impl Error for Full {}

pub(crate) struct Output<'o> {
    room: &'o mut [u8],
    len: usize,
}

impl<'o> Output<'o> {
    pub(crate) const fn new(room: &'o mut [u8]) -> Self {
        Self { room, len: 0 }
    }

    /// An output that only counts.
    pub(crate) const fn counter() -> Self {
        Self { room: &mut [], len: 0 }
    }

    pub(crate) fn put(&mut self, text: &str) {
        self.put_bytes(text.as_bytes());
    }

    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.room.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
        }
        self.len = end;
    }

    /// `name: value` and the end of the line. RFC 9110 §5.6.3: with one blank.
    pub(crate) fn put_field(&mut self, name: &str, value: &str) {
        self.put(name);
        // No blank after an empty value's colon: it would be one at the end of a line.
        self.put(if value.is_empty() { ":" } else { ": " });
        self.put(value);
        self.put("\r\n");
    }

    /// A number in digits.
    pub(crate) fn put_decimal(&mut self, mut number: u64) {
        let mut digits = [b'0'; 20];
        let mut used = 0;
        for place in digits.iter_mut().rev() {
            *place += (number % 10) as u8;
            used += 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.put_bytes(digits.get(20 - used..).unwrap_or_default());
    }

    /// How many bytes were put, fitting or not.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many bytes were put, if all of them fitted.
    pub(crate) const fn finish(self) -> Result<usize, Full> {
        if self.len <= self.room.len() { Ok(self.len) } else { Err(Full) }
    }
}
