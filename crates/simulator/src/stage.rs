//! Where histories are played: the world, the loop, whoever came, and what is checked whatever is played.
//!
//! A script lets things happen and calls [`Stage::turn`] in between; then [`Stage::close`] brings any history to its end: all
//! becomes calm, everybody is served, everybody leaves, and nothing may be left.

use std::time::Duration;

use longwire_reactor::sys::sim::{Call, Random, Sim, World};
use longwire_reactor::{Loop, Remote, Server, Turn};

use crate::app::App;
use crate::coverage::Met;
use crate::guest::Guest;
use crate::ladder::Ladder;
use crate::model::State;
use crate::outcome::{Outcome, Violation};
use crate::plan::Plan;

/// When all is calm, the loop has so many turns to serve everybody.
const PATIENCE: u32 = 5_000;

/// See the top of this file.
pub(crate) struct Stage {
    pub(crate) random: Random,
    pub(crate) plan: Plan,
    pub(crate) world: World,
    pub(crate) on: Loop<App, Sim>,
    pub(crate) remote: Remote,
    pub(crate) guests: Vec<Guest>,
    pub(crate) ladder: Ladder,
    turn: u32,
    ended: bool,
}

impl Stage {
    /// A stage in a world that follows from `random`, with what else the plan says.
    pub(crate) fn new(plan: Plan, world: World, mut random: Random, ladder: Ladder) -> Self {
        ladder.begin(world.now());
        if ladder.is_writing() {
            world.watch(Box::new(ladder.clone()));
        }
        let app = App::new(plan.clone(), random.fork(), ladder.clone());
        let mut server = Server::default().limits(plan.limits.clone());
        if let Some(tick) = plan.tick {
            server = server.tick(tick);
        }
        if let Some(terms) = plan.deflate {
            server = server.deflate(terms);
        }
        let remote = server.remote();
        let on = server.build_on(world.machine(), app);
        Self { random, plan, world, on, remote, guests: Vec::new(), ladder, turn: 0, ended: false }
    }

    /// Somebody connects.
    pub(crate) fn come(&mut self) {
        let model = &mut self.on.handler().model;
        let index = model.new_guest();
        self.ladder.outside(format_args!("{index} connects"));
        let wire = self.world.connect_from(App::address_of(index));
        self.guests.push(Guest::come(index, wire, &mut self.random, model));
    }

    /// Who was called by the loop answers, or does not.
    pub(crate) fn answer_calls(&mut self) {
        let model = &mut self.on.handler().model;
        while let Some(wire) = self.world.dialled() {
            let index = usize::from(wire.address().map_or(0, |address| address.port()));
            self.guests.push(Guest::host(index, wire.clone(), &mut self.random, model));
            match self.random.below(6) {
                0 => wire.refuse(*self.random.pick(Call::Connected.errors())),
                1 if !self.plan.patient => {}
                _ => wire.answer(),
            }
        }
    }

