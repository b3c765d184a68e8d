//! The rules of the house that no compiler checks, a file each. They need nothing but the files of the repository, so
//! `cargo test` looks at them, too.

mod absences;
mod benchmarks;
mod dependencies;
mod examples;
mod lengths;
mod limits;
mod links;
mod maps;
mod named_tests;
mod packages;
mod picture;
mod rooms;
mod settings;
mod states;
mod threats;
mod walk;

use crate::Fallible;
use crate::report::Tally;
use crate::repository::Repository;

/// Something that must be so. What is not is said in words, a complaint each.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    complaints: fn(&Repository) -> Fallible<Vec<String>>,
    /// What else there is to tell.
    note: Option<fn(&Repository) -> Fallible<String>>,
}

pub(crate) const RULES: &[Rule] = &[
    Rule { name: "the absences of docs/ARCHITECTURE.md", complaints: absences::complaints, note: None },
    Rule { name: "arrows point down only", complaints: packages::arrows, note: Some(packages::counts) },
    Rule { name: "docs/ARCHITECTURE.md names every room", complaints: rooms::complaints, note: None },
    Rule { name: "packages say what they are", complaints: packages::metadata, note: None },
    Rule { name: "files stay short", complaints: lengths::complaints, note: None },
    Rule { name: "the examples stay short and stand in the README", complaints: examples::complaints, note: None },
    Rule { name: "docs/limits.md says what the limits are", complaints: limits::complaints, note: None },
    Rule { name: "docs/states.md draws the machines as they are", complaints: states::complaints, note: None },
    Rule { name: "docs/threat-model.md names what proves it", complaints: threats::complaints, note: None },
    Rule { name: "docs/dependencies.md has every crate", complaints: dependencies::complaints, note: None },
    Rule { name: "docs/one-connection.md names rules and functions", complaints: walk::complaints, note: None },
    Rule { name: "the maps of the specifications hold", complaints: maps::complaints, note: None },
    Rule { name: "docs/benchmarks.md is made of what was measured", complaints: benchmarks::complaints, note: None },
    Rule { name: "links lead somewhere", complaints: links::complaints, note: None },
];

/// Looks at a rule.
pub(crate) fn hold(rule: &Rule, repository: &Repository) -> Fallible<Tally> {
    let tally = Tally::complaints((rule.complaints)(repository)?);
    Ok(match rule.note {
        Some(note) => tally.noting(note(repository)?),
        None => tally,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_in_order() {
        let repository = Repository::open().expect("a repository");
        let complain = |rule: &Rule| (rule.complaints)(&repository).expect("a verdict");
        let complaints: Vec<String> = RULES.iter().flat_map(complain).collect();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}
