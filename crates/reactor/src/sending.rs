//! The sending half of a loop: everything that callbacks may touch, and nothing that could call them again.
//!
//! What the visited connection sends is collected in the shared send buffer (the *cork*) and written once, at the end of the
//! visit; what anybody else is sent goes to that connection's queue, or into its topics, and is written at the end of the
//! turn. An error or an end that is met on the way is noted in `endings`: the loop deals with it after the callback.

use std::borrow::Cow;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use longwire_frame::{Close, CloseCode, Header, Mask, Message};
use longwire_handshake::Date;
use longwire_sse::Comment;

use crate::connection::{Connection, Times, milliseconds};
use crate::deadlines::{Deadlines, Moment};
use crate::handler::Closed;
use crate::ledger::Ledger;
use crate::peer::{PeerId, Stats};
use crate::publication::{Parcel, Publication};
use crate::queue::Queue;
use crate::ready::Ready;
use crate::remote::{Command, Fellows};
use crate::reply::Reply;
use crate::session::Session;
use crate::slots::{Key, Slots};
use crate::topics::{Form, Seed, Topics, append_frame};
use crate::wire::Machine;
use crate::{Limits, Opening};

/// See the top of this file.
pub(crate) struct Sending {
    pub(crate) home: u32,
    pub(crate) limits: Limits,
    pub(crate) times: Times,
    pub(crate) slots: Slots,
    pub(crate) deadlines: Deadlines,
    pub(crate) ready: Ready,
    pub(crate) topics: Topics,
    pub(crate) ledger: Ledger,
    pub(crate) stats: Stats,
    pub(crate) now: Moment,
    /// The wall clock in seconds, and the same as a field value.
    pub(crate) wall: u64,
    pub(crate) date: Date,
    /// What the visited connection sends.
    cork: Vec<u8>,
    /// Whose cork it is.
    corked: Option<u32>,
    /// Where the running callback's output began.
    mark: usize,
    /// Connections whose queue or state changed outside their visit.
    pub(crate) touched: Vec<Key>,
    /// Connections that have come to an end, and why.
    pub(crate) endings: Vec<(Key, Closed)>,
    /// Later answers that were given.
    pub(crate) answers: Vec<(Key, Reply)>,
    /// Topics that the request under way wants.
    pub(crate) wanted: Vec<Box<str>>,
    masks: Masks,
    /// The other loops of this server.
    pub(crate) fellows: Fellows,
    /// What this turn published, for the other loops.
    outbound: Vec<(Box<str>, Parcel)>,
    audience: Vec<u32>,
    /// Used buffers for messages in pieces.
    pub(crate) pool: Vec<Vec<u8>>,
    pub(crate) draining: bool,
}

impl Sending {
    pub(crate) fn new(home: u32, limits: Limits, seed: Seed, ledger: Ledger, fellows: Fellows, now: Moment) -> Self {
        Self {
            home,
            times: Times::new(&limits),
            cork: Vec::with_capacity(limits.cork + limits.direct),
            limits,
            slots: Slots::new(),
            deadlines: Deadlines::new(now),
            ready: Ready::new(),
            topics: Topics::new(seed),
            ledger,
            stats: Stats::default(),
            now,
            wall: 0,
            date: Date::from_unix(0),
            corked: None,
            mark: 0,
            touched: Vec::new(),
            endings: Vec::new(),
            answers: Vec::new(),
            wanted: Vec::new(),
            masks: Masks::new(),
            fellows,
            outbound: Vec::new(),
            audience: Vec::new(),
            pool: Vec::new(),
            draining: false,
        }
    }

    pub(crate) const fn id(&self, key: Key) -> PeerId {
        PeerId { home: self.home, slot: key.slot, generation: key.generation }
    }

    /// The local key of a peer of this loop, if it still lives.
    pub(crate) fn local(&mut self, id: PeerId) -> Option<Key> {
        let key = Key { slot: id.slot, generation: id.generation };
        (id.home == self.home && self.slots.find(key).is_some()).then_some(key)
    }

    // The cork.

    /// From here on output of this connection is collected.
    pub(crate) fn cork(&mut self, slot: u32) {
        debug_assert!(self.cork.is_empty());
        self.corked = Some(slot);
    }

