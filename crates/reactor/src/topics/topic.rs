//! One topic: who listens, and what was said in this turn.

use std::rc::Rc;

use crate::ledger::OBJECT;

/// A topic, as long as somebody listens to it or is about to hear the last of it.
pub(super) struct Topic {
    pub(super) name: Rc<str>,
    pub(super) subscribers: Vec<u32>,
    pub(super) frames_wanted: u32,
    pub(super) events_wanted: u32,
    pub(super) published: Vec<Published>,
    pub(super) frames: Vec<u8>,
    pub(super) events: Vec<u8>,
}

/// One publication of this turn: where its bytes end in both buffers.
#[derive(Clone, Copy)]
pub(super) struct Published {
    pub(super) sequence: u64,
    pub(super) except: Option<u32>,
    pub(super) frames_end: usize,
    pub(super) events_end: usize,
}

/// What a topic pins: itself with its name, its places in the lists (which double when they grow) and its first subscriber.
pub(super) fn cost(name: &str) -> u32 {
    let place = 2 * (size_of::<Topic>() + size_of::<(Rc<str>, u32)>() + 1);
    let cost = place + name.len() + 2 * size_of::<usize>() + 4 * size_of::<u32>() + 3 * OBJECT;
    u32::try_from(cost).unwrap_or(u32::MAX / 1_024)
}
