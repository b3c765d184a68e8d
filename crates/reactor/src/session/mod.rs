//! What one connection is for, as a state named for what it awaits. No socket and no clock in here: bytes come in with a
//! [`Visit`], and what goes out is pushed to the sending half.
//! docs/states.md draws the states and what leads from one to another.

pub(crate) mod body;
pub(crate) mod closing;
pub(crate) mod events;
pub(crate) mod head;
pub(crate) mod input;
pub(crate) mod later;
pub(crate) mod opening;
pub(crate) mod web_socket;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use longwire_frame::{Close, CloseCode, Encoder, Role};

use self::body::Body;
use self::closing::Closing;
use self::events::Events;
use self::head::Head;
use self::input::Input;
use self::later::Later;
use self::opening::{Awaited, Opening};
use self::web_socket::WebSocket;
use crate::closed::Closed;
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::notices::Notice;
use crate::peer::{Hub, Out, Peer};
use crate::sending::Sending;
use crate::slots::{Key, Side};
use crate::wire::Machine;
use crate::{Access, Network, Origins, Record, reply::Reply};

/// What a connection awaits.
pub(crate) enum Session {
    /// A request's head.
    Head(Head),
    /// The rest of a request's body.
    Body(Body),
    /// The application's answer.
    Later(Later),
    /// Frames.
    WebSocket(WebSocket),
    /// Nothing from the peer but its end.
    Events(Events),
    /// The answer to an opening handshake of ours.
    Opening(Box<Awaited>),
    /// The peer's FIN: ours has been sent or follows the queue.
    Closing(Closing),
}

impl Session {
    pub(crate) fn opening(opening: Opening, nonce: [u8; 16], limits: longwire_handshake::Limits) -> Self {
        Self::Opening(Box::new(Awaited::new(opening, nonce, limits)))
    }

    /// The state of connections that only have to end.
    pub(crate) const fn closing() -> Self {
        Self::Closing(Closing { shut: false, why: None })
    }

    /// Its state, for those who read reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Head(_) => "head",
            Self::Body(_) => "body",
            Self::Later(_) => "later",
            Self::WebSocket(_) => "web socket",
            Self::Events(_) => "events",
            Self::Opening(_) => "opening",
            Self::Closing(_) => "closing",
        }
    }

    /// Every transition there is. (docs/states.md draws them, and is held against this.)
    const fn may_become(&self, next: &Self) -> bool {
        matches!(
            (self, next),
            (Self::Head(_), Self::Body(_))
                // A whole request has its answer, of any kind; or it is refused.
                | (
                    Self::Head(_) | Self::Body(_),
                    Self::Head(_) | Self::Later(_) | Self::WebSocket(_) | Self::Events(_) | Self::Closing(_)
                )
                // The answer is here: it is given to the head that was kept, as if it had come at once.
                | (Self::Later(_), Self::Head(_))
                | (Self::Opening(_), Self::WebSocket(_))
                | (Self::Later(_) | Self::WebSocket(_) | Self::Events(_) | Self::Opening(_), Self::Closing(_))
        )
    }

    /// Whether something may be sent by name: a WebSocket or an event stream.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self, Self::WebSocket(_) | Self::Events(_))
    }

    /// Whether a request is awaited, and no byte of it has been read.
    pub(crate) const fn is_silent(&self) -> bool {
        matches!(self, Self::Head(head) if head.is_awaited())
    }

    /// Whether the application's value stays with it.
    pub(crate) const fn keeps_user(&self) -> bool {
        matches!(self, Self::WebSocket(_) | Self::Events(_) | Self::Later(_))
    }

    /// Whether an incomplete unit must stand in front of what is read next. (A body goes straight to its place.)
    pub(crate) const fn carries(&self) -> bool {
        !matches!(self, Self::Body(_) | Self::Later(_))
    }

    /// Whether anything is read in this state: a request that waits is answered first, and a socket that is being connected has
    /// nothing to read.
    pub(crate) fn reads(&self) -> bool {
        !matches!(self, Self::Later(_)) && !opening::is_connecting(self)
    }

    /// Bytes came from the peer. Whether that is a sign of its life: on a stream only what we send counts.
    pub(crate) const fn heard(&mut self) -> bool {
        match self {
            Self::Events(_) => return false,
            Self::WebSocket(socket) => socket.pinged = None,
            _ => {}
        }
        true
    }

    /// The last byte that waited has left. Whether the wait for the peer begins only now.
    pub(crate) fn sent(&mut self, now: Moment) -> bool {
        match self {
            // The pong clock starts when the ping's last byte has left …
            Self::WebSocket(socket) => socket.pinged = socket.pinged.map(|_| now),
            // … and the peer may think about its next request from when the last answer has.
            Self::Head(head) => return head.is_between_requests(),
            _ => {}
        }
        false
    }

    /// Bytes that its state pins on the heap.
    pub(crate) fn pinned(&self) -> usize {
        match self {
            Self::Later(later) => later.pinned(),
            Self::Opening(awaited) => awaited.pinned(),
            _ => 0,
        }
    }

    pub(crate) fn due(&self, connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
        match self {
            Self::Head(head) => head.due(connection, times),
            Self::Body(_) => Some((connection.since.after(times.body), Due::RequestTimeout)),
            Self::Later(_) => later::due(connection, times),
            Self::WebSocket(socket) => socket.due(connection, times),
            Self::Events(_) => events::due(connection, times),
            Self::Opening(_) => opening::due(connection, times),
            Self::Closing(_) => closing::due(connection, times),
        }
    }
}

