//! The sending half of a loop: everything that callbacks may touch, and nothing that could call them again.
//!
//! What the visited connection sends is collected in the shared send buffer (the *cork*) and written once, at the end of the
//! visit; what anybody else is sent goes to that connection's queue, or into its topics, and is written at the end of the
//! turn. An error or an end that is met on the way is noted in `endings`: the loop deals with it after the callback.

mod addresses;
mod compressing;
mod cork;
mod masks;
mod messages;
mod output;
mod publishing;
mod room;
mod work;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use longwire_frame::Header;
use longwire_handshake::Date;

use crate::closed::Closed;
use crate::connection::Connection;
use crate::deadlines::{Deadlines, Moment};
use crate::deflate::{Deflaters, Inflaters};
use crate::due::{Times, milliseconds};
use crate::ledger::Ledger;
use crate::lent::Lent;
use crate::notices::Notices;
use crate::peer_id::PeerId;
use crate::pool::Pool;
use crate::publication::Publication;
use crate::ready::Ready;
use crate::remote::{Command, Fellows, Parcel};
use crate::reply::Reply;
use crate::session::Session;
use crate::slots::{Key, Slots};
use crate::stats::{Stats, count};
use crate::tail::Tail;
use crate::topics::{Seed, Topics};
use crate::wire::Machine;
use crate::{Limits, Opening};
use addresses::Addresses;
use cork::Cork;
use masks::Masks;
pub(crate) use messages::Way;
pub(crate) use work::Work;

/// See the top of this file.
pub(crate) struct Sending {
    pub(crate) home: u32,
    pub(crate) limits: Limits,
    pub(crate) times: Times,
    pub(crate) slots: Slots,
    pub(crate) addresses: Addresses,
    pub(crate) deadlines: Deadlines,
    pub(crate) ready: Ready,
    pub(crate) topics: Topics,
    pub(crate) ledger: Ledger,
    /// What a connection costs that has nothing.
    pub(crate) slot_cost: usize,
    pub(crate) stats: Stats,
    pub(crate) notices: Notices,
    pub(crate) now: Moment,
    /// The wall clock in seconds, and the same as a field value.
    pub(crate) wall: u64,
    pub(crate) date: Date,
    /// What the visited connection sends.
    pub(crate) cork: Cork,
    /// When room was wanted and nobody at all was found who has much: in that moment nobody is looked for again.
    nobody_greedy: Option<Moment>,
    /// Where what anybody else is sent is encoded.
    scratch: Tail,
    /// Connections whose queue or state changed outside their visit.
    pub(crate) touched: Vec<Key>,
    /// Connections that have come to an end, in this order, and why: each once.
    pub(crate) endings: VecDeque<(Key, Closed)>,
    /// Connections of which something was dropped, and their application does not know yet.
    pub(crate) drops: Vec<Key>,
    /// Later answers that were given.
    pub(crate) answers: Vec<(PeerId, Reply)>,
    /// Topics that the request under way wants.
    pub(crate) wanted: Vec<Box<str>>,
    masks: Masks,
    /// The other loops of this server.
    pub(crate) fellows: Fellows,
    /// What this turn published, for the other loops.
    outbound: Vec<(Box<str>, Parcel)>,
    /// What that pins.
    outbound_bytes: usize,
    audience: Vec<u32>,
    pub(crate) deflaters: Deflaters,
    pub(crate) inflaters: Inflaters,
    pub(crate) pool: Pool,
    /// The message that the running callback is told, if it is a long one.
    pub(crate) lent: Option<Lent>,
    pub(crate) draining: bool,
    /// What this loop does for its peers, of which there may be enough.
    pub(crate) work: Work,
    /// As long as less than this is collected, nothing is asked of anybody: see [`collect`](Self::collect).
    little: usize,
}

impl Sending {
    pub(crate) fn new(
        home: u32,
        limits: Limits,
        seed: Seed,
        (ledger, slot_cost): (Ledger, usize),
        fellows: Fellows,
        now: Moment,
    ) -> Self {
        let pool = Pool::new(limits.budget, fellows.loops());
        Self {
            home,
            slot_cost,
            notices: Notices::default(),
            times: Times::new(&limits),
            cork: Cork::new(limits.cork + limits.direct),
            nobody_greedy: None,
            scratch: Tail::default(),
            deflaters: Deflaters::new(),
            inflaters: Inflaters::new(limits.message, limits.receive.min(limits.visit)),
            little: limits.cork.min(limits.send_queue).saturating_sub(Header::MAX_LEN),
            limits,
            slots: Slots::new(),
            addresses: Addresses::new(),
            deadlines: Deadlines::new(now),
            ready: Ready::new(),
            topics: Topics::new(seed),
            ledger,
            stats: Stats::default(),
            now,
            wall: 0,
            date: Date::from_unix(0),
            touched: Vec::new(),
            endings: VecDeque::new(),
            drops: Vec::new(),
            answers: Vec::new(),
            wanted: Vec::new(),
            masks: Masks::new(),
            fellows,
            outbound: Vec::new(),
            outbound_bytes: 0,
            audience: Vec::new(),
            pool,
            lent: None,
            draining: false,
            work: Work::default(),
        }
    }

    /// What the application calls a connection.
    pub(crate) fn id(&self, key: Key) -> PeerId {
        self.id_at(key.slot)
    }

    fn id_at(&self, slot: u32) -> PeerId {
        PeerId { home: self.home, slot, request: self.slots[slot].request }
    }

