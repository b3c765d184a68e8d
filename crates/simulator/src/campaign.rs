//! Many seeds on a few threads, and what they found.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use longwire_reactor::sys::sim::{Call, Calls, FaultCounts};

use crate::coverage::Coverage;
use crate::history::run;
use crate::outcome::{Outcome, Violation};

/// Which seeds, and on how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// How many threads.
    pub threads: usize,
    /// After so many violations it stops.
    pub most: usize,
}

/// What all histories came to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Histories that were run.
    pub histories: u64,
    /// What was met.
    pub coverage: Coverage,
    /// What went wrong on purpose.
    pub faults: FaultCounts,
    /// What the loop asked of the machine.
    pub calls: Calls,
    /// All digests, mixed: the same for the same seeds, whatever the threads.
    pub digest: u64,
    /// In the order of their seeds.
    pub violations: Vec<Violation>,
    /// How long it took.
    pub took: Duration,
}

impl Campaign {
    /// Runs all histories.
    ///
    /// # Panics
    /// If the simulator itself fails in a history.
    #[must_use]
    pub fn run(&self) -> Findings {
        const BATCH: u64 = 64;
        let (next, stop, start) = (AtomicU64::new(0), AtomicBool::new(false), Instant::now());
        let work = || {
            let mut findings = Findings::default();
            while !stop.load(Ordering::Relaxed) {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                if first >= self.seeds {
                    break;
                }
                for seed in first..(first + BATCH).min(self.seeds) {
                    findings.add(run(self.from.wrapping_add(seed)));
                }
                if findings.violations.len() >= self.most {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            findings
        };
        let mut all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads.max(1)).map(|_| scope.spawn(work)).collect();
            let parts = threads.into_iter().map(|thread| thread.join().expect("a history is simulated to its end"));
            parts.reduce(Findings::join).unwrap_or_default()
        });
        all.violations.sort_by_key(|violation| violation.seed);
        all.took = start.elapsed();
        all
    }
}

impl Findings {
    /// What no history has met: faults, and whatever a [`Coverage`] counts.
    pub fn holes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let faults = self.faults.iter().filter(|(_, count)| *count == 0).map(|(fault, _)| ("faults", fault.name()));
        faults.chain(self.coverage.holes())
    }

    fn add(&mut self, outcome: Outcome) {
        self.histories += 1;
        self.coverage += outcome.coverage;
        self.faults += outcome.faults;
        self.calls += outcome.calls;
        self.digest = self.digest.wrapping_add(outcome.digest);
        self.violations.extend(outcome.violation);
    }

    fn join(mut self, other: Self) -> Self {
        self.histories += other.histories;
        self.coverage += other.coverage;
        self.faults += other.faults;
        self.calls += other.calls;
        self.digest = self.digest.wrapping_add(other.digest);
        self.violations.extend(other.violations);
        self
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "calls")?;
        for call in Call::ALL {
            writeln!(f, "  {:<42}{:>12}", call.name(), self.calls.of(*call))?;
        }
        writeln!(f, "faults")?;
        for (fault, count) in self.faults.iter() {
            let note = if count == 0 { "   ← never" } else { "" };
            writeln!(f, "  {:<42}{count:>12}{note}", fault.name())?;
        }
        write!(f, "{}", self.coverage)?;
        let rate = self.histories as f64 / self.took.as_secs_f64().max(1e-9);
        writeln!(
            f,
            "{} histories in {:.1} s ({rate:.0} a second), {} faults, digest {:016x}",
            self.histories,
            self.took.as_secs_f64(),
            self.faults.total(),
            self.digest
        )
    }
}
