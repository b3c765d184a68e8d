//! The loop: the one file where the order of things is decided, and no rule of a protocol is known.
//!
//! A *turn* is one poll with all its visits, timers and wake-ups; a *visit* is what is done for one ready connection.
//!
//! ```text
//! poll, edges ───► accept ─► visits ─► letters ─► drain ─► tick ─► deadlines ─► drops ─┐
//!           │                  │                        ┌───────────────────────────────┘
//!           └► sticky bits     │                        └► answers ─► endings ─► publications ─► touched queues ─► again, while
//!                              │                                                                       there is one of these
//!                              └► queue out ─► what was left over ─► read ─► session ─► callbacks ─► cork out   (until drained or over budget)
//! ```

mod accept;
mod audit;
mod clock;
mod expiry;
mod letters;
mod stop;
mod visit;

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::Limits;
use crate::closed::Closed;
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::milliseconds;
use crate::handler::Handler;
use crate::ledger::Ledger;
use crate::notices::Notice;
use crate::peer::Hub;
use crate::remote::{Command, Fellows};
use crate::sending::Sending;
use crate::session::{Rules, Session};
use crate::side::Side;
use crate::slots::Key;
use crate::stats::Stats;
use crate::sys::{Edge, Mio, Sys, WAKE};
use crate::topics::Seed;
use crate::wire::Wires;

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
    /// Connections whose deadline has passed.
    expired: Vec<Key>,
    /// Listeners that may have somebody waiting.
    waiting: Vec<usize>,
    /// Somebody has put something into the mailbox.
    woken: bool,
    /// What was taken out of it, and there was no time for.
    letters: VecDeque<Command>,
    /// When listeners that ran out of descriptors are tried again.
    retry_accept: Option<Moment>,
    /// The server's own tick: every so many milliseconds, and when the next one is.
    tick: Option<(u32, Moment)>,
    /// How much work is enough for a turn.
    quota: u64,
    /// What the machine's clock said when it was read last, in milliseconds: the moment that is called `now`.
    clock: u64,
    /// When the last poll had ended.
    polled: Moment,
    /// When the next second of the wall clock has begun, by the same clock.
    wall_due: u64,
    /// After a stall: until when at most sockets are read before deadlines fire.
    late: Option<Moment>,
    drained_at: Option<Moment>,
    /// Everybody has been told that the server is stopping.
    told: bool,
}

