//! `cargo xtask drill`: emergencies on real sockets. A server process of its own for each drill, thousands of clients in ours, and
//! bounds that must hold; what was measured is said on the drill's line.
//!
//! Every drill has two forms with the same bounds: the long one, and the short one that `cargo xtask test` runs, with fewer
//! clients and less time. Here stands which drills there are; what they have in common lies in `ground`, `findings`, `crowd`, `regulars`,
//! `wire` and `vitals`.

mod budget;
mod churn;
mod crowd;
mod descriptors;
mod faults;
mod findings;
mod ground;
mod kernel;
mod lingering;
mod panics;
mod readers;
mod regulars;
mod stop;
mod trickle;
mod vitals;
mod wire;

use std::time::Duration;

use crate::Fallible;
use crate::report::Tally;
use crate::repository::Repository;

use findings::Findings;
use ground::Ground;

/// After the last client's end: longer than the server may linger for it.
const LINGER: Duration = Duration::from_secs(10);

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For every test run.
    Short,
    /// As many as the bound was stated for.
    Long,
}

/// An emergency.
#[derive(Debug)]
pub(crate) struct Drill {
    pub(crate) name: &'static str,
    run: fn(&Ground<'_>) -> Fallible<Findings>,
}

const DRILLS: &[Drill] = &[
    Drill { name: "descriptors", run: descriptors::run },
    Drill { name: "faults", run: faults::run },
    Drill { name: "lingering", run: lingering::run },
    Drill { name: "trickle", run: trickle::run },
    Drill { name: "readers", run: readers::run },
    Drill { name: "churn", run: churn::run },
    Drill { name: "stop", run: stop::run },
    Drill { name: "panics", run: panics::run },
    Drill { name: "budget", run: budget::run },
    Drill { name: "kernel", run: kernel::run },
];

/// The drills of these names; all, if none is named.
pub(crate) fn named(names: &[&str]) -> Result<Vec<&'static Drill>, String> {
    if names.is_empty() {
        return Ok(DRILLS.iter().collect());
    }
    let known = || DRILLS.iter().map(|drill| drill.name).collect::<Vec<_>>().join(", ");
    let find = |name: &&str| DRILLS.iter().find(|drill| drill.name == *name);
    names.iter().map(|name| find(name).ok_or_else(|| format!("there is no drill {name}, but {}", known()))).collect()
}

impl Drill {
    pub(crate) fn run(&self, repository: &Repository, form: Form) -> Fallible<Tally> {
        Ok((self.run)(&Ground::new(repository, self.name, form))?.into())
    }
}
