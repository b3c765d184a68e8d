//! What we are built of: licences and duplicates by cargo-deny, every set of features by cargo-hack, and the oldest versions that our manifests
//! allow. (Which of them use `unsafe`, and which Rust they want, are rules of the house.)

use std::fs;

use crate::Fallible;
use crate::process::Task;
use crate::report::{Report, Tally};
use crate::repository::Repository;
use crate::tools::{self, CargoTool};

/// The tools, by the versions that this was written for.
const DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2" };
const HACK: CargoTool = CargoTool { name: "cargo-hack", version: "0.6.46" };

/// What cargo-deny says when it cannot have the database of advisories.
const UNREACHABLE: &str = "failed to fetch advisory database";

/// All of it, a step each.
pub(crate) fn run(repository: &Repository, report: &mut Report) {
    report.step("licences, duplicates, origins", || denied(repository));
    report.step("advisories", || advisories(repository));
    report.step("every set of features", || features(repository));
    report.step("the oldest versions", || oldest_versions(repository));
}

/// The libraries must not pull in two versions of anything; of all else only licences and origins are asked.
fn denied(repository: &Repository) -> Fallible<Tally> {
    let deny = tools::install_cargo_tool(repository, &DENY)?;
    let words = ["--locked", "--all-features", "--exclude-dev", "--manifest-path", "crates/reactor/Cargo.toml"];
    Task::new(repository, "deny libraries", &deny)?
        .args(words)
        .args(["check", "bans", "licenses", "sources"])
        .succeed()?;
    let words = ["--locked", "--workspace", "--all-features", "check", "licenses", "sources"];
    Task::new(repository, "deny all", &deny)?.args(words).succeed()?;
    Ok(Tally { passed: 2, ..Tally::default() })
}

fn advisories(repository: &Repository) -> Fallible<Tally> {
    let deny = tools::install_cargo_tool(repository, &DENY)?;
    let ended = Task::new(repository, "deny advisories", deny)?.args(["--workspace", "check", "advisories"]).run()?;
    if ended.said.contains(UNREACHABLE) {
        return Ok(Tally::default().noting("not looked at: the database cannot be had from here"));
    }
    if ended.is_good() { Ok(Tally::one()) } else { Err(ended.complaint().into()) }
}

fn features(repository: &Repository) -> Fallible<Tally> {
    let hack = tools::install_cargo_tool(repository, &HACK)?;
    let packages = repository.published().flat_map(|package| ["-p", &package.name]);
    let words = ["hack", "check", "--feature-powerset", "--no-dev-deps"];
    Task::new(repository, "features", hack)?.args(words).args(packages).env("RUSTFLAGS", "-D warnings").succeed()?;
    Ok(Tally::one())
}

/// Builds the archives of the step `packages` once more, with the oldest versions of what they name.
fn oldest_versions(repository: &Repository) -> Fallible<Tally> {
    crate::rust::packages(repository)?;
    let place = repository.left_behind()?.join("packages");
    // What cargo keeps for its nightly is asked for with the variable that rustc has for that.
    let cargo = |name: &str, words: &[&str]| {
        Ok::<_, Box<dyn std::error::Error>>(
            Task::cargo(repository, name, words)?.env("RUSTC_BOOTSTRAP", "1").folder(&place),
        )
    };
    cargo("oldest versions", &["update", "-Z", "direct-minimal-versions"])?.succeed()?;
    cargo("oldest versions check", &["check", "--workspace", "--all-features", "--target-dir", "oldest"])?.succeed()?;
    fs::remove_dir_all(place.join("oldest"))?;
    Ok(Tally::one())
}
