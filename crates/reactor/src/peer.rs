//! What a callback holds: one peer, or the loop as a whole.
//!
//! Both lend the sending half only. Sending does not fail at the call and does nothing on a connection that is closing;
//! what the queue's bound does not admit ends the connection, and `closed` says so; or, where the reply was
//! [`Reply::dropping`], it is dropped, and `dropped` says so.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use longwire_frame::{CloseCode, Message, Role, Whole};

use crate::Opening;
use crate::peer_id::PeerId;
use crate::publication::Publication;
use crate::reply::Reply;
use crate::sending::{Sending, Way};
use crate::slots::Key;
use crate::stats::{Stats, count};
use crate::wire::Machine;

/// The peer that a callback is about: the application's value and the way out, in two fields that can be borrowed apart.
///
/// Every method of [`Out`] can be called on the peer itself; `peer.out.send(&peer.user.name)` is for sending what the value
/// holds.
pub struct Peer<'a, U = ()> {
    /// What the application keeps with this peer.
    pub user: &'a mut U,
    /// The way out to it, and to everybody else.
    pub out: Out<'a>,
}

/// The way out of a callback.
pub struct Out<'a> {
    sending: &'a mut Sending,
    machine: &'a mut dyn Machine,
    key: Key,
    /// Messages of fewer bytes go to what is collected for this peer, and nothing has to be asked. 0 as soon as anything else was done: it
    /// may have changed that.
    short: usize,
    /// As whose they are sent.
    role: Role,
}

impl<'a> Out<'a> {
    pub(crate) const fn new(sending: &'a mut Sending, machine: &'a mut dyn Machine, key: Key) -> Self {
        Self { sending, machine, key, short: 0, role: Role::Server }
    }

    /// From here on short messages are sent to this peer the short way. What takes its whole messages, if they may be handed on one
    /// behind the other.
    #[inline]
    pub(crate) fn go(&mut self, way: Option<Way>) -> Option<Whole> {
        let way = way?;
        (self.short, self.role) = (way.most, way.role);
        way.whole
    }

    /// The same, if that way is open again.
    #[inline(never)]
    pub(crate) fn go_on(&mut self) -> Option<Whole> {
        self.go(self.sending.short_way(self.key.slot))
    }

    /// Whether nothing but short messages to this peer was sent since then.
    #[inline]
    pub(crate) const fn is_short(&self) -> bool {
        self.short > 0
    }

    /// A callback is about to be told a message, behind which there is more or not.
    #[inline]
    pub(crate) fn begin(&mut self, more: bool) {
        count(&mut self.sending.stats.messages_in, 1);
        self.sending.cork.mark();
        self.sending.cork.expect(more);
    }

    /// Whether callbacks have done so much that the visit must end before all that was read is looked at.
    pub(crate) const fn is_overworked(&self) -> bool {
        self.sending.work.is_too_much()
    }

    /// Whether what is collected for this peer is half of what its queue would hold.
    #[inline]
    pub(crate) fn has_much(&self) -> bool {
        self.sending.cork.len() > self.sending.limits.send_queue / 2
    }

    /// For whatever is not a short message to this peer.
    const fn all(&mut self) -> (&mut Sending, &mut dyn Machine, Key) {
        self.short = 0;
        (self.sending, self.machine, self.key)
    }

