//! `Tail`: a buffer that is written at its end and emptied as a whole. What it has held stays in place, so that the next to be written
//! finds memory that need not be cleared, and short things are appended with one look at whether there is room.

use std::ops::Deref;

/// What bytes are appended to.
pub(crate) trait Append {
    /// So many bytes more, to be written over.
    fn place(&mut self, length: usize) -> &mut [u8];
}

impl Append for Vec<u8> {
    fn place(&mut self, length: usize) -> &mut [u8] {
        let start = self.len();
        self.resize(start + length, 0);
        &mut self[start..]
    }
}

/// See the top of this file.
#[derive(Default)]
pub(crate) struct Tail {
    /// What was written, and behind it room.
    memory: Vec<u8>,
    len: usize,
}

impl Tail {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { memory: vec![0; capacity], len: 0 }
    }

    /// How much was written. (Its slice's own length would have to be looked for.)
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The room behind what was written, at least so much; [`wrote`](Self::wrote) says how much of it was used.
    #[inline(always)]
    pub(crate) fn room(&mut self, least: usize) -> &mut [u8] {
        if self.memory.len() - self.len < least {
            self.grow(least);
        }
        &mut self.memory[self.len..]
    }

    /// The room that is there already.
    #[inline]
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.len..).unwrap_or_default()
    }

    /// So much of the room was used.
    #[inline]
    pub(crate) fn wrote(&mut self, length: usize) {
        debug_assert!(self.len + length <= self.memory.len());
        self.len += length;
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.place(bytes.len()).copy_from_slice(bytes);
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.len = self.len.min(length);
    }

    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    /// Gives back what is more than so much, if that is worth it.
    pub(crate) fn shrink_to(&mut self, usual: usize) {
        if self.memory.len() / 4 > usual {
            self.memory.truncate(usual.max(self.len));
            self.memory.shrink_to_fit();
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let least = self.len + more;
        self.memory.resize(least.max(2 * self.memory.len()), 0);
    }
}

impl Append for Tail {
    #[inline]
    fn place(&mut self, length: usize) -> &mut [u8] {
        let start = self.len;
        self.room(length);
        self.len += length;
        &mut self.memory[start..self.len]
    }
}

impl Deref for Tail {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_stands_behind_what_was() {
        let (mut tail, mut vec) = (Tail::with_capacity(4), Vec::new());
        for length in [0, 1, 3, 1, 9, 0, 40] {
            let bytes: Vec<u8> = (0..length).collect();
            tail.push(&bytes);
            vec.place(bytes.len()).copy_from_slice(&bytes);
            assert_eq!(*tail, *vec);
        }
        tail.room(2)[..2].copy_from_slice(b"ab");
        tail.wrote(1);
        assert_eq!((tail.len(), tail.last()), (55, Some(&b'a')));
        tail.truncate(3);
        assert_eq!(*tail, vec[..3]);
        tail.shrink_to(4);
        assert_eq!((&*tail, tail.memory.capacity()), (&vec[..3], 4));
        tail.clear();
        assert!(tail.is_empty());
    }
}
