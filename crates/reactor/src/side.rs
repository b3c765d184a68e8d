//! `Side`: values under the same numbers as the connections, in pages of their own, which are given back when they are empty.

use crate::slots::{PAGE, page_of, split};

/// See the top of this file.
pub(crate) struct Side<T> {
    pages: Vec<Option<Leaf<T>>>,
    spare: Option<Leaf<T>>,
}

struct Leaf<T> {
    live: usize,
    values: Box<[Option<T>; PAGE]>,
}

impl<T> Side<T> {
    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new(), spare: None }
    }

    pub(crate) fn insert(&mut self, slot: u32, value: T) {
        let (number, at) = split(slot);
        if self.pages.len() <= number {
            self.pages.resize_with(number + 1, || None);
        }
        let page = self.pages[number]
            .get_or_insert_with(|| self.spare.take().unwrap_or_else(|| Leaf { live: 0, values: page_of(|| None) }));
        if page.values[at].replace(value).is_none() {
            page.live += 1;
        }
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        let (number, at) = split(slot);
        self.pages.get(number)?.as_ref()?.values[at].as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let (number, at) = split(slot);
        self.pages.get_mut(number)?.as_mut()?.values[at].as_mut()
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.pages.iter().flatten().map(|page| page.live).sum()
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let (number, at) = split(slot);
        let page = self.pages.get_mut(number)?.as_mut()?;
        let value = page.values[at].take()?;
        page.live -= 1;
        if page.live == 0 {
            self.spare = self.pages[number].take();
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_given_back() {
        let mut side = Side::new();
        let all = 0..3 * PAGE as u32;
        all.clone().for_each(|slot| side.insert(slot, slot));
        for slot in all.skip(PAGE) {
            assert_eq!(side.remove(slot), Some(slot));
        }
        assert_eq!((side.len(), side.pages.iter().flatten().count()), (PAGE, 1));
        assert_eq!((side.get(7), side.get(PAGE as u32)), (Some(&7), None));
        assert_eq!(side.get_mut(8), Some(&mut 8));
    }

    #[test]
    fn a_value_that_comes_and_goes_alone_comes_back_into_the_same_page() {
        let mut side = Side::new();
        let mut places = (0..3).map(|value| {
            side.insert(200, value);
            let place = std::ptr::from_ref(side.get(200).expect("a value")).addr();
            assert_eq!(side.remove(200), Some(value));
            place
        });
        let first = places.next();
        assert!(places.all(|place| Some(place) == first));
    }
}
