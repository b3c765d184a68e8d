//! What there is in an imaginary world: a clock, connections, a poll's ready list, descriptors; and the rules of Linux's
//! edge-triggered polling.
//!
//! A socket is put on the ready list when something *happens* to it: bytes arrive, room comes, an end. The poll takes it off,
//! looks at it and reports all that is true then, or nothing if nothing is. A consumed edge is gone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::calls::{Call, Calls, Done, Watch};
use super::faults::{Fault, Faults};
use super::line::{Answer, Line};
use super::machine::LISTENER;
use super::random::Random;
use crate::sys::{Edge, Token};

/// The first descriptor that a connection can have: those before are the usual three, the listener, the poll, the eventfd and
/// the spare one.
const FIRST_DESCRIPTOR: u32 = 7;

/// Who stands on the ready list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Listener,
    Line(usize),
}

/// See the top of this file.
pub(super) struct State {
    pub(super) now: Duration,
    pub(super) entropy: Random,
    pub(super) faults: Faults,
    /// Calls that fail whatever the dice say: at which number of work, and how. In order.
    pub(super) script: VecDeque<(u64, Scripted)>,
    pub(super) calls: Calls,
    pub(super) lines: Vec<Line>,
    /// Connections that wait to be accepted.
    pub(super) waiting: VecDeque<usize>,
    /// Connections that the loop has begun and nobody has answered.
    pub(super) dialled: VecDeque<usize>,
    listening: bool,
    listener_listed: bool,
    ready: VecDeque<Source>,
    /// The token of the connection that was closed last.
    stale: Option<Token>,
    /// For how many polls more the clock stands still.
    stalled: u32,
    /// How many connections may have a descriptor.
    pub(super) descriptors: usize,
    /// Whether who is accepted comes over a Unix socket.
    pub(super) over_unix: bool,
    open: usize,
    free: BinaryHeap<Reverse<u32>>,
    /// What the loop did that no program may do.
    pub(super) misuse: Option<&'static str>,
    pub(super) watch: Option<Box<dyn Watch>>,
}

