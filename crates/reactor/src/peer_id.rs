//! The name of a peer.

/// Names what a request opened, or the request itself: which loop, which slot, and which of the requests that were there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerId {
    pub(crate) home: u32,
    pub(crate) slot: u32,
    /// New with every request: behind a proxy each may be another person's.
    pub(crate) request: u32,
}

impl std::fmt::Display for PeerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.home, self.slot, self.request)
    }
}
