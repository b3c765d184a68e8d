//! What is said in a history: words that carry who says them and which one it is, so that whatever is lost, repeated, put out of
//! order, mixed up or handed to another is seen where it arrives.

use std::fmt::Write;
use std::sync::LazyLock;

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

/// Letters of one to four bytes, again and again: where they are cut, characters are.
static LETTERS: LazyLock<String> = LazyLock::new(|| CYCLE.repeat((LONGEST + CYCLE.len()).div_ceil(CYCLE.len())));

const CYCLE: &str = "abcdefghijé€😀klmnopqrstuvwxyz";

/// At so many places in the cycle a word's letters may begin: there all have one byte.
const BEGINNINGS: u32 = 10;

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
        let begin = self.beginning();
        let mut end = begin + size.clamp(written, LONGEST) - written;
        while !LETTERS.is_char_boundary(end) {
            end -= 1;
        }
        out.push_str(&LETTERS[begin..end]);
    }

    /// Which letters follow.
    const fn beginning(self) -> usize {
        (self.of.wrapping_add(self.number) % BEGINNINGS) as usize
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
        let begin = word.beginning();
        (rest.len() <= LONGEST && *rest == LETTERS.as_bytes()[begin..begin + rest.len()]).then_some(word)
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
            assert!(text.len() <= size.max(8) && text.len() + 3 >= size);
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
