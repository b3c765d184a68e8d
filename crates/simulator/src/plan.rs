//! What kind of history a seed is: how tight the limits are, what goes wrong how often, how wild the application is.

use std::time::Duration;

use longwire_reactor::frame::Limits as Frames;
use longwire_reactor::handshake::Limits as Heads;
use longwire_reactor::handshake::WindowBits;
use longwire_reactor::sys::sim::{Fault, Random, World};
use longwire_reactor::{Deflate, Limits};

/// Drawn once, at the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) limits: Limits,
    /// No deadline passes for want of patience: then whoever behaves is served, and served whole.
    pub(crate) patient: bool,
    /// There is room for everybody who comes, and for all that is said.
    pub(crate) roomy: bool,
    /// The process may pin so little that anybody may be cut off at any byte.
    pub(crate) poor: bool,
    pub(crate) tick: Option<Duration>,
    /// Messages may be compressed, on these terms.
    pub(crate) deflate: Option<Deflate>,
    pub(crate) turns: usize,
    pub(crate) guests: usize,
    /// The application panics once in so many callbacks.
    pub(crate) panics: Option<usize>,
    /// It does so many things more in a callback, at most.
    pub(crate) zeal: usize,
    /// Somebody stops the server in this turn, or when all is calm if it has so many.
    pub(crate) drains: Option<usize>,
}

impl Plan {
    /// Draws a plan and sets the world up for it.
    pub(crate) fn draw(random: &mut Random, world: &World) -> Self {
        let patient = random.one_in(2);
        let roomy = !random.one_in(3);
        let limits = limits(random, patient, roomy);
        if !roomy && random.one_in(2) {
            world.set_descriptors(random.between(1, 8));
        }
        let start = match random.below(4) {
            // The clock of the loop wraps after 49 days.
            0 => Duration::from_millis(u64::from(u32::MAX) - random.below(5_000) as u64),
            1 => Duration::from_millis(u64::from(u32::MAX / 2) - random.below(5_000) as u64),
            _ => Duration::from_micros(random.below(5_000_000) as u64),
        };
        world.pass(start);
        faults(random, world, patient);
        let turns = random.between(15, 60);
        Self {
            poor: limits.budget < Limits::default().budget,
            patient,
            roomy,
            limits,
            tick: random.one_in(4).then(|| Duration::from_millis(random.between(1, 300) as u64)),
            deflate: deflate(random),
            turns,
            guests: random.between(1, 10),
            panics: random.one_in(4).then(|| random.between(5, 80)),
            zeal: random.below(4),
            drains: random.one_in(3).then(|| random.below(2 * turns)),
        }
    }
}

fn deflate(random: &mut Random) -> Option<Deflate> {
    if !random.one_in(4) {
        return None;
    }
    Some(Deflate {
        server_no_context_takeover: random.one_in(2),
        client_no_context_takeover: random.one_in(2),
        client_max_window_bits: WindowBits::new(random.between(9, 15) as u8).filter(|_| random.one_in(2)),
        ..Deflate::DEFAULT
    })
}

/// A size on every scale up to `most`.
fn size(random: &mut Random, least: usize, most: usize) -> usize {
    let scale = random.between(least, most);
    random.between(least, scale)
}

/// A time that is short for anybody.
fn short(random: &mut Random) -> Duration {
    Duration::from_millis(size(random, 1, 400) as u64)
}

fn limits(random: &mut Random, patient: bool, roomy: bool) -> Limits {
    let mut limits = Limits {
        head: Heads { head: size(random, 400, 2_000) as u32, ..Heads::default() },
        body: size(random, 16, 4_000) as u32,
        message: Frames { message: size(random, 64, 5_000) as u32, parts: random.between(4, 20) as u32 },
        topics: random.between(1, 4),
        visit: size(random, 16, 4_000),
        receive: size(random, 64, 2_000),
        direct: size(random, 1, 2_000),
        cork: size(random, 1, 3_000),
        deflate_from: size(random, 1, 2_000),
        events: size(random, 1, 8),
        accepts: size(random, 1, 4),
        send_queue: if roomy { 60_000 } else { size(random, 1, 4_000) },
        remote: if roomy { 1_024 } else { random.between(1, 4) },
        ..Limits::default()
    };
    if !roomy {
        limits.connections = if random.one_in(3) { random.between(1, 6) } else { limits.connections };
        limits.per_address = if random.one_in(3) { random.between(1, 4) } else { limits.per_address };
        limits.budget = if random.one_in(3) { size(random, 100, 20_000) } else { limits.budget };
    }
    if !patient {
        let rare = random.between(2, 12);
        for deadline in [
            &mut limits.head_deadline,
            &mut limits.body_deadline,
            &mut limits.later,
            &mut limits.keep_alive,
            &mut limits.message_deadline,
            &mut limits.write_stall,
            &mut limits.ping,
            &mut limits.pong,
            &mut limits.heartbeat,
            &mut limits.close,
            &mut limits.linger_idle,
            &mut limits.linger,
            &mut limits.drain,
        ] {
            if random.one_in(rare) {
                *deadline = short(random);
            }
        }
        limits.max_age = random.one_in(rare).then(|| short(random));
    }
    limits
}

/// Faults that take a connection's life, or some of its bytes.
const DEADLY: &[Fault] = &[
    Fault::ReadReset,
    Fault::ReadTimedOut,
    Fault::WriteReset,
    Fault::WriteBroken,
    Fault::WriteNoBuffers,
    Fault::AcceptAborted,
    Fault::AcceptProtocol,
    Fault::RegisterFailed,
    Fault::ConnectFailed,
];

/// Faults that take time.
const SLOW: &[Fault] = &[Fault::Late, Fault::Leap];

/// In one history of three all is well; in the others some faults strike, each at a rate of its own.
fn faults(random: &mut Random, world: &World, patient: bool) {
    let kinds = match random.below(3) {
        0 => return,
        1 => random.between(1, 3),
        _ => random.between(1, Fault::ALL.len()),
    };
    for _ in 0..kinds {
        let fault = *random.pick(Fault::ALL);
        if patient && SLOW.contains(&fault) {
            continue;
        }
        let most = if DEADLY.contains(&fault) || SLOW.contains(&fault) { 3_000 } else { 40_000 };
        world.set_fault(fault, size(random, 100, most) as u16);
    }
}
