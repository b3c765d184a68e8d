//! The loop: the one file where the order of things is decided, and no rule of a protocol is known.
//!
//! A *turn* is one poll with all its visits, timers and wake-ups; a *visit* is what is done for one ready connection.
//!
//! ```text
//! poll ─► edges ─► accept ─► visits ─► mailbox ─► tick ─► deadlines ─► endings ─► publications ─► touched queues
//!           │                  │
//!           └► sticky bits     └► queue out ─► read ─► session ─► callbacks ─► cork out   (until drained or over budget)
//! ```

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use longwire_frame::CloseCode;
use longwire_handshake::Date;
use longwire_sse::Event;

use crate::connection::{Connection, Due, milliseconds};
use crate::deadlines::Moment;
use crate::handler::{Closed, Deadline, Handler};
use crate::ledger::Ledger;
use crate::peer::{Hub, Stats};
use crate::publication::Publication;
use crate::remote::{Command, Fellows};
use crate::sending::{Sending, broken};
use crate::session::input::Input;
use crate::session::{Rules, Session, Visit, head, opening, web_socket};
use crate::slots::{Key, Side};
use crate::sys::{Edge, Mio, Sys, WAKE};
use crate::topics::Seed;
use crate::wire::{Machine, Wires};
use crate::{Limits, Reply};

/// One event loop: a handler, its connections and the machine that they live on.
///
/// [`Server::run`](crate::Server::run) drives it. Who owns the thread calls [`Loop::turn`] as long as it answers
/// [`Turn::Goes`].
pub struct Loop<H: Handler, S: Sys = Mio> {
    handler: H,
    users: Side<H::User>,
    sending: Sending,
    wires: Wires<S>,
    rules: Rules,
    /// The shared receive buffer. In front of what is read stands only what must be contiguous with it.
    receive: Box<[u8]>,
    reply: longwire_frame::Reply,
    edges: Vec<Edge>,
    /// Listeners that may have somebody waiting.
    waiting: Vec<usize>,
    /// When listeners that ran out of descriptors are tried again.
    retry_accept: Option<Moment>,
    tick: Option<(Duration, Moment)>,
    /// The turn began late: sockets are read before deadlines fire.
    late: u32,
    drained_at: Option<Moment>,
}

/// How a loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// There is more to do, now or later.
    Goes,
    /// It was drained: all connections are gone or had their time.
    Ended,
}

impl<H: Handler, S: Sys> std::fmt::Debug for Loop<H, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loop").field("connections", &self.sending.slots.len()).finish_non_exhaustive()
    }
}

