//! What is said in a history: words that carry who says them and which one it is, so that whatever is lost, repeated, put out of
//! order, mixed up or handed to another is seen where it arrives.

use std::fmt::Write;

/// What a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A guest's message; `of` is the guest.
    Message = b'm' as isize,
    /// Sent to one peer in a callback; `of` is the record, `about` the message that it answers, or 0.
    Direct = b'd' as isize,
    /// Sent to one peer from outside; `of` is the record.
    Remote = b'r' as isize,
    /// Published in a callback; `of` is the topic.
    Published = b'p' as isize,
    /// Published from outside; `of` is the topic.
    Announced = b'q' as isize,
    /// The body of a request, or of the page that answers it; `of` is the guest.
    Body = b'b' as isize,
    /// Sent to somebody who is not open: it must arrive nowhere.
    Lost = b'x' as isize,
}

const KINDS: [Kind; 7] =
    [Kind::Message, Kind::Direct, Kind::Remote, Kind::Published, Kind::Announced, Kind::Body, Kind::Lost];

/// A word: `d3.17.4:klmnop…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    pub(crate) kind: Kind,
    pub(crate) of: u32,
    pub(crate) number: u32,
    pub(crate) about: u32,
}

/// No word is longer.
pub(crate) const LONGEST: usize = 6_000;

/// The alphabet, again and again.
static LETTERS: [u8; LONGEST + 26] = {
    let mut letters = [0; LONGEST + 26];
    let mut at = 0;
    while at < letters.len() {
        letters[at] = b'a' + (at % 26) as u8;
        at += 1;
    }
    letters
};

impl Word {
    pub(crate) const fn new(kind: Kind, of: u32, number: u32) -> Self {
        Self { kind, of, number, about: 0 }
    }

    /// Appends it, with letters behind it up to `size` bytes in all.
    pub(crate) fn write(self, size: usize, out: &mut String) {
        let start = out.len();
        let letter = char::from(self.kind as u8);
        write!(out, "{letter}{}.{}.{}:", self.of, self.number, self.about).expect("a string takes everything");
        let written = out.len() - start;
        let letters = self.letters(size.clamp(written, LONGEST) - written);
        out.push_str(std::str::from_utf8(letters).expect("letters"));
    }

    /// Which letters follow.
    fn letters(self, length: usize) -> &'static [u8] {
        let start = (self.of.wrapping_add(self.number) % 26) as usize;
        &LETTERS[start..start + length]
    }

    /// Reads a word, to its last letter.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (letter, mut rest) = bytes.split_first()?;
        let kind = *KINDS.iter().find(|kind| **kind as u8 == *letter)?;
        let mut numbers = [0_u32; 3];
        for (number, end) in numbers.iter_mut().zip(*b"..:") {
            loop {
                let (byte, after) = rest.split_first()?;
                rest = after;
                if *byte == end {
                    break;
                }
                let digit = char::from(*byte).to_digit(10)?;
                *number = number.checked_mul(10)?.checked_add(digit)?;
            }
        }
        let [of, number, about] = numbers;
        let word = Self { kind, of, number, about };
        (rest.len() <= LONGEST && rest == word.letters(rest.len())).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_who_and_which_and_shows_every_damage() {
        for size in [0, 8, 9, 40, 3_000] {
            let word = Word { kind: Kind::Direct, of: 3, number: 41, about: 7 };
            let mut text = String::new();
            word.write(size, &mut text);
            assert!(text.starts_with("d3.41.7:"));
            assert_eq!(text.len(), size.max(8));
            assert_eq!(Word::read(text.as_bytes()), Some(word));
            let mut bytes = text.into_bytes();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            assert_eq!(Word::read(&bytes), None);
        }
        assert_eq!(Word::read(b""), None);
        assert_eq!(Word::read(b"d1.2:"), None);
    }
}
