//! Runs seeds, or shows one: `cargo xtask simulate` builds this for release and calls it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use longwire_simulator::{Campaign, Failure, names, replay, run, sweep, trace};

/// The real event loop on an imaginary machine.
#[derive(Parser, Debug)]
struct Options {
    /// How many histories.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one.
    #[arg(long)]
    seed: Option<u64>,
    /// Only the exhaustive sweep: each scenario again for each call and each error.
    #[arg(long)]
    sweep: bool,
    /// Only the scenario of this name, with its failures.
    #[arg(long)]
    scenario: Option<String>,
    /// Of that scenario only the run in which this call fails: NUMBER:ERRNO or NUMBER:short.
    #[arg(long, requires = "scenario")]
    fail: Option<Failure>,
    /// Write down all that happens in the seed's history, or in the scenario.
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
    if let Some(seed) = options.seed {
        let outcome = if options.trace {
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
        return if outcome.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    if let Some(name) = &options.scenario
        && (options.trace || options.fail.is_some())
    {
        return replayed(name, options.fail, options.trace);
    }
    let swept = sweep(options.scenario.as_deref().unwrap_or_default(), options.threads, options.most);
    print!("{swept}");
    for broken in &swept.broken {
        println!("{broken}");
    }
    if options.sweep || options.scenario.is_some() {
        return if swept.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let Options { from, seeds, threads, most, .. } = options;
    let findings = Campaign { from, seeds, threads, most }.run();
    print!("{findings}");
    for violation in &findings.violations {
        println!("{violation}");
    }
    if findings.violations.is_empty() && swept.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One run of a scenario.
fn replayed(name: &str, failure: Option<Failure>, trace: bool) -> ExitCode {
    let Some((broken, ladder)) = replay(name, failure) else {
        eprintln!("there is no scenario {name:?}, but");
        names().for_each(|name| eprintln!("  {name}"));
        return ExitCode::FAILURE;
    };
    if trace {
        print!("{ladder}");
    }
    if let Some(broken) = &broken {
        println!("{broken}");
    }
    if broken.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