    /// The local key of a peer of this loop, if it still lives.
    pub(crate) fn local(&mut self, id: PeerId) -> Option<Key> {
        let connection = self.slots.at(id.slot).filter(|_| id.home == self.home)?;
        let is_meant = connection.generation != 0 && connection.request == id.request;
        is_meant.then_some(Key { slot: id.slot, generation: connection.generation })
    }

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
        } else {
            self.answers.push((id, reply));
        }
    }

    pub(crate) fn wake_after(&mut self, slot: u32, wait: Duration) {
        let connection = &mut self.slots[slot];
        (connection.wake, connection.waking) = (self.now.after(milliseconds(wait)), true);
        self.touch(slot);
    }

    /// Starts a connection as a client. RFC 6455 §4.1: directly, and with a nonce of its own.
    pub(crate) fn connect(
        &mut self,
        machine: &mut dyn Machine,
        address: SocketAddr,
        opening: Opening,
    ) -> io::Result<PeerId> {
        if self.draining {
            return Err(io::Error::other("the server is stopping"));
        }
        if !self.admit_newcomer() {
            return Err(io::Error::other("as many connections as Limits::connections and Limits::budget admit"));
        }
        let source = opening.comes_from();
        let mut nonce = [0; 16];
        machine.entropy(&mut nonce);
        let mut connection = Connection::new(Session::opening(opening, nonce, self.limits.head), self.now);
        connection.client = true;
        // A socket that is being connected is not writable; the first writable edge says how it came out.
        connection.blocked = true;
        let key = self.insert(connection);
        self.addresses.note(key.slot, address);
        if let Err(error) = machine.connect(key, address, source) {
            self.let_go(key);
            return Err(error);
        }
        self.touch(key.slot);
        Ok(self.id(key))
    }

    /// A connection that was admitted gets its slot.
    pub(crate) fn insert(&mut self, mut connection: Connection) -> Key {
        connection.pinned = self.slot_cost;
        self.ledger.settle(0, self.slot_cost);
        self.slots.insert(connection)
    }

    /// Its slot is free again, and everything that was booked for it.
    pub(crate) fn let_go(&mut self, key: Key) {
        self.addresses.forget(key.slot);
        self.deflaters.take(key.slot);
        self.deadlines.disarm(&mut self.slots, key.slot);
        let connection = self.slots.remove(key.slot);
        self.ledger.settle(connection.pinned, 0);
        self.ledger.release();
        if self.slots.len() == 0 {
            self.pool.clear();
        }
    }

    /// So many bytes were read.
    #[inline]
    pub(crate) const fn has_read(&mut self, bytes: usize) {
        count(&mut self.stats.bytes_in, bytes as u64);
        self.work.read(bytes);
    }

    /// So many were read into their place.
    pub(crate) const fn has_placed(&mut self, bytes: usize) {
        count(&mut self.stats.bytes_in, bytes as u64);
        self.work.placed(bytes);
    }

    /// Whether callbacks have left nothing to be done.
    #[inline]
    pub(crate) fn has_nothing_left(&self) -> bool {
        let said = self.outbound.is_empty() && self.topics.is_idle() && self.answers.is_empty();
        said && self.endings.is_empty() && self.touched.is_empty()
    }

    /// What waits for a better moment will not have one: a Close goes out, or the connection ends.
    pub(crate) fn forget_held(&mut self, slot: u32) {
        if self.slots[slot].output.is_some() {
            self.alter_queue(slot, |queue| {
                queue.forget_pong();
                queue.release();
            });
        }
    }

    /// When a client that is turned away shall come back: everybody at another moment.
    pub(crate) fn retry_later(machine: &mut dyn Machine) -> Duration {
        let mut random = [0; 2];
        machine.entropy(&mut random);
        Duration::from_millis(1_000 + u64::from(u16::from_le_bytes(random)) % 4_000)
    }

    /// Whether a connection is at rest, and nothing of it is to be settled. (Its timer may be too early, never too late.)
    #[inline]
    pub(crate) fn is_settled(&mut self, key: Key) -> bool {
        // Whoever is gone has nothing left to be settled.
        let Some(connection) = self.slots.find(key) else { return true };
        connection.is_at_rest()
            && connection.pinned == self.slot_cost
            && self.times.max_age.is_none()
            && connection.link.armed().is_some_and(|armed| connection.heard.after(self.times.ping).reached(armed))
    }

    /// Settles what a connection pins, and its deadline. Who has grown beyond the budget without having asked ends.
    pub(crate) fn settle(&mut self, slot: u32) {
        let before = self.slots[slot].pinned;
        if self.book(slot) > before && !self.make_room(slot, 0) {
            self.end_and_cut(slot, Closed::NoRoom);
        }
        let connection = &self.slots[slot];
        if let Some((due, _)) = connection.due(&self.times) {
            // A timer that fires too early looks again; only one that would fire too late must be moved.
            if connection.link.armed().is_none_or(|armed| !due.reached(armed)) {
                self.deadlines.arm(&mut self.slots, slot, due);
            }
        }
    }

    /// What the connections of this loop pin beside their slots.
    pub(crate) fn pinned_beside_slots(&self) -> usize {
        self.ledger.pinned() - self.slots.len() * self.slot_cost
    }

    /// Books what a connection pins now, and returns it.
    pub(crate) fn book(&mut self, slot: u32) -> usize {
        let connection = &mut self.slots[slot];
        let (before, now) = (connection.pinned, self.slot_cost + connection.pins());
        if now != before {
            connection.pinned = now;
            self.ledger.settle(before, now);
        }
        now
    }
}

/// What a broken connection is called.
pub(crate) const fn broken(kind: io::ErrorKind) -> Closed {
    match kind {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected => Closed::Gone,
        kind => Closed::Broken(kind),
    }
}
