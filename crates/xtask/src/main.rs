//! `cargo xtask`: what this repository does with itself.
//!
//! ```text
//! cargo xtask test             everything, third-party clients and a browser included; installs what is missing
//! cargo xtask test --quick     all that needs only Rust
//! cargo xtask clients [NAME…]  the clients of these names, or all, against a release build
//! cargo xtask conformance      all of Autobahn's cases, in every role; many minutes
//! cargo xtask bench [--keep]   instructions per message, held against what was reached
//! cargo xtask size [--keep]    machine code for each crate, held against docs/embedding.md
//! cargo xtask compare [ROUNDS] the speed and the memory of other servers beside ours: half an hour
//! cargo xtask drill [--short] [NAME…]  the emergencies of these names, or all, against a release build
//! cargo xtask fuzz SECONDS [NAME…]  the properties of these names, or all, under libFuzzer
//! cargo xtask soak --minutes N guests of every kind for so long; memory and descriptors must be flat
//! cargo xtask supply           licences, duplicates, advisories, sets of features, oldest versions
//! cargo xtask simulate [WORDS] the loop on an imaginary machine: --seeds N, --from N, --threads N; --seed N --trace;
//!                              --sweep; --scenario NAME --fail NUMBER:ERRNO --trace; --mutations
//! cargo xtask --help           the same with more words
//! ```
//!
//! Here stands the order of the steps; what a step is lies in the other files, a noun each. The last line says how many checks
//! passed and how many failed; the exit code is 1 if one failed.

#![forbid(unsafe_code)]

mod clients;
mod compare;
mod drill;
mod fuzz;
mod house;
mod instructions;
mod items;
mod kosoku;
mod markdown;
mod mutations;
mod process;
mod readme;
mod report;
mod repository;
mod rust;
mod server;
mod simulate;
mod size;
mod smallest;
mod soak;
mod source;
mod supply;
mod tools;
mod vitals;

use std::error::Error;
use std::process::ExitCode;

use drill::Form;
use kosoku::{Cases, Role};
use report::{Report, Tally};
use repository::Repository;
use tools::Tools;

