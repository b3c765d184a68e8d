//! The application of a history: it writes down what it is told, answers what it must, and does other things as the dice say.

mod acts;
mod asks;

use std::net::SocketAddr;
use std::panic::resume_unwind;

use longwire_reactor::sys::sim::Random;
use longwire_reactor::{
    Access, Closed, Deadline, Dropped, Handler, Hub, Message, Peer, PeerId, Piece, Record, Reply, Request,
};

use self::asks::Asks;
pub(crate) use self::asks::Route;
use crate::coverage::Met;
use crate::ladder::{Glimpse, Ladder};
use crate::model::{Answer, Model, State};
use crate::plan::Plan;
use crate::words::{Kind, Word};

/// See the top of this file.
pub(crate) struct App {
    pub(crate) model: Model,
    random: Random,
    plan: Plan,
    ladder: Ladder,
    scratch: String,
    /// What must arrive of what was sent before this callback.
    mark: u32,
    /// Requests that wait for their answer.
    waiting: Vec<(usize, Asks)>,
    /// A word that arrives in pieces, for each record that has one.
    incoming: Vec<(usize, Vec<u8>)>,
    /// How many connections of our own were begun.
    dialled: usize,
    /// Queues hold no more than this, whatever happens.
    queue_most: usize,
}

/// What the application keeps with a peer.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Seat {
    record: Option<usize>,
}

impl App {
    pub(crate) fn new(plan: Plan, random: Random, ladder: Ladder) -> Self {
        let model = Model { most_topics: plan.limits.topics, patient: plan.patient, ..Model::default() };
        // The bound, one message, and what a visit may answer beside them: a page, and heads.
        let queue_most = plan.limits.send_queue + 2 * crate::words::LONGEST + 4_000;
        Self {
            model,
            random,
            plan,
            ladder,
            scratch: String::new(),
            mark: 0,
            waiting: Vec::new(),
            incoming: Vec::new(),
            dialled: 0,
            queue_most,
        }
    }

    /// Where a guest comes from.
    pub(crate) fn address_of(guest: usize) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, (guest % 3) as u8], guest as u16))
    }

    /// A callback about a peer begins: it must be one that is open, and it must be that one.
    fn called(&mut self, peer: &Peer<'_, Seat>, met: Met, name: &str) -> Option<usize> {
        self.model.meet(met);
        let id = peer.id();
        self.ladder.application(format_args!("{name} of {id}"));
        if peer.queued() > self.queue_most {
            self.model.violate(format!("{} bytes are queued for {id}", peer.queued()));
        }
        let Some(record) = peer.user.record else {
            self.model.violate(format!("{name} of {id}, which is unknown"));
            return None;
        };
        if self.model.records[record].id != id {
            self.model.violate(format!("{name} of {id} came with the user value of {}", self.model.records[record].id));
            return None;
        }
        self.mark = self.model.records[record].whole();
        Some(record)
    }

    /// The same for what is open only.
    fn called_open(&mut self, peer: &Peer<'_, Seat>, met: Met, name: &str) -> Option<usize> {
        let record = self.called(peer, met, name)?;
        let state = self.model.records[record].state;
        if !matches!(state, State::WebSocket | State::Events) {
            self.model.violate(format!("{name} of {}, which is {state:?}", peer.id()));
            return None;
        }
        Some(record)
    }

    /// Once in so many callbacks the application fails.
    fn panics_now(&mut self) -> bool {
        let panics = self.plan.panics.is_some_and(|times| self.random.one_in(times));
        if panics {
            self.model.meet(Met::Panic);
            self.ladder.application(format_args!("  panics"));
        }
        panics
    }

    /// The same, for a callback about a peer: what it has sent in this one need not arrive.
    fn may_panic(&mut self, record: usize) {
        if self.panics_now() {
            let known = &mut self.model.records[record];
            known.firm = if known.closing || known.doomed { known.firm.min(self.mark) } else { self.mark };
            (known.closing, known.publications_are_firm) = (true, false);
            // Past the hook, which would print it.
            resume_unwind(Box::new(()));
        }
    }

    /// What a request asked for, and what that will look like from outside.
    fn reply(&mut self, record: usize, asks: Asks) -> Reply {
        let (reply, answer) = match asks.route {
            Route::WebSocket => (Reply::web_socket(), Answer::WebSocket(record)),
            Route::Pieces => (Reply::web_socket().pieces(), Answer::WebSocket(record)),
            Route::Events => (Reply::events(), Answer::Events(record)),
            Route::Page if asks.headless => {
                self.model.meet(Met::Page);
                (Reply::page("text/plain", vec![b'x'; asks.size]), Answer::Head(asks.size))
            }
            Route::Page => {
                let word = Word::new(Kind::Body, asks.guest as u32, asks.number);
                let mut body = String::new();
                word.write(asks.size, &mut body);
                self.model.meet(Met::Page);
                let size = body.len();
                (Reply::page("text/plain", body.into_bytes()), Answer::Page(word, size))
            }
        };
        self.model.answers[asks.guest].push_back(answer);
        let drops = asks.route != Route::Page && self.random.one_in(3);
        self.model.records[record].dropping = drops;
        if drops { reply.dropping() } else { reply }
    }

    /// A message is there, whole.
    fn take(&mut self, peer: &mut Peer<'_, Seat>, record: usize, bytes: &[u8]) {
        let known = &mut self.model.records[record];
        known.told += 1;
        let due = Word::new(Kind::Message, known.guest as u32, known.told);
        match Word::read(bytes) {
            Some(word) if word == due => {}
            word => {
                let text = format!("{word:?} ({}) came from a guest where {due:?} was due", Glimpse(bytes));
                return self.model.violate(text);
            }
        }
        let most = if self.random.one_in(8) { 5_000 } else { 300 };
        let size = self.random.below(most);
        self.say(&mut peer.out, record, due.number, size);
        self.act(peer, record);
    }
}

