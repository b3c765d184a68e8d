//! Accepting: in batches, within the limits, and with a retry of its own, for a listener that ran out of descriptors gets no
//! further edge.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::Loop;
use crate::closed::Closed;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::network;
use crate::notices::Notice;
use crate::session::{Session, head};
use crate::sys::{Accepted, Sys, is_of_one_connection, is_out_of_descriptors};

/// Out of descriptors or memory: how long until the next try, in milliseconds, unless a connection closes before. Until then edges
/// of listeners change nothing, so that whoever storms a full server keeps it busy for one batch in this time.
const RETRY: u32 = 50;

/// What became of one who waited.
enum Outcome {
    Admitted,
    /// It was gone before it was accepted; behind it there may be others.
    Gone,
    /// There was no descriptor for it, and it was told so by the end.
    Shed,
    /// There is nobody, and the next to come brings an edge.
    Nobody,
    /// The machine cannot: it is asked again later.
    Failed,
}

impl<H: Handler, S: Sys> Loop<H, S> {
    pub(super) fn accept(&mut self) {
        match self.retry_accept {
            Some(at) if self.sending.now.reached(at) => {
                self.retry_accept = None;
                self.waiting.extend(0..self.wires.sys.listeners());
            }
            // All listeners are looked at then.
            Some(_) => return self.waiting.clear(),
            None => {}
        }
        self.waiting.sort_unstable();
        self.waiting.dedup();
        for listener in std::mem::take(&mut self.waiting) {
            self.accept_from(listener);
        }
    }

    /// Takes as many as may be taken in one turn.
    pub(super) fn accept_from(&mut self, listener: usize) {
        let (mut admitted, mut shed) = (false, false);
        for _ in 0..self.sending.limits.accepts {
            match self.accept_one(listener) {
                Outcome::Admitted => admitted = true,
                Outcome::Gone => {}
                Outcome::Shed => shed = true,
                Outcome::Nobody if !shed => return,
                Outcome::Nobody | Outcome::Failed => return self.accept_later(),
            }
        }
        if admitted && !shed {
            // There may be more: the listener's edge is used up, so it is remembered here.
            self.waiting.push(listener);
        } else {
            self.accept_later();
        }
    }

    fn accept_one(&mut self, listener: usize) -> Outcome {
        let error = match self.wires.sys.accept(listener) {
            Ok(accepted) => {
                self.admit(accepted);
                return Outcome::Admitted;
            }
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::WouldBlock => return Outcome::Nobody,
            io::ErrorKind::Interrupted => return Outcome::Gone,
            _ if is_of_one_connection(&error) => return Outcome::Gone,
            _ => {}
        }
        self.sending.notices.tell(self.sending.now, Notice::Accept, format_args!("nobody can be accepted: {error}"));
        if is_out_of_descriptors(&error) && self.wires.sys.shed(listener).is_ok() {
            self.sending.stats.refused += 1;
            return Outcome::Shed;
        }
        Outcome::Failed
    }

    fn accept_later(&mut self) {
        self.retry_accept = Some(self.sending.now.after(RETRY));
    }

    /// The address that a connection is counted under, if it is: many come through the loopback or a proxy of ours.
    fn counted(&self, address: SocketAddr) -> Option<IpAddr> {
        let ip = address.ip().to_canonical();
        (!ip.is_loopback() && !network::is_trusted(Some(ip), &self.rules.trusted)).then_some(ip)
    }

    /// It is not counted any more.
    pub(super) fn discount(&mut self, slot: u32) {
        let accepted = !self.sending.slots[slot].client;
        let address = self.sending.addresses.peer(slot).filter(|_| accepted);
        if let Some(ip) = address.and_then(|address| self.counted(address)) {
            self.sending.ledger.release_from(ip);
        }
    }

    fn refuse(&mut self, socket: S::Socket, why: &str) {
        self.sending.stats.refused += 1;
        self.sending.notices.tell(self.sending.now, Notice::Refused, format_args!("a connection is refused: {why}"));
        self.wires.sys.close(socket);
    }

    /// Gives a socket its connection, or closes it without a word where the limits do not admit it.
    fn admit(&mut self, accepted: Accepted<S::Socket>) {
        let Accepted { socket, address, loopback, short_read_drains } = accepted;
        if self.drained_at.is_some() {
            return self.refuse(socket, "the server is stopping");
        }
        // Before room is made for it: nobody else is to go for one who may not come.
        let counted = address.and_then(|address| self.counted(address));
        if counted.is_some_and(|ip| !self.sending.ledger.admit_from(ip)) {
            return self.refuse(socket, "its address has as many connections as it may");
        }
        if !self.sending.admit_newcomer() {
            counted.into_iter().for_each(|ip| self.sending.ledger.release_from(ip));
            return self.refuse(socket, "there are as many connections as there may be, or no memory is left");
        }
        let session = Session::Head(head::Head::first(self.sending.limits.head));
        let mut connection = Connection::new(session, self.sending.now);
        (connection.loopback, connection.short_read_drains) = (loopback, short_read_drains);
        let key = self.sending.insert(connection);
        if let Some(address) = address {
            self.sending.addresses.note(key.slot, address);
        }
        self.sending.stats.accepted += 1;
        if self.wires.attach(key, socket).is_err() {
            return self.remove(key, Closed::Gone);
        }
        // Registering both interests gives an edge for writing at once; it comes with the one for reading, if there is one.
        self.sending.settle(key.slot);
    }
}
