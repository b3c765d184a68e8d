//! Where peers are, as accept said: asked later the kernel may not know any more, for a reset takes the address with it. And who it
//! is whom a trusted proxy speaks for, which belongs to a request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;

use crate::side::Side;

/// The addresses of one loop's connections. Those on Unix sockets have none.
pub(crate) struct Addresses {
    /// Most peers: 6 bytes for each.
    v4: Side<Packed>,
    /// All others.
    v6: Side<SocketAddr>,
    /// Of the request under way, or of what it opened.
    clients: Side<SocketAddr>,
}

impl Addresses {
    pub(crate) const fn new() -> Self {
        Self { v4: Side::new(), v6: Side::new(), clients: Side::new() }
    }

    /// This is where the peer is. An IPv4 address in the clothes of IPv6 is what it is.
    pub(crate) fn note(&mut self, slot: u32, address: SocketAddr) {
        match (address.ip().to_canonical(), NonZeroU16::new(address.port())) {
            (IpAddr::V4(ip), Some(port)) => self.v4.insert(slot, Packed { ip: ip.octets(), port }),
            (ip, _) => self.v6.insert(slot, SocketAddr::new(ip, address.port())),
        }
    }

    /// Where the peer itself is.
    pub(crate) fn peer(&self, slot: u32) -> Option<SocketAddr> {
        let v4 = self.v4.get(slot).map(|packed| SocketAddr::V4(packed.address()));
        v4.or_else(|| self.v6.get(slot).copied())
    }

    /// Who asks: what a trusted proxy says, or else the peer.
    pub(crate) fn client(&self, slot: u32) -> Option<SocketAddr> {
        self.clients.get(slot).copied().or_else(|| self.peer(slot))
    }

    /// The request under way is from this client, says its proxy.
    pub(crate) fn learn_client(&mut self, slot: u32, client: SocketAddr) {
        self.clients.insert(slot, client);
    }

    /// The request was answered: the next may be from somebody else.
    pub(crate) fn forget_client(&mut self, slot: u32) {
        self.clients.remove(slot);
    }

    pub(crate) fn forget(&mut self, slot: u32) {
        self.v4.remove(slot);
        self.v6.remove(slot);
        self.clients.remove(slot);
    }
}

/// An IPv4 address and a port, which is never 0: so that none at all takes no more.
struct Packed {
    ip: [u8; 4],
    port: NonZeroU16,
}

impl Packed {
    const fn address(&self) -> SocketAddrV4 {
        let [a, b, c, d] = self.ip;
        SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), self.port.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_as_it_was_noted_and_is_gone_when_forgotten() {
        let mut addresses = Addresses::new();
        let all = ["0.0.0.0:0", "255.255.255.255:65535", "192.0.2.7:80", "[2001:db8::1]:443", "[::]:0"];
        for (slot, text) in (0..).zip(all) {
            let address = text.parse().expect("an address");
            addresses.note(slot, address);
            assert_eq!(addresses.peer(slot), Some(address));
        }
        addresses.note(9, "[::ffff:192.0.2.7]:80".parse().expect("an address"));
        assert_eq!(addresses.peer(9), addresses.peer(2));
        addresses.learn_client(2, "198.51.100.1:0".parse().expect("an address"));
        assert_ne!(addresses.client(2), addresses.peer(2));
        addresses.forget_client(2);
        assert_eq!(addresses.client(2), addresses.peer(2));
        (0..10).for_each(|slot| addresses.forget(slot));
        assert!((0..10).all(|slot| addresses.client(slot).is_none()));
        assert_eq!(size_of::<Option<Packed>>(), 6);
    }
}
