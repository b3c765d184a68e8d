//! One seed, one history: guests come, act and leave while the loop turns; then all faults end and everybody is served; then
//! everybody leaves and nothing may be left.

use std::fmt;
use std::time::Duration;

use longwire_reactor::sys::sim::{Calls, FaultCounts, Random, Sim, World};
use longwire_reactor::{CloseCode, Loop, Remote, Server, Turn};

use crate::app::App;
use crate::coverage::{Coverage, Met};
use crate::guest::Guest;
use crate::ladder::Ladder;
use crate::model::{State, TOPICS};
use crate::plan::Plan;
use crate::words::{Kind, Word};

/// What was not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The history that shows it.
    pub seed: u64,
    /// In which turn it was seen.
    pub turn: u32,
    /// In words.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}, turn {}: {}\n  replay: cargo xtask simulate --seed {} --trace",
            self.seed, self.turn, self.what, self.seed
        )
    }
}

/// What a history came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was met.
    pub coverage: Coverage,
    /// What went wrong on purpose.
    pub faults: FaultCounts,
    /// What the loop asked of the machine.
    pub calls: Calls,
    /// A number that two runs of the same history share, and hardly two histories.
    pub digest: u64,
    /// What was not as it must be.
    pub violation: Option<Violation>,
}

/// Runs a seed's history.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    History::new(seed, Ladder::default()).tell()
}

/// Runs it once more and writes down everything that happens.
#[must_use]
pub fn trace(seed: u64) -> (Outcome, String) {
    let ladder = Ladder::writing();
    let outcome = History::new(seed, ladder.clone()).tell();
    if let Some(violation) = &outcome.violation {
        ladder.rule(format_args!("violation: {}", violation.what));
    }
    (outcome, ladder.text())
}

/// When all is calm, the loop has so many turns to serve everybody.
const PATIENCE: u32 = 5_000;

struct History {
    seed: u64,
    random: Random,
    plan: Plan,
    world: World,
    on: Loop<App, Sim>,
    remote: Remote,
    guests: Vec<Guest>,
    ladder: Ladder,
    turn: u32,
    ended: bool,
}

impl History {
    fn new(seed: u64, ladder: Ladder) -> Self {
        let mut random = Random::new(seed);
        let world = World::new(random.draw());
        let plan = Plan::draw(&mut random, &world);
        if ladder.is_writing() {
            world.watch(Box::new(ladder.clone()));
        }
        let app = App::new(plan.clone(), random.fork(), ladder.clone());
        let mut server = Server::on_machine().limits(plan.limits.clone());
        if let Some(tick) = plan.tick {
            server = server.tick(tick);
        }
        let remote = server.remote();
        let on = server.build_on(world.machine(), app);
        Self { seed, random, plan, world, on, remote, guests: Vec::new(), ladder, turn: 0, ended: false }
    }

    fn tell(mut self) -> Outcome {
        let violation = self.unfold().err().map(|what| Violation { seed: self.seed, turn: self.turn, what });
        let (calls, faults) = (self.world.calls(), self.world.faults());
        let coverage = self.on.handler().model.coverage;
        let digest = self.digest();
        Outcome { coverage, faults, calls, digest, violation }
    }

    fn unfold(&mut self) -> Result<(), String> {
        self.ladder.rule(format_args!("seed {}: {:?}", self.seed, self.plan));
        for _ in 0..self.plan.turns {
            self.happen();
            let wait = self.wait();
            self.turn(wait)?;
        }
        self.ladder.rule(format_args!("all is calm"));
        self.world.calm();
        self.world.set_descriptors(usize::MAX);
        self.serve()?;
        // A listener that ran out of descriptors looks again by itself.
        self.world.pass(Duration::from_millis(60));
        self.serve()?;
        self.claim()?;
        if self.plan.drains {
            self.ladder.rule(format_args!("the server is drained"));
            self.remote.drain();
            self.serve()?;
        }
        self.ladder.rule(format_args!("everybody leaves"));
        self.leave()
    }

