//! What a history came to, and what was not as it must be.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use longwire_reactor::sys::sim::{Calls, FaultCounts};

use crate::coverage::Coverage;

/// What was not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The history that shows it, unless a tape does.
    pub seed: Option<u64>,
    /// In which turn it was seen.
    pub turn: u32,
    /// In words.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, turn, what } = self;
        match seed {
            Some(seed) => {
                write!(f, "seed {seed}, turn {turn}: {what}\n  replay: cargo xtask simulate --seed {seed} --trace")
            }
            None => write!(f, "turn {turn}: {what}"),
        }
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

/// Plays something in which the loop, or who plays, may panic: that is a violation, too, and must have its name.
pub(crate) fn guarded(play: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("a panic: {}", text.unwrap_or("without a word")))
    })
}
