//! Where connections live: pages of slots that are given back when they are empty.
//!
//! A slot's number is small and is used again; the generation beside it is not, so a token that outlived its connection
//! finds nobody. What is generic over the application or the machine (user values, sockets) lies in a
//! [`Side`](crate::side::Side) table under the same number, so that the connections themselves can be lent to callbacks without type parameters.

use crate::connection::Connection;

/// Slots per page: a page of connections stays below the size that malloc maps by itself, even where it was told to begin early
/// (32 KiB), for a mapping of its own is rounded up to whole pages of the system.
pub(crate) const PAGE: usize = 128;
const _: () = assert!(PAGE * size_of::<Connection>() < 32 << 10);
const WORDS: usize = PAGE / 64;

/// A connection's number and the generation that tells it from those before it in the same slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Key {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// How a [`Key`] is packed into the one word that a poll hands back: `BITS` of slot below the generation.
///
/// A 64-bit word holds both whole. A 32-bit word holds 18 bits of slot and 14 of generation: 262,144 connections, and a
/// stale token is taken for a live one only if the stamps in between (one for each connection and each request) are exactly a
/// multiple of 16,384, within one turn.
pub(crate) const fn pack(key: Key, word_bits: u32) -> u64 {
    let (slot_bits, generation_bits) = if word_bits >= 64 { (32, 32) } else { (18, 14) };
    (key.slot as u64 & ((1 << slot_bits) - 1)) | ((key.generation as u64 & ((1 << generation_bits) - 1)) << slot_bits)
}

/// The slot in a packed token.
pub(crate) const fn slot_of(token: u64, word_bits: u32) -> u32 {
    let slot_bits = if word_bits >= 64 { 32 } else { 18 };
    (token & ((1 << slot_bits) - 1)) as u32
}

struct Page {
    taken: [u64; WORDS],
    slots: Box<[Connection; PAGE]>,
}

impl Page {
    fn new() -> Self {
        Self { taken: [0; WORDS], slots: page_of(Connection::vacant) }
    }

    fn first_free(&self) -> Option<usize> {
        let word = self.taken.iter().position(|word| *word != u64::MAX)?;
        Some(word * 64 + self.taken[word].trailing_ones() as usize)
    }

    fn is_empty(&self) -> bool {
        self.taken == [0; WORDS]
    }

    /// Which of its slots are taken, in order.
    fn taken(&self) -> impl Iterator<Item = usize> {
        self.taken.iter().enumerate().flat_map(|(word, bits)| {
            let rest = std::iter::successors(Some(*bits), |bits| Some(bits & bits.wrapping_sub(1)));
            rest.take_while(|bits| *bits != 0).map(move |bits| word * 64 + bits.trailing_zeros() as usize)
        })
    }
}

/// The connections of one loop.
pub(crate) struct Slots {
    pages: Vec<Option<Page>>,
    /// No page before this one has room.
    room_from: usize,
    /// An empty page that is kept, so that a connection that comes and goes alone does not pay for a page each time.
    spare: Option<Page>,
    live: usize,
    generation: u32,
}

