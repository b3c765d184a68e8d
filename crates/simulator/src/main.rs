//! Runs seeds, or shows one: `cargo xtask simulate` builds this for release and calls it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use longwire_simulator::{Campaign, run, trace};

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
    /// Write down all that happens in it.
    #[arg(long, requires = "seed")]
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
    let Options { from, seeds, threads, most, .. } = options;
    let findings = Campaign { from, seeds, threads, most }.run();
    print!("{findings}");
    for violation in &findings.violations {
        println!("{violation}");
    }
    // Few histories need not meet everything.
    let holes = if seeds < 100_000 { 0 } else { findings.holes().count() };
    if findings.violations.is_empty() && holes == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
