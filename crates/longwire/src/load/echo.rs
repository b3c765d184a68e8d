//! Echoes: every connection sends, and what comes back is held against what was sent. In the closed loop the next message follows an
//! echo; in the open one it is sent when it is due, and its time runs from then on, however late it was.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use longwire_reactor::{CloseCode, Closed, Handler, Hub, Loop, Message, Peer, PeerId};

use super::crew::{self, Crew, LAST, Shift, TURN};
use super::dial::Dial;
use super::tally::Tally;
use super::{Plan, nanoseconds};

/// Before a message is due by less than this, the thread does not sleep: a poll wakes to the millisecond.
const SPIN: u64 = 2_000_000;

/// One connection.
struct Line {
    id: PeerId,
    open: bool,
    sent: u64,
    heard: u64,
    /// When each message that is under way was due.
    due: VecDeque<u64>,
}

/// All connections of a thread.
struct Echo<'p> {
    shift: Shift<'p>,
    /// The number of this thread's first connection among all.
    first: usize,
    lines: Vec<Line>,
    memory: Vec<u8>,
    window: Option<(u64, u64)>,
    /// Whose messages came last in this turn, and when: what one visit has brought came at one time.
    arrived: Option<(usize, u64)>,
}

impl Echo<'_> {
    /// When what this connection says now has come.
    fn arrival(&mut self, number: usize) -> u64 {
        let at = match self.arrived {
            Some((last, at)) if last == number => at,
            _ => self.shift.plan.clock.now(),
        };
        self.arrived = Some((number, at));
        at
    }

    /// The next message of a connection, which is due at this time.
    fn next(&mut self, number: usize, due: u64) -> Message<'_> {
        let line = &mut self.lines[number];
        let shape = self.shift.plan.shape;
        shape.stamp(&mut self.memory, self.first + number, line.sent);
        line.sent += 1;
        line.due.push_back(due);
        shape.message(&self.memory)
    }

    /// Whether this is what the connection should have heard next.
    fn is_next(&mut self, number: usize, message: Message<'_>) -> bool {
        let line = &mut self.lines[number];
        let shape = self.shift.plan.shape;
        shape.stamp(&mut self.memory, self.first + number, line.heard);
        line.heard += 1;
        shape.message(&self.memory) == message
    }
}

impl<'p> Crew<'p> for Echo<'p> {
    fn shift(&mut self) -> &mut Shift<'p> {
        &mut self.shift
    }

    fn begin_turn(&mut self) {
        self.arrived = None;
    }
}

impl Handler for Echo<'_> {
    /// Which of the lines it is.
    type User = Option<usize>;

    fn opened(&mut self, peer: &mut Peer<'_, Self::User>) {
        let id = peer.id();
        let Some(number) = self.lines.iter().rposition(|line| line.id == id) else { return };
        *peer.user = Some(number);
        self.lines[number].open = true;
        self.shift.opened();
    }

    fn message(&mut self, peer: &mut Peer<'_, Self::User>, message: Message<'_>) {
        let Some(number) = *peer.user else { return };
        let now = self.arrival(number);
        if !self.is_next(number, message) {
            self.shift.tally.wrong += 1;
            return peer.close(CloseCode::NORMAL, "this is not what was sent");
        }
        let bytes = self.memory.len();
        let Some(due) = self.lines[number].due.pop_front() else { return };
        self.shift.tally.count(self.window, due, now, bytes);
        self.shift.untold += 1;
        if self.shift.goes_on() {
            peer.out.send(self.next(number, now));
        }
    }

    fn closed(&mut self, _hub: &mut Hub<'_>, id: PeerId, user: Self::User, why: Closed) {
        let number = user.or_else(|| self.lines.iter().position(|line| line.id == id));
        if let Some(number) = number {
            self.lines[number].open = false;
        }
        self.shift.closed(why);
    }
}