    /// Writes what was collected.
    pub(crate) fn uncork(&mut self, machine: &mut dyn Machine, slot: u32) {
        self.flush(machine, slot, &[]);
        self.corked = None;
        if self.cork.capacity() > 4 * (self.limits.cork + self.limits.direct) {
            self.cork.shrink_to(self.limits.cork + self.limits.direct);
        }
    }

    /// A callback begins: its output can be cut off if it panics.
    pub(crate) const fn mark(&mut self) {
        self.mark = self.cork.len();
    }

    /// Takes back what the running callback has sent, as far as it has not left.
    pub(crate) fn cut_back(&mut self) {
        self.cork.truncate(self.mark);
    }

    /// Appends bytes to a connection's output.
    pub(crate) fn push(&mut self, slot: u32, bytes: &[u8]) {
        if self.corked == Some(slot) {
            self.cork.extend_from_slice(bytes);
        } else {
            self.queue(slot).push(bytes);
            self.touch(slot);
        }
    }

    /// Appends what `encode` writes to a connection's output.
    pub(crate) fn push_with(&mut self, slot: u32, encode: impl FnOnce(&mut Vec<u8>)) {
        let start = self.cork.len();
        encode(&mut self.cork);
        if self.corked != Some(slot) {
            let now = self.now;
            let queue = self.slots[slot].output.get_or_insert_with(|| Box::new(Queue::new(now)));
            queue.push(&self.cork[start..]);
            self.cork.truncate(start);
            self.touch(slot);
        }
    }

    /// Appends a body that was given away.
    pub(crate) fn push_body(&mut self, machine: &mut dyn Machine, slot: u32, body: Cow<'static, [u8]>) {
        if body.len() < self.limits.direct {
            return self.push(slot, &body);
        }
        let sent = if self.corked == Some(slot) { self.flush(machine, slot, &body) } else { 0 };
        if sent < body.len() {
            self.queue(slot).push_body(body, sent);
            self.touch(slot);
        }
    }

    fn queue(&mut self, slot: u32) -> &mut Queue {
        let now = self.now;
        self.slots[slot].output.get_or_insert_with(|| Box::new(Queue::new(now)))
    }

    /// The loop shall look at this connection at the end of the turn.
    pub(crate) fn touch(&mut self, slot: u32) {
        let generation = self.slots[slot].generation;
        self.touched.push(Key { slot, generation });
    }

    /// Bytes that wait for this connection's socket.
    pub(crate) fn queued(&self, slot: u32) -> usize {
        self.slots[slot].queued() + if self.corked == Some(slot) { self.cork.len() } else { 0 }
    }

    /// Writes the cork and then `payload` in one call. What the socket does not take of the cork goes to the queue; returns
    /// how much it took of the payload.
    fn flush(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) -> usize {
        self.mark = 0;
        let connection = &mut self.slots[slot];
        let waits = connection.blocked || connection.output.as_ref().is_some_and(|queue| !queue.is_drained());
        let mut taken = 0;
        if !waits && !(self.cork.is_empty() && payload.is_empty()) {
            let whole = self.cork.len() + payload.len();
            let written = if payload.is_empty() {
                machine.write(slot, &[IoSlice::new(&self.cork)])
            } else {
                machine.write(slot, &[IoSlice::new(&self.cork), IoSlice::new(payload)])
            };
            taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
            self.stats.bytes_out += taken as u64;
        }
        let left = taken.min(self.cork.len());
        if left < self.cork.len() {
            let now = self.now;
            let queue = connection.output.get_or_insert_with(|| Box::new(Queue::new(now)));
            queue.push(&self.cork[left..]);
        }
        self.cork.clear();
        taken - left
    }

    /// Books the outcome of a write: a short one means that an edge is owed.
    fn wrote(
        connection: &mut Connection,
        endings: &mut Vec<(Key, Closed)>,
        slot: u32,
        written: io::Result<usize>,
        whole: usize,
    ) -> usize {
        match written {
            Ok(taken) => {
                connection.blocked = taken < whole;
                taken
            }
            Err(error) => {
                match error.kind() {
                    io::ErrorKind::WouldBlock => connection.blocked = true,
                    // Nothing was taken: the connection stays writable and the caller's next look tries again.
                    io::ErrorKind::Interrupted => {}
                    kind => {
                        connection.blocked = true;
                        connection.ending = true;
                        endings.push((Key { slot, generation: connection.generation }, broken(kind)));
                    }
                }
                0
            }
        }
    }

