//! Accepting: in batches, within the limits, and with a retry of its own, for a listener that ran out of descriptors gets no
//! further edge.

use std::io;

use super::Loop;
use crate::connection::Connection;
use crate::handler::{Closed, Handler};
use crate::session::{Session, head};
use crate::sys::{Accepted, Sys, is_out_of_descriptors};

impl<H: Handler, S: Sys> Loop<H, S> {
    pub(super) fn accept(&mut self) {
        if self.retry_accept.is_some_and(|at| self.sending.now.reached(at)) {
            self.retry_accept = None;
            self.waiting.extend(0..self.wires.sys.listeners());
        }
        self.waiting.sort_unstable();
        self.waiting.dedup();
        for listener in std::mem::take(&mut self.waiting) {
            self.accept_from(listener);
        }
    }

    pub(super) fn accept_from(&mut self, listener: usize) {
        /// Out of descriptors or memory: how long until the next try, unless a connection closes before.
        const RETRY: u32 = 50;
        for _ in 0..self.sending.limits.accepts {
            match self.wires.sys.accept(listener) {
                Ok(accepted) => self.admit(accepted),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ if is_out_of_descriptors(&error) && self.wires.sys.shed(listener).is_ok() => {
                        self.sending.stats.refused += 1;
                    }
                    _ => {
                        self.retry_accept = Some(self.sending.now.after(RETRY));
                        return;
                    }
                },
            }
        }
        // There may be more: the listener's edge is used up, so it is remembered here.
        self.waiting.push(listener);
    }

    pub(super) fn admit(&mut self, accepted: Accepted<S::Socket>) {
        let Accepted { socket, loopback, short_read_drains, .. } = accepted;
        if self.drained_at.is_some() || !self.sending.ledger.admit() {
            self.sending.stats.refused += 1;
            return self.wires.sys.close(socket);
        }
        let session = Session::Head(head::Head::first(self.sending.limits.head));
        let mut connection = Connection::new(session, self.sending.now);
        (connection.loopback, connection.short_read_drains) = (loopback, short_read_drains);
        let key = self.sending.slots.insert(connection);
        self.sending.stats.accepted += 1;
        if self.wires.attach(key, socket).is_err() {
            return self.remove(key, Closed::Gone);
        }
        // Registering both interests gives an edge for writing at once; it comes with the one for reading, if there is one.
        self.sending.settle(&mut self.wires, key.slot);
    }
}