    /// One turn of the loop, and what must be true after it.
    pub(crate) fn turn(&mut self, wait: Duration) -> Result<(), String> {
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

    /// Nothing goes wrong any more, and everybody behaves: is everybody served? Then everybody leaves: is nothing left?
    pub(crate) fn close(&mut self) -> Result<(), String> {
        self.ladder.rule(format_args!("all is calm"));
        self.world.calm();
        self.world.set_descriptors(usize::MAX);
        self.serve()?;
        // A listener that ran out of descriptors looks again by itself; timers that run now will have fired.
        self.on.handler().model.mark_wakes();
        self.world.pass(Duration::from_millis(60));
        for _ in 0..self.guests.len() {
            // As few as one of them may fire in a turn, and not all do something that is seen.
            self.turn(Duration::ZERO)?;
        }
        self.serve()?;
        self.claim()?;
        if self.plan.drains.is_some() {
            self.drain();
            self.serve()?;
        }
        self.leave()
    }

    /// Somebody stops the server.
    pub(crate) fn drain(&mut self) {
        self.ladder.outside(format_args!("the server shall stop"));
        self.remote.drain();
    }

    /// Everybody behaves, until there is nothing more to do.
    fn serve(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..PATIENCE {
            let before = (self.world.calls().work(), self.on.stats().inflated);
            self.ladder.set_time(self.world.now());
            let model = &mut self.on.handler().model;
            for guest in &mut self.guests {
                guest.settle(model, &self.plan, &self.ladder);
            }
            while let Some(wire) = self.world.dialled() {
                wire.refuse(Call::Connected.errors()[0]);
            }
            self.turn(Duration::ZERO)?;
            let did = (self.world.calls().work(), self.on.stats().inflated);
            let rests = did == before && !self.world.has_edges();
            quiet = if rests { quiet + 1 } else { 0 };
            if quiet > 2 || self.ended {
                return Ok(());
            }
        }
        Err(format!("after {PATIENCE} turns there is still something to do"))
    }

    /// Nothing can happen any more but that time passes: is anybody owed anything?
    fn claim(&mut self) -> Result<(), String> {
        if self.world.waiting() > 0 && !self.ended {
            return Err(format!("{} wait to be accepted, and nobody looks", self.world.waiting()));
        }
        let model = &mut self.on.handler().model;
        for guest in &self.guests {
            if let Some(claim) = guest.claim(model, &self.plan) {
                return Err(format!("guest {} is not served: {claim}", guest.index));
            }
        }
        match model.overslept() {
            Some(id) if self.plan.patient && !self.ended => Err(format!("the timer of {id} has not fired")),
            _ => Ok(()),
        }
    }

    /// Everybody leaves, time passes, and nothing is left.
    fn leave(&mut self) -> Result<(), String> {
        self.ladder.rule(format_args!("everybody leaves"));
        let model = &mut self.on.handler().model;
        model.patient = false;
        for guest in &mut self.guests {
            // Some just fall silent: time will end them.
            if self.random.one_in(4) {
                guest.fall_silent(&self.ladder);
            } else {
                guest.leave(&mut self.random, model, &self.ladder);
            }
        }
        for turn in 0..1_000 {
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
        if model.connections_ended != stats.accepted + model.dialled {
            return Err(format!(
                "{} connections were accepted and {} dialled, and the end of {} was told",
                stats.accepted, model.dialled, model.connections_ended
            ));
        }
        let left = model.live.iter().find(|live| model.records[**live].state != State::Asked);
        match left.map(|live| &model.records[*live]) {
            Some(record) => Err(format!("nobody was told that {} ({:?}) is gone", record.id, record.state)),
            None => Ok(()),
        }
    }

    /// What it came to.
    pub(crate) fn outcome(mut self, seed: Option<u64>, played: Result<(), String>) -> Outcome {
        let violation = played.err().map(|what| Violation { seed, turn: self.turn, what });
        if let Some(violation) = &violation {
            self.ladder.rule(format_args!("violation: {}", violation.what));
        }
        let (calls, faults) = (self.world.calls(), self.world.faults());
        let coverage = self.on.handler().model.coverage;
        Outcome { coverage, faults, calls, digest: self.digest(), violation }
    }

    fn digest(&mut self) -> u64 {
        let stats = self.on.stats();
        let (calls, faults) = (self.world.calls(), self.world.faults());
        let did = [stats.bytes_in, stats.bytes_out, stats.inflated, stats.messages_in, stats.published, stats.dropped];
        let asked = Call::ALL.iter().map(|call| calls.of(*call));
        let struck = faults.iter().map(|(_, count)| count);
        let clock = self.world.now().as_nanos() as u64;
        let numbers = did.into_iter().chain(asked).chain(struck).chain([clock]);
        numbers.fold(0, |digest, number| Random::new(digest ^ number).draw())
    }
}
