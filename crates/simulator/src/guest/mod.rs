//! Somebody outside: says things in steps of any size, hears in steps of any size, may misbehave and may leave at any moment; and
//! holds every byte that comes against what was promised.

mod events;
mod frames;
mod head;
mod squeeze;
mod talk;

use longwire_reactor::Closed;
use longwire_reactor::sys::sim::{Client, Random};

use crate::app::Route;
use crate::coverage::Met;
use crate::ladder::{Glimpse, Ladder};
use crate::model::{Answer, Model, Record};
use crate::plan::Plan;
use frames::Frames;

/// What a guest has come for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Errand {
    /// One WebSocket, after some plain requests perhaps.
    WebSocket,
    /// One event stream, likewise.
    Stream,
    /// Plain requests only.
    Plain,
    /// It answers a connection that the loop has begun.
    Host,
}

/// How fast a guest hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    Prompt,
    Slow,
    Deaf,
}

/// What a guest expects next of the bytes that come.
#[derive(Debug)]
enum Awaits {
    /// A response's head.
    Head,
    /// So many bytes of a page, and what it must be.
    Body(usize, Option<Answer>),
    Frames(usize),
    Events(usize),
    /// The head of our own opening handshake.
    Opening,
    /// Nothing: the server has ended it.
    End,
}

/// See the top of this file.
pub(crate) struct Guest {
    pub(crate) index: usize,
    pub(crate) wire: Client,
    errand: Errand,
    pub(crate) pace: Pace,
    /// It breaks a rule sooner or later.
    hostile: bool,
    /// It has: refusals are in order.
    spoilt: bool,
    /// What it has said and not sent.
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    awaits: Awaits,
    frames: Frames,
    /// Requests that it has made, and responses that it has had.
    asked: u32,
    answers: u32,
    /// A bit for each request that was a HEAD: its response has no body.
    headless: u32,
    /// It has asked for what it came for.
    errand_asked: bool,
    /// Messages that it has said, and the last one that was answered.
    said: u32,
    answered: u32,
    /// A response has said that it was the last, or a request that it is.
    last: bool,
    farewell: bool,
    left: bool,
    /// It left by a FIN, with every request sent, and still hears: all of them are answered.
    waits: bool,
}

impl Guest {
    /// Somebody comes, with an errand and a temper.
    pub(crate) fn come(index: usize, wire: Client, random: &mut Random, model: &mut Model) -> Self {
        let errand = match random.below(8) {
            0..4 => Errand::WebSocket,
            4..6 => Errand::Stream,
            _ => Errand::Plain,
        };
        model.meet(match errand {
            Errand::WebSocket => Met::WebSocket,
            Errand::Stream => Met::Stream,
            _ => Met::Plain,
        });
        Self::new(index, wire, errand, random, model)
    }

    /// Somebody whom the loop calls.
    pub(crate) fn host(index: usize, wire: Client, random: &mut Random, model: &mut Model) -> Self {
        model.meet(Met::Host);
        Self::new(index, wire, Errand::Host, random, model)
    }

    fn new(index: usize, wire: Client, errand: Errand, random: &mut Random, model: &mut Model) -> Self {
        let (pace, window) = match random.below(8) {
            0 => (Pace::Deaf, random.below(3_000)),
            1..3 => (Pace::Slow, random.between(1, 3_000)),
            3 => (Pace::Prompt, random.between(1, 2_000)),
            _ => (Pace::Prompt, usize::MAX),
        };
        match pace {
            Pace::Deaf => model.meet(Met::Deaf),
            Pace::Slow => model.meet(Met::Slow),
            Pace::Prompt => {}
        }
        wire.set_window(window);
        let hostile = random.one_in(6);
        if hostile {
            model.meet(Met::Hostile);
        }
        let awaits = if errand == Errand::Host { Awaits::Opening } else { Awaits::Head };
        Self {
            index,
            wire,
            errand,
            pace,
            hostile,
            spoilt: false,
            outbox: Vec::new(),
            inbox: Vec::new(),
            awaits,
            frames: Frames::new(errand == Errand::Host),
            asked: 0,
            answers: 0,
            headless: 0,
            errand_asked: false,
            said: 0,
            answered: 0,
            last: false,
            farewell: false,
            left: false,
            waits: false,
        }
    }

