//! `longwire load --abuse`: guests that misbehave, all in one way, and somebody beside them who does not.
//!
//! What a guest does is in `profile.rs`, over a `line.rs`; who behaves is the `witness.rs`, on a thread of its own; what came of all of them
//! is told by `findings.rs`. Every guest does a bounded thing once: what it sends, how long it stays and how often it comes are numbers below.

mod findings;
mod line;
mod profile;
mod witness;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::findings::Findings;
use self::line::Ending;
use self::profile::Guest;
use self::witness::Witness;
use super::Load;
use super::server::Usage;

pub(crate) use self::profile::Profile;

/// How long the witness speaks before anybody misbehaves.
const BEFORE: Duration = Duration::from_secs(1);

/// How long it goes on speaking when the last guest has come to its end: what they cost may be paid later.
const BEHIND: Duration = Duration::from_millis(500);

/// What one guest came to.
struct Attempt {
    ending: Ending,
    after: Duration,
    sent: u64,
    received: u64,
}

/// Misbehaves, and tells what came of it.
pub(super) fn run(options: &Load, profile: Profile) -> Result<ExitCode, String> {
    let usage = |pid: Option<i32>| pid.map(Usage::of).transpose();
    let before = usage(options.server_pid)?;
    let over = Arc::new(AtomicBool::new(false));
    let witness = {
        let (target, over) = (options.target.clone(), over.clone());
        thread::spawn(move || Witness::new(target).watch(&over))
    };
    thread::sleep(BEFORE);
    let begun = Instant::now();
    let (attempts, peak) = attack(options, profile)?;
    let lasted = begun.elapsed();
    thread::sleep(BEHIND);
    let after = usage(options.server_pid)?;
    over.store(true, Ordering::Release);
    let seen = witness.join().map_err(|_| "the witness has panicked")??;
    let server = before.zip(after).map(|(before, after)| findings::Server::of(&before, peak, &after));
    let findings = Findings::new(options, profile, lasted, &attempts, &seen, begun, server);
    findings.print(options.json)?;
    Ok(if findings.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All guests at once, on one thread. Returns what they came to, and the most that the server had resident meanwhile.
fn attack(options: &Load, profile: Profile) -> Result<(Vec<Attempt>, u64), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let until = tokio::time::Instant::now() + options.duration;
        let guests: Vec<_> = (0..options.connections)
            .map(|number| {
                let (target, source) = (options.target.clone(), options.source(number as usize));
                tokio::spawn(profile::misbehave(profile, Guest { target, number, source }, until))
            })
            .collect();
        let pid = options.server_pid;
        let looking = tokio::spawn(async move {
            let mut peak = 0;
            while let Some(usage) = pid.and_then(|pid| Usage::of(pid).ok()) {
                peak = peak.max(usage.resident);
                if tokio::time::Instant::now() >= until {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            peak
        });
        let mut attempts = Vec::new();
        for guest in guests {
            attempts.extend(guest.await.map_err(|error| error.to_string())?);
        }
        looking.abort();
        let peak = looking.await.unwrap_or_default();
        Ok((attempts, peak))
    })
}
