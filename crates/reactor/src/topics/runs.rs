//! What one subscriber is sent: runs of bytes, which lie in the buffers of topics.

/// Runs of bytes for one subscriber: usually one, and then nothing is allocated for it.
#[derive(Default)]
pub(crate) struct Runs<'t> {
    first: &'t [u8],
    others: Vec<&'t [u8]>,
}

impl<'t> Runs<'t> {
    pub(super) fn push(&mut self, run: &'t [u8]) {
        if self.first.is_empty() {
            self.first = run;
        } else {
            self.others.push(run);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'t [u8]> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// The one run, if there is only one.
    pub(crate) fn only(&self) -> Option<&'t [u8]> {
        self.others.is_empty().then_some(self.first)
    }

    pub(crate) fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        self.iter().map(<[u8]>::len).sum()
    }

    pub(crate) fn concat(&self) -> Vec<u8> {
        self.iter().collect::<Vec<_>>().concat()
    }
}