/// What the script has for one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scripted {
    Fails(i32),
    /// It moves one byte, if it is a read or a write.
    MovesOne,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("now", &self.now).field("lines", &self.lines.len()).finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn new(mut random: Random) -> Self {
        Self {
            now: Duration::ZERO,
            // Of a tape it takes no more than a draw: what nobody can choose need not be chosen.
            entropy: Random::new(random.draw()),
            faults: Faults::new(random.fork()),
            script: VecDeque::new(),
            calls: Calls::default(),
            lines: Vec::new(),
            waiting: VecDeque::new(),
            dialled: VecDeque::new(),
            listening: true,
            listener_listed: false,
            ready: VecDeque::new(),
            stale: None,
            stalled: 0,
            descriptors: usize::MAX,
            over_unix: false,
            open: 0,
            free: BinaryHeap::new(),
            misuse: None,
            watch: None,
        }
    }

    /// Something happened to a source: the next poll looks at it.
    pub(super) fn list(&mut self, source: Source) {
        let listed = match source {
            Source::Listener => &mut self.listener_listed,
            Source::Line(number) if self.lines[number].token.is_some() => &mut self.lines[number].listed,
            Source::Line(_) => return,
        };
        if !std::mem::replace(listed, true) {
            self.ready.push_back(source);
        }
    }

    pub(super) fn has_edges(&self) -> bool {
        !self.ready.is_empty()
    }

    /// A client comes.
    pub(super) fn arrive(&mut self, line: Line) -> usize {
        let number = self.lines.len();
        self.lines.push(line);
        if self.listening {
            self.waiting.push_back(number);
            self.list(Source::Listener);
        } else {
            // Nobody listens: the client is refused.
            self.lines[number].server_closed = true;
            self.lines[number].reset_client();
        }
        number
    }

    pub(super) fn stop_listening(&mut self) {
        self.listening = false;
        // Closing a listener resets whoever waits in its queue.
        for number in std::mem::take(&mut self.waiting) {
            self.lines[number].server_closed = true;
            self.lines[number].reset_client();
        }
    }

    /// Appends what the ready list has to say, up to `end` edges in all.
    pub(super) fn report(&mut self, edges: &mut Vec<Edge>, end: usize) {
        let start = edges.len();
        for _ in 0..self.ready.len() {
            if edges.len() >= end {
                break;
            }
            let Some(source) = self.ready.pop_front() else { break };
            if self.faults.strikes(Fault::Delayed) {
                self.ready.push_back(source);
                continue;
            }
            let (edge, descriptor) = self.look(source);
            let Some(edge) = edge else { continue };
            edges.push(edge);
            self.tell_edge(descriptor, edge);
            if self.faults.strikes(Fault::Duplicated) {
                self.list(source);
            }
        }
        if edges.len() < end {
            self.make_up(edges);
        }
        if edges.len() > start + 1 && self.faults.strikes(Fault::Reordered) {
            for last in (start + 1..edges.len()).rev() {
                edges.swap(last, self.faults.random.between(start, last));
            }
        }
    }

    /// Takes a source off the ready list and looks what is true of it.
    fn look(&mut self, source: Source) -> (Option<Edge>, Option<u32>) {
        match source {
            Source::Listener => {
                self.listener_listed = false;
                let someone = self.listening && !self.waiting.is_empty();
                let edge = Edge { token: 0, readable: true, ..Edge::default() };
                (someone.then_some(edge), Some(LISTENER))
            }
            Source::Line(number) => {
                let line = &mut self.lines[number];
                line.listed = false;
                (line.token.and_then(|token| line.edge(token)), line.descriptor)
            }
        }
    }

    /// Edges that nothing stands behind.
    fn make_up(&mut self, edges: &mut Vec<Edge>) {
        match self.faults.strike(&[Fault::Spurious, Fault::Stale]) {
            Some(Fault::Spurious) if !self.lines.is_empty() => {
                let number = self.faults.random.below(self.lines.len());
                let Some(token) = self.lines[number].token else { return };
                let what = self.faults.random.between(1, 3);
                let edge = Edge { token, readable: what & 1 > 0, writable: what & 2 > 0, ..Edge::default() };
                self.faults.count(Fault::Spurious);
                edges.push(edge);
                self.tell_edge(self.lines[number].descriptor, edge);
            }
            Some(Fault::Stale) => {
                let Some(token) = self.stale else { return };
                let edge = Edge { token, readable: true, writable: true, read_closed: true, broken: true };
                self.faults.count(Fault::Stale);
                edges.push(edge);
                self.tell_edge(None, edge);
            }
            _ => {}
        }
    }

    /// What a poll does to the clock.
    pub(super) fn wait(&mut self, until: Option<Duration>, busy: bool) {
        let timeout = until.map(|until| until.saturating_sub(self.now));
        let random = &mut self.faults.random;
        // Nothing will happen unless time passes, so it does.
        let slept = match timeout {
            Some(timeout) if !busy && self.ready.is_empty() => timeout,
            // What is delayed comes soon.
            Some(timeout) if !busy => timeout.min(Duration::from_millis(random.between(0, 3) as u64)),
            _ => Duration::ZERO,
        };
        match self.faults.strike(&[Fault::Late, Fault::Leap, Fault::Stall]) {
            Some(Fault::Late) => {
                self.faults.count(Fault::Late);
                self.now += slept + Duration::from_millis(self.faults.random.between(1, 3_000) as u64);
            }
            Some(Fault::Leap) => {
                self.faults.count(Fault::Leap);
                self.now += slept + Duration::from_secs(self.faults.random.between(30, 600) as u64);
            }
            Some(_) => {
                self.faults.count(Fault::Stall);
                self.stalled = self.faults.random.between(1, 3) as u32;
            }
            None if self.stalled > 0 => self.stalled -= 1,
            None => self.now += slept,
        }
    }

    /// What the script has for the call that was just counted.
    pub(super) fn scripted(&mut self) -> Option<Scripted> {
        let (at, scripted) = *self.script.front()?;
        if self.calls.work() < at {
            return None;
        }
        self.script.pop_front();
        Some(scripted)
    }

    pub(super) const fn descriptors_left(&self) -> usize {
        self.descriptors.saturating_sub(self.open)
    }

    pub(super) const fn open_descriptors(&self) -> usize {
        self.open
    }

    /// The lowest number that is free, as on every Unix.
    pub(super) fn open_descriptor(&mut self, line: usize) {
        let fresh = FIRST_DESCRIPTOR + (self.open + self.free.len()) as u32;
        let descriptor = self.free.pop().map_or(fresh, |Reverse(descriptor)| descriptor);
        self.open += 1;
        self.lines[line].descriptor = Some(descriptor);
    }

    pub(super) fn close_descriptor(&mut self, line: usize) {
        let line = &mut self.lines[line];
        if let Some(descriptor) = line.descriptor.take() {
            self.free.push(Reverse(descriptor));
            self.open -= 1;
        }
    }

    pub(super) fn tell(&mut self, call: Call, descriptor: Option<u32>, asked: usize, outcome: Answer, struck: bool) {
        if let Some(watch) = &mut self.watch {
            watch.done(self.now, &Done { call, descriptor, asked, outcome, struck });
        }
    }

    pub(super) fn tell_edge(&mut self, descriptor: Option<u32>, edge: Edge) {
        if let Some(watch) = &mut self.watch {
            watch.edge(self.now, descriptor, edge);
        }
    }

    /// Remembers whose token must not be taken for anybody's.
    pub(super) fn outdate(&mut self, token: Option<Token>) {
        self.stale = token.or(self.stale);
    }
}