impl Slots {
    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new(), room_from: 0, spare: None, live: 0, generation: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.live
    }

    /// A number that nothing living carries.
    pub(crate) fn stamp(&mut self) -> u32 {
        // Zero is the generation of vacant slots, and of none in the 14 bits of a narrow token.
        self.generation = self.generation.wrapping_add(1);
        if self.generation & 0x3fff == 0 {
            self.generation = self.generation.wrapping_add(1);
        }
        self.generation
    }

    /// The lowest free slot, with a generation that no live token carries.
    pub(crate) fn insert(&mut self, mut connection: Connection) -> Key {
        connection.generation = self.stamp();
        connection.request = connection.generation;
        let mut number = self.room_from;
        loop {
            if number == self.pages.len() {
                self.pages.push(None);
            }
            let page = self.pages[number].get_or_insert_with(|| self.spare.take().unwrap_or_else(Page::new));
            if let Some(free) = page.first_free() {
                page.taken[free / 64] |= 1 << (free % 64);
                page.slots[free] = connection;
                self.room_from = number;
                self.live += 1;
                return Key { slot: (number * PAGE + free) as u32, generation: self.generation };
            }
            number += 1;
        }
    }

    /// Empties the slot and gives its page back if it was the last there.
    pub(crate) fn remove(&mut self, slot: u32) -> Connection {
        let (number, at) = split(slot);
        let page = self.pages[number].as_mut().expect("a live slot has a page");
        page.taken[at / 64] &= !(1 << (at % 64));
        let connection = std::mem::replace(&mut page.slots[at], Connection::vacant());
        if page.is_empty() {
            self.spare = self.pages[number].take();
            while let Some(None) = self.pages.last() {
                self.pages.pop();
            }
        }
        self.room_from = self.room_from.min(number).min(self.pages.len());
        self.live -= 1;
        connection
    }

    /// The connection that a key names, if it still lives.
    #[inline]
    pub(crate) fn find(&mut self, key: Key) -> Option<&mut Connection> {
        let connection = self.at(key.slot)?;
        (connection.generation == key.generation).then_some(connection)
    }

    /// The connection that a packed token names, if it still lives, and its key.
    #[inline]
    pub(crate) fn unpack(&mut self, token: u64, word_bits: u32) -> Option<(Key, &mut Connection)> {
        let slot = slot_of(token, word_bits);
        let connection = self.at(slot)?;
        let key = Key { slot, generation: connection.generation };
        (key.generation != 0 && pack(key, word_bits) == token).then_some((key, connection))
    }

    #[inline]
    pub(crate) fn at(&mut self, slot: u32) -> Option<&mut Connection> {
        let (number, at) = split(slot);
        Some(&mut self.pages.get_mut(number)?.as_mut()?.slots[at])
    }

    /// The keys of all live connections, in the order of their slots.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.live().collect()
    }

    /// The same, one by one.
    pub(crate) fn live(&self) -> impl Iterator<Item = Key> {
        self.pages.iter().enumerate().filter_map(|(number, page)| Some((number, page.as_ref()?))).flat_map(
            |(number, page)| {
                page.taken()
                    .map(move |at| Key { slot: (number * PAGE + at) as u32, generation: page.slots[at].generation })
            },
        )
    }
}

impl std::ops::Index<u32> for Slots {
    type Output = Connection;

    #[inline]
    fn index(&self, slot: u32) -> &Connection {
        let (number, at) = split(slot);
        &self.pages[number].as_ref().expect("a live slot has a page").slots[at]
    }
}

impl std::ops::IndexMut<u32> for Slots {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Connection {
        let (number, at) = split(slot);
        &mut self.pages[number].as_mut().expect("a live slot has a page").slots[at]
    }
}

/// A page built on the heap; with its length in its type, an index into it needs no check.
pub(crate) fn page_of<T>(vacant: impl FnMut() -> T) -> Box<[T; PAGE]> {
    let values: Vec<T> = std::iter::repeat_with(vacant).take(PAGE).collect();
    values.try_into().unwrap_or_else(|_| unreachable!("it was built with that length"))
}

#[inline]
pub(crate) const fn split(slot: u32) -> (usize, usize) {
    (slot as usize / PAGE, slot as usize % PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nobody() {
        let mut slots = Slots::new();
        let first = slots.insert(Connection::vacant());
        slots.remove(first.slot);
        let second = slots.insert(Connection::vacant());
        assert_eq!(first.slot, second.slot);
        assert!(slots.find(first).is_none());
        assert!(slots.find(second).is_some());
        for bits in [32, 64] {
            assert!(slots.unpack(pack(first, bits), bits).is_none());
            assert_eq!(slots.unpack(pack(second, bits), bits).map(|(key, _)| key), Some(second));
        }
    }

    #[test]
    fn a_narrow_token_keeps_18_bits_of_slot_and_14_of_generation() {
        let key = Key { slot: (1 << 18) - 1, generation: 0x7fff_ffff };
        assert!(pack(key, 32) <= u64::from(u32::MAX));
        assert_eq!(slot_of(pack(key, 32), 32), key.slot);
        assert_eq!(pack(key, 32) >> 18, 0x3fff);
        assert_eq!(slot_of(pack(key, 64), 64), key.slot);
        assert_eq!(pack(key, 64) >> 32, 0x7fff_ffff);
    }

    #[test]
    fn generations_skip_what_a_vacant_slot_carries() {
        let mut slots = Slots::new();
        for _ in 0..40_000 {
            let key = slots.insert(Connection::vacant());
            assert_ne!(key.generation & 0x3fff, 0);
            slots.remove(key.slot);
        }
    }

    #[test]
    fn pages_are_given_back() {
        let mut slots = Slots::new();
        let keys: Vec<Key> = (0..3 * PAGE).map(|_| slots.insert(Connection::vacant())).collect();
        assert_eq!(slots.len(), 3 * PAGE);
        assert_eq!(slots.keys(), keys);
        for key in &keys[PAGE..] {
            slots.remove(key.slot);
        }
        assert_eq!(slots.pages.len(), 1);
        slots.remove(keys[7].slot);
        assert_eq!(slots.insert(Connection::vacant()).slot, keys[7].slot);
    }
}