    /// Writes from the queue what the socket takes. `true` if it became empty.
    pub(crate) fn write_queue(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        let connection = &mut self.slots[slot];
        let Some(mut queue) = connection.output.take() else { return false };
        while !connection.blocked && !queue.is_drained() {
            let slices = queue.slices();
            let whole = slices.iter().map(|slice| slice.len()).sum();
            let written = match slices.each_ref().map(|slice| slice.is_empty()) {
                [_, true, true] => machine.write(slot, &slices[..1]),
                _ => machine.write(slot, &slices),
            };
            let taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
            self.stats.bytes_out += taken as u64;
            queue.advance(taken, self.now);
        }
        if queue.len() > 0 {
            connection.output = Some(queue);
            return false;
        }
        connection.paused = false;
        true
    }

    // Sending to one connection.

    /// Sends a publication in the form that this connection reads. Does nothing unless it is open.
    pub(crate) fn send(&mut self, machine: &mut dyn Machine, slot: u32, publication: &Publication<'_>) {
        if !self.admits(machine, slot) {
            return;
        }
        match self.slots[slot].session {
            Session::WebSocket(_) => {
                if let Some(message) = publication.message() {
                    self.send_message(machine, slot, message);
                }
            }
            Session::Events(_) => {
                self.stats.messages_out += 1;
                self.slots[slot].heard = self.now;
                self.push_with(slot, |out| publication.encode_event(out));
                self.flush_if_long(machine, slot);
            }
            _ => {}
        }
    }

    /// Whether something may be sent: the connection is open and its queue below the bound. At the bound it ends.
    fn admits(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        let connection = &self.slots[slot];
        if connection.ending || !connection.session.is_open() {
            return false;
        }
        let admitted = self.queued(slot) < self.limits.send_queue;
        if !admitted {
            self.stats.dropped += 1;
            self.end(machine, slot, Closed::Overflow, CloseCode::POLICY, "reads too slowly");
        }
        admitted
    }

    #[inline]
    fn send_message(&mut self, machine: &mut dyn Machine, slot: u32, message: Message<'_>) {
        let key = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        match socket.connection.message_header(message, key) {
            Ok(header) => {
                self.stats.messages_out += 1;
                self.send_frame(machine, slot, header, message.as_bytes());
            }
            // §5.4: between the fragments of our own message only control frames may go; it waits for the last one.
            Err(_) if socket.connection.is_open() => {
                self.stats.messages_out += 1;
                let mut frame = Vec::new();
                append_frame(message, &mut frame);
                self.queue(slot).hold(&frame);
            }
            Err(_) => {}
        }
    }

    #[inline]
    fn send_frame(&mut self, machine: &mut dyn Machine, slot: u32, header: Header, payload: &[u8]) {
        let direct = payload.len() >= self.limits.direct && header.mask.is_none() && self.corked == Some(slot);
        if direct {
            append_header(header, &mut self.cork);
            let taken = self.flush(machine, slot, payload);
            if taken < payload.len() {
                self.queue(slot).push(&payload[taken..]);
            }
        } else {
            self.push_with(slot, |out| {
                append_header(header, out);
                let start = out.len();
                out.extend_from_slice(payload);
                if let Some(mut mask) = header.mask {
                    mask.apply(&mut out[start..]);
                }
            });
            self.flush_if_long(machine, slot);
        }
    }

    fn flush_if_long(&mut self, machine: &mut dyn Machine, slot: u32) {
        if self.corked == Some(slot) && self.cork.len() >= self.limits.cork {
            self.flush(machine, slot, &[]);
        }
    }

    /// Sends a piece of a message; the first one decides what kind of message it is.
    pub(crate) fn piece(&mut self, machine: &mut dyn Machine, slot: u32, piece: Message<'_>, end: bool) {
        if !self.admits(machine, slot) {
            return;
        }
        let key = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        let Ok(header) = socket.connection.piece_header(piece, end, key) else { return };
        self.send_frame(machine, slot, header, piece.as_bytes());
        if end {
            self.stats.messages_out += 1;
            self.release_held(machine, slot);
        }
    }

    /// What waited for the end of a fragmented message goes now.
    fn release_held(&mut self, machine: &mut dyn Machine, slot: u32) {
        let Some(queue) = &mut self.slots[slot].output else { return };
        let held = queue.release();
        if queue.len() == 0 {
            self.slots[slot].output = None;
        }
        if !held.is_empty() {
            self.push_frames(machine, slot, &held);
        }
    }

