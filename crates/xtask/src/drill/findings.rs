//! `Findings`: what a drill measured, and what it has to complain about.

use std::fmt::Display;

use super::crowd::Crowd;
use crate::report::Tally;

#[derive(Debug, Default)]
pub(super) struct Findings {
    figures: Vec<String>,
    passed: usize,
    failures: Vec<String>,
}

impl Findings {
    /// A figure that nothing depends on.
    pub(super) fn note(&mut self, figure: impl Into<String>) {
        self.figures.push(figure.into());
    }

    /// A figure, and how large it may be.
    pub(super) fn at_most<N: Display + PartialOrd>(&mut self, what: &str, measured: N, bound: N, unit: &str) {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        self.figures.push(format!("{what} {measured:.2}{unit} (at most {bound:.2})"));
        self.check(measured <= bound, || format!("{what}: {measured:.2}{unit}, {bound:.2} are the most"));
    }

    /// So many of so many.
    pub(super) fn all(&mut self, what: &str, counted: usize, expected: usize) {
        self.figures.push(format!("{counted} {what}"));
        self.check(counted == expected, || format!("{counted} {what}, not {expected}"));
    }

    /// Clients that did what they were to do, every one.
    pub(super) fn everybody<T>(&mut self, what: &str, crowd: &Crowd<T>) {
        self.all(what, crowd.told.len(), crowd.told.len() + crowd.failed.values().sum::<usize>());
        self.failures.extend(crowd.failed.iter().map(|(why, count)| format!("  {count} of them: {why}")));
    }

    pub(super) fn check(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if holds {
            self.passed += 1;
        } else {
            self.failures.push(complaint());
        }
    }
}

impl From<Findings> for Tally {
    fn from(findings: Findings) -> Self {
        let Findings { figures, passed, failures } = findings;
        Self { passed, failures, note: figures.join(", ") }
    }
}
