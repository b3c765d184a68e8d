//! How many connections come from each address, for the whole process. Counted at accept and at close, so a lock is no matter.
//!
//! An IPv6 network of 64 bits counts as one address: whoever has one such address usually has them all (RFC 6177 §2).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An IPv4 address or an IPv6 network of 64 bits, in one word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Block(NonZeroU64);

impl Block {
    pub(crate) fn of(address: IpAddr) -> Self {
        // No IPv6 unicast network begins with 32 set bits (RFC 4291 §2.4): that is where IPv4 has its place.
        const IPV4: u64 = 0xffff_ffff << 32;
        let word = match address.to_canonical() {
            IpAddr::V4(address) => IPV4 | u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        };
        // The network of :: has no hosts but the loopback address, which is not counted.
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MAX))
    }
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Mutex<BTreeMap<Block, u32>>);

impl Crowd {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<Block, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more, unless there are `most` already.
    pub(crate) fn enter(&self, block: Block, most: usize) -> bool {
        let mut counts = self.counts();
        let count = counts.entry(block).or_default();
        let admitted = (*count as usize) < most;
        if admitted {
            *count += 1;
        } else if *count == 0 {
            counts.remove(&block);
        }
        admitted
    }

    pub(crate) fn leave(&self, block: Block) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(&block) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> Block {
        Block::of(address.parse().expect("an address"))
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address_and_a_mapped_address_as_itself() {
        assert_eq!(block("2001:db8::1"), block("2001:db8::ffff:1"));
        assert_ne!(block("2001:db8::1"), block("2001:db8:0:1::1"));
        assert_ne!(block("192.0.2.1"), block("192.0.2.2"));
        assert_eq!(block("192.0.2.1"), block("::ffff:192.0.2.1"));
        assert_eq!(size_of::<Option<Block>>(), 8);
    }

    #[test]
    fn who_leaves_makes_room_and_nothing_is_kept_of_who_is_gone() {
        let crowd = Crowd::default();
        let (one, two) = (block("192.0.2.1"), block("2001:db8::1"));
        assert!(crowd.enter(one, 2) && crowd.enter(one, 2) && crowd.enter(two, 2));
        assert!(!crowd.enter(one, 2));
        crowd.leave(one);
        assert!(crowd.enter(one, 2));
        for block in [one, one, two] {
            crowd.leave(block);
        }
        assert!(!crowd.enter(one, 0), "nobody at all");
        assert!(crowd.counts().is_empty());
    }
}
