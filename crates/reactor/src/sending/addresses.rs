//! Where peers are, beside what the machine knows.

use std::net::SocketAddr;

use crate::slots::Side;
use crate::wire::Machine;

/// See the top of this file.
pub(crate) struct Addresses {
    /// Where the request under way came from, or what it opened, if a trusted proxy says so.
    clients: Side<SocketAddr>,
    /// Where peers themselves are, if that was asked for the access log or they are proxies that told of a client.
    peers: Side<SocketAddr>,
}

impl Addresses {
    pub(super) const fn new() -> Self {
        Self { clients: Side::new(), peers: Side::new() }
    }

    /// Where a peer is: what a trusted proxy says of it, or else what the machine does.
    pub(crate) fn of(&mut self, machine: &mut dyn Machine, slot: u32) -> Option<SocketAddr> {
        self.clients.get(slot).copied().or_else(|| self.of_peer(machine, slot))
    }

    /// Where the peer itself is.
    pub(crate) fn of_peer(&mut self, machine: &mut dyn Machine, slot: u32) -> Option<SocketAddr> {
        self.peers.get(slot).copied().or_else(|| machine.peer_address(slot))
    }

    /// Where a peer is; and what the machine says is kept.
    pub(crate) fn of_and_keep(&mut self, machine: &mut dyn Machine, slot: u32) -> Option<SocketAddr> {
        let address = self.of(machine, slot);
        if let Some(address) = address.filter(|_| self.clients.get(slot).is_none()) {
            self.peers.insert(slot, address);
        }
        address
    }

    /// The request under way is from this client, says this proxy.
    pub(crate) fn learn_client(&mut self, slot: u32, client: SocketAddr, proxy: Option<SocketAddr>) {
        self.clients.insert(slot, client);
        if let Some(proxy) = proxy {
            self.peers.insert(slot, proxy);
        }
    }

    /// The request was answered: the next may be from somebody else.
    pub(crate) fn forget_client(&mut self, slot: u32) {
        self.clients.remove(slot);
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, slot: u32) {
        self.clients.remove(slot);
        self.peers.remove(slot);
    }
}