/// Whatever may go wrong, in words.
pub(crate) type Fallible<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test                    runs everything: lints, tests, rules, clients, a browser, drills; first installs what that needs
                          (Debian's apt-get, as root or with a sudo that asks for no password)
  test --quick            runs all that needs only Rust; the README's server takes 127.0.0.1:8080 for a moment
  clients [NAME…]         the clients of these names, or all, visit a release build; installs what they need
  conformance             all of Autobahn's cases, in every role, against a release build: many minutes; installs what they need
  bench [--check]         counts instructions per message under valgrind: a rise above what was reached fails
  bench --keep            keeps what it counts as what was reached
  size                    sums up the machine code of the smallest server by crate: a rise above docs/embedding.md fails
  size --keep             writes what it sums up into docs/embedding.md
  compare [ROUNDS]        measures other servers beside ours, 9 rounds if nothing else is said, and writes docs/benchmarks.md:
                          half an hour, during which the machine should have nothing else to do
  compare ROUNDS ROWS     the same of the rows alone whose name contains this, as '1 MiB'; all else stays as it was measured
  compare --alone         measures what is asked of ours alone, five minutes, and writes docs/benchmarks.md anew
  compare --page          writes docs/benchmarks.md anew, of what was measured last
  drill [--short] [NAME…] the emergencies of these names, or all, on real sockets, against a release build
  fuzz SECONDS [NAME…]    the properties of fuzz/ of these names, or all, so long each, under libFuzzer; needs a C++ compiler
  soak --minutes N        guests of every kind, good and bad, against a release build; leaves target/xtask/soak.svg
  supply                  what we are built of: licences, duplicates, advisories, every set of features, the oldest versions;
                          builds cargo-deny and cargo-hack for it
  simulate [OPTIONS]      the event loop on an imaginary machine; simulate --help says more
  simulate --mutations    makes mistakes on purpose in copies of the sources: the simulator must find each
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["test"] => run(|repository, report| test(repository, report, true)),
        ["test", "--quick"] => run(|repository, report| test(repository, report, false)),
        ["simulate", "--mutations"] => run(|repository, report| {
            report.step("mistakes on purpose", || mutations::run(repository));
            print!("{}", mutations::findings(repository));
        }),
        ["clients", ref names @ ..] => run(|repository, report| clients(repository, report, names)),
        ["conformance"] => run(conformance),
        ["bench"] | ["bench", "--check"] => run(|repository, report| bench(repository, report, false)),
        ["bench", "--keep"] => run(|repository, report| bench(repository, report, true)),
        ["size"] => run(|repository, report| {
            report.step("sizes", || size::run(repository, false));
        }),
        ["size", "--keep"] => run(|repository, report| {
            report.step("sizes", || size::run(repository, true));
        }),
        ["compare", "--page"] => run(|repository, report| {
            report.step("page", || compare::write(repository));
        }),
        ["compare", "--alone"] => run(|repository, report| {
            if report.step("the program, built for release", || rust::build_program(repository)) {
                report.step("ours alone", || compare::alone(repository));
            }
        }),
        ["compare"] => run(|repository, report| comparison(repository, report, 9, None)),
        ["compare", rounds, ref rows @ ..]
            if rows.len() < 2 && rounds.parse().is_ok_and(|rounds: usize| (3..100).contains(&rounds)) =>
        {
            run(|repository, report| {
                comparison(repository, report, rounds.parse().unwrap_or(9), rows.first().copied());
            })
        }
        ["drill", "--short", ref names @ ..] => {
            run(|repository, report| drills(repository, report, Form::Short, names))
        }
        ["drill", ref names @ ..] => run(|repository, report| drills(repository, report, Form::Long, names)),
        ["fuzz", seconds, ref names @ ..] if seconds.parse().is_ok_and(|seconds: u64| seconds > 0) => {
            run(|repository, report| fuzzers(repository, report, seconds.parse().unwrap_or(1), names))
        }
        ["soak", "--minutes", minutes] if minutes.parse().is_ok_and(|minutes: u64| (1..10_000).contains(&minutes)) => {
            run(|repository, report| soak(repository, report, minutes.parse().unwrap_or(1)))
        }
        ["supply"] => run(supply::run),
        ["simulate", ref words @ ..] => simulate(words),
        ["--help" | "-h" | "help"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn simulate(words: &[&str]) -> ExitCode {
    match Repository::open().and_then(|repository| simulate::simulate(&repository, words)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: impl FnOnce(&Repository, &mut Report)) -> ExitCode {
    match Repository::open() {
        Ok(repository) => {
            let mut report = Report::new();
            task(&repository, &mut report);
            report.finish()
        }
        Err(error) => {
            eprintln!("this is no repository that can be worked in: {error}");
            ExitCode::FAILURE
        }
    }
}

fn test(repository: &Repository, report: &mut Report, everything: bool) {
    for step in rust::STEPS {
        report.step(step.name, || (step.run)(repository));
    }
    for rule in house::RULES {
        report.step(rule.name, || house::hold(rule, repository));
    }
    report.step("README: every command", || readme::commands(repository));
    if everything {
        fuzzers(repository, report, 2, &[]);
        clients(repository, report, &[]);
        drills(repository, report, Form::Short, &[]);
        soak(repository, report, 1);
    }
}

fn clients(repository: &Repository, report: &mut Report, names: &[&str]) {
    let chosen = match clients::named(names) {
        Ok(chosen) => chosen,
        Err(error) => return report.fail("clients", &error),
    };
    let mut tools = None;
    report.step("what the clients need", || {
        let installed = Tools::install(repository)?;
        let note = installed.to_string();
        tools = Some(installed);
        Ok(Tally::one().noting(note))
    });
    let built = report.step("the program, built for release", || rust::build_program(repository));
    for client in chosen {
        match &tools {
            Some(tools) if built => report.step(client.name, || client.run(repository, tools)),
            _ => report.skip(client.name, "it needs what was to be installed and built"),
        };
    }
}

fn fuzzers(repository: &Repository, report: &mut Report, seconds: u64, names: &[&str]) {
    if report.step("what fuzzing needs", || tools::install_for_fuzzing(repository).map(|()| Tally::one())) {
        report.step("fuzzers", || fuzz::run(repository, seconds, names));
    } else {
        report.skip("fuzzers", "they need what was to be installed");
    }
}

fn soak(repository: &Repository, report: &mut Report, minutes: u64) {
    let mut tools = None;
    let prepared = report.step("what the guests need", || {
        tools = Some(Tools::install(repository)?);
        rust::build_program(repository)
    });
    match &tools {
        Some(tools) if prepared => report.step("soak", || soak::run(repository, tools, minutes)),
        _ => report.skip("soak", "it needs what was to be installed and built"),
    };
}

fn conformance(repository: &Repository, report: &mut Report) {
    let mut tools = None;
    let prepared = report.step("what the suite needs", || {
        tools = Some(Tools::install(repository)?);
        rust::build_program(repository)
    });
    for role in Role::ALL {
        match &tools {
            Some(tools) if prepared => report.step(role.name(), || kosoku::run(repository, tools, role, Cases::All)),
            _ => report.skip(role.name(), "it needs what was to be installed and built"),
        };
    }
}

fn bench(repository: &Repository, report: &mut Report, keep: bool) {
    let built = report.step("the program, built for release", || {
        tools::install_for_benches(repository)?;
        rust::build_program(repository)
    });
    if built {
        report.step("instructions", || instructions::run(repository, keep));
    } else {
        report.skip("instructions", "it needs what was to be built");
    }
}

fn comparison(repository: &Repository, report: &mut Report, rounds: usize, rows: Option<&str>) {
    let built = report.step("everybody, built for release", || {
        tools::install_for_comparison(repository)?;
        rust::build_program(repository)?;
        compare::build(repository)
    });
    if built {
        report.step("comparison", || match rows {
            None => compare::run(repository, rounds),
            Some(rows) => compare::some(repository, rounds, rows),
        });
    } else {
        report.skip("comparison", "it needs what was to be built");
    }
}

fn drills(repository: &Repository, report: &mut Report, form: Form, names: &[&str]) {
    let chosen = match drill::named(names) {
        Ok(chosen) => chosen,
        Err(error) => return report.fail("drills", &error),
    };
    let prepared = report.step("what the drills need", || {
        tools::install_for_drills(repository)?;
        rust::build_program(repository)?;
        rust::build_drillground(repository)
    });
    for drill in chosen {
        if prepared {
            report.step(&format!("drill {}", drill.name), || drill.run(repository, form));
        } else {
            report.skip(drill.name, "it needs what was to be installed and built");
        }
    }
}
