//! Bytes that have come and were not used up: what is used is only stepped over, so that to look at them often costs no more than to look at
//! them once.

/// See the top of this file.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    bytes: Vec<u8>,
    /// So many of them are used up.
    used: usize,
}

impl From<&[u8]> for Carry {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), used: 0 }
    }
}

impl Carry {
    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is not used up.
    pub(crate) fn rest(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// More has come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// So much of the rest is used up. What is left moves to memory of its size once that is less than a fourth: all of these moves together
    /// are of fewer bytes than have come.
    pub(crate) fn use_up(&mut self, length: usize) {
        self.used += length;
        if self.used == self.bytes.len() {
            *self = Self::default();
        } else if self.bytes.len() - self.used < self.bytes.capacity() / 4 {
            *self = Self::from(&*self.rest());
        }
    }

    /// Bytes that it pins, by capacity.
    pub(crate) const fn pinned(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_is_stepped_over_and_its_memory_goes_in_time() {
        let all: Vec<u8> = (0..200).collect();
        let mut carry = Carry::default();
        carry.push(&all[..100]);
        carry.push(&all[100..]);
        let (mut pinned, mut moves) = (carry.pinned(), 0);
        for used in 0..200 {
            assert_eq!(carry.rest(), &all[used..]);
            assert!(200 - used >= carry.pinned() / 4, "{} bytes for {}", carry.pinned(), 200 - used);
            carry.use_up(1);
            moves += usize::from(carry.pinned() != pinned);
            pinned = carry.pinned();
        }
        assert!(carry.is_empty() && pinned == 0);
        assert!((2..=5).contains(&moves), "it was moved {moves} times");
    }

    #[test]
    fn more_stands_behind_what_is_not_used_up() {
        let mut carry = Carry::default();
        carry.push(b"one two");
        carry.use_up(4);
        carry.push(b" three");
        assert_eq!(carry.rest(), b"two three");
        carry.use_up(0);
        carry.use_up(9);
        assert!(carry.is_empty() && carry.rest().is_empty());
    }
}