    /// Appends whole frames as a server writes them; a client's connection masks each of them first.
    fn push_frames(&mut self, machine: &mut dyn Machine, slot: u32, mut frames: &[u8]) {
        if !self.slots[slot].client {
            return self.push(slot, frames);
        }
        while let Ok(Some((header, length))) = Header::parse(frames) {
            let end = length + header.len as usize;
            let mask = self.masks.next(machine);
            self.push_with(slot, |out| {
                append_header(Header { mask: Some(mask), ..header }, out);
                let start = out.len();
                out.extend_from_slice(&frames[length..end]);
                let mut mask = mask;
                mask.apply(&mut out[start..]);
            });
            frames = &frames[end..];
        }
    }

    /// Sends a ping; a payload is cut at 125 bytes (§5.5).
    pub(crate) fn ping(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) {
        if self.slots[slot].ending {
            return;
        }
        let key = self.mask_for(machine, slot);
        let mut frame = [0; 131];
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        if let Ok(length) = socket.connection.ping(&payload[..payload.len().min(125)], key, &mut frame) {
            self.push(slot, &frame[..length]);
        }
    }

    /// Sends the comment that keeps an event stream alive.
    pub(crate) fn heartbeat(&mut self, slot: u32) {
        self.slots[slot].heard = self.now;
        self.push_with(slot, |out| {
            let start = out.len();
            out.resize(start + Comment::HEARTBEAT.encoded_len(), 0);
            Comment::HEARTBEAT.encode(&mut out[start..]).expect("encoded_len bytes are enough");
        });
    }

    /// The mask key of the next frame: a fresh one from us as a client (§5.3), none from a server.
    pub(crate) fn mask_for(&mut self, machine: &mut dyn Machine, slot: u32) -> Mask {
        if self.slots[slot].client { self.masks.next(machine) } else { Mask::NONE }
    }

    // Ending.

    /// The application closes: a WebSocket sends its Close and waits for the peer's, a stream ends after what is queued.
    pub(crate) fn close(&mut self, machine: &mut dyn Machine, slot: u32, code: CloseCode, reason: &str) {
        if self.slots[slot].ending {
            return;
        }
        let mask = self.mask_for(machine, slot);
        let generation = self.slots[slot].generation;
        match &mut self.slots[slot].session {
            Session::WebSocket(socket) => {
                let mut frame = [0; 131];
                if let Ok(length) = socket.connection.close(Some(Close::new(code, reason)), mask, &mut frame) {
                    self.push(slot, &frame[..length]);
                    self.slots[slot].since = self.now;
                    self.touch(slot);
                }
            }
            Session::Events(_) | Session::Later(_) | Session::Opening(_) => {
                self.slots[slot].ending = true;
                self.endings.push((Key { slot, generation }, Closed::ByUs));
            }
            _ => {}
        }
    }

    /// We end it for a reason of our own: a WebSocket is told the code and not waited for.
    pub(crate) fn end(&mut self, machine: &mut dyn Machine, slot: u32, why: Closed, code: CloseCode, reason: &str) {
        if std::mem::replace(&mut self.slots[slot].ending, true) {
            return;
        }
        let generation = self.slots[slot].generation;
        self.endings.push((Key { slot, generation }, why));
        let mask = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        let mut frame = [0; 131];
        if let Ok(length) = socket.connection.close(Some(Close::new(code, reason)), mask, &mut frame) {
            self.push(slot, &frame[..length]);
        }
    }

    // Publishing.

    /// Publishes to the subscribers of this loop now, and of the others at the end of the turn.
    pub(crate) fn publish(&mut self, topic: &str, publication: &Publication<'_>, except: Option<u32>) {
        if !self.fellows.is_empty() {
            self.outbound.push((topic.into(), Parcel::pack(publication)));
        }
        self.publish_here(topic, publication, except);
    }

    pub(crate) fn publish_here(&mut self, topic: &str, publication: &Publication<'_>, except: Option<u32>) {
        self.stats.published += 1;
        self.topics.publish(topic, publication, except);
    }

