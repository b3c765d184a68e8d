//! The numbers of a loop.

/// What a loop has done and holds. Plain numbers of one loop; add those of several with `+`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections that are open now.
    pub connections: u64,
    /// Bytes that they pin beside their slots.
    pub pinned: u64,
    /// Connections accepted so far.
    pub accepted: u64,
    /// Connections refused at accept, for lack of room or descriptors.
    pub refused: u64,
    /// Requests answered, or refused.
    pub requests: u64,
    /// WebSockets opened.
    pub web_sockets: u64,
    /// Event streams opened.
    pub streams: u64,
    /// Messages received.
    pub messages_in: u64,
    /// Messages and events sent to one peer.
    pub messages_out: u64,
    /// Publications.
    pub published: u64,
    /// Messages, events and publications dropped at a bound.
    pub dropped: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes that came out of compressed messages.
    pub inflated: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Callbacks that panicked.
    pub panics: u64,
}

/// Counts what is counted for each message. Nobody counts to the end of 64 bits, so nobody looks whether that was it.
#[inline]
pub(crate) const fn count(what: &mut u64, more: u64) {
    *what = what.wrapping_add(more);
}

impl std::ops::Add for Stats {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            pinned: self.pinned + other.pinned,
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            requests: self.requests + other.requests,
            web_sockets: self.web_sockets + other.web_sockets,
            streams: self.streams + other.streams,
            messages_in: self.messages_in + other.messages_in,
            messages_out: self.messages_out + other.messages_out,
            published: self.published + other.published,
            dropped: self.dropped + other.dropped,
            bytes_in: self.bytes_in + other.bytes_in,
            inflated: self.inflated + other.inflated,
            bytes_out: self.bytes_out + other.bytes_out,
            panics: self.panics + other.panics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_each_number() {
        let counted = |by: u64| Stats {
            connections: by,
            pinned: 2 * by,
            accepted: 3 * by,
            refused: 4 * by,
            requests: 5 * by,
            web_sockets: 6 * by,
            streams: 7 * by,
            messages_in: 8 * by,
            messages_out: 9 * by,
            published: 10 * by,
            dropped: 11 * by,
            bytes_in: 12 * by,
            inflated: 13 * by,
            bytes_out: 14 * by,
            panics: 15 * by,
        };
        assert_eq!(counted(1) + counted(100), counted(101));
    }
}