    /// Sends a message or an event to this peer.
    #[inline]
    pub fn send<'p>(&mut self, publication: impl Into<Publication<'p>>) {
        match publication.into() {
            Publication::Message(message)
                if message.len() < self.short
                    && self.role == Role::Server
                    && self.sending.collect(self.key.slot, message) => {}
            publication => self.send_any(&publication),
        }
    }

    #[inline(never)]
    fn send_any(&mut self, publication: &Publication<'_>) {
        if let Publication::Message(message) = publication
            && message.len() < self.short
            && self.role == Role::Client
            && self.sending.collect_masked(self.machine, self.key.slot, *message)
        {
            return;
        }
        let (sending, machine, key) = self.all();
        let collected = match publication {
            Publication::Message(message) => sending.send_short(machine, key.slot, *message),
            _ => false,
        };
        if !collected {
            sending.send(machine, key.slot, publication);
        }
    }

    /// Sends to another peer of this server.
    pub fn send_to<'p>(&mut self, id: PeerId, publication: impl Into<Publication<'p>>) {
        let (sending, machine, _) = self.all();
        sending.send_to(machine, id, &publication.into());
    }

    /// Sends a piece of a message; `end` with the last. The first piece decides whether it is text or binary. Until the
    /// last one has been sent, whole messages to this peer wait.
    pub fn piece<'p>(&mut self, piece: impl Into<Message<'p>>, end: bool) {
        let (sending, machine, key) = self.all();
        sending.piece(machine, key.slot, piece.into(), end);
    }

    /// Sends a ping with at most 125 bytes of payload; what is beyond is cut.
    pub fn ping(&mut self, payload: &[u8]) {
        let (sending, machine, key) = self.all();
        sending.ping(machine, key.slot, payload);
    }

    /// Publishes to everybody who listens to the topic, this peer included, at the end of the turn. Nothing is kept for those who
    /// come later.
    pub fn publish<'p>(&mut self, topic: &str, publication: impl Into<Publication<'p>>) {
        let (sending, machine, _) = self.all();
        sending.publish(machine, topic, &publication.into(), None);
    }

    /// Publishes to everybody else.
    pub fn publish_to_others<'p>(&mut self, topic: &str, publication: impl Into<Publication<'p>>) {
        let (sending, machine, key) = self.all();
        sending.publish(machine, topic, &publication.into(), Some(key.slot));
    }

    /// Listens to a topic. In `request` this takes effect when the reply opens something. Beyond `Limits::topics` it does
    /// nothing, but [`Stats::dropped`] counts it.
    pub fn subscribe(&mut self, topic: &str) {
        let (sending, _, key) = self.all();
        sending.subscribe(key.slot, topic);
    }

    /// Does not listen to a topic any more.
    pub fn unsubscribe(&mut self, topic: &str) {
        let (sending, machine, key) = self.all();
        sending.unsubscribe(machine, key.slot, topic);
    }

    /// How many peers of this loop listen to a topic.
    #[must_use]
    pub fn subscribers(&self, topic: &str) -> usize {
        self.sending.topics.subscribers(topic)
    }

    /// Answers this peer's request, if the reply was [`Reply::later`].
    pub fn answer(&mut self, reply: Reply) {
        let (sending, _, key) = self.all();
        let id = sending.id(key);
        sending.answers.push((id, reply));
    }

    /// Answers another peer's request, if its reply was [`Reply::later`].
    pub fn answer_to(&mut self, id: PeerId, reply: Reply) {
        self.all().0.answer_to(id, reply);
    }

    /// Calls [`Handler::timer`](crate::Handler::timer) once after this time; asking again moves it.
    pub fn wake_after(&mut self, wait: Duration) {
        let (sending, _, key) = self.all();
        sending.wake_after(key.slot, wait);
    }

    /// Closes: a WebSocket with this code and reason (cut at 123 bytes, on a character boundary); an event stream ends. Within
    /// [`Handler::request`](crate::Handler::request) nothing is open yet, and nothing happens: who may not come in is answered so.
    pub fn close(&mut self, code: CloseCode, reason: &str) {
        let (sending, machine, key) = self.all();
        sending.close(machine, key.slot, code, reason);
    }

    /// Bytes that wait to be sent to this peer.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.sending.queued(self.key.slot)
    }

    /// This peer's name.
    #[must_use]
    pub fn id(&self) -> PeerId {
        self.sending.id(self.key)
    }

    /// This peer's address; `None` on Unix sockets.
    ///
    /// Behind a proxy that is trusted ([`Server::trust`](crate::Server::trust)) it is the client's, as the proxy tells it
    /// with each request, and stays that of the WebSocket, stream or `later` which the request opened. Its port is 0 if the
    /// proxy does not tell it, as most do not. If it tells no address, this is the proxy's own.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.sending.addresses.client(self.key.slot)
    }

    /// The wall clock in whole seconds since 1970, as of this turn.
    #[must_use]
    pub const fn unix_time(&self) -> u64 {
        self.sending.wall
    }
}