    /// Subscribes a connection: at once if it is open, with its reply if a request is under way.
    pub(crate) fn subscribe(&mut self, slot: u32, topic: &str) {
        match form(&self.slots[slot].session) {
            Some(form) => {
                let most = self.limits.topics;
                self.topics.subscribe(&mut self.slots, slot, form, topic, most);
            }
            None if self.wanted.len() < self.limits.topics => self.wanted.push(topic.into()),
            None => {}
        }
    }

    pub(crate) fn unsubscribe(&mut self, machine: &mut dyn Machine, slot: u32, topic: &str) {
        match form(&self.slots[slot].session) {
            Some(form) => {
                // What was published to it before this call still concerns it.
                self.deliver_to(machine, slot);
                self.topics.unsubscribe(&mut self.slots, slot, form, topic);
            }
            None => self.wanted.retain(|wanted| **wanted != *topic),
        }
    }

    /// A connection that was open is not any more.
    pub(crate) fn unsubscribe_all(&mut self, slot: u32) {
        if let Some(form) = form(&self.slots[slot].session) {
            self.topics.unsubscribe_all(&mut self.slots, slot, form);
        }
    }

    /// Gives every subscriber this turn's publications, in one write each.
    pub(crate) fn deliver(&mut self, machine: &mut dyn Machine) {
        if !self.outbound.is_empty() {
            let batch: Arc<[_]> = std::mem::take(&mut self.outbound).into();
            self.stats.dropped += self.fellows.tell_all(&Command::Publish(batch));
        }
        if self.topics.is_idle() {
            return;
        }
        let mut audience = std::mem::take(&mut self.audience);
        self.topics.audience(&mut self.slots, &mut audience);
        for slot in &audience {
            self.deliver_to(machine, *slot);
        }
        self.topics.delivered();
        audience.clear();
        audience.shrink_to(16 << 10);
        self.audience = audience;
    }

    fn deliver_to(&mut self, machine: &mut dyn Machine, slot: u32) {
        let Some(form) = form(&self.slots[slot].session) else { return };
        let mut runs = Vec::new();
        self.topics.gather(&self.slots, slot, form, &mut runs);
        if runs.is_empty() || self.slots[slot].ending {
            return;
        }
        let connection = &mut self.slots[slot];
        if form == Form::Events {
            connection.heard = self.now;
        }
        let waits = connection.blocked || connection.output.is_some() || self.corked == Some(slot);
        let held = matches!(&connection.session, Session::WebSocket(socket) if socket.connection.is_open());
        if connection.client || waits || held {
            let bytes = runs.concat();
            drop(runs);
            if !self.admits(machine, slot) {
                return;
            }
            if held {
                self.queue(slot).hold(&bytes);
            } else {
                self.push_frames(machine, slot, &bytes);
            }
            return;
        }
        let whole = runs.iter().map(|run| run.len()).sum();
        let written = match &runs[..] {
            [one] => machine.write(slot, &[IoSlice::new(one)]),
            many => {
                // The kernel takes at most 1,024 parts in a call; what is beyond goes to the queue like any other rest.
                let slices: Vec<IoSlice<'_>> = many.iter().take(1_024).map(|run| IoSlice::new(run)).collect();
                machine.write(slot, &slices)
            }
        };
        let taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
        self.stats.bytes_out += taken as u64;
        if taken < whole && !connection.ending {
            let now = self.now;
            let queue = connection.output.get_or_insert_with(|| Box::new(Queue::new(now)));
            let mut skip = taken;
            for run in runs {
                let from = skip.min(run.len());
                queue.push(&run[from..]);
                skip -= from;
            }
            self.touch(slot);
        }
    }

    // Reaching others.

    /// Sends to any peer of the server; one of another loop gets it through that loop's mailbox.
    pub(crate) fn send_to(&mut self, machine: &mut dyn Machine, id: PeerId, publication: &Publication<'_>) {
        if id.home != self.home {
            let sent = self.fellows.tell(id.home, Command::Send(id, Parcel::pack(publication)));
            self.stats.dropped += u64::from(sent.is_err());
        } else if let Some(key) = self.local(id) {
            self.send(machine, key.slot, publication);
        }
    }

    pub(crate) fn answer_to(&mut self, id: PeerId, reply: Reply) {
        if id.home != self.home {
            let sent = self.fellows.tell(id.home, Command::Answer(id, Box::new(reply)));
            self.stats.dropped += u64::from(sent.is_err());
        } else if let Some(key) = self.local(id) {
            self.answers.push((key, reply));
        }
    }