impl Handler for App {
    type User = Seat;

    fn request(&mut self, peer: &mut Peer<'_, Seat>, request: &Request<'_>, body: &[u8]) -> Reply {
        self.model.meet(Met::Request);
        let id = peer.id();
        self.ladder.application(format_args!("request of {id}: {request:?}"));
        let Some(asks) =
            Asks::parse(request.method(), request.path()).filter(|asks| asks.guest < self.model.answers.len())
        else {
            self.model.violate(format!("nobody asks for {request:?}"));
            return Reply::status(500);
        };
        if peer.address() != Some(Self::address_of(asks.guest)) {
            self.model.violate(format!("{id} does not come from where guest {} is", asks.guest));
        }
        if peer.user.record.is_some() {
            self.model.violate(format!("the user value of {id} is not a fresh one"));
        }
        if !body.is_empty() && Word::read(body) != Some(Word::new(Kind::Body, asks.guest as u32, asks.number)) {
            self.model.violate(format!("the body of {request:?} is not what was sent"));
        }
        let record = self.model.begin(id, asks.guest, State::Asked);
        peer.user.record = Some(record);
        self.act_on_request(peer, record);
        if self.panics_now() {
            self.model.answers[asks.guest].push_back(Answer::Status(500));
            self.model.end(record);
            resume_unwind(Box::new(()));
        }
        if asks.later {
            self.model.meet(Met::Later);
            self.model.records[record].state = State::Later;
            self.waiting.push((record, asks));
            self.wake(peer, record);
            return Reply::later();
        }
        let reply = self.reply(record, asks);
        if asks.route == Route::Page {
            self.model.end(record);
        }
        reply
    }

    fn opened(&mut self, peer: &mut Peer<'_, Seat>) {
        if peer.user.record.is_none() {
            // Only a connection of our own opens without a request.
            let id = peer.id();
            peer.user.record = self.model.live.iter().copied().find(|live| {
                let record = &self.model.records[*live];
                record.id == id && record.state == State::Dialled
            });
        }
        let Some(record) = self.called(peer, Met::Opened, "opened") else { return };
        let known = &mut self.model.records[record];
        let answer = self.model.answers[known.guest].back();
        known.state = match (known.state, answer) {
            (State::Dialled, _) => State::WebSocket,
            (State::Asked | State::Later, Some(Answer::WebSocket(of))) if *of == record => State::WebSocket,
            (State::Asked | State::Later, Some(Answer::Events(of))) if *of == record => State::Events,
            (state, answer) => {
                let text = format!("{} was opened, being {state:?}, promised {answer:?}", known.id);
                return self.model.violate(text);
            }
        };
        self.act(peer, record);
    }

    fn message(&mut self, peer: &mut Peer<'_, Seat>, message: Message<'_>) {
        let Some(record) = self.called_open(peer, Met::Message, "message") else { return };
        self.take(peer, record, message.as_bytes());
    }

