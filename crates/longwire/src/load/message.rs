//! `Shape`: what a message says. Each is of its connection and its number, so that an echo which is another's, late or damaged is not
//! taken for the one that is due.

use longwire_reactor::Message;

/// How long messages are, and of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    text: bool,
    size: usize,
}

/// Bytes in front that tell one message from another: as many as there is room for.
pub(super) const STAMP: usize = 16;

impl Shape {
    pub(super) const fn new(text: bool, size: usize) -> Self {
        Self { text, size }
    }

    /// Memory for one message, with all of it that does not change.
    pub(super) fn memory(self) -> Vec<u8> {
        // Any generator will do; this one is Knuth's.
        let mut state = 1_u32;
        let byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let byte = (state >> 24) as u8;
            if self.text { b' ' + byte % 95 } else { byte }
        };
        std::iter::repeat_with(byte).take(self.size).collect()
    }

    /// Makes of the memory message `number` of connection `of`.
    pub(super) fn stamp(self, memory: &mut [u8], of: usize, number: u64) {
        let stamp = (of as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number;
        let hex = [hex(stamp as u32), hex((stamp >> 32) as u32)];
        for (byte, digit) in memory.iter_mut().zip(hex.as_flattened()) {
            *byte = *digit;
        }
    }

    /// The number of a message of connection 0 that has the whole stamp, if it is one of ours: all that does not change is as it was.
    pub(super) fn number(self, bytes: &[u8], memory: &[u8]) -> Option<u64> {
        let (stamp, rest) = bytes.split_at_checked(STAMP)?;
        if Some(rest) != memory.get(STAMP..) {
            return None;
        }
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map(u64::from);
        stamp.iter().rev().try_fold(0, |number, hex| digit(hex).map(|digit| number << 4 | digit))
    }

    /// The memory as what is sent.
    pub(super) fn message(self, memory: &[u8]) -> Message<'_> {
        if self.text
            && let Ok(text) = str::from_utf8(memory)
        {
            return Message::Text(text);
        }
        Message::Binary(memory)
    }
}

/// The eight digits of a number, the lowest first, all at once: this is done twice for every message.
const fn hex(number: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut digits = number as u64;
    digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF;
    digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF;
    digits = (digits | digits << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // What is above 9 reaches 16 with 6 more.
    let letters = ((digits + 6 * EACH) >> 4) & EACH;
    (digits + EACH * b'0' as u64 + letters * (b'a' - b'0' - 10) as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_of_its_connection_and_its_number() {
        for text in [false, true] {
            let shape = Shape::new(text, 40);
            let mut memory = shape.memory();
            let mut say = |of, number| {
                shape.stamp(&mut memory, of, number);
                memory.clone()
            };
            let all = [say(0, 0), say(0, 1), say(1, 0), say(1, 1)];
            assert!(all.iter().all(|one| all.iter().filter(|other| *other == one).count() == 1));
            assert_eq!(say(0, 0), all[0]);
            assert_eq!(matches!(shape.message(&all[0]), Message::Text(_)), text);
        }
    }

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [0, 9, 10, 15, 16, 0x0123_4567, 0x89AB_CDEF, 0x9A9A_F0F0, u32::MAX] {
            let all: Vec<u8> = format!("{number:08x}").into_bytes().into_iter().rev().collect();
            assert_eq!(hex(number)[..], all);
        }
    }

    #[test]
    fn a_number_is_read_back_from_what_is_ours_alone() {
        let shape = Shape::new(true, 20);
        let mut memory = shape.memory();
        for number in [0, 1, 0xabc, u64::MAX] {
            shape.stamp(&mut memory, 0, number);
            assert_eq!(shape.number(&memory, &memory), Some(number));
        }
        let others: [&[u8]; 4] = [b"", b"hello", &memory[1..], b"0123456789abcdef0123"];
        assert!(others.iter().all(|other| shape.number(other, &memory).is_none()));
    }

    #[test]
    fn the_smallest_has_as_much_of_it_as_there_is_room_for() {
        let shape = Shape::new(true, 1);
        let mut memory = shape.memory();
        shape.stamp(&mut memory, 0, 10);
        assert_eq!(memory, b"a");
        shape.stamp(&mut Shape::new(true, 0).memory(), 0, 1);
    }
}
