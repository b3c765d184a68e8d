//! A visit: everything that can be done for one connection now. Its queue goes out, its socket is read until it is drained or
//! the budget is spent, the session decodes in place, and what the callbacks sent goes out in one write.

use std::io;

use super::Loop;
use crate::handler::{Closed, Handler};
use crate::queue::growth;
use crate::sending::broken;
use crate::session::input::Input;
use crate::session::{Session, Visit, opening, web_socket};
use crate::slots::Key;
use crate::sys::Sys;

impl<H: Handler, S: Sys> Loop<H, S> {
    /// Everything that can be done for one connection now. With `try_read`, one read is tried even if no edge promises one.
    pub(super) fn visit(&mut self, key: Key, try_read: bool) {
        let connection = &mut self.sending.slots[key.slot];
        connection.readable |= try_read;
        if connection.ending {
            return;
        }
        if opening::is_connecting(&connection.session) && !self.finish_connecting(key) {
            return;
        }
        self.write_queue(key);
        let emptied = std::mem::take(&mut self.sending.slots[key.slot].emptied);
        self.sending.cork(key.slot);
        let input = self.sending.slots[key.slot].input.take();
        let mut visit = self.visit_of(key, input);
        opening::connected(&mut visit);
        if emptied && visit.connection().session.is_open() {
            visit.call(|handler, peer| handler.drained(peer));
        }
        let input = visit.input.take();
        let mut buffer = std::mem::take(&mut self.receive);
        let (input, ended) = self.read(key, input, &mut buffer);
        self.receive = buffer;
        self.sending.uncork(&mut self.wires, key.slot);
        self.keep(key, input);
        self.after_visit(key, ended);
    }

