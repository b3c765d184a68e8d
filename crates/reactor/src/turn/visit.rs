//! A visit: everything that can be done for one connection now. Its queue goes out, its socket is read until it is drained or
//! the budget is spent, the session decodes in place, and what the callbacks sent goes out in one write.

use std::io;

use super::Loop;
use crate::carry::Carry;
use crate::closed::Closed;
use crate::handler::Handler;
use crate::sending::{Sending, Work, broken};
use crate::session::input::Input;
use crate::session::{AtFin, Session, Visit, opening};
use crate::session::{web_socket, whole};
use crate::slots::Key;
use crate::sys::Sys;

impl<H: Handler, S: Sys> Loop<H, S> {
    /// Everything that can be done for one connection now. With `try_read`, one read is tried even if no edge promises one.
    pub(super) fn visit(&mut self, key: Key, try_read: bool) {
        let connection = &mut self.sending.slots[key.slot];
        connection.readable |= try_read;
        if connection.only_reads() {
            return self.visit_that_only_reads(key);
        }
        if connection.ending {
            return;
        }
        let opens = matches!(connection.session, Session::Opening(_));
        if opens && opening::is_connecting(&connection.session) && !self.finish_connecting(key) {
            return;
        }
        if self.sending.slots[key.slot].output.is_some() {
            self.sending.write_queue(&mut self.wires, key.slot);
        }
        self.sending.cork.begin(key.slot);
        let connection = &mut self.sending.slots[key.slot];
        let emptied = std::mem::take(&mut connection.emptied);
        let mut input = connection.input.take();
        if emptied || opens {
            let mut visit = self.visit_of(key, &mut input);
            opening::connected(&mut visit);
            if emptied && visit.connection().session.is_open() {
                // First what was dropped before there was room again, for `drained` is where it is told.
                visit.tell_drops();
                visit.call(|handler, peer| handler.drained(peer));
            }
        }
        self.sending.work.begin_visit(self.sending.limits.visit);
        self.visit_on(key, input, None);
    }

    /// The visit that most visits are: of a WebSocket on which nothing is begun and for which nothing waits. What comes is read at once,
    /// and whole messages are taken from where they lie. What else there is goes the way of any visit, from there on.
    fn visit_that_only_reads(&mut self, key: Key) {
        let Self { handler, users, sending, wires, receive, .. } = self;
        sending.cork.begin(key.slot);
        sending.work.begin_visit(sending.limits.visit);
        let space = receive.len().min(sending.slots[key.slot].session.reads_at_most(&sending.limits));
        let read = wires.read(key.slot, &mut receive[..space]);
        let Some(length) = read.as_ref().ok().copied().filter(|length| (1..space).contains(length)) else {
            return self.visit_on(key, None, Some((space, read)));
        };
        sending.has_read(length);
        let connection = &mut sending.slots[key.slot];
        (connection.heard, connection.readable) = (sending.now, false);
        let way = Sending::way_to(connection, &sending.limits);

        let taken = whole::receive(handler, users, sending, wires, key, way, &mut receive[..length]);
        if taken.is_calm() {
            if space < sending.limits.receive {
                sending.slots[key.slot].session.forget_long();
            }
            if !sending.uncork(wires, key.slot) {
                self.after_visit(key, None);
            }
            return;
        }
        let mut buffer = std::mem::take(receive);
        let mut input = None;
        let mut visit = self.visit_of(key, &mut input);
        let used = whole::conclude(&mut visit, taken);
        visit.pause_if_full();
        if used < length {
            self.decode(key, &mut input, &mut buffer[used..length]);
        }
        self.receive = buffer;
        self.visit_on(key, input, None);
    }

    /// A visit goes on, or is done with: with what was read already into so much space, if that was tried.
    fn visit_on(&mut self, key: Key, mut input: Option<Box<Input>>, read: Option<(usize, io::Result<usize>)>) {
        let mut buffer = std::mem::take(&mut self.receive);
        let first = read.map_or(Ok(()), |read| self.take_in(key, &mut input, &mut buffer, 0, read));
        let ended = first.and_then(|()| self.read(key, &mut input, &mut buffer)).err();
        self.receive = buffer;
        self.sending.uncork(&mut self.wires, key.slot);
        if input.is_some() {
            self.keep(key, input);
        }
        self.after_visit(key, ended);
    }

