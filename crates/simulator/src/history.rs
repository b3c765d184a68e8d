//! One seed (or one tape), one history: guests come, act and leave, commands arrive from other threads, and the loop turns in between.

use std::time::Duration;

use longwire_reactor::sys::sim::{Random, World};
use longwire_reactor::{CloseCode, Hub};

use crate::coverage::Met;
use crate::ladder::Ladder;
use crate::model::{State, TOPICS};
use crate::outcome::{Outcome, guarded};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::words::{Kind, Word};

/// Runs a seed's history.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    play(Some(seed), Random::new(seed), Ladder::default())
}

/// Runs it once more and writes down everything that happens.
#[must_use]
pub fn trace(seed: u64) -> (Outcome, String) {
    written(|ladder| play(Some(seed), Random::new(seed), ladder))
}

/// Runs the history in which every draw is what stands on the tape, as long as there is something: see [`Random::reading`].
#[must_use]
pub fn run_tape(tape: &[u8]) -> Outcome {
    play(None, Random::reading(tape), Ladder::default())
}

/// Runs it once more and writes down everything that happens.
#[must_use]
pub fn trace_tape(tape: &[u8]) -> (Outcome, String) {
    written(|ladder| play(None, Random::reading(tape), ladder))
}

fn written(play: impl FnOnce(Ladder) -> Outcome) -> (Outcome, String) {
    let ladder = Ladder::writing();
    let outcome = play(ladder.clone());
    (outcome, ladder.text())
}

fn play(seed: Option<u64>, mut random: Random, ladder: Ladder) -> Outcome {
    let world = World::driven_by(random.fork());
    let plan = Plan::draw(&mut random, &world);
    match seed {
        Some(seed) => ladder.rule(format_args!("seed {seed}: {plan:?}")),
        None => ladder.rule(format_args!("{plan:?}")),
    }
    let mut stage = Stage::new(plan, world, random, ladder);
    let played = guarded(|| unfold(&mut stage).and_then(|()| stage.close()));
    stage.outcome(seed, played)
}

fn unfold(stage: &mut Stage) -> Result<(), String> {
    for turn in 0..stage.plan.turns {
        happen(stage);
        if stage.plan.drains == Some(turn) {
            stage.drain();
        }
        let wait = wait(stage);
        stage.turn(wait)?;
    }
    Ok(())
}

/// Something happens outside.
fn happen(stage: &mut Stage) {
    stage.ladder.set_time(stage.world.now());
    for _ in 0..stage.random.between(1, 3) {
        if stage.guests.len() < stage.plan.guests && stage.random.one_in(3) {
            stage.come();
        } else if !stage.guests.is_empty() {
            let at = stage.random.below(stage.guests.len());
            let model = &mut stage.on.handler().model;
            stage.guests[at].act(&mut stage.random, model, &stage.plan, &stage.ladder);
        }
    }
    stage.answer_calls();
    if stage.random.one_in(4) {
        command(stage);
    }
}

/// How long the loop may sleep if nothing happens.
fn wait(stage: &mut Stage) -> Duration {
    let most = match (stage.random.below(16), stage.plan.patient) {
        (0..8, _) => 0,
        (8..15, _) | (_, true) => 12,
        (_, false) if stage.random.one_in(8) => 40_000,
        (_, false) => 400,
    };
    Duration::from_millis(stage.random.between(0, most) as u64)
}

/// Something is asked from outside the loop's thread.
fn command(stage: &mut Stage) {
    if stage.random.one_in(3) {
        return announce(stage);
    }
    let live = &stage.on.handler().model.live;
    if live.is_empty() {
        return;
    }
    let at = *stage.random.pick(live);
    match stage.random.below(6) {
        0..3 => send(stage, at),
        3 if stage.random.one_in(2) => answer(stage, at),
        4 if stage.random.one_in(4) => close(stage, at),
        5 => call(stage, at),
        _ => {}
    }
}

fn announce(stage: &mut Stage) {
    let topic = stage.random.below(TOPICS.len());
    let model = &mut stage.on.handler().model;
    model.announced += 1;
    let mut text = String::new();
    Word::new(Kind::Announced, topic as u32, model.announced).write(stage.random.below(100), &mut text);
    model.meet(Met::Announce);
    stage.ladder.outside(format_args!("remote.publish {} {text:.20}", TOPICS[topic]));
    if stage.remote.publish(TOPICS[topic], &text).is_err() {
        model.meet(Met::MailboxFull);
    }
}

fn send(stage: &mut Stage, at: usize) {
    let model = &mut stage.on.handler().model;
    let record = &mut model.records[at];
    if !record.hears() {
        return;
    }
    let number = record.remote_sent + 1;
    let mut text = String::new();
    Word::new(Kind::Remote, at as u32, number).write(stage.random.below(100), &mut text);
    stage.ladder.outside(format_args!("remote.send {} {text:.20}", record.id));
    match stage.remote.send(record.id, &text) {
        Ok(()) => record.remote_sent = number,
        Err(_) => model.meet(Met::MailboxFull),
    }
    model.meet(Met::Remotely);
}

fn answer(stage: &mut Stage, at: usize) {
    let app = stage.on.handler();
    let id = app.model.records[at].id;
    let Some(reply) = app.late_reply(at) else { return };
    stage.ladder.outside(format_args!("remote.answer {id}"));
    if stage.remote.answer(id, reply).is_err() {
        app.model.meet(Met::MailboxFull);
        app.unanswered(at);
    }
}

fn close(stage: &mut Stage, at: usize) {
    let record = &mut stage.on.handler().model.records[at];
    if record.state == State::Asked {
        return;
    }
    if !record.closing && !std::mem::replace(&mut record.doomed, true) {
        record.firm = record.whole();
    }
    stage.ladder.outside(format_args!("remote.close {}", record.id));
    stage.remote.close(record.id, CloseCode::NORMAL, "from outside");
}

fn call(stage: &mut Stage, at: usize) {
    let panics = stage.random.one_in(4);
    let model = &mut stage.on.handler().model;
    model.meet(Met::Ran);
    stage.ladder.outside(format_args!("remote.run{}", if panics { ", what panics" } else { "" }));
    let call = move |hub: &mut Hub<'_>| {
        let _ = hub.stats();
        if panics {
            std::panic::resume_unwind(Box::new(()));
        }
    };
    if stage.remote.run(model.records[at].id, call).is_err() {
        model.meet(Met::MailboxFull);
    }
}
