//! A visit, as far as the session is concerned: what bytes, time and the loop do to one connection, and how its application hears
//! of that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use longwire_frame::{Close, CloseCode, Encoder, Role};

use super::closing::{self, Closing};
use super::input::Input;
use super::{Rules, Session, answer, body, compressed, head, later, opening, web_socket};
use crate::closed::{Closed, Deadline};
use crate::connection::Connection;
use crate::due::Due;
use crate::handler::{Dropped, Handler};
use crate::notices::Notice;
use crate::peer::{Hub, Out, Peer};
use crate::reply::Reply;
use crate::sending::Sending;
use crate::side::Side;
use crate::slots::Key;
use crate::wire::Machine;
use crate::{Access, Record};

/// One connection, one handler and everything that they may touch, for the time of a visit.
pub(crate) struct Visit<'a, H: Handler> {
    pub(crate) handler: &'a mut H,
    pub(crate) users: &'a mut Side<H::User>,
    pub(crate) sending: &'a mut Sending,
    pub(crate) machine: &'a mut dyn Machine,
    pub(crate) rules: &'a Rules,
    pub(crate) reply: &'a mut longwire_frame::Reply,
    pub(crate) key: Key,
    /// What has come and is not used up, taken out of its slot for the visit.
    pub(crate) input: &'a mut Option<Box<Input>>,
}

impl<H: Handler> Visit<'_, H> {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.sending.slots[self.key.slot]
    }

    /// Gives bytes to the session, as many as it takes now. Returns how many it took. RFC 9112 §9.3.2: one after the other; §9.6:
    /// and none behind the last.
    pub(crate) fn receive(&mut self, bytes: &mut [u8]) -> usize {
        if self.input.is_some() && !compressed::go_on(self) {
            return 0;
        }
        let mut used = 0;
        while used < bytes.len() {
            let rest = &mut bytes[used..];
            let overworked = self.sending.work.is_too_much();
            let connection = self.connection();
            if connection.paused || connection.ending || overworked {
                break;
            }
            let before = std::mem::discriminant(&connection.session);
            let taken = match &connection.session {
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
            if compressed::is_parked(self) {
                break;
            }
        }
        used
    }

    /// A peer that does not read is not read either: from half the queue's bound on, until it is empty. RFC 9112 §9.5 leaves
    /// overload to flow control.
    #[inline(always)]
    pub(crate) fn pause_if_full(&mut self) {
        if self.sending.cork.len() > self.sending.limits.send_queue / 2 || self.connection().output.is_some() {
            self.pause_if_waiting();
        }
    }

    fn pause_if_waiting(&mut self) {
        let bound = self.sending.limits.send_queue / 2;
        let full = self.sending.queued(self.key.slot) > bound;
        let connection = self.connection();
        // A body that has begun is taken whole: its time goes on.
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
    pub(super) fn opened(&mut self) {
        for topic in std::mem::take(&mut self.sending.wanted) {
            self.sending.subscribe(self.key.slot, &topic);
        }
        self.call(|handler, peer| handler.opened(peer));
    }

    /// Calls the application about this peer. A panic ends the connection.
    pub(crate) fn call(&mut self, call: impl FnOnce(&mut H, &mut Peer<'_, H::User>)) {
        let Some(user) = self.users.get_mut(self.key.slot) else { return };
        self.sending.cork.mark();
        let mut peer = Peer { user, out: Out::new(self.sending, self.machine, self.key) };
        if catch_unwind(AssertUnwindSafe(|| call(self.handler, &mut peer))).is_err() {
            self.panicked();
        }
    }

    /// Tells the application what was dropped, if it does not know yet.
    pub(crate) fn tell_drops(&mut self) {
        let count = self.sending.take_drops(self.key);
        if count > 0 {
            self.call(|handler, peer| handler.dropped(peer, Dropped { count }));
        }
    }

    #[cold]
    pub(super) fn panicked(&mut self) {
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

    /// Does what a deadline does. Returns why the connection goes without another word, if it does.
    pub(crate) fn expire(&mut self, due: Due) -> Option<Closed> {
        match due {
            Due::Quiet => return Some(Closed::Late(Deadline::Idle)),
            Due::Linger => return Some(Closed::Gone),
            Due::RequestTimeout => answer::timed_out(self),
            Due::Ping => web_socket::ping(self),
            Due::Heartbeat => self.sending.heartbeat(self.key.slot),
            Due::Wake => {
                self.connection().waking = false;
                self.call(|handler, peer| handler.timer(peer));
            }
            Due::Late(why @ Deadline::Answer) => self.answer(Reply::status(503), Closed::Late(why)),
            Due::Late(why @ (Deadline::Age | Deadline::Message)) => self.sending.end(self.key.slot, Closed::Late(why)),
            Due::Late(why) => return Some(Closed::Late(why)),
        }
        None
    }

    /// Tells whoever listens that the server is stopping. Requests under way are answered, and the answer says that it is the last.
    pub(crate) fn stop(&mut self) {
        let slot = self.key.slot;
        match self.connection().session {
            Session::WebSocket(_) => {
                self.sending.close(self.machine, slot, CloseCode::GOING_AWAY, "server is stopping");
            }
            Session::Events(_) => {
                self.sending.deliver_now(self.machine, slot);
                self.sending.end(slot, Closed::Drained);
            }
            Session::Head(_) | Session::Body(_) | Session::Later(_) | Session::Opening(_) | Session::Closing(_) => {}
        }
    }

    /// Ends it for a reason of our own, and says so to whoever can be told.
    pub(crate) fn end(&mut self, why: Closed) {
        match (&self.connection().session, why) {
            (Session::Head(_) | Session::Body(_), Closed::NoRoom) => answer::refuse_for_room(self),
            (Session::Later(_), Closed::NoRoom) => self.answer(answer::no_room(), why),
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

    /// Nothing more is taken from the peer; what is queued still goes out before the connection closes. RFC 6455 §7.2.2. RFC 9112
    /// §9.6: who has said `close` closes.
    pub(crate) fn shut(&mut self, why: Closed) {
        self.sending.unsubscribe_all(self.key.slot);
        self.sending.forget_held(self.key.slot);
        *self.input = None;
        let now = self.sending.now;
        let connection = self.connection();
        connection.input = None;
        (connection.waking, connection.paused, connection.ending) = (false, false, false);
        if !matches!(connection.session, Session::Closing(_)) {
            let shut = connection.client && connection.session.has_closed();
            connection.since = now;
            self.become_session(Session::Closing(Closing { shut, why: Some(why) }));
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