/// Forwards methods of `Out`, so that `peer.send(…)` is what people write. (A `Deref` would borrow the whole peer.)
macro_rules! forward {
    ($(fn $name:ident $(<$life:lifetime>)? ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        impl<U> Peer<'_, U> {
            $(
                #[doc = concat!("See [`Out::", stringify!($name), "`].")]
                #[inline]
                pub fn $name $(<$life>)? (&mut self, $($argument: $type),*) $(-> $result)? {
                    self.out.$name($($argument),*)
                }
            )*
        }
    };
}

forward! {
    fn send<'p>(publication: impl Into<Publication<'p>>);
    fn send_to<'p>(id: PeerId, publication: impl Into<Publication<'p>>);
    fn piece<'p>(piece: impl Into<Message<'p>>, end: bool);
    fn ping(payload: &[u8]);
    fn publish<'p>(topic: &str, publication: impl Into<Publication<'p>>);
    fn publish_to_others<'p>(topic: &str, publication: impl Into<Publication<'p>>);
    fn subscribe(topic: &str);
    fn unsubscribe(topic: &str);
    fn answer(reply: Reply);
    fn answer_to(id: PeerId, reply: Reply);
    fn wake_after(wait: Duration);
    fn close(code: CloseCode, reason: &str);
}

impl<U> Peer<'_, U> {
    /// See [`Out::subscribers`].
    #[must_use]
    pub fn subscribers(&self, topic: &str) -> usize {
        self.out.subscribers(topic)
    }

    /// See [`Out::queued`].
    #[must_use]
    pub fn queued(&self) -> usize {
        self.out.queued()
    }

    /// See [`Out::id`].
    #[must_use]
    pub fn id(&self) -> PeerId {
        self.out.id()
    }

    /// See [`Out::address`].
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.out.address()
    }

    /// See [`Out::unix_time`].
    #[must_use]
    pub const fn unix_time(&self) -> u64 {
        self.out.unix_time()
    }
}

/// The loop as a whole, where no peer is meant.
pub struct Hub<'a> {
    sending: &'a mut Sending,
    machine: &'a mut dyn Machine,
}

impl<'a> Hub<'a> {
    pub(crate) const fn new(sending: &'a mut Sending, machine: &'a mut dyn Machine) -> Self {
        Self { sending, machine }
    }

    /// Publishes to everybody who listens to the topic, at the end of the turn.
    pub fn publish<'p>(&mut self, topic: &str, publication: impl Into<Publication<'p>>) {
        self.sending.publish(self.machine, topic, &publication.into(), None);
    }

    /// How many peers of this loop listen to a topic.
    #[must_use]
    pub fn subscribers(&self, topic: &str) -> usize {
        self.sending.topics.subscribers(topic)
    }

    /// Sends to a peer of this server.
    pub fn send_to<'p>(&mut self, id: PeerId, publication: impl Into<Publication<'p>>) {
        self.sending.send_to(self.machine, id, &publication.into());
    }

    /// Answers a request whose reply was [`Reply::later`].
    pub fn answer_to(&mut self, id: PeerId, reply: Reply) {
        self.sending.answer_to(id, reply);
    }

    /// Closes a peer of this server, as [`Out::close`] does.
    pub fn close(&mut self, id: PeerId, code: CloseCode, reason: &str) {
        match self.sending.local(id) {
            Some(key) => self.sending.close(self.machine, key.slot, code, reason),
            None => self.sending.fellows.close(id, code, reason),
        }
    }

    /// Opens a WebSocket as a client, on this loop: [`Handler::opened`](crate::Handler::opened) or
    /// [`Handler::closed`](crate::Handler::closed) will tell how it came out.
    ///
    /// # Errors
    /// What the machine says at once: no descriptors, no route, as many connections as there may be; or the server is
    /// stopping.
    pub fn connect(&mut self, address: SocketAddr, opening: Opening) -> io::Result<PeerId> {
        self.sending.connect(self.machine, address, opening)
    }

    /// What this loop has done and holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.sending.slots.len() as u64,
            pinned: self.sending.pinned_beside_slots() as u64,
            ..self.sending.stats
        }
    }

    /// The wall clock in whole seconds since 1970, as of this turn.
    #[must_use]
    pub const fn unix_time(&self) -> u64 {
        self.sending.wall
    }
}