    pub(crate) fn wake_after(&mut self, slot: u32, wait: Duration) {
        let connection = &mut self.slots[slot];
        (connection.wake, connection.waking) = (self.now.after(milliseconds(wait)), true);
        self.touch(slot);
    }

    /// Starts a connection as a client.
    pub(crate) fn connect(
        &mut self,
        machine: &mut dyn Machine,
        address: std::net::SocketAddr,
        opening: Opening,
    ) -> io::Result<PeerId> {
        if !self.ledger.admit() {
            return Err(io::Error::other("as many connections as Limits::connections admits"));
        }
        let mut nonce = [0; 16];
        machine.entropy(&mut nonce);
        let mut connection = Connection::new(Session::opening(opening, nonce), self.now);
        connection.client = true;
        // A socket that is being connected is not writable; the first writable edge says how it came out.
        connection.blocked = true;
        let key = self.slots.insert(connection);
        if let Err(error) = machine.connect(key, address) {
            self.slots.remove(key.slot);
            self.ledger.release();
            return Err(error);
        }
        self.touch(key.slot);
        Ok(self.id(key))
    }

    /// The key that a reply would be masked with; it is used up only if there is a reply.
    pub(crate) fn mask_for_reply(&mut self, machine: &mut dyn Machine, slot: u32) -> Mask {
        if self.slots[slot].client { self.masks.peek(machine) } else { Mask::NONE }
    }

    /// A frame's reply goes out.
    pub(crate) fn push_reply(&mut self, slot: u32, reply: &longwire_frame::Reply) {
        self.masks.left = self.masks.left.saturating_sub(usize::from(self.slots[slot].client));
        self.push(slot, reply.as_bytes());
    }

    /// Takes back a buffer that a message was put together in, for the next one.
    pub(crate) fn give_back(&mut self, buffer: Vec<u8>) {
        const MOST: usize = 4;
        const LARGEST: usize = 1 << 20;
        if self.pool.len() < MOST && buffer.capacity() <= LARGEST && buffer.capacity() > 0 {
            self.pool.push(buffer);
        }
    }

    /// Settles what a connection pins, and its deadline.
    pub(crate) fn settle(&mut self, slot: u32) {
        let connection = &mut self.slots[slot];
        if connection.output.is_some()
            || connection.input.is_some()
            || connection.subscriptions.is_some()
            || connection.pinned > 0
        {
            let pins = connection.pins();
            self.ledger.settle(connection.pinned as usize, pins);
            connection.pinned = u32::try_from(pins).unwrap_or(u32::MAX);
        }
        let connection = &self.slots[slot];
        if let Some((due, _)) = connection.due(&self.times) {
            // A timer that fires too early looks again; only one that would fire too late must be moved.
            if connection.link.armed().is_none_or(|armed| !due.reached(armed)) {
                self.deadlines.arm(&mut self.slots, slot, due);
            }
        }
    }
}

/// The wire form that a session's peer reads, if it is open.
fn form(session: &Session) -> Option<Form> {
    match session {
        Session::WebSocket(_) => Some(Form::Frames),
        Session::Events(_) => Some(Form::Events),
        _ => None,
    }
}

/// What a broken connection is called.
pub(crate) const fn broken(kind: io::ErrorKind) -> Closed {
    match kind {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected => Closed::Gone,
        kind => Closed::Broken(kind),
    }
}

fn append_header(header: Header, out: &mut Vec<u8>) {
    let mut bytes = [0; Header::MAX_LEN];
    let length = header.encode(&mut bytes).expect("a header fits");
    out.extend_from_slice(&bytes[..length]);
}

/// Mask keys for the frames that we write as a client: drawn from the machine, sixty-four at a time.
struct Masks {
    pool: [u8; 256],
    left: usize,
}

impl Masks {
    const fn new() -> Self {
        Self { pool: [0; 256], left: 0 }
    }

    fn peek(&mut self, machine: &mut dyn Machine) -> Mask {
        if self.left == 0 {
            machine.entropy(&mut self.pool);
            self.left = self.pool.len() / 4;
        }
        let at = (self.left - 1) * 4;
        Mask::new([self.pool[at], self.pool[at + 1], self.pool[at + 2], self.pool[at + 3]])
    }

    fn next(&mut self, machine: &mut dyn Machine) -> Mask {
        let mask = self.peek(machine);
        self.left -= 1;
        mask
    }
}