    pub(super) fn visit_of(&mut self, key: Key, input: Option<Box<Input>>) -> Visit<'_, H> {
        Visit {
            handler: &mut self.handler,
            users: &mut self.users,
            sending: &mut self.sending,
            machine: &mut self.wires,
            rules: &self.rules,
            reply: &mut self.reply,
            key,
            input,
        }
    }

    /// Learns how a connection of ours came out. `false` if it is gone or not decided.
    pub(super) fn finish_connecting(&mut self, key: Key) -> bool {
        if self.sending.slots[key.slot].blocked {
            return false;
        }
        match self.wires.connected(key.slot) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                // A spurious edge: it is not decided yet.
                self.sending.slots[key.slot].blocked = true;
                false
            }
            Err(_) => {
                self.remove(key, Closed::Refused);
                false
            }
        }
    }

    pub(super) fn write_queue(&mut self, key: Key) {
        let connection = &mut self.sending.slots[key.slot];
        if connection.blocked || !connection.waits() {
            return;
        }
        let drained = self.sending.write_queue(&mut self.wires, key.slot);
        let now = self.sending.now;
        let connection = &mut self.sending.slots[key.slot];
        match &mut connection.session {
            // The pong clock starts when the ping's last byte has left …
            Session::WebSocket(socket) if drained => socket.pinged = socket.pinged.map(|_| now),
            // … and the peer may think about its next request from when the last answer has.
            Session::Head(head) if drained && head.is_between_requests() => connection.since = now,
            _ => {}
        }
    }

    /// Reads and decodes until the socket is drained, the session has enough or the budget is spent. Returns what is left of
    /// the input, and how the reading ended if it did.
    pub(super) fn read(
        &mut self,
        key: Key,
        mut input: Option<Box<Input>>,
        buffer: &mut [u8],
    ) -> (Option<Box<Input>>, Option<Closed>) {
        let mut budget = self.sending.limits.visit;
        let mut ended = None;
        loop {
            let connection = &mut self.sending.slots[key.slot];
            if connection.paused || connection.ending || (connection.finished && !connection.unread) {
                break;
            }
            if let Session::Later(_) = connection.session {
                break;
            }
            let front = match &mut input {
                Some(input) if connection.session.carries() && !input.carry.is_empty() => {
                    let carry = std::mem::take(&mut input.carry);
                    buffer[..carry.len()].copy_from_slice(&carry);
                    carry.len()
                }
                _ => 0,
            };
            let unread = std::mem::replace(&mut connection.unread, false);
            if unread && front > 0 {
                let mut visit = self.visit_of(key, input);
                let used = visit.receive(&mut buffer[..front]);
                input = visit.input.take();
                carry(&mut input, &buffer[used..front]);
                continue;
            }
            if !connection.readable || budget == 0 {
                carry(&mut input, &buffer[..front]);
                break;
            }
            if front == 0 {
                let direct = web_socket::direct(&self.sending, key, input.as_deref()).min(budget);
                if direct > 0 {
                    let (rest, outcome) = self.read_directly(key, input, direct);
                    input = rest;
                    match outcome {
                        Ok(read) => budget -= read.min(budget),
                        Err(why) => {
                            ended = Some(why);
                            break;
                        }
                    }
                    continue;
                }
            }
            let space = (buffer.len() - front).min(self.sending.limits.receive);
            match self.wires.read(key.slot, &mut buffer[front..front + space]) {
                Ok(0) => {
                    carry(&mut input, &buffer[..front]);
                    self.sending.slots[key.slot].finished = true;
                    self.sending.slots[key.slot].readable = false;
                    break;
                }
                Ok(read) => {
                    budget -= read.min(budget);
                    self.heard(key, read, space);
                    let mut visit = self.visit_of(key, input);
                    let used = visit.receive(&mut buffer[..front + read]);
                    input = visit.input.take();
                    carry(&mut input, &buffer[used..front + read]);
                }
                Err(error) => {
                    carry(&mut input, &buffer[..front]);
                    if let Some(why) = self.read_failed(key, &error) {
                        ended = Some(why);
                        break;
                    }
                    if error.kind() != io::ErrorKind::Interrupted {
                        break;
                    }
                }
            }
        }
        (input, ended)
    }

    /// Reads a large binary message straight into its place.
    pub(super) fn read_directly(
        &mut self,
        key: Key,
        mut input: Option<Box<Input>>,
        most: usize,
    ) -> (Option<Box<Input>>, Result<usize, Closed>) {
        let Some(assembly) = input.as_mut().and_then(|input| input.assembly.as_mut()) else {
            return (input, Ok(0));
        };
        let grows = growth(assembly.message().len(), assembly.capacity(), most);
        if grows > 0 && !self.sending.make_room(key.slot, grows) {
            self.sending.end_and_cut(key.slot, Closed::NoRoom);
            return (None, Ok(0));
        }
        let place = assembly.place(most);
        let space = place.len();
        match self.wires.read(key.slot, place) {
            Ok(0) => {
                let connection = &mut self.sending.slots[key.slot];
                (connection.finished, connection.readable) = (true, false);
                (input, Ok(0))
            }
            Ok(read) => {
                self.heard(key, read, space);
                let mut visit = self.visit_of(key, input);
                web_socket::received_directly(&mut visit, read);
                (visit.input.take(), Ok(read))
            }
            Err(error) => {
                let failed = self.read_failed(key, &error);
                (input, failed.map_or(Ok(0), Err))
            }
        }
    }

    /// Bytes came: the connection lives, and a short read means that there are no more.
    pub(super) fn heard(&mut self, key: Key, read: usize, space: usize) {
        self.sending.stats.bytes_in += read as u64;
        let now = self.sending.now;
        let connection = &mut self.sending.slots[key.slot];
        match &mut connection.session {
            // On a stream only what we send counts.
            Session::Events(_) => {}
            Session::WebSocket(socket) => {
                socket.pinged = None;
                connection.heard = now;
            }
            _ => connection.heard = now,
        }
        if read < space && connection.short_read_drains && !connection.read_closed {
            connection.readable = false;
        }
    }

    pub(super) fn read_failed(&mut self, key: Key, error: &io::Error) -> Option<Closed> {
        let connection = &mut self.sending.slots[key.slot];
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                connection.readable = false;
                None
            }
            io::ErrorKind::Interrupted => None,
            kind => Some(broken(kind)),
        }
    }

    /// Puts the input back into its slot, if there is anything in it.
    pub(super) fn keep(&mut self, key: Key, input: Option<Box<Input>>) {
        let connection = &mut self.sending.slots[key.slot];
        connection.input = input.filter(|input| !input.is_empty());
        if connection.paused && connection.session.carries() {
            connection.unread |= connection.input.as_ref().is_some_and(|input| !input.carry.is_empty());
        }
    }

    /// Decides what the visit's end means: gone, closing, again, or nothing to do.
    pub(super) fn after_visit(&mut self, key: Key, ended: Option<Closed>) {
        if let Some(why) = ended {
            return self.remove(key, why);
        }
        self.run_endings();
        let Some(connection) = self.sending.slots.find(key) else { return };
        if connection.broken && matches!(connection.session, Session::Later(_)) {
            // It is not read while it waits, so no read would tell.
            return self.remove(key, Closed::Gone);
        }
        if connection.finished {
            match connection.session {
                // Plain requests are still answered; half a request never will be one.
                Session::Later(_) => {}
                Session::Head(_) | Session::Body(_) if connection.unread => {}
                Session::Head(_) | Session::Body(_) => return self.close_when_sent(key),
                Session::WebSocket(_) | Session::Events(_) | Session::Opening(_) => {
                    return self.remove(key, Closed::Gone);
                }
                Session::Closing(_) => {}
            }
        }
        if matches!(self.sending.slots[key.slot].session, Session::Closing(_)) && !self.proceed_closing(key) {
            return;
        }
        let connection = &mut self.sending.slots[key.slot];
        // What made it pause left with the end of the visit after all.
        connection.paused &= connection.waits();
        let reads = (connection.readable || connection.unread) && !connection.paused && !connection.finished;
        let reads = reads && !matches!(connection.session, Session::Later(_));
        let writes = !connection.blocked && connection.waits();
        if reads || writes || (connection.unread && !connection.paused) {
            self.sending.ready.push(&mut self.sending.slots, key);
        }
        self.sending.settle(key.slot);
    }

    /// Our half is closed behind the last byte; the peer's FIN then ends it. `false` if the connection is gone.
    pub(super) fn proceed_closing(&mut self, key: Key) -> bool {
        let connection = &mut self.sending.slots[key.slot];
        if connection.waits() {
            return true;
        }
        if connection.finished {
            self.remove(key, Closed::Gone);
            return false;
        }
        if let Session::Closing(closing) = &mut connection.session
            && !std::mem::replace(&mut closing.shut, true)
        {
            connection.since = self.sending.now;
            self.wires.shutdown(key.slot);
        }
        true
    }

    pub(super) fn close_when_sent(&mut self, key: Key) {
        self.visit_of(key, None).become_session(Session::closing());
        let connection = &self.sending.slots[key.slot];
        if !connection.waits() {
            return self.remove(key, Closed::Gone);
        }
        if !connection.blocked {
            // A signal came before the write: no edge is owed.
            self.sending.ready.push(&mut self.sending.slots, key);
        }
        self.sending.settle(key.slot);
    }

    /// Gives everything back, and tells the application if it had something open.
    pub(super) fn remove(&mut self, key: Key, why: Closed) {
        let mut visit = self.visit_of(key, None);
        visit.finish(why);
        visit.gone(why);
        self.wires.close(key.slot);
        self.discount(key.slot);
        self.sending.let_go(key);
        if self.retry_accept.is_some() {
            // A descriptor is free again: whoever waits need not wait for the timer.
            self.retry_accept = Some(self.sending.now);
        }
    }

    /// A visit that does not read.
    pub(super) fn with_visit(&mut self, key: Key, act: impl FnOnce(&mut Visit<'_, H>)) {
        self.sending.cork(key.slot);
        let input = self.sending.slots[key.slot].input.take();
        let mut visit = self.visit_of(key, input);
        act(&mut visit);
        let input = visit.input.take();
        self.sending.uncork(&mut self.wires, key.slot);
        self.keep(key, input);
        self.after_visit(key, None);
    }
}

/// Keeps what the session did not take.
fn carry(input: &mut Option<Box<Input>>, rest: &[u8]) {
    if !rest.is_empty() {
        input.get_or_insert_with(Box::default).carry.extend_from_slice(rest);
    }
}
