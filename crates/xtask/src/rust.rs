//! What only Rust is needed for: format, lints, docs, tests (the proof without std among them), packages, the fuzzers' seeds; and
//! the release build. One target directory serves them all, and the sets of features are as few as can be.

use std::fs;

use crate::Fallible;
use crate::process::{Ended, Task};
use crate::report::Tally;
use crate::repository::Repository;

/// The crates that need neither std nor a heap.
pub(crate) const PROTOCOL_CRATES: [&str; 3] = ["longwire-handshake", "longwire-frame", "longwire-sse"];

/// A step of its own line.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Repository) -> Fallible<Tally>,
}

/// In this order: what fails soonest comes first.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "format", run: format },
    Step { name: "lints", run: lints },
    Step { name: "lints, libraries without features", run: lints_without_features },
    Step { name: "docs", run: docs },
    Step { name: "tests", run: tests },
    Step { name: "tests, frame without features", run: frame_without_features },
    Step { name: "tests, reactor without features", run: reactor_without_features },
    Step { name: "simulator", run: crate::simulate::histories },
    Step { name: "simulator, mistakes on purpose", run: crate::mutations::run },
    Step { name: "packages", run: packages },
    Step { name: "fuzzers' seeds", run: seeds },
];

fn format(repository: &Repository) -> Fallible<Tally> {
    Task::cargo(repository, "format", &["fmt", "--all", "--check"])?.succeed()?;
    for apart in ["fuzz", "crates/xtask/no_std"] {
        let name = format!("format {apart}");
        Task::cargo(repository, &name, &["fmt", "--check"])?.folder(apart).succeed()?;
    }
    Ok(Tally::one())
}

fn lints(repository: &Repository) -> Fallible<Tally> {
    let words = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    Task::cargo(repository, "lints", &words)?.succeed()?;
    Ok(Tally::one())
}

fn lints_without_features(repository: &Repository) -> Fallible<Tally> {
    let packages = PROTOCOL_CRATES.iter().chain(&["longwire-reactor"]).flat_map(|name| ["-p", name]);
    Task::cargo(repository, "lints without features", &["clippy", "--all-targets", "--no-default-features"])?
        .args(packages)
        .args(["--", "-D", "warnings"])
        .succeed()?;
    Ok(Tally::one())
}

fn docs(repository: &Repository) -> Fallible<Tally> {
    Task::cargo(repository, "docs", &["doc", "--workspace", "--no-deps", "--all-features"])?
        .env("RUSTDOCFLAGS", "-D warnings")
        .succeed()?;
    Ok(Tally::one())
}

fn tests(repository: &Repository) -> Fallible<Tally> {
    counted(&Task::cargo(repository, "tests", &["test", "--workspace", "--all-features", "--no-fail-fast"])?.run()?)
}

fn frame_without_features(repository: &Repository) -> Fallible<Tally> {
    tests_without_features(repository, "longwire-frame")
}

fn reactor_without_features(repository: &Repository) -> Fallible<Tally> {
    tests_without_features(repository, "longwire-reactor")
}

fn tests_without_features(repository: &Repository, package: &str) -> Fallible<Tally> {
    let words = ["test", "-p", package, "--no-default-features", "--no-fail-fast"];
    counted(&Task::cargo(repository, &format!("tests without features {package}"), &words)?.run()?)
}

/// Packs what may be published, then builds the archives as a workspace of their own, where each finds the others. (cargo's own
/// way to look at packages that need each other keeps the first version of each that it saw.)
pub(crate) fn packages(repository: &Repository) -> Fallible<Tally> {
    let private = repository.private().flat_map(|package| ["--exclude", &package.name]);
    let words = ["package", "--workspace", "--allow-dirty", "--no-verify"];
    Task::cargo(repository, "packages", &words)?.args(private).succeed()?;

    let place = repository.left_behind()?.join("packages");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    let (mut members, mut patches) = (Vec::new(), String::new());
    for package in repository.published() {
        let folder = format!("{}-{}", package.name, package.manifest["version"].as_str().ok_or("no version")?);
        let archive = repository.target.join(format!("package/{folder}.crate"));
        // -m: with the time of the archive's files cargo would not see that they have changed.
        Task::new(repository, "unpack", "tar")?.args(["-xzmf"]).args([archive]).folder(&place).succeed()?;
        patches += &format!("{} = {{ path = {folder:?} }}\n", package.name);
        members.push(folder);
    }
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n[patch.crates-io]\n{patches}");
    fs::write(place.join("Cargo.toml"), manifest)?;
    fs::copy("Cargo.lock", place.join("Cargo.lock"))?;
    Task::cargo(repository, "packages build", &["check", "--workspace", "--all-features", "--target-dir"])?
        .args([&repository.target])
        .folder(&place)
        .succeed()?;
    Ok(Tally { passed: members.len(), failures: Vec::new(), note: members.join(", ") })
}

fn seeds(repository: &Repository) -> Fallible<Tally> {
    let words = ["test", "--locked", "--no-fail-fast", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"];
    counted(&Task::cargo(repository, "fuzzers seeds", &words)?.args([&repository.target]).run()?)
}

/// The program as people run it.
pub(crate) fn build_program(repository: &Repository) -> Fallible<Tally> {
    Task::cargo(repository, "release build", &["build", "--release", "--package", "longwire"])?.succeed()?;
    let size = fs::metadata(repository.program())?.len();
    Ok(Tally::one().noting(format!("{} KiB", size / 1024)))
}

/// The server that misbehaves on demand.
pub(crate) fn build_drillground(repository: &Repository) -> Fallible<Tally> {
    Task::cargo(repository, "drillground build", &["build", "--release", "--package", "drillground"])?.succeed()?;
    Ok(Tally::one())
}

/// The other side of third-party suites.
pub(crate) fn build_counterpart(repository: &Repository) -> Fallible<()> {
    Task::cargo(repository, "counterpart build", &["build", "--release", "--package", "counterpart"])?.succeed()?;
    Ok(())
}

/// The examples of the library, with the features that the tests have built them with.
pub(crate) fn build_examples(repository: &Repository) -> Fallible<()> {
    Task::cargo(repository, "examples build", &["build", "--workspace", "--all-features", "--examples"])?.succeed()?;
    Ok(())
}

/// Counts what the test harnesses say they ran.
fn counted(ended: &Ended) -> Fallible<Tally> {
    let (passed, mut failures) = results(&ended.said);
    if !ended.is_good() && failures.is_empty() || passed == 0 {
        failures.push(ended.complaint());
    }
    let note = ended.note(&failures);
    Ok(Tally { passed, failures, note })
}

/// How many tests passed, and which failed.
fn results(said: &str) -> (usize, Vec<String>) {
    let passed = said.lines().filter_map(|line| {
        line.strip_prefix("test result: ")?.split_once(". ")?.1.split_once(" passed")?.0.parse::<usize>().ok()
    });
    let failed = said.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    (passed.sum(), failed.map(String::from).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn tests_are_counted_as_their_harnesses_say() {
        let said = "running 2 tests\ntest a::b ... ok\ntest c ... FAILED\n\
                    test result: FAILED. 1 passed; 1 failed; 0 ignored\n\
                    test result: ok. 12 passed; 0 failed; 1 ignored\n";
        assert_eq!(super::results(said), (13, vec!["c".to_owned()]));
    }
}
