//! Runs the sweep and many seeds, or shows one run: `cargo xtask simulate` builds this for release and calls it.

#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgGroup, Parser};
use longwire_simulator::{Campaign, Failure, names, replay, run, steady_faults, sweep, trace};

/// The real event loop on an imaginary machine: scripted scenarios with every fault that one call can have, and random histories.
///
/// Without options: the sweep, and 100,000 histories. With --mutations alone: mistakes made on purpose, each of which must be found.
#[derive(Parser, Debug)]
#[command(bin_name = "cargo xtask simulate", group = ArgGroup::new("one run").args(["seed", "scenario"]))]
struct Options {
    /// How many histories.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one.
    #[arg(long, conflicts_with_all = ["seeds", "from", "sweep", "threads", "most"])]
    seed: Option<u64>,
    /// Only the sweep: each scenario again for each call and each error.
    #[arg(long, conflicts_with_all = ["seeds", "from", "trace"])]
    sweep: bool,
    /// Only the scenarios whose names contain this; with --trace or --fail only one run of the one that has this name.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    scenario: Option<String>,
    #[arg(long, requires = "scenario", conflicts_with_all = ["seed", "sweep", "threads", "most"], help = fail_help())]
    fail: Option<Failure>,
    /// Write down all that happens in that history or scenario; the calls have the numbers that --fail takes.
    #[arg(long, requires = "one run", conflicts_with_all = ["seeds", "from", "threads", "most"])]
    trace: bool,
    /// How many threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Stop after so many violations.
    #[arg(long, default_value_t = 10)]
    most: usize,
}

fn fail_help() -> String {
    let steady: Vec<String> = steady_faults().map(|name| format!("\"{name}\"")).collect();
    let steady = steady.join(", ");
    format!(
        "Lets this call of the scenario fail: NUMBER:ERRNO, or NUMBER:short for one byte; or lets a fault strike again and again: {steady}"
    )
}

fn main() -> ExitCode {
    let options = Options::parse();
    let shown = match (options.seed, &options.scenario) {
        (Some(seed), _) => history(seed, options.trace),
        (None, Some(name)) if options.trace || options.fail.is_some() => scenario(name, options.fail, options.trace),
        (None, Some(name)) if !names().any(|known| known.contains(name)) => unknown(name),
        (None, Some(_)) => swept(&options),
        (None, None) if options.sweep => swept(&options),
        (None, None) => swept(&options).and_then(|is_good| Ok(histories(&options)? && is_good)),
    };
    match shown {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read along has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One history.
fn history(seed: u64, traces: bool) -> io::Result<bool> {
    let outcome = if traces {
        let (outcome, ladder) = trace(seed);
        say(ladder.trim_end())?;
        outcome
    } else {
        run(seed)
    };
    say(format_args!("digest {:016x}", outcome.digest))?;
    verdict(outcome.violation.as_ref(), format_args!("seed {seed}"))
}

/// One run of one scenario.
fn scenario(name: &str, failure: Option<Failure>, traces: bool) -> io::Result<bool> {
    let Some(replay) = replay(name, failure) else { return unknown(name) };
    if traces {
        say(replay.ladder.trim_end())?;
    }
    match failure.and_then(Failure::number) {
        Some(number) if !(1..=replay.calls).contains(&number) => {
            eprintln!("scenario {name:?} has {} calls, and call {number} is none of them", replay.calls);
            Ok(false)
        }
        _ => verdict(replay.broken.as_ref(), format_args!("scenario {name:?}")),
    }
}

/// What is broken; or, that nothing is.
fn verdict(broken: Option<&impl fmt::Display>, what: fmt::Arguments<'_>) -> io::Result<bool> {
    match broken {
        Some(broken) => say(broken)?,
        None => say(format_args!("{what} kept every promise"))?,
    }
    Ok(broken.is_none())
}

/// No scenario is called like that: says what they are called.
fn unknown(name: &str) -> io::Result<bool> {
    eprintln!("there is no scenario {name:?}, but these:");
    names().for_each(|name| eprintln!("  {name}"));
    Ok(false)
}

/// All scenarios with all their failures.
fn swept(options: &Options) -> io::Result<bool> {
    let swept = sweep(options.scenario.as_deref().unwrap_or_default(), options.threads, options.most);
    say(swept.to_string().trim_end())?;
    swept.broken.iter().try_for_each(say)?;
    Ok(swept.broken.is_empty())
}

/// Many seeds.
fn histories(options: &Options) -> io::Result<bool> {
    let Options { from, seeds, threads, most, .. } = *options;
    let findings = Campaign { from, seeds, threads, most }.run();
    say(findings.to_string().trim_end())?;
    findings.violations.iter().try_for_each(say)?;
    // Few histories need not meet everything.
    let holes = if seeds < 100_000 { 0 } else { findings.holes().count() };
    Ok(findings.violations.is_empty() && holes == 0)
}

/// A line, or several. `println!` would panic where nobody reads any more.
fn say(lines: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout(), "{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parses(words: &str) -> bool {
        Options::try_parse_from(std::iter::once("simulate").chain(words.split(' '))).is_ok()
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        <Options as CommandFactory>::command().debug_assert();
        for words in [
            "--seed 7 --trace",
            "--seeds 9 --from 3 --threads 1 --most 2",
            "--sweep --scenario echo --threads 1",
            "--scenario echo --fail 5:EPIPE --trace",
        ] {
            assert!(parses(words), "{words}");
        }
        for words in [
            "--seed 7 --sweep",
            "--seed 7 --seeds 4",
            "--seed 7 --scenario echo",
            "--trace",
            "--seed 7 --threads 2",
            "--trace --seeds 1",
            "--sweep --trace",
            "--sweep --scenario echo --fail 5:EPIPE",
            "--scenario echo --seeds 4",
            "--fail 5:EPIPE",
            "--fail 5:EPIPE --seed 7",
        ] {
            assert!(!parses(words), "{words}");
        }
    }
}