/// Opens the connections of a thread, and speaks on them until it is over.
pub(super) fn run(plan: &Plan, thread: usize) -> Result<Tally, String> {
    let connections = plan.share(thread);
    let first = (0..thread).map(|before| plan.share(before)).sum();
    let memory = plan.shape.memory();
    let echo = Echo { shift: Shift::new(plan), first, lines: Vec::new(), memory, window: None, arrived: None };
    let mut on = crew::build(plan, connections, echo)?;
    let mut dial = Dial::new(plan, connections);
    let mut rounds: Option<Rounds> = None;
    while !plan.over.load(Ordering::Acquire) {
        let dialled = |echo: &mut Echo<'_>, id| {
            echo.lines.push(Line { id, open: false, sent: 0, heard: 0, due: VecDeque::new() });
        };
        dial.go_on(plan, &mut on, dialled)?;
        on.handler().window = plan.window();
        let wait = match (plan.window(), &mut rounds) {
            (None, _) => {
                if dial.is_done() {
                    TURN
                } else {
                    Duration::from_millis(1)
                }
            }
            (Some(_), None) => {
                rounds = Some(Rounds::new(plan, first));
                if plan.options.rate.is_none() {
                    begin(&mut on);
                }
                Duration::ZERO
            }
            (Some(_), Some(rounds)) if plan.options.rate.is_some() => rounds.speak(&mut on),
            (Some(_), Some(_)) => TURN,
        };
        crew::turn(&mut on, wait)?;
    }
    end(on)
}

/// Every connection sends as many messages as may be under way.
fn begin(on: &mut Loop<Echo<'_>>) {
    for _ in 0..on.handler().shift.plan.options.in_flight {
        for number in 0..on.handler().lines.len() {
            let now = on.handler().shift.plan.clock.now();
            speak(on, number, now);
        }
    }
}

/// A connection sends a message that is due at this time.
fn speak(on: &mut Loop<Echo<'_>>, number: usize, due: u64) {
    let echo = on.handler();
    let line = &echo.lines[number];
    if !line.open {
        return;
    }
    let id = line.id;
    let _ = echo.next(number, due);
    let (shape, memory) = (echo.shift.plan.shape, std::mem::take(&mut echo.memory));
    on.with_hub(|hub| hub.send_to(id, shape.message(&memory)));
    on.handler().memory = memory;
}

/// Hears the last echoes, and leaves.
fn end(mut on: Loop<Echo<'_>>) -> Result<Tally, String> {
    on.handler().shift.ending = true;
    let clock = on.handler().shift.plan.clock;
    let last = clock.now() + nanoseconds(LAST);
    let awaited = |echo: &Echo<'_>| echo.lines.iter().any(|line| line.open && !line.due.is_empty());
    while awaited(on.handler()) && clock.now() < last {
        crew::turn(&mut on, TURN)?;
    }
    let echo = on.handler();
    let window = echo.window.unwrap_or_default();
    let sent_in = |due: &&u64| (window.0..window.1).contains(*due);
    echo.shift.tally.missing = echo.lines.iter().map(|line| line.due.iter().filter(sent_in).count() as u64).sum();
    let open: Vec<PeerId> = echo.lines.iter().filter(|line| line.open).map(|line| line.id).collect();
    crew::leave(on, &open)
}

/// When whose turn is, where messages are sent at a rate.
struct Rounds {
    begun: u64,
    /// Nanoseconds between two messages of this thread.
    pause: f64,
    /// Its share of all messages begins a little later than that of the thread before.
    offset: f64,
    sent: u64,
    next: usize,
}

impl Rounds {
    fn new(plan: &Plan, first: usize) -> Self {
        let all = f64::from(plan.options.rate.unwrap_or(1));
        let pause = 1e9 / all * f64::from(plan.options.threads);
        Self { begun: plan.clock.now(), pause, offset: 1e9 / all * first as f64 % pause, sent: 0, next: 0 }
    }

    /// When the next message is due.
    fn due(&self) -> u64 {
        self.begun + (self.offset + self.pause * self.sent as f64) as u64
    }

    /// Sends what is due. Returns how long there is nothing.
    fn speak(&mut self, on: &mut Loop<Echo<'_>>) -> Duration {
        let lines = on.handler().lines.len();
        let now = on.handler().shift.plan.clock.now();
        // Not without end: what comes back must be heard, too.
        for _ in 0..1_000 {
            let due = self.due();
            if due > now || lines == 0 {
                break;
            }
            speak(on, self.next, due);
            let echo = on.handler();
            echo.shift.tally.sent += u64::from(echo.window.is_some_and(|(begin, end)| (begin..end).contains(&now)));
            self.next = (self.next + 1) % lines;
            self.sent += 1;
        }
        let left = self.due().saturating_sub(on.handler().shift.plan.clock.now());
        if left < SPIN { Duration::ZERO } else { Duration::from_nanos(left - SPIN).min(TURN) }
    }
}