impl<H: Handler, S: Sys> Loop<H, S> {
    pub(crate) fn new(
        handler: H,
        mut sys: S,
        limits: Limits,
        rules: Rules,
        (home, ledger, fellows): (u32, Ledger, Fellows),
        tick: Option<Duration>,
    ) -> Self {
        let mut seed = [0; 16];
        sys.entropy(&mut seed);
        let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| seed[at + byte]));
        let now = moment(&sys);
        // Room for the longest thing that must be contiguous, and for what is read behind it.
        let receive = vec![0; limits.head.head as usize + limits.receive.max(64) + 256].into();
        let waiting = (0..sys.listeners()).collect();
        Self {
            handler,
            users: Side::new(),
            sending: Sending::new(home, limits, Seed(half(0), half(8)), ledger, fellows, now),
            wires: Wires::new(sys),
            rules,
            receive,
            reply: longwire_frame::Reply::new(),
            edges: Vec::new(),
            waiting,
            retry_accept: None,
            tick: tick.map(|every| (every, now.after(milliseconds(every)))),
            late: 0,
            drained_at: None,
        }
    }

    /// What this loop has done and holds.
    #[must_use]
    pub fn stats(&mut self) -> Stats {
        Hub::new(&mut self.sending, &mut self.wires).stats()
    }

    /// The application.
    pub const fn handler(&mut self) -> &mut H {
        &mut self.handler
    }

    /// The machine.
    pub const fn machine(&mut self) -> &mut S {
        &mut self.wires.sys
    }

    /// Calls something with the loop in hand, as a callback would have it.
    pub fn with_hub<T>(&mut self, call: impl FnOnce(&mut Hub<'_>) -> T) -> T {
        let value = call(&mut Hub::new(&mut self.sending, &mut self.wires));
        self.settle_all();
        value
    }

    /// Runs until the loop has ended.
    ///
    /// # Errors
    /// What the machine's poll reports: then no loop can go on.
    pub fn run(&mut self) -> io::Result<()> {
        while self.turn(None)? == Turn::Goes {}
        Ok(())
    }

    /// One turn: waits for something to happen, at most `timeout`, and does all of it.
    ///
    /// # Errors
    /// What the machine's poll reports.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn> {
        let mut edges = std::mem::take(&mut self.edges);
        let timeout = self.patience(timeout);
        self.wires.sys.poll(&mut edges, self.sending.limits.events, timeout)?;
        self.read_clock();

        let full = edges.len() >= self.sending.limits.events;
        let mut woken = false;
        for edge in edges.drain(..) {
            match edge.token {
                WAKE => woken = true,
                listener if listener < self.wires.sys.listeners() => self.waiting.push(listener),
                _ => self.note(edge),
            }
        }
        self.edges = edges;

        self.accept();
        for _ in 0..self.sending.ready.len() {
            let Some(key) = self.sending.ready.pop(&mut self.sending.slots) else { break };
            self.visit(key, false);
        }
        if woken {
            self.read_mailbox();
        }
        self.drain();
        self.run_tick();
        // After a stall what has arrived meanwhile is read first, or good peers would be taken for dead.
        let caught_up = !full && self.sending.ready.is_empty();
        self.late = if caught_up { 0 } else { self.late.saturating_sub(1) };
        if self.late == 0 {
            self.run_deadlines();
        }
        self.settle_all();
        Ok(self.outlook())
    }

    /// How long the poll may sleep.
    fn patience(&self, timeout: Option<Duration>) -> Option<Duration> {
        if !self.sending.ready.is_empty() || !self.waiting.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = moment(&self.wires.sys);
        let tick = self.tick.map(|(_, at)| at);
        let due = [self.sending.deadlines.next(), tick, self.retry_accept, self.drained_at];
        let due = due.into_iter().flatten().reduce(Moment::earlier);
        let due = due.map(|due| Duration::from_millis(u64::from(due.since(now))));
        match (due, timeout) {
            (Some(due), Some(timeout)) => Some(due.min(timeout)),
            (due, timeout) => due.or(timeout),
        }
    }

    fn read_clock(&mut self) {
        // More than this between two turns was not the peers' doing.
        const STALL: u32 = 1_000;
        // Nor may peers that keep the loop busy hold deadlines up for ever.
        const CATCH_UP: u32 = 64;
        let sending = &mut self.sending;
        let now = moment(&self.wires.sys);
        if self.late == 0 && sending.deadlines.next().is_some_and(|due| now.since(due) > STALL) {
            self.late = CATCH_UP;
        }
        let stale = sending.wall == 0 || now.0 / 1_000 != sending.now.0 / 1_000;
        sending.now = now;
        if stale {
            sending.wall = self.wires.sys.wall().as_secs();
            sending.date = Date::from_unix(sending.wall);
        }
    }

    /// Keeps what an edge said until it is used up.
    fn note(&mut self, edge: Edge) {
        let Some(key) = self.sending.slots.unpack(edge.token as u64, usize::BITS) else { return };
        let connection = &mut self.sending.slots[key.slot];
        connection.readable |= edge.readable;
        connection.read_closed |= edge.read_closed;
        if edge.writable {
            connection.blocked = false;
        }
        self.sending.ready.push(&mut self.sending.slots, key);
    }

    // Accepting.

    fn accept(&mut self) {
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

    fn accept_from(&mut self, listener: usize) {
        /// Out of descriptors or memory: how long until the next try, unless a connection closes before.
        const RETRY: u32 = 50;
        for _ in 0..self.sending.limits.accepts {
            match self.wires.sys.accept(listener) {
                Ok(accepted) => self.admit(accepted.socket, accepted.loopback),
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

    fn admit(&mut self, socket: S::Socket, loopback: bool) {
        if self.drained_at.is_some() || !self.sending.ledger.admit() {
            self.sending.stats.refused += 1;
            return self.wires.sys.close(socket);
        }
        let session = Session::Head(head::Head::first(self.sending.limits.head));
        let mut connection = Connection::new(session, self.sending.now);
        connection.loopback = loopback;
        let key = self.sending.slots.insert(connection);
        self.sending.stats.accepted += 1;
        if self.wires.attach(key, socket).is_err() {
            return self.remove(key, Closed::Gone);
        }
        // Registering both interests gives an edge for writing at once; it comes with the one for reading, if there is one.
        self.sending.settle(key.slot);
    }

    // Visiting.

    /// Everything that can be done for one connection now. With `try_read`, one read is tried even if no edge promises one.
    fn visit(&mut self, key: Key, try_read: bool) {
        let connection = &mut self.sending.slots[key.slot];
        connection.readable |= try_read;
        if connection.ending {
            return;
        }
        if opening::is_connecting(&connection.session) && !self.finish_connecting(key) {
            return;
        }
        let drained = self.write_queue(key);
        self.sending.cork(key.slot);
        let input = self.sending.slots[key.slot].input.take();
        let mut visit = self.visit_of(key, input);
        opening::connected(&mut visit);
        if drained && visit.connection().session.is_open() {
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

    fn visit_of(&mut self, key: Key, input: Option<Box<Input>>) -> Visit<'_, H> {
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

    fn write_queue(&mut self, key: Key) -> bool {
        let connection = &mut self.sending.slots[key.slot];
        if connection.blocked || connection.output.is_none() {
            return false;
        }
        let drained = self.sending.write_queue(&mut self.wires, key.slot);
        let now = self.sending.now;
        if let (true, Session::WebSocket(socket)) = (drained, &mut self.sending.slots[key.slot].session) {
            // The pong clock starts when the ping's last byte has left.
            socket.pinged = socket.pinged.map(|_| now);
        }
        drained
    }

    /// Reads and decodes until the socket is drained, the session has enough or the budget is spent. Returns what is left of
    /// the input, and how the reading ended if it did.
    fn read(
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
                let mut visit = self.visit_of(key, input);
                let direct = web_socket::direct(&mut visit).min(budget);
                input = visit.input.take();
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
            let space = (buffer.len() - front).min(self.sending.limits.receive.max(64));
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
    fn read_directly(
        &mut self,
        key: Key,
        mut input: Option<Box<Input>>,
        most: usize,
    ) -> (Option<Box<Input>>, Result<usize, Closed>) {
        let Some((assembly, _)) = input.as_mut().and_then(|input| input.assembly.as_mut()) else {
            return (input, Ok(0));
        };
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
    fn heard(&mut self, key: Key, read: usize, space: usize) {
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
        if read < space && !connection.read_closed {
            connection.readable = false;
        }
    }

    fn read_failed(&mut self, key: Key, error: &io::Error) -> Option<Closed> {
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
    fn keep(&mut self, key: Key, input: Option<Box<Input>>) {
        let connection = &mut self.sending.slots[key.slot];
        connection.input = input.filter(|input| !input.is_empty());
        if connection.paused && connection.session.carries() {
            connection.unread |= connection.input.as_ref().is_some_and(|input| !input.carry.is_empty());
        }
    }

    /// Decides what the visit's end means: gone, closing, again, or nothing to do.
    fn after_visit(&mut self, key: Key, ended: Option<Closed>) {
        if let Some(why) = ended {
            return self.remove(key, why);
        }
        self.run_endings();
        let Some(connection) = self.sending.slots.find(key) else { return };
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
        let connection = &self.sending.slots[key.slot];
        let reads = (connection.readable || connection.unread) && !connection.paused && !connection.finished;
        let reads = reads && !matches!(connection.session, Session::Later(_));
        let writes = !connection.blocked && connection.output.as_ref().is_some_and(|queue| !queue.is_drained());
        if reads || writes || (connection.unread && !connection.paused) {
            self.sending.ready.push(&mut self.sending.slots, key);
        }
        self.sending.settle(key.slot);
    }

    /// Our half is closed behind the last byte; the peer's FIN then ends it. `false` if the connection is gone.
    fn proceed_closing(&mut self, key: Key) -> bool {
        let connection = &mut self.sending.slots[key.slot];
        if connection.output.is_some() {
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

    fn close_when_sent(&mut self, key: Key) {
        let connection = &mut self.sending.slots[key.slot];
        connection.session = Session::closing();
        if connection.output.is_none() {
            self.remove(key, Closed::Gone);
        } else {
            self.sending.settle(key.slot);
        }
    }

    /// Gives everything back, and tells the application if it had something open.
    fn remove(&mut self, key: Key, why: Closed) {
        self.visit_of(key, None).finish(why);
        self.wires.close(key.slot);
        self.sending.deadlines.disarm(&mut self.sending.slots, key.slot);
        let connection = self.sending.slots.remove(key.slot);
        self.sending.ledger.settle(connection.pinned as usize, 0);
        self.sending.ledger.release();
        if self.retry_accept.is_some() {
            // A descriptor is free again: whoever waits need not wait for the timer.
            self.retry_accept = Some(self.sending.now);
        }
    }

    // What happens without an edge.

    fn read_mailbox(&mut self) {
        let Some(post) = self.sending.fellows.own().map(|mailbox| mailbox.collect()) else { return };
        for command in post.commands {
            match command {
                Command::Send(id, parcel) => self.sending.send_to(&mut self.wires, id, &parcel.unpack()),
                Command::Answer(id, reply) => self.sending.answer_to(id, *reply),
                Command::Publish(batch) => {
                    for (topic, parcel) in &*batch {
                        self.sending.publish_here(topic, &parcel.unpack(), None);
                    }
                }
                Command::Run(once) => {
                    if let Some(call) = once.take() {
                        self.guarded(|_, hub| call(hub));
                    }
                }
            }
        }
        for (id, (code, reason)) in post.closing {
            if let Some(key) = self.sending.local(id) {
                self.sending.close(&mut self.wires, key.slot, code, &reason);
            }
        }
    }

    fn run_tick(&mut self) {
        let Some((every, at)) = self.tick else { return };
        if self.sending.now.reached(at) {
            // After a stall one tick stands for those that were missed.
            let mut next = at.after(milliseconds(every).max(1));
            if self.sending.now.reached(next) {
                next = self.sending.now.after(milliseconds(every).max(1));
            }
            self.tick = Some((every, next));
            self.guarded(|handler, hub| handler.tick(hub));
        }
    }

    /// Calls something that concerns no one connection; a panic there is only told.
    fn guarded(&mut self, call: impl FnOnce(&mut H, &mut Hub<'_>)) {
        let mut hub = Hub::new(&mut self.sending, &mut self.wires);
        if catch_unwind(AssertUnwindSafe(|| call(&mut self.handler, &mut hub))).is_err() {
            self.sending.stats.panics += 1;
            log::error!("a callback that concerns no one connection panicked");
        }
    }

    fn run_deadlines(&mut self) {
        let now = self.sending.now;
        while let Some(key) = self.sending.deadlines.expired(&mut self.sending.slots, now) {
            let passed =
                |sending: &Sending| sending.slots[key.slot].due(&sending.times).filter(|(due, _)| now.reached(*due));
            match passed(&self.sending) {
                None => {}
                Some((_, Due::Wake)) => self.wake(key),
                Some(_) => {
                    // Before a deadline kills one read is tried: what lies in the kernel may be the sign of life.
                    self.visit(key, true);
                    if self.sending.slots.find(key).is_some()
                        && let Some((_, due)) = passed(&self.sending)
                    {
                        self.expire(key, due);
                    }
                }
            }
            if self.sending.slots.find(key).is_some() {
                self.sending.settle(key.slot);
            }
        }
    }

    fn wake(&mut self, key: Key) {
        self.sending.slots[key.slot].waking = false;
        self.with_visit(key, |visit| visit.call(|handler, peer| handler.timer(peer)));
    }

    /// Does what a deadline does.
    fn expire(&mut self, key: Key, due: Due) {
        match due {
            Due::Quiet | Due::Linger => self.remove(key, Closed::Gone),
            Due::Wake => self.wake(key),
            Due::Heartbeat => self.sending.heartbeat(key.slot),
            Due::RequestTimeout => self.with_visit(key, head::timed_out),
            Due::Ping => {
                let now = self.sending.now;
                if let Session::WebSocket(socket) = &mut self.sending.slots[key.slot].session {
                    socket.pinged = Some(now);
                }
                self.with_visit(key, |visit| visit.sending.ping(visit.machine, visit.key.slot, b""));
            }
            Due::Late(Deadline::Answer) => self.sending.answers.push((key, Reply::status(503))),
            Due::Late(Deadline::Age) => {
                self.sending.end(
                    &mut self.wires,
                    key.slot,
                    Closed::Late(Deadline::Age),
                    CloseCode::GOING_AWAY,
                    "too old",
                );
            }
            Due::Late(Deadline::Message) => {
                let (why, code) = (Closed::Late(Deadline::Message), CloseCode::POLICY);
                self.sending.end(&mut self.wires, key.slot, why, code, "message too slow");
            }
            Due::Late(deadline) => self.remove(key, Closed::Late(deadline)),
        }
    }

    /// A visit that does not read.
    fn with_visit(&mut self, key: Key, act: impl FnOnce(&mut Visit<'_, H>)) {
        self.sending.cork(key.slot);
        let input = self.sending.slots[key.slot].input.take();
        let mut visit = self.visit_of(key, input);
        act(&mut visit);
        let input = visit.input.take();
        self.sending.uncork(&mut self.wires, key.slot);
        self.keep(key, input);
        self.after_visit(key, None);
    }

    // The end of a turn.

    /// What callbacks left to be done: endings, answers, publications, queues. Each may bring more of the others.
    fn settle_all(&mut self) {
        loop {
            self.run_endings();
            self.run_answers();
            self.sending.deliver(&mut self.wires);
            let touched = std::mem::take(&mut self.sending.touched);
            for key in &touched {
                if self.sending.slots.find(*key).is_none() {
                    continue;
                }
                if self.write_queue(*key) {
                    // Its queue went out at once: reading goes on where it was paused.
                    self.sending.ready.push(&mut self.sending.slots, *key);
                }
                self.after_visit(*key, None);
            }
            let sending = &self.sending;
            if sending.endings.is_empty()
                && sending.answers.is_empty()
                && sending.topics.is_idle()
                && sending.touched.is_empty()
            {
                self.sending.touched = touched;
                self.sending.touched.clear();
                self.sending.touched.shrink_to(4_096);
                return;
            }
        }
    }

    fn run_answers(&mut self) {
        for (key, reply) in std::mem::take(&mut self.sending.answers) {
            if self.sending.slots.find(key).is_some() {
                self.with_visit(key, |visit| visit.answer(reply));
            }
        }
    }

    fn run_endings(&mut self) {
        while let Some((key, why)) = self.sending.endings.pop() {
            let Some(connection) = self.sending.slots.find(key) else { continue };
            if matches!(why, Closed::Gone | Closed::Broken(_)) {
                self.remove(key, why);
                continue;
            }
            if !matches!(connection.session, Session::Closing(_)) {
                let mut visit = self.visit_of(key, None);
                visit.finish(why);
            }
            self.sending.slots[key.slot].ending = false;
            self.sending.slots[key.slot].input = None;
            self.sending.touch(key.slot);
        }
    }

    // Stopping.

    /// Stops accepting and tells everybody, once; ends everybody when the time is over.
    fn drain(&mut self) {
        let asked = self.sending.fellows.drains();
        if asked == 0 || self.drained_at.is_some() {
            return;
        }
        let wait = milliseconds(self.sending.limits.drain);
        // Accept until nobody waits, then close: closing a listener resets whoever waits in its queue.
        for listener in 0..self.wires.sys.listeners() {
            for _ in 0..=self.sending.limits.backlog as usize / self.sending.limits.accepts.max(1) {
                self.waiting.clear();
                self.accept_from(listener);
                if self.waiting.is_empty() {
                    break;
                }
            }
            self.wires.sys.stop_listening(listener);
        }
        self.waiting.clear();
        self.retry_accept = None;
        self.drained_at = Some(self.sending.now.after(wait));
        self.sending.draining = true;
        for key in self.sending.slots.keys() {
            match self.sending.slots[key.slot].session {
                Session::WebSocket(_) => {
                    self.sending.close(&mut self.wires, key.slot, CloseCode::GOING_AWAY, "server is stopping");
                }
                Session::Events(_) => {
                    // Everybody comes back at another moment.
                    let mut random = [0; 2];
                    self.wires.entropy(&mut random);
                    let retry = Duration::from_millis(1_000 + u64::from(u16::from_le_bytes(random)) % 4_000);
                    self.sending.send(&mut self.wires, key.slot, &Publication::Event(Event::retry_only(retry)));
                    self.sending.end(&mut self.wires, key.slot, Closed::Drained, CloseCode::GOING_AWAY, "");
                }
                Session::Opening(_) => self.remove(key, Closed::Drained),
                Session::Head(ref head) if head.is_between_requests() => {
                    self.with_visit(key, |visit| visit.finish(Closed::Drained));
                }
                // Requests under way are answered, and the answer says that it is the last.
                Session::Head(_) | Session::Body(_) | Session::Later(_) | Session::Closing(_) => {}
            }
        }
    }

    fn outlook(&mut self) -> Turn {
        let Some(at) = self.drained_at else { return Turn::Goes };
        if !self.sending.now.reached(at) && self.sending.fellows.drains() < 2 && self.sending.slots.len() > 0 {
            return Turn::Goes;
        }
        for key in self.sending.slots.keys() {
            self.remove(key, Closed::Drained);
        }
        Turn::Ended
    }
}

/// Keeps what the session did not take.
fn carry(input: &mut Option<Box<Input>>, rest: &[u8]) {
    if !rest.is_empty() {
        input.get_or_insert_with(Box::default).carry.extend_from_slice(rest);
    }
}

/// The loop's clock.
fn moment<S: Sys>(sys: &S) -> Moment {
    Moment(sys.now().as_millis() as u32)
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