    /// Something happens outside.
    fn happen(&mut self) {
        self.ladder.set_time(self.world.now());
        let model = &mut self.on.handler().model;
        for _ in 0..self.random.between(1, 3) {
            if self.guests.len() < self.plan.guests && self.random.one_in(3) {
                let index = model.new_guest();
                self.ladder.outside(format_args!("{index} connects"));
                self.guests.push(Guest::come(index, self.world.connect(), &mut self.random, model));
            } else if !self.guests.is_empty() {
                let at = self.random.below(self.guests.len());
                self.guests[at].act(&mut self.random, model, &self.plan, &self.ladder);
            }
        }
        while let Some(wire) = self.world.dialled() {
            let index = usize::from(wire.address().map_or(0, |address| address.port()));
            self.guests.push(Guest::host(index, wire.clone(), &mut self.random, model));
            match self.random.below(6) {
                0 => wire.refuse(*self.random.pick(&[111, 110, 113])),
                1 if self.plan.patient => wire.refuse(111),
                1 => {}
                _ => wire.answer(),
            }
        }
        if self.random.one_in(4) {
            self.command();
        }
    }

    /// Something is asked from outside the loop's thread.
    fn command(&mut self) {
        let app = self.on.handler();
        let model = &mut app.model;
        let topic = self.random.below(TOPICS.len());
        if self.random.one_in(3) {
            model.announced += 1;
            let mut text = String::new();
            Word::new(Kind::Announced, topic as u32, model.announced).write(self.random.below(100), &mut text);
            model.meet(Met::Announce);
            if self.remote.publish(TOPICS[topic], &text).is_err() {
                model.meet(Met::MailboxFull);
            }
            return;
        }
        if model.live.is_empty() {
            return;
        }
        let at = *self.random.pick(&model.live);
        let (id, open) = (model.records[at].id, model.records[at].hears());
        match self.random.below(6) {
            0..3 if open => {
                let number = model.records[at].remote_sent + 1;
                let mut text = String::new();
                Word::new(Kind::Remote, at as u32, number).write(self.random.below(100), &mut text);
                model.meet(Met::Remotely);
                match self.remote.send(id, &text) {
                    Ok(()) => model.records[at].remote_sent = number,
                    Err(_) => model.meet(Met::MailboxFull),
                }
            }
            3 if model.records[at].state == State::Later && self.random.one_in(2) => {
                if let Some(reply) = app.late_reply(at)
                    && self.remote.answer(id, reply).is_err()
                {
                    app.model.meet(Met::MailboxFull);
                    app.take_back(at);
                }
            }
            4 if model.records[at].state != State::Asked && self.random.one_in(4) => {
                let record = &mut model.records[at];
                if !record.closing && !std::mem::replace(&mut record.doomed, true) {
                    record.firm = record.whole();
                }
                self.remote.close(id, CloseCode::NORMAL, "from outside");
            }
            5 => {
                let panics = self.random.one_in(4);
                model.meet(Met::Ran);
                let call = move |hub: &mut longwire_reactor::Hub<'_>| {
                    let _ = hub.stats();
                    if panics {
                        std::panic::resume_unwind(Box::new(()));
                    }
                };
                if self.remote.run(id, call).is_err() {
                    model.meet(Met::MailboxFull);
                }
            }
            _ => {}
        }
    }

    /// How long the loop may sleep if nothing happens.
    fn wait(&mut self) -> Duration {
        let most = match (self.random.below(16), self.plan.patient) {
            (0..8, _) => 0,
            (8..15, _) | (_, true) => 12,
            (_, false) if self.random.one_in(8) => 40_000,
            (_, false) => 400,
        };
        Duration::from_millis(self.random.between(0, most) as u64)
    }

    /// One turn of the loop, and what must be true after it.
    fn turn(&mut self, wait: Duration) -> Result<(), String> {
        if self.ended {
            return Ok(());
        }
        self.turn += 1;
        let turn = self.on.turn(Some(wait)).map_err(|error| format!("the loop gave up: {error}"))?;
        self.ended = turn == Turn::Ended;
        self.on.audit()?;
        if let Some(misuse) = self.world.misuse() {
            return Err(misuse.into());
        }
        let connections = self.on.stats().connections;
        if self.world.descriptors() as u64 != connections {
            return Err(format!("{connections} connections hold {} descriptors", self.world.descriptors()));
        }
        let model = &mut self.on.handler().model;
        model.violation.take().map_or(Ok(()), Err)
    }

    /// Everybody behaves, until there is nothing more to do.
    fn serve(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..PATIENCE {
            let before = self.world.calls().work();
            self.ladder.set_time(self.world.now());
            let model = &mut self.on.handler().model;
            for guest in &mut self.guests {
                guest.settle(model, &self.plan, &self.ladder);
            }
            while let Some(wire) = self.world.dialled() {
                wire.refuse(111);
            }
            self.turn(Duration::ZERO)?;
            let rests = self.world.calls().work() == before && !self.world.has_edges();
            quiet = if rests { quiet + 1 } else { 0 };
            if quiet > 2 || self.ended {
                return Ok(());
            }
        }
        Err(format!("after {PATIENCE} turns there is still something to do"))
    }

    /// Nothing can happen any more but that time passes: is anybody owed anything?
    fn claim(&mut self) -> Result<(), String> {
        if self.world.waiting() > 0 {
            return Err(format!("{} wait to be accepted, and nobody looks", self.world.waiting()));
        }
        let model = &mut self.on.handler().model;
        for guest in &self.guests {
            if let Some(claim) = guest.claim(model, &self.plan) {
                return Err(format!("guest {} is not served: {claim}", guest.index));
            }
        }
        Ok(())
    }

    /// Everybody leaves, time passes, and nothing is left.
    fn leave(&mut self) -> Result<(), String> {
        let model = &mut self.on.handler().model;
        for guest in &mut self.guests {
            // Some just fall silent: time will end them.
            if self.random.one_in(4) {
                guest.fall_silent(&self.ladder);
            } else {
                guest.leave(&mut self.random, model, &self.ladder);
            }
        }
        for turn in 0..100 {
            self.turn(Duration::ZERO)?;
            if self.on.stats().connections == 0 || self.ended {
                break;
            }
            // Time passes in steps: after each, the loop reads before it believes what its clock says.
            if turn % 4 == 3 {
                self.world.pass(Duration::from_secs(20));
            }
        }
        let stats = self.on.stats();
        if (stats.connections, stats.pinned) != (0, 0) {
            return Err(format!("in the end {} connections pin {} bytes", stats.connections, stats.pinned));
        }
        let model = &mut self.on.handler().model;
        if self.world.calls().sheds > 0 {
            model.meet(Met::OutOfDescriptors);
        }
        if stats.refused > 0 {
            model.meet(Met::TurnedAway);
        }
        let left = model.live.iter().find(|live| model.records[**live].state != State::Asked);
        match left.map(|live| &model.records[*live]) {
            Some(record) => Err(format!("nobody was told that {} ({:?}) is gone", record.id, record.state)),
            None => Ok(()),
        }
    }

    fn digest(&mut self) -> u64 {
        let stats = self.on.stats();
        let mut digest = Random::new(self.world.calls().work());
        for number in [stats.bytes_in, stats.bytes_out, stats.messages_in, stats.published, stats.dropped] {
            digest = Random::new(digest.draw() ^ number);
        }
        for call in longwire_reactor::sys::sim::Call::ALL {
            digest = Random::new(digest.draw() ^ self.world.calls().of(*call));
        }
        for (_, count) in self.world.faults().iter() {
            digest = Random::new(digest.draw() ^ count);
        }
        digest.draw() ^ self.world.now().as_nanos() as u64
    }
}
