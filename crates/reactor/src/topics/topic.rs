//! One topic: who listens, and what was said in this turn.

use std::rc::Rc;

use super::Form;
use crate::ledger::OBJECT;

/// A topic, as long as somebody listens to it or is about to hear the last of it.
pub(super) struct Topic {
    pub(super) name: Rc<str>,
    pub(super) subscribers: Vec<u32>,
    /// What this turn has published, in the order of the calls.
    pub(super) published: Vec<Published>,
    /// The same in each wire form that one of them reads: seldom more than two.
    pub(super) forms: Vec<Wire>,
}

/// One publication of this turn.
#[derive(Clone, Copy)]
pub(super) struct Published {
    pub(super) sequence: u64,
    pub(super) except: Option<u32>,
}

/// This turn's publications in one wire form.
pub(super) struct Wire {
    pub(super) form: Form,
    /// How many subscribers read it.
    pub(super) wanted: u32,
    pub(super) bytes: Vec<u8>,
    /// Where each publication ends.
    pub(super) ends: Vec<usize>,
}

impl Topic {
    pub(super) const fn new(name: Rc<str>) -> Self {
        Self { name, subscribers: Vec::new(), published: Vec::new(), forms: Vec::new() }
    }

    /// One more subscriber reads this form. It has missed what was published before.
    pub(super) fn want(&mut self, form: Form) {
        match self.forms.iter_mut().find(|wire| wire.form == form) {
            Some(wire) => wire.wanted += 1,
            None => {
                let ends = vec![0; self.published.len()];
                self.forms.reserve_exact(1);
                self.forms.push(Wire { form, wanted: 1, bytes: Vec::new(), ends });
            }
        }
    }

    /// One subscriber less reads it. What others may have to hear of it is forgotten with the turn.
    pub(super) fn unwant(&mut self, form: Form) {
        if let Some(wire) = self.forms.iter_mut().find(|wire| wire.form == form) {
            wire.wanted -= 1;
        }
        if self.published.is_empty() {
            self.forms.retain(|wire| wire.wanted > 0);
        }
    }

    /// What was published in one form, if anybody reads it.
    pub(super) fn wire(&self, form: Form) -> Option<&Wire> {
        self.forms.iter().find(|wire| wire.form == form)
    }
}

/// What a topic pins: itself with its name, its places in the lists (which double when they grow) and its first subscriber.
pub(super) fn cost(name: &str) -> u32 {
    let place = 2 * (size_of::<Topic>() + size_of::<(Rc<str>, u32)>() + 1) + size_of::<Wire>();
    let cost = place + name.len() + 2 * size_of::<usize>() + 4 * size_of::<u32>() + 4 * OBJECT;
    u32::try_from(cost).unwrap_or(u32::MAX / 1_024)
}