/// So many times what is enough for a visit is one turn: a turn must not become so long that deadlines, timers and newcomers wait for
/// it.
const VISITS: usize = 64;

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
        let clock = clock::milliseconds_of(&sys);
        let now = Moment(clock as u32);
        let slot_cost = size_of::<Connection>() + size_of::<Option<S::Socket>>() + size_of::<Option<H::User>>();
        // Room for the longest thing that must be contiguous, and for what is read behind it.
        let receive = vec![0; limits.head.head as usize + limits.receive + 256].into();
        let waiting = (0..sys.listeners()).collect();
        let quota = VISITS.saturating_mul(limits.visit) as u64;
        Self {
            handler,
            users: Side::new(),
            sending: Sending::new(home, limits, Seed(half(0), half(8)), (ledger, slot_cost), fellows, now),
            wires: Wires::new(sys),
            rules,
            receive,
            reply: longwire_frame::Reply::new(),
            expired: Vec::new(),
            waiting,
            woken: false,
            letters: VecDeque::new(),
            retry_accept: None,
            tick: tick.map(|every| milliseconds(every).max(1)).map(|every| (every, now.after(every))),
            quota,
            clock,
            polled: now,
            wall_due: 0,
            late: None,
            drained_at: None,
            told: false,
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
        // What begins in there begins now, however long ago the last turn was.
        self.read_clock();
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

    /// One turn: waits for something to happen, at most `timeout` from now on, and does all of it.
    ///
    /// # Errors
    /// What the machine's poll reports.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn> {
        let until = self.patience(timeout);
        let Self { wires, sending, waiting, woken, .. } = self;
        let (most, listeners) = (sending.limits.events, wires.sys.listeners());
        let edges = wires.sys.poll(most, until, |edge| match edge.token {
            WAKE => *woken = true,
            listener if listener < listeners => waiting.push(listener),
            _ => note(sending, edge),
        })?;
        let full = edges >= most;
        self.read_clock();
        self.note_stall();

        if !self.waiting.is_empty() || self.retry_accept.is_some() {
            self.accept();
        }
        // Whom this turn has no time for keeps its place.
        let enough = self.sending.work.after(self.quota);
        let last = self.sending.ready.end();
        while let Some(key) = self.sending.ready.pop(last, &mut self.sending.slots) {
            self.visit(key, false);
            if self.sending.work.has_come_to(enough) {
                break;
            }
        }
        self.sending.ready.close_ranks();
        if self.has_letters() {
            self.read_letters();
        }
        self.drain();
        self.run_tick();
        // After a stall what has arrived meanwhile is read first, or good peers would be taken for dead.
        let caught_up = !full && self.sending.ready.is_empty();
        self.late = self.late.filter(|until| !caught_up && !self.sending.now.reached(*until));
        if self.late.is_none() {
            self.run_deadlines();
        }
        if !self.sending.drops.is_empty() {
            self.run_drops();
        }
        if !self.sending.has_nothing_left() {
            self.settle_all();
        }
        Ok(self.outlook())
    }

    /// Calls something that concerns no one connection; a panic there is only told.
    fn guarded(&mut self, call: impl FnOnce(&mut H, &mut Hub<'_>)) {
        let mut hub = Hub::new(&mut self.sending, &mut self.wires);
        if catch_unwind(AssertUnwindSafe(|| call(&mut self.handler, &mut hub))).is_err() {
            let sending = &mut self.sending;
            sending.stats.panics += 1;
            let words = format_args!("a callback that concerns no one connection panicked");
            sending.notices.tell(sending.now, Notice::Panic, words);
        }
    }

    /// What callbacks left to be done: answers, endings, publications, queues. Each may bring more of the others.
    fn settle_all(&mut self) {
        while !self.sending.has_nothing_left() {
            // An answer that was given is given, also to whoever was closed behind it.
            self.run_answers();
            self.run_endings();
            self.sending.deliver(&mut self.wires);
            let touched = std::mem::take(&mut self.sending.touched);
            for key in &touched {
                if self.sending.slots.find(*key).is_none() {
                    continue;
                }
                self.sending.write_queue(&mut self.wires, key.slot);
                self.after_visit(*key, None);
                let Sending { slots, ready, .. } = &mut self.sending;
                if let Some(connection) = slots.find(*key).filter(|connection| connection.emptied) {
                    // The application hears of it in the next turn: what it sends then cannot keep this one going.
                    ready.push(connection, *key);
                }
            }
            if self.sending.has_nothing_left() {
                self.sending.touched = touched;
                self.sending.touched.clear();
                self.sending.touched.shrink_to(4_096);
                return;
            }
        }
    }

    /// Tells the application what was dropped, once a turn: what it sends then may be dropped, too.
    fn run_drops(&mut self) {
        for key in std::mem::take(&mut self.sending.drops) {
            if self.sending.slots.find(key).is_some() {
                self.with_visit(key, |visit| {
                    visit.tell_drops();
                    None
                });
            }
        }
    }

    fn run_answers(&mut self) {
        for (id, reply) in std::mem::take(&mut self.sending.answers) {
            // Only now: what was asked may have been answered meanwhile, and its connection be at another request.
            if let Some(key) = self.sending.local(id) {
                self.with_visit(key, |visit| {
                    visit.answer(reply, Closed::Answered);
                    None
                });
            }
        }
    }

    fn run_endings(&mut self) {
        while let Some((key, why)) = self.sending.endings.pop_front() {
            let Some(connection) = self.sending.slots.find(key) else { continue };
            if connection.torn || matches!(why, Closed::Gone | Closed::Broken(_)) {
                self.remove(key, why);
                continue;
            }
            if !matches!(connection.session, Session::Closing(_)) {
                let mut input = self.sending.slots[key.slot].input.take();
                self.visit_of(key, &mut input).end(why);
            }
            if self.sending.slots[key.slot].torn {
                // There was no room for its last words, and half of an answer is on its way.
                self.remove(key, why);
                continue;
            }
            self.sending.slots[key.slot].ending = false;
            self.sending.touch(key.slot);
        }
    }
}

/// Keeps what an edge said until it is used up.
#[inline]
fn note(Sending { slots, ready, .. }: &mut Sending, edge: Edge) {
    let Some((key, connection)) = slots.unpack(edge.token as u64, usize::BITS) else { return };
    connection.readable |= edge.readable;
    connection.read_closed |= edge.read_closed;
    connection.broken |= edge.broken;
    if edge.writable {
        connection.blocked = false;
    }
    ready.push(connection, key);
}
