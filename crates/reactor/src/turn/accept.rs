//! Accepting: in batches, within the limits, and with a retry of its own, for a listener that ran out of descriptors gets no
//! further edge.

use std::io;

use super::Loop;
use crate::connection::Connection;
use crate::handler::{Closed, Handler};
use crate::network;
use crate::notices::Notice;
use crate::session::{Session, head};
use crate::sys::{Accepted, Sys, is_of_one_connection, is_out_of_descriptors};

/// Out of descriptors or memory: how long until the next try, in milliseconds, unless a connection closes before.
const RETRY: u32 = 50;

/// How accepting from one listener goes on.
enum Next {
    /// There may be more.
    Again,
    /// There is no more, and the next to come brings an edge.
    Drained,
    /// The machine cannot: it is asked again later.
    Later,
}

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

    /// Takes whom the limits admit for one turn.
    pub(super) fn accept_from(&mut self, listener: usize) {
        let mut admitted = 0;
        for _ in 0..self.sending.limits.accepts {
            let next = match self.wires.sys.accept(listener) {
                Ok(accepted) => {
                    admitted += 1;
                    self.admit(accepted);
                    Next::Again
                }
                Err(error) => self.not_accepted(listener, &error),
            };
            match next {
                Next::Again => {}
                Next::Drained => return,
                Next::Later => return self.accept_later(),
            }
        }
        if admitted == 0 {
            // Nothing but failures: the next ones can wait, or they would keep the loop busy.
            return self.accept_later();
        }
        // There may be more: the listener's edge is used up, so it is remembered here.
        self.waiting.push(listener);
    }

    fn not_accepted(&mut self, listener: usize, error: &io::Error) -> Next {
        match error.kind() {
            io::ErrorKind::WouldBlock => return Next::Drained,
            io::ErrorKind::Interrupted => return Next::Again,
            // It was gone before it was accepted; behind it there may be others.
            _ if is_of_one_connection(error) => return Next::Again,
            _ => {}
        }
        self.sending.notices.tell(self.sending.now, Notice::Accept, format_args!("nobody can be accepted: {error}"));
        // Whom nobody can serve is told so by the end, instead of waiting for nothing.
        if is_out_of_descriptors(error) && self.wires.sys.shed(listener).is_ok() {
            self.sending.stats.refused += 1;
            return Next::Again;
        }
        Next::Later
    }

    fn accept_later(&mut self) {
        self.retry_accept = Some(self.sending.now.after(RETRY));
    }

    /// Gives a socket its connection, or closes it without a word where the limits do not admit it.
    fn admit(&mut self, accepted: Accepted<S::Socket>) {
        let Accepted { socket, address, loopback, short_read_drains } = accepted;
        if self.drained_at.is_some() || !self.sending.ledger.admit() {
            self.sending.stats.refused += 1;
            return self.wires.sys.close(socket);
        }
        let trusted = &self.rules.trusted;
        let counted = address.map(|address| address.ip().to_canonical());
        let counted = counted.filter(|ip| !ip.is_loopback() && !network::is_trusted(Some(*ip), trusted));
        let block = counted.map(|ip| self.sending.ledger.admit_from(ip));
        if block == Some(None) {
            self.sending.ledger.release();
            self.sending.stats.refused += 1;
            return self.wires.sys.close(socket);
        }
        let session = Session::Head(head::Head::first(self.sending.limits.head));
        let mut connection = Connection::new(session, self.sending.now);
        (connection.loopback, connection.short_read_drains) = (loopback, short_read_drains);
        let key = self.sending.take_in(connection);
        if let Some(block) = block.flatten() {
            self.blocks.insert(key.slot, block);
        }
        self.sending.stats.accepted += 1;
        if self.wires.attach(key, socket).is_err() {
            return self.remove(key, Closed::Gone);
        }
        // Registering both interests gives an edge for writing at once; it comes with the one for reading, if there is one.
        self.sending.settle(key.slot);
    }
}
