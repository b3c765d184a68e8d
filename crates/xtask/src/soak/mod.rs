//! `cargo xtask soak --minutes N`: guests of every kind, good ones and bad ones, in rounds, with a rest behind each in which nobody is there.
//!
//! At rest there is something to hold on to: as many descriptors as in the beginning, and no more memory in the end than early on. Who comes is
//! in `guests.rs`, what a round came to in `round.rs`, what is seen of the process in `watch.rs`; `plot.rs` draws it.

mod guests;
mod plot;
mod round;
mod watch;

use std::time::{Duration, Instant};

use self::round::Round;
use self::watch::Watch;
use crate::Fallible;
use crate::report::Tally;
use crate::repository::Repository;
use crate::server::Server;
use crate::tools::Tools;

/// So many rounds at least: the first of four quarters is for caches to fill.
const FEWEST: usize = 4;

/// What may be resident at rest in the last quarter above what was in the second, in KiB, as medians.
const GROWTH: u64 = 1_024;

/// Within this time everybody has to be gone from the server, lingering connections included.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs rounds for so many minutes, at least four.
pub(crate) fn run(repository: &Repository, tools: &Tools, minutes: u64) -> Fallible<Tally> {
    let server = Server::program(repository, "soak", &[])?;
    let watch = Watch::begin(server.process())?;
    watch::visit(&server.authority)?;
    std::thread::sleep(Duration::from_millis(500));
    let descriptors = watch.descriptors()?;

    let (begun, length) = (Instant::now(), Duration::from_secs(60 * minutes));
    let mut rounds: Vec<Round> = Vec::new();
    while begun.elapsed() < length || rounds.len() < FEWEST {
        let met = guests::meet(repository, tools, &server, rounds.len())?;
        let peak = watch.peak();
        watch.wait_for(descriptors, PATIENCE)?;
        let rest = watch.now()?;
        rounds.push(Round::new(begun.elapsed(), met, peak, rest));
        if rounds.iter().map(|round| round.failures.len()).sum::<usize>() > 10 {
            break;
        }
    }
    let lines = server.log_lines()?;
    server.stop()?;

    let folder = repository.left_behind()?;
    std::fs::write(folder.join("soak.json"), serde_json::to_string_pretty(&rounds)?)?;
    plot::draw(&folder.join("soak.svg"), &rounds)?;
    Ok(judge(&rounds, descriptors, lines))
}

fn judge(rounds: &[Round], descriptors: usize, lines: usize) -> Tally {
    let mut failures: Vec<String> = rounds.iter().flat_map(|round| round.failures.clone()).collect();
    let mut passed = rounds.iter().map(|round| round.passed).sum();
    let mut hold = |holds: bool, complaint: String| {
        if holds {
            passed += 1;
        } else {
            failures.push(complaint);
        }
    };
    for round in rounds {
        let (minute, rest) = (round.minute, round.rest.descriptors);
        hold(rest == descriptors, format!("minute {minute:.1}: {rest} descriptors at rest, not {descriptors}"));
    }
    let resident = |quarter: usize| round::median(round::quarter(rounds, quarter).map(|round| round.rest.resident));
    let (early, late) = (resident(1), resident(3));
    hold(late <= early + GROWTH, format!("{late} KiB at rest in the end, {early} KiB in the second quarter"));
    let note = format!(
        "{} rounds, {} messages; at rest {early} KiB in the second quarter and {late} in the last, at most {} KiB; {descriptors} descriptors at \
         rest, at most {}; p99 {:.2} ms in the median round, {:.2} in the worst; {lines} lines of log",
        rounds.len(),
        rounds.iter().map(|round| round.messages).sum::<u64>(),
        rounds.iter().map(|round| round.peak.resident).max().unwrap_or_default(),
        rounds.iter().map(|round| round.peak.descriptors).max().unwrap_or_default(),
        round::median(rounds.iter().map(|round| (round.p99 * 1e3) as u64)) as f64 / 1e3,
        rounds.iter().map(|round| round.p99).fold(0.0, f64::max),
    );
    Tally { passed, failures, note }
}