    /// Does one thing, as the dice say.
    pub(crate) fn act(&mut self, random: &mut Random, model: &mut Model, plan: &Plan, ladder: &Ladder) {
        if self.left {
            return;
        }
        match random.below(16) {
            0 if random.one_in(6) => self.leave(random, model, ladder),
            1 if self.pace == Pace::Slow => self.wire.set_window(random.below(2_000)),
            0..8 => self.say(random, model, plan, ladder),
            _ => {}
        }
        let step = if random.one_in(3) { random.between(1, self.outbox.len().max(1)) } else { usize::MAX };
        self.send(step, ladder);
        match self.pace {
            Pace::Prompt => self.hear(usize::MAX, model, plan, ladder),
            Pace::Slow => self.hear(random.below(200), model, plan, ladder),
            Pace::Deaf => {}
        }
    }

    /// Sends what it has said, at most so many bytes of it.
    fn send(&mut self, most: usize, ladder: &Ladder) {
        let step = most.min(self.outbox.len());
        if step > 0 && !self.left {
            let bytes = &self.outbox[..step];
            ladder.outside(format_args!("{} → {step} bytes: {}", self.index, Glimpse(bytes)));
            self.wire.send(bytes);
            self.outbox.drain(..step);
        }
    }

    /// Behaves from here on: sends all that it has said and hears all that comes.
    pub(crate) fn settle(&mut self, model: &mut Model, plan: &Plan, ladder: &Ladder) {
        self.pace = Pace::Prompt;
        self.wire.set_window(usize::MAX);
        self.send(usize::MAX, ladder);
        self.hear(usize::MAX, model, plan, ladder);
    }

    /// Leaves, in one of the ways that there are.
    pub(crate) fn leave(&mut self, random: &mut Random, model: &mut Model, ladder: &Ladder) {
        if std::mem::replace(&mut self.left, true) {
            return;
        }
        let (met, how) = *random.pick(&[
            (Met::Finish, "finishes"),
            (Met::Finish, "finishes"),
            (Met::Reset, "resets"),
            (Met::Leave, "goes away"),
        ]);
        model.meet(met);
        ladder.outside(format_args!("{} {how}", self.index));
        match met {
            Met::Finish => {
                self.waits = self.errand == Errand::Plain && self.outbox.is_empty();
                self.wire.finish();
            }
            Met::Reset => self.wire.reset(),
            _ => self.wire.close(),
        }
    }

    /// Says and hears nothing any more.
    pub(crate) fn fall_silent(&self, ladder: &Ladder) {
        ladder.outside(format_args!("{} falls silent", self.index));
        self.wire.set_window(0);
    }

    /// Takes at most so many bytes and understands what it can.
    fn hear(&mut self, most: usize, model: &mut Model, plan: &Plan, ladder: &Ladder) {
        let taken = self.wire.take(most, &mut self.inbox);
        if taken > 0 {
            let bytes = &self.inbox[self.inbox.len() - taken..];
            ladder.outside(format_args!("{} ← {taken} bytes: {}", self.index, Glimpse(bytes)));
        }
        if taken > 0
            && let Err(what) = self.understand(model, plan)
        {
            model.violate(format!("guest {}: {what}", self.index));
        }
        if !matches!(self.awaits, Awaits::End) && self.wire.is_finished() && self.wire.on_its_way() == 0 {
            if let Err(what) = self.ended(model, plan) {
                model.violate(format!("guest {}: {what}", self.index));
            }
            self.awaits = Awaits::End;
            if !self.left {
                ladder.outside(format_args!("{} sees the end, and finishes", self.index));
                self.left = true;
                self.wire.finish();
            }
        }
    }

    fn understand(&mut self, model: &mut Model, plan: &Plan) -> Result<(), String> {
        let mut at = 0;
        while at < self.inbox.len() || matches!(self.awaits, Awaits::Body(0, _)) {
            let used = match self.awaits {
                Awaits::Head => self.read_head(at, model, plan)?,
                Awaits::Opening => self.read_opening(at, model)?,
                Awaits::Body(length, answer) => self.read_body(at, length, answer)?,
                Awaits::Frames(record) => self.read_frame(at, record, model)?,
                Awaits::Events(record) => self.read_event(at, record, model)?,
                Awaits::End => return Err("something follows the end".into()),
            };
            let Some(used) = used else { break };
            at += used;
        }
        self.inbox.drain(..at);
        Ok(())
    }

    /// Nobody took anything from it, and it has taken nothing from anybody.
    fn is_fair(&self) -> bool {
        !self.left && !self.spoilt && !self.wire.was_struck()
    }

