//! `longwire load`: WebSockets that speak to a server as fast, or as steadily, as they are told to, event streams that listen, and what came of it.
//!
//! Each thread owns a loop of the library in its client's role (`crew.rs`), on which connections are opened (`dial.rs`). What is sent and checked lies in `echo.rs`, in `fan_out.rs` with `speech.rs`, and
//! in `streams.rs`, in bytes in `message.rs`; what was measured in `tally.rs`; what the server took meanwhile in `server.rs`; what is printed in `report.rs` and
//! `plot.rs`.

mod abuse;
mod clock;
mod crew;
mod dial;
mod echo;
mod fan_out;
mod message;
mod options;
mod plot;
mod progress;
mod report;
mod server;
mod speech;
mod streams;
mod tally;
mod target;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use self::clock::Clock;
use self::message::Shape;
use self::report::Report;
use self::server::Usage;
use self::speech::Speech;
use self::streams::Firsts;
use self::tally::Tally;

pub(crate) use self::options::Load;

/// A command line that cannot be followed, or a server that cannot be had.
const UNUSABLE: u8 = 2;

/// What all threads share: what there is to do, and how far they are.
struct Plan {
    options: Load,
    shape: Shape,
    clock: Clock,
    speech: Speech,
    firsts: Firsts,
    /// Connections that are open, over all threads.
    opened: AtomicUsize,
    /// Connections that could not be opened, or have ended before their time; and why the first of them did.
    lost: AtomicUsize,
    first_loss: OnceLock<String>,
    /// Messages that have come back, or have been delivered, over all threads and since the beginning.
    messages: AtomicU64,
    /// The nanosecond of the clock from which on it counts; 0 while connections are being opened.
    begin: AtomicU64,
    /// Nothing more is to be done.
    over: AtomicBool,
}

impl Plan {
    /// From when to when it counts, in nanoseconds of the clock, once that is known.
    fn window(&self) -> Option<(u64, u64)> {
        let begin = self.begin.load(Ordering::Acquire);
        (begin > 0).then(|| (begin, begin + nanoseconds(self.options.duration)))
    }

    /// How many connections the thread of this number has, of all those that speak or listen.
    fn share(&self, thread: usize) -> usize {
        let (all, threads) = (self.options.connections as usize, usize::from(self.options.threads));
        all / threads + usize::from(thread < all % threads)
    }

    /// A connection has ended before its time.
    fn lose(&self, tally: &mut Tally, why: String) {
        let _ = self.first_loss.set(why.clone());
        self.lost.fetch_add(1, Ordering::Relaxed);
        *tally.ends.entry(why).or_default() += 1;
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Loads the server, and says what came of it.
pub(crate) fn load(options: Load) -> ExitCode {
    let ended = options.check().and_then(|()| match options.abuse {
        Some(profile) => abuse::run(&options, profile),
        None => {
            let report = run(options)?;
            report.print()?;
            Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    });
    ended.unwrap_or_else(|message| {
        eprintln!("longwire: {message}");
        ExitCode::from(UNUSABLE)
    })
}

fn run(options: Load) -> Result<Report, String> {
    let shape = Shape::new(options.text, options.size);
    let before = options.server_pid.map(Usage::of).transpose()?;
    let plan = Arc::new(Plan {
        shape,
        clock: Clock::new(),
        speech: Speech::new(),
        firsts: Firsts::new(),
        opened: AtomicUsize::new(0),
        lost: AtomicUsize::new(0),
        first_loss: OnceLock::new(),
        messages: AtomicU64::new(0),
        begin: AtomicU64::new(0),
        over: AtomicBool::new(false),
        options,
    });
    let streams = plan.options.target.is_stream() || plan.options.streams.is_some();
    // Where event streams listen, the speaker has a thread of its own, behind theirs.
    let threads = usize::from(plan.options.threads);
    let all = threads + usize::from(plan.options.streams.is_some());
    let threads: Vec<_> = (0..all)
        .map(|number| {
            let plan = plan.clone();
            let body = move || match (plan.options.fan_out, streams) {
                (true, true) if number == threads => fan_out::run(&plan, 0, true),
                (_, true) => streams::run(&plan, number),
                (true, false) => fan_out::run(&plan, plan.share(number), number == 0),
                (false, false) => echo::run(&plan, number),
            };
            thread::Builder::new().name(format!("load-{number}")).spawn(body).map_err(|error| error.to_string())
        })
        .collect::<Result<_, _>>()?;
    let watched = progress::watch(&plan, before);
    plan.over.store(true, Ordering::Release);
    let mut tally = Tally::new(plan.options.duration);
    for thread in threads {
        tally.add(thread.join().map_err(|_| "a thread has panicked")??);
    }
    Ok(Report::new(&plan, tally, watched?))
}