    fn piece(&mut self, peer: &mut Peer<'_, Seat>, piece: Piece<'_>) {
        let Some(record) = self.called_open(peer, Met::Piece, "piece") else { return };
        let (bytes, end) = match piece {
            Piece::Text { rest, end, .. } => (rest.as_bytes(), end),
            Piece::Binary { bytes, end } => (bytes, end),
        };
        let at = self.incoming.iter().position(|(of, _)| *of == record).unwrap_or_else(|| {
            self.incoming.push((record, Vec::new()));
            self.incoming.len() - 1
        });
        let so_far = &mut self.incoming[at].1;
        if let Piece::Text { carried: Some(carried), .. } = piece {
            self.model.meet(Met::Carried);
            so_far.extend_from_slice(carried.encode_utf8(&mut [0; 4]).as_bytes());
        }
        so_far.extend_from_slice(bytes);
        if end {
            let (_, whole) = self.incoming.swap_remove(at);
            self.take(peer, record, &whole);
        } else {
            self.may_panic(record);
        }
    }

    fn drained(&mut self, peer: &mut Peer<'_, Seat>) {
        if let Some(record) = self.called_open(peer, Met::Drained, "drained")
            && self.random.one_in(4)
        {
            self.act(peer, record);
        }
    }

    fn dropped(&mut self, peer: &mut Peer<'_, Seat>, what: Dropped) {
        let Some(record) = self.called_open(peer, Met::Dropped, "dropped") else { return };
        if what.count == 0 || !self.model.records[record].dropping {
            self.model.violate(format!("{} is told that {} were dropped", peer.id(), what.count));
        }
        self.model.records[record].dropped += what.count;
        if self.random.one_in(4) {
            self.act(peer, record);
        }
    }

    fn access(&mut self, access: Access<'_>) {
        match access.record {
            Record::Closed { .. } => self.model.connections_ended += 1,
            Record::Answered { request, status, .. } => {
                let asks = request.and_then(|request| Asks::parse(request.method(), request.path()));
                if let Some(asks) = asks
                    && access.address() != Some(Self::address_of(asks.guest))
                {
                    self.model.violate(format!("the answer {status} to guest {} is told of somebody else", asks.guest));
                }
            }
        }
    }

    fn timer(&mut self, peer: &mut Peer<'_, Seat>) {
        let Some(record) = self.called(peer, Met::Timer, "timer") else { return };
        self.model.records[record].overdue = false;
        if !std::mem::take(&mut self.model.records[record].waking) {
            self.model.violate(format!("nobody asked for the timer of {}", peer.id()));
        }
        match self.model.records[record].state {
            State::Later => {
                self.answer(&mut peer.out, record);
                self.may_panic(record);
            }
            State::WebSocket | State::Events => self.act(peer, record),
            state => self.model.violate(format!("timer of {}, which is {state:?}", peer.id())),
        }
    }

    fn closed(&mut self, hub: &mut Hub<'_>, id: PeerId, user: Seat, why: Closed) {
        self.model.meet(Met::Closed);
        self.meet_end(why);
        self.ladder.application(format_args!("closed of {id}: {why:?}"));
        let of_id = |live: &usize| self.model.records[*live].id == id;
        let record = user.record.or_else(|| self.model.live.iter().copied().find(of_id));
        let Some(record) = record.filter(of_id) else {
            return self.model.violate(format!("closed of {id}, which is unknown"));
        };
        let known = &mut self.model.records[record];
        if known.why.is_some() || known.state == State::Over {
            return self.model.violate(format!("closed of {id} came twice, or for what never was open"));
        }
        let state = known.state;
        known.why = Some(why);
        match why {
            // What was sent before the peer's Close came goes out before its answer; what was published in this turn does not.
            Closed::ByPeer(_) if !known.closing => {
                known.seal();
                known.publications_are_firm = false;
            }
            // Who stops the server may have closed it before the application said its last words.
            Closed::Panicked if self.plan.drains.is_some() => known.firm = 0,
            Closed::ByPeer(_) | Closed::ByUs | Closed::Panicked => {}
            _ => (known.firm, known.publications_are_firm) = (0, false),
        }
        let guest = known.guest;
        if !self.may_end(record, why, state) {
            self.model.violate(format!("{id}, being {state:?}, was closed for no reason: {why:?}"));
        }
        if why == Closed::Late(Deadline::Answer) {
            // Whatever was answered in this very turn comes too late.
            self.unanswered(record);
            self.model.answers[guest].push_back(Answer::Status(503));
        } else if why == Closed::NoRoom && state == State::Later {
            self.unanswered(record);
            self.model.answers[guest].push_back(Answer::Status(503));
        } else if why == Closed::Panicked && state == State::Later {
            self.unanswered(record);
            self.model.answers[guest].push_back(Answer::Status(500));
        }
        self.model.end(record);
        self.act_on_hub(hub);
    }

    fn tick(&mut self, hub: &mut Hub<'_>) {
        self.model.meet(Met::Tick);
        self.ladder.application(format_args!("tick"));
        self.act_on_hub(hub);
    }
}
