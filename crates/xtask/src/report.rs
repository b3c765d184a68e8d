//! `Report`: a line for each step as it ends, and the sum at the very end.

use std::process::ExitCode;
use std::time::Instant;

use crate::Fallible;

/// What came out of a step that could be run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Checks that passed.
    pub(crate) passed: usize,
    /// Checks that failed, each in words.
    pub(crate) failures: Vec<String>,
    /// What else there is to tell.
    pub(crate) note: String,
}

impl Tally {
    /// One check, and it passed.
    pub(crate) const fn one() -> Self {
        Self { passed: 1, failures: Vec::new(), note: String::new() }
    }

    /// One check, which passed if there is nothing to complain about.
    pub(crate) fn complaints(failures: Vec<String>) -> Self {
        Self { passed: usize::from(failures.is_empty()), failures, note: String::new() }
    }

    pub(crate) fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// All that was checked so far.
#[derive(Debug)]
pub(crate) struct Report {
    began: Instant,
    passed: usize,
    failed: usize,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), passed: 0, failed: 0 }
    }

    /// Runs a step and tells how it went; `true` if nothing failed. A step that cannot be run is one failed check.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Fallible<Tally>) -> bool {
        let began = Instant::now();
        let tally = run().unwrap_or_else(|error| Tally { failures: vec![error.to_string()], ..Tally::default() });
        let seconds = began.elapsed().as_secs_f32();
        let Tally { passed, failures, note } = tally;
        let ok = failures.is_empty();
        let counts = match (passed, failures.len()) {
            (0 | 1, 0) => String::new(),
            (passed, 0) => format!(" ({passed} checks)"),
            (passed, failed) => format!(" ({passed} passed, {failed} failed)"),
        };
        let note = if note.is_empty() { note } else { format!(": {note}") };
        println!("{}  {seconds:>6.1} s  {name}{counts}{note}", if ok { "ok  " } else { "FAIL" });
        for line in failures.iter().flat_map(|failure| failure.lines()) {
            println!("                  {line}");
        }
        self.passed += passed;
        self.failed += failures.len();
        ok
    }

    /// A step that could not even begin.
    pub(crate) fn fail(&mut self, name: &str, why: &str) {
        self.step(name, || Err(why.into()));
    }

    /// A step that makes no sense after what failed before it. Not counted: the failure before it was.
    pub(crate) fn skip(&mut self, name: &str, why: &str) -> bool {
        println!("skip            {name}: {why}");
        false
    }

    /// The last line.
    pub(crate) fn finish(self) -> ExitCode {
        println!("\nin {:.0} s:", self.began.elapsed().as_secs_f32());
        println!("{} passed, {} failed", self.passed, self.failed);
        ExitCode::from(u8::from(self.failed > 0))
    }
}
