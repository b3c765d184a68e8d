//! Runs the sweep and many seeds, or shows one run: `cargo xtask simulate` builds this for release and calls it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use longwire_simulator::{Campaign, Failure, names, replay, run, sweep, trace};

/// The real event loop on an imaginary machine: scripted scenarios with every fault that one call can have, and random histories.
#[derive(Parser, Debug)]
struct Options {
    /// How many histories.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one.
    #[arg(long, conflicts_with = "scenario")]
    seed: Option<u64>,
    /// Only the sweep: each scenario again for each call and each error.
    #[arg(long)]
    sweep: bool,
    /// Only the scenarios whose names contain this; with --trace or --fail only one run of the one that has this name.
    #[arg(long)]
    scenario: Option<String>,
    /// Lets this call of the scenario fail: NUMBER:ERRNO, or NUMBER:short for one byte.
    #[arg(long, requires = "scenario")]
    fail: Option<Failure>,
    /// Write down all that happens in that history or scenario.
    #[arg(long)]
    trace: bool,
    /// How many threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Stop after so many violations.
    #[arg(long, default_value_t = 10)]
    most: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let is_good = match (options.seed, &options.scenario) {
        (Some(seed), _) => history(seed, options.trace),
        (None, Some(name)) if options.trace || options.fail.is_some() => scenario(name, options.fail, options.trace),
        (None, Some(_)) => swept(&options),
        (None, None) if options.sweep => swept(&options),
        (None, None) => swept(&options) & histories(&options),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One history.
fn history(seed: u64, traces: bool) -> bool {
    let outcome = if traces {
        let (outcome, ladder) = trace(seed);
        print!("{ladder}");
        outcome
    } else {
        run(seed)
    };
    println!("digest {:016x}", outcome.digest);
    if let Some(violation) = &outcome.violation {
        println!("{violation}");
    }
    outcome.violation.is_none()
}

/// One run of one scenario.
fn scenario(name: &str, failure: Option<Failure>, traces: bool) -> bool {
    let Some((broken, ladder)) = replay(name, failure) else {
        eprintln!("there is no scenario {name:?}, but these:");
        names().for_each(|name| eprintln!("  {name}"));
        return false;
    };
    if traces {
        print!("{ladder}");
    }
    if let Some(broken) = &broken {
        println!("{broken}");
    }
    broken.is_none()
}

/// All scenarios with all their failures.
fn swept(options: &Options) -> bool {
    let swept = sweep(options.scenario.as_deref().unwrap_or_default(), options.threads, options.most);
    print!("{swept}");
    for broken in &swept.broken {
        println!("{broken}");
    }
    swept.broken.is_empty()
}

/// Many seeds.
fn histories(options: &Options) -> bool {
    let Options { from, seeds, threads, most, .. } = *options;
    let findings = Campaign { from, seeds, threads, most }.run();
    print!("{findings}");
    for violation in &findings.violations {
        println!("{violation}");
    }
    // Few histories need not meet everything.
    let holes = if seeds < 100_000 { 0 } else { findings.holes().count() };
    findings.violations.is_empty() && holes == 0
}