    /// The server has ended the connection: was that in order, and was all there?
    fn ended(&mut self, model: &mut Model, plan: &Plan) -> Result<(), String> {
        if self.asked == 0 && self.wire.is_closed() {
            model.meet(Met::Silent);
        }
        if self.waits && plan.patient && plan.roomy && plan.drains.is_none() {
            self.answered_before_its_fin(model)?;
        }
        if !plan.patient || plan.poor || !self.is_fair() {
            return Ok(());
        }
        let served = self.answers > 0 && plan.drains.is_none();
        if self.wire.was_reset() {
            return if served { Err("it was reset, and had done nothing".into()) } else { Ok(()) };
        }
        if served && !self.inbox.is_empty() {
            return Err(format!("half a unit is all that came of {}", Glimpse(&self.inbox)));
        }
        let (Awaits::Frames(record) | Awaits::Events(record)) = self.awaits else { return Ok(()) };
        let known = &model.records[record];
        if matches!(known.why, Some(Closed::Gone | Closed::Broken(_) | Closed::Fault(_))) {
            return Err(format!("it was closed, {:?}, and had done nothing", known.why));
        }
        if let Some(Closed::ByPeer(_)) = known.why
            && known.told < self.said
        {
            return Err(format!("{} of {} messages were taken before its Close", known.told, self.said));
        }
        if known.dropping {
            return Ok(());
        }
        if known.received < known.firm {
            return Err(format!("{} of {} words came before the end", known.received, known.firm));
        }
        if known.publications_are_firm && !known.published.is_empty() {
            return Err(format!("publication {:?} did not come before the end", known.published));
        }
        model.meet(Met::Whole);
        Ok(())
    }

    /// All requests that it has sent before its FIN were answered, unless it was none of the loop's doing.
    fn answered_before_its_fin(&self, model: &Model) -> Result<(), String> {
        let closed = model.records.iter().rfind(|record| record.guest == self.index).and_then(|record| record.why);
        let excused = self.spoilt
            || self.last
            || self.farewell
            || self.wire.was_struck()
            || closed.is_some_and(|why| why != Closed::Answered);
        if excused || self.answers == self.asked {
            return Ok(());
        }
        Err(format!("{} of {} requests before its FIN were answered", self.answers, self.asked))
    }

    /// What is still owed to it when nothing can happen any more but that time passes.
    pub(crate) fn claim(&self, model: &mut Model, plan: &Plan) -> Option<String> {
        if !plan.patient || plan.poor || plan.drains.is_some() || !self.is_fair() || !self.outbox.is_empty() {
            return None;
        }
        match self.awaits {
            Awaits::Head | Awaits::Body(..) if plan.roomy && self.asked > self.answers && !self.last => {
                let waits = model.live.iter().any(|live| model.records[*live].guest == self.index);
                (!waits).then(|| format!("{} of {} requests were answered", self.answers, self.asked))
            }
            Awaits::Frames(record) | Awaits::Events(record) => {
                let known = &model.records[record];
                if !known.hears() || known.doomed || known.pieces.is_some() {
                    return None;
                }
                if known.dropping {
                    return self.claim_drops(known, model.announced);
                }
                if known.owed() > 0 {
                    return Some(format!(
                        "{} of {} words came, {} of {} from outside, and publications {:?} did not",
                        known.received, known.sent, known.remote_received, known.remote_sent, known.published
                    ));
                }
                if self.answered < self.said && !self.frames.is_closing() {
                    return Some(format!("message {} of {} was the last to be answered", self.answered, self.said));
                }
                model.meet(Met::Held);
                None
            }
            _ => None,
        }
    }

    /// Whether all that is missing was told to be.
    fn claim_drops(&self, known: &Record, announced: u32) -> Option<String> {
        let (owed, told) = (known.owed(), known.dropped);
        // Publications from outside are not known one by one.
        if told < owed || told > owed + announced {
            return Some(format!("{owed} words are missing, and {told} were dropped"));
        }
        let gaps = matches!(self.awaits, Awaits::Events(_)).then_some(known.gaps);
        gaps.filter(|gaps| *gaps != told).map(|gaps| format!("{told} were dropped, and it was told of {gaps}"))
    }

    /// The route that leads to what it came for.
    fn route(&self, random: &mut Random) -> Route {
        match self.errand {
            Errand::WebSocket if random.one_in(3) => Route::Pieces,
            Errand::WebSocket => Route::WebSocket,
            Errand::Stream => Route::Events,
            Errand::Plain | Errand::Host => Route::Page,
        }
    }
}