/// Rules of the server that a session needs to know.
pub(crate) struct Rules {
    pub(crate) origins: Origins,
    /// Names that a Host may have on a loopback address.
    pub(crate) hosts: Vec<String>,
    /// Where proxies are whose word about their clients is believed.
    pub(crate) trusted: Vec<Network>,
}

/// One connection, one handler and everything that they may touch, for the time of a visit.
pub(crate) struct Visit<'a, H: Handler> {
    pub(crate) handler: &'a mut H,
    pub(crate) users: &'a mut Side<H::User>,
    pub(crate) sending: &'a mut Sending,
    pub(crate) machine: &'a mut dyn Machine,
    pub(crate) rules: &'a Rules,
    pub(crate) reply: &'a mut longwire_frame::Reply,
    pub(crate) key: Key,
    /// The connection's carried input, taken out of its slot for the visit.
    pub(crate) input: &'a mut Option<Box<Input>>,
}

impl<H: Handler> Visit<'_, H> {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.sending.slots[self.key.slot]
    }

    /// Gives bytes to the session, as many as it takes now. Returns how many it took.
    pub(crate) fn receive(&mut self, bytes: &mut [u8]) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.connection().paused && !self.connection().ending {
            let rest = &mut bytes[used..];
            let before = std::mem::discriminant(&self.connection().session);
            let taken = match &self.connection().session {
                Session::Head(_) => head::receive(self, rest),
                Session::Body(_) => body::receive(self, rest),
                Session::WebSocket(_) => web_socket::receive(self, rest),
                Session::Opening(_) => opening::receive(self, rest),
                Session::Later(_) => 0,
                Session::Events(_) | Session::Closing(_) => rest.len(),
            };
            used += taken;
            if taken == 0 && std::mem::discriminant(&self.connection().session) == before {
                break;
            }
            self.pause_if_full();
        }
        used
    }

    /// A peer that does not read is not read either: from half the queue's bound on, until it is empty.
    pub(crate) fn pause_if_full(&mut self) {
        let full = self.sending.queued(self.key.slot) > self.sending.limits.send_queue / 2;
        let connection = self.connection();
        // A body that has begun is taken whole: what lies behind its head could not be told from it when it is kept.
        if full && !matches!(connection.session, Session::Body(_) | Session::Events(_) | Session::Closing(_)) {
            connection.paused = true;
        }
    }

    /// Whether the input may grow by so much; if not, this connection ends.
    pub(crate) fn may_grow(&mut self, more: usize) -> bool {
        let may = more == 0 || self.sending.make_room(self.key.slot, more);
        if !may {
            *self.input = None;
            self.sending.end_and_cut(self.key.slot, Closed::NoRoom);
        }
        may
    }

    /// Moves to another state.
    pub(crate) fn become_session(&mut self, session: Session) {
        let now = self.sending.now;
        let connection = self.connection();
        debug_assert!(connection.session.may_become(&session), "no arrow leads there");
        connection.session = session;
        connection.since = now;
    }

    /// Something is open: the topics that the request asked for begin, and the application hears of it.
    fn opened(&mut self) {
        for topic in std::mem::take(&mut self.sending.wanted) {
            self.sending.subscribe(self.key.slot, &topic);
        }
        self.call(|handler, peer| handler.opened(peer));
    }

    /// Calls the application about this peer. A panic ends the connection.
    pub(crate) fn call(&mut self, call: impl FnOnce(&mut H, &mut Peer<'_, H::User>)) {
        let Some(user) = self.users.get(self.key.slot) else { return };
        self.sending.cork.mark();
        let mut peer = Peer { user, out: Out::new(self.sending, self.machine, self.key) };
        if catch_unwind(AssertUnwindSafe(|| call(self.handler, &mut peer))).is_err() {
            self.panicked();
        }
    }

    #[cold]
    fn panicked(&mut self) {
        let close_was_cut = self.sending.cork.cut_back();
        let id = self.sending.id(self.key);
        self.note_panic(format_args!("the handler panicked for peer {id}"));
        let slot = self.key.slot;
        if let Session::Later(_) = self.connection().session {
            // The last answer of its connection, whatever was answered before the panic.
            self.sending.end(slot, Closed::Panicked);
            return self.answer(Reply::status(500), Closed::Panicked);
        }
        self.sending.end(slot, Closed::Panicked);
        if close_was_cut {
            // The state says that a Close was sent, but it did not leave.
            let role = if self.connection().client { Role::Client } else { Role::Server };
            let (close, mask) = (Close::new(CloseCode::INTERNAL, ""), self.sending.mask_for(self.machine, slot));
            let mut frame = [0; 16];
            let length = Encoder::new(role).close(Some(close), mask, &mut frame).expect("a short Close fits");
            self.sending.push(slot, &frame[..length]);
        }
    }

    fn note_panic(&mut self, words: std::fmt::Arguments<'_>) {
        self.sending.stats.panics += 1;
        self.sending.notices.tell(self.sending.now, Notice::Panic, words);
    }

    /// Ends it for a reason of our own, and says so to whoever can be told.
    pub(crate) fn end(&mut self, why: Closed) {
        match (&self.connection().session, why) {
            (Session::Head(_) | Session::Body(_), Closed::NoRoom) => head::refuse_for_room(self),
            (Session::Later(_), Closed::NoRoom) => self.answer(Reply::status(503), why),
            _ => {
                closing::say(self, why);
                self.finish(why);
            }
        }
    }

    /// Ends what is open and tells the application; what is queued still goes out before the connection closes.
    pub(crate) fn finish(&mut self, why: Closed) {
        let slot = self.key.slot;
        if let Session::Opening(_) = self.connection().session {
            // Its end is owed to the application, which has no value for it yet.
            self.users.insert(slot, H::User::default());
        }
        self.shut(why);
        self.closed(why);
    }

    /// Nothing more is taken from the peer; what is queued still goes out before the connection closes.
    pub(crate) fn shut(&mut self, why: Closed) {
        self.sending.unsubscribe_all(self.key.slot);
        self.sending.forget_held(self.key.slot);
        *self.input = None;
        let connection = self.connection();
        connection.input = None;
        (connection.waking, connection.paused, connection.ending) = (false, false, false);
        if !matches!(connection.session, Session::Closing(_)) {
            self.become_session(Session::Closing(Closing { shut: false, why: Some(why) }));
        }
    }

    /// Tells the application that what was open has ended, exactly once.
    pub(crate) fn closed(&mut self, why: Closed) {
        let Some(user) = self.users.remove(self.key.slot) else { return };
        let id = self.sending.id(self.key);
        let mut hub = Hub::new(self.sending, self.machine);
        if catch_unwind(AssertUnwindSafe(|| self.handler.closed(&mut hub, id, user, why))).is_err() {
            self.note_panic(format_args!("the handler panicked while it was told that peer {id} is closed"));
        }
    }

    /// Tells the application what it may want in its access log. A panic there harms nobody.
    pub(crate) fn access(&mut self, record: Record<'_>) {
        let access = Access::new(self.sending, self.key, record);
        if catch_unwind(AssertUnwindSafe(|| self.handler.access(access))).is_err() {
            self.note_panic(format_args!("the handler panicked over its access log"));
        }
    }

    /// The connection is gone: for this reason, unless it was ending for another.
    pub(crate) fn gone(&mut self, why: Closed) {
        let now = self.sending.now;
        let connection = self.connection();
        let why = match &connection.session {
            Session::Closing(closing) => closing.why.unwrap_or(why),
            _ => why,
        };
        let age = Duration::from_millis(u64::from(now.0.wrapping_sub(connection.opened.0)));
        self.access(Record::Closed { why, age });
    }

    /// Gives a later answer.
    pub(crate) fn answer(&mut self, reply: Reply, why: Closed) {
        if let Session::Later(_) = self.connection().session {
            later::answer(self, reply, why);
        }
    }
}
