//! The simulator: built for release, then run on as many seeds as the words say, or on a fixed number as a step of the tests.

use std::process::Command;

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;

/// How many histories the tests run.
const HISTORIES: &str = "100000";

const PACKAGE: &str = "longwire-simulator";

/// A step: the sweep and so many histories, no violation and no hole in what they met.
pub(crate) fn histories(repository: &Repository) -> Fallible<Tally> {
    Task::cargo(repository, "simulator build", &["build", "--release", "--package", PACKAGE])?.succeed()?;
    let program = repository.target.join("release").join(PACKAGE);
    let said = Task::new(repository, "simulator", program)?.args(["--seeds", HISTORIES]).within(300).succeed()?;
    let sums = said.lines().filter(|line| line.starts_with("sweep: ") || line.contains(" histories in "));
    Ok(Tally::one().noting(sums.collect::<Vec<_>>().join("; ")))
}

/// Whatever the words say, on this terminal. `false` if something was found.
pub(crate) fn simulate(repository: &Repository, words: &[&str]) -> Fallible<bool> {
    let program = repository.target.join("release").join(PACKAGE);
    if !program.exists() {
        eprintln!("building the simulator for release, which takes a minute or two the first time");
    }
    let built = Command::new("cargo").args(["build", "--quiet", "--release", "--package", PACKAGE]).status()?;
    if !built.success() {
        return Err("the simulator was not built".into());
    }
    Ok(Command::new(program).args(words).status()?.success())
}
