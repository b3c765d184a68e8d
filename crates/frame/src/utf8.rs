//! UTF-8 that arrives in pieces: RFC 6455 §8.1, RFC 3629 §4.
//!
//! The judgement itself is `core::str::from_utf8`'s, or simdutf8's with the feature of that name; here is only what lies between two
//! pieces: at most three bytes of a character that has begun and may still become one.

use crate::Error;

/// A validator for text in pieces, three bytes in size.
///
/// Calling order: [`push`](Self::push) for every piece, [`finish`](Self::finish) at the end of the text, and again.
///
/// It fails in the piece with the first byte that no continuation could complete: text pushed byte by byte fails at
/// that very byte. An error is final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8 {
    /// The bytes of a character that has begun. None of them is ever zero, so zero stands for none.
    begun: [u8; 3],
}

impl Utf8 {
    /// A validator at the beginning of a text.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { begun: [0; 3] }
    }

    /// Whether the text so far ends with a whole character.
    #[inline]
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.begun[0] == 0
    }

    /// The characters that `bytes` completes: the one that had begun before, then the rest, up to the last whole one. A frame may
    /// end in a character (§5.6).
    #[inline]
    pub fn push<'b>(&mut self, bytes: &'b [u8]) -> Result<(Option<char>, &'b str), Error> {
        let (carried, bytes) = if self.is_whole() { (None, bytes) } else { self.complete(bytes)? };
        // What is cut off at the end is found from the end, so that the rest is looked at once.
        let (whole, begun) = bytes.split_at_checked(bytes.len() - unfinished(bytes)).unwrap_or_default();
        let rest = text(whole)?;
        if !begun.is_empty() {
            self.begin(begun)?;
        }
        Ok((carried, rest))
    }

    /// Says whether the text may end here, and starts over.
    #[inline]
    pub fn finish(&mut self) -> Result<(), Error> {
        let whole = self.is_whole();
        *self = Self::new();
        if whole { Ok(()) } else { Err(Error::NotUtf8) }
    }

    /// Takes bytes until the character that has begun is one: at most three.
    #[cold]
    fn complete<'b>(&mut self, mut bytes: &'b [u8]) -> Result<(Option<char>, &'b [u8]), Error> {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = rest;
            let [a, b, c] = self.begun;
            let (text, len) = match (b, c) {
                (0, _) => ([a, byte, 0, 0], 2),
                (_, 0) => ([a, b, byte, 0], 3),
                _ => ([a, b, c, byte], 4),
            };
            let text = text.get(..len).unwrap_or_default();
            if let Ok(text) = core::str::from_utf8(text) {
                *self = Self::new();
                return Ok((text.chars().next(), bytes));
            }
            self.begin(text)?;
        }
        Ok((None, bytes))
    }

    /// Keeps the beginning of a character, if it is one.
    #[cold]
    fn begin(&mut self, text: &[u8]) -> Result<(), Error> {
        match core::str::from_utf8(text) {
            // No `error_len`: nothing is wrong but that the text ends here (§8.1: fail at once otherwise).
            Err(cut) if cut.error_len().is_none() && text.len() <= self.begun.len() => {
                let mut kept = text.iter().copied();
                self.begun = core::array::from_fn(|_| kept.next().unwrap_or(0));
                Ok(())
            }
            _ => Err(Error::NotUtf8),
        }
    }
}

/// Bytes as text, if they are such.
#[cfg(not(feature = "simdutf8"))]
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Error> {
    core::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)
}

/// Bytes as text, if they are such. A function of its own: inlined, it makes those who call it too large to be.
#[cfg(feature = "simdutf8")]
#[inline(never)]
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Error> {
    // For less it takes longer to begin with vectors than to be done without: the bench `utf8` tells.
    const SHORT: usize = 64;
    if bytes.len() < SHORT {
        core::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)
    } else {
        simdutf8::basic::from_utf8(bytes).map_err(|_| Error::NotUtf8)
    }
}

/// How many bytes at the end belong to a character that needs more than are there: 0 to 3.
#[inline]
fn unfinished(bytes: &[u8]) -> usize {
    match bytes {
        [.., 0xC0..=0xFF] => 1,
        [.., 0xE0..=0xFF, 0x80..=0xBF] => 2,
        [.., 0xF0..=0xFF, 0x80..=0xBF, 0x80..=0xBF] => 3,
        _ => 0,
    }
}
