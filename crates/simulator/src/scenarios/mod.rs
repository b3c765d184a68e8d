//! Scripted scenarios: each says what its visitors do, and what they and the application shall then have heard.
//!
//! Between two promises everything comes to rest, so that a fault which only delays changes nothing of what is heard; in which
//! turn something happens is nobody's promise.

mod bounds;
mod calls;
mod closing;
mod publishing;
mod remote;
mod requests;
mod streams;
mod web_sockets;

use longwire_reactor::Limits;

use crate::play::{Play, pattern, shown};

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What it changes of the default limits.
    pub(crate) limits: fn(&mut Limits),
    pub(crate) plays: fn(&mut Play),
}

impl Scenario {
    const fn new(name: &'static str, plays: fn(&mut Play)) -> Self {
        Self { name, limits: |_| (), plays }
    }

    const fn within(name: &'static str, limits: fn(&mut Limits), plays: fn(&mut Play)) -> Self {
        Self { name, limits, plays }
    }
}

/// All scenarios.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    [web_sockets::ALL, streams::ALL, publishing::ALL, requests::ALL, closing::ALL, bounds::ALL, calls::ALL, remote::ALL]
        .into_iter()
        .flatten()
}

/// A large message, as who hears it writes it down.
fn large(kind: &str, length: usize) -> String {
    format!("{kind} {}", shown(&pattern(length)))
}