    #[inline]
    pub(super) fn visit_of<'v>(&'v mut self, key: Key, input: &'v mut Option<Box<Input>>) -> Visit<'v, H> {
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

    /// Learns how a connection of ours came out. `false` if it is gone or not decided. What could not be opened has failed
    /// (RFC 6455 §4.1).
    fn finish_connecting(&mut self, key: Key) -> bool {
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

    /// Reads and decodes until the socket is drained, the session has enough or the budget is spent.
    ///
    /// # Errors
    /// The connection broke, for this reason.
    fn read(&mut self, key: Key, input: &mut Option<Box<Input>>, buffer: &mut [u8]) -> Result<(), Closed> {
        loop {
            let connection = &mut self.sending.slots[key.slot];
            if !connection.wants_read() {
                return Ok(());
            }
            if std::mem::take(&mut connection.left_over) {
                self.look_on(key, input);
                continue;
            }
            let left = self.sending.work.left();
            if left == 0 {
                return Ok(());
            }
            let to_come = input.as_ref().map_or(0, |input| web_socket::left_to_place(&self.sending, key, input));
            match to_come.min(left.saturating_mul(Work::COPIED)) {
                0 => self.read_shared(key, input, buffer)?,
                most => self.read_in_place(key, input, most, to_come)?,
            }
        }
    }

    /// Reads into the shared buffer, behind what must be contiguous with it.
    fn read_shared(&mut self, key: Key, input: &mut Option<Box<Input>>, buffer: &mut [u8]) -> Result<(), Closed> {
        let front = input.as_mut().map_or(0, |input| bring_to_front(&mut input.carry, buffer));
        let most = self.sending.slots[key.slot].session.reads_at_most(&self.sending.limits);
        let space = (buffer.len() - front).min(most);
        let read = self.wires.read(key.slot, &mut buffer[front..front + space]);
        self.take_in(key, input, buffer, front, (space, read))
    }

    /// Takes in what was read into the shared buffer, where there was so much space behind the first `front` bytes.
    fn take_in(
        &mut self,
        key: Key,
        input: &mut Option<Box<Input>>,
        buffer: &mut [u8],
        front: usize,
        (space, read): (usize, io::Result<usize>),
    ) -> Result<(), Closed> {
        let read = self.note_read(key, read, space)?;
        if read > 0 {
            self.sending.has_read(read);
            self.decode(key, input, &mut buffer[..front + read]);
        } else {
            keep_rest(input, &buffer[..front]);
        }
        Ok(())
    }

    /// Gives bytes to the session, and keeps what it does not take.
    fn decode(&mut self, key: Key, input: &mut Option<Box<Input>>, bytes: &mut [u8]) {
        let used = self.visit_of(key, input).receive(bytes);
        if used < bytes.len() {
            keep_rest(input, &bytes[used..]);
        }
    }

    /// Gives the session what was read in an earlier visit, where it lies. Nothing is read for it, but it is as much work as then.
    fn look_on(&mut self, key: Key, input: &mut Option<Box<Input>>) {
        // Behind it there may be the pong that is awaited.
        self.sending.slots[key.slot].hears(self.sending.now);
        let mut carry = input.as_mut().map(|input| std::mem::take(&mut input.carry)).unwrap_or_default();
        let used = self.visit_of(key, input).receive(carry.rest());
        self.sending.work.read(used);
        carry.use_up(used);
        if !carry.is_empty() {
            input.get_or_insert_default().carry = carry;
        }
    }

    /// Reads a large binary message straight into its place: at most so much now, of a frame of which so much is to come.
    fn read_in_place(
        &mut self,
        key: Key,
        input: &mut Option<Box<Input>>,
        most: usize,
        to_come: usize,
    ) -> Result<(), Closed> {
        if !web_socket::make_place(&mut self.visit_of(key, input), most, to_come) {
            return Ok(());
        }
        let Some(assembly) = input.as_mut().and_then(|input| input.assembly.as_mut()) else { return Ok(()) };
        let place = assembly.place(most);
        let space = place.len();
        let read = self.wires.read(key.slot, place);
        let read = self.note_read(key, read, space)?;
        if read > 0 {
            self.sending.has_placed(read);
            web_socket::received_in_place(&mut self.visit_of(key, input), read);
        }
        Ok(())
    }

    /// Keeps what a read says of the socket. Returns how much came: a short read means that there is no more. A connection that is
    /// lost has failed (RFC 6455 §7.2.1); a FIN is looked for as long as it lives (RFC 9112 §9.5).
    #[inline]
    fn note_read(&mut self, key: Key, read: io::Result<usize>, space: usize) -> Result<usize, Closed> {
        let connection = &mut self.sending.slots[key.slot];
        match read {
            Ok(0) => {
                (connection.finished, connection.readable) = (true, false);
                Ok(0)
            }
            Ok(read) => {
                connection.hears(self.sending.now);
                if read < space && connection.short_read_drains && !connection.read_closed {
                    connection.readable = false;
                }
                Ok(read)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => {
                    connection.readable = false;
                    Ok(0)
                }
                io::ErrorKind::Interrupted => Ok(0),
                kind => Err(broken(kind)),
            },
        }
    }

    /// Puts the input back into its slot, if there is anything in it.
    fn keep(&mut self, key: Key, input: Option<Box<Input>>) {
        let Some(input) = input.filter(|input| !input.is_empty()) else { return };
        let overworked = self.sending.work.is_too_much();
        let connection = &mut self.sending.slots[key.slot];
        let waits = connection.paused || overworked;
        connection.left_over |= waits && !input.carry.is_empty();
        connection.left_over |= input.is_parked();
        connection.input = Some(input);
    }

    /// Decides what the visit's end means: gone, closing, again, or nothing to do.
    pub(super) fn after_visit(&mut self, key: Key, ended: Option<Closed>) {
        if let Some(why) = ended {
            return self.remove(key, why);
        }
        if !self.sending.endings.is_empty() {
            self.run_endings();
        }
        if !self.sending.is_settled(key) {
            self.settle(key);
        }
    }

    /// See [`after_visit`](Self::after_visit), for whom something is left to be decided.
    fn settle(&mut self, key: Key) {
        let connection = &mut self.sending.slots[key.slot];
        if connection.broken && matches!(connection.session, Session::Later(_)) {
            // It is not read while it waits, so no read would tell.
            return self.remove(key, Closed::Gone);
        }
        if connection.finished {
            match connection.session.at_fin(connection.left_over) {
                AtFin::GoesOn => {}
                AtFin::EndsWhenSent => return self.close_when_sent(key),
                AtFin::Ends => return self.remove(key, Closed::Gone),
            }
        }
        if matches!(self.sending.slots[key.slot].session, Session::Closing(_)) && !self.proceed_closing(key) {
            return;
        }
        let connection = &mut self.sending.slots[key.slot];
        // What made it pause left with the end of the visit after all.
        connection.paused &= connection.waits();
        let writes = !connection.blocked && connection.waits();
        if connection.wants_read() || writes {
            self.sending.ready.push(connection, key);
        }
        self.sending.settle(key.slot);
    }

    /// Our half is closed behind the last byte; the peer's FIN then ends it. `false` if the connection is gone. A server is the
    /// first to close (RFC 6455 §5.5.1, §7.1.1, §7.1.2); a client waits for that.
    fn proceed_closing(&mut self, key: Key) -> bool {
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

    /// RFC 6455 §7.1.1: cleanly.
    fn close_when_sent(&mut self, key: Key) {
        self.visit_of(key, &mut None).become_session(Session::closing());
        let connection = &mut self.sending.slots[key.slot];
        if !connection.waits() {
            return self.remove(key, Closed::Gone);
        }
        if !connection.blocked {
            // A signal came before the write: no edge is owed.
            self.sending.ready.push(connection, key);
        }
        self.sending.settle(key.slot);
    }

    /// Gives everything back, and tells the application if it had something open.
    pub(super) fn remove(&mut self, key: Key, why: Closed) {
        let mut input = None;
        let mut visit = self.visit_of(key, &mut input);
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

    /// A visit that does not read. If `act` says why, the connection goes.
    pub(super) fn with_visit(&mut self, key: Key, act: impl FnOnce(&mut Visit<'_, H>) -> Option<Closed>) {
        self.sending.cork.begin(key.slot);
        let mut input = self.sending.slots[key.slot].input.take();
        let ended = act(&mut self.visit_of(key, &mut input));
        self.sending.uncork(&mut self.wires, key.slot);
        self.keep(key, input);
        self.after_visit(key, ended);
    }
}

/// What must be contiguous with what is read next goes to the front of the buffer. Returns how much that is.
fn bring_to_front(carry: &mut Carry, buffer: &mut [u8]) -> usize {
    let rest = carry.rest();
    let length = rest.len();
    buffer[..length].copy_from_slice(rest);
    carry.use_up(length);
    length
}

/// Keeps what the session did not take.
fn keep_rest(input: &mut Option<Box<Input>>, rest: &[u8]) {
    if !rest.is_empty() {
        input.get_or_insert_default().carry.push(rest);
    }
}
