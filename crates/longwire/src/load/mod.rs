//! `longwire load`: WebSockets that speak to a server as fast, or as steadily, as they are told to, and what came of it.
//!
//! Each thread owns a loop of the library in its client's role. What is sent and checked lies in `echo.rs` and `fan_out.rs`, in bytes in
//! `message.rs`; what was measured in `tally.rs`; what the server took meanwhile in `server.rs`; what is printed in `report.rs` and
//! `plot.rs`.

mod abuse;
mod clock;
mod dial;
mod echo;
mod fan_out;
mod message;
mod options;
mod plot;
mod progress;
mod report;
mod server;
mod tally;
mod target;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use self::clock::Clock;
use self::message::{STAMP, Shape};
use self::report::Report;
use self::server::Usage;
use self::tally::Tally;

pub(crate) use self::options::Load;

/// A command line that cannot be followed, or a server that cannot be had.
const UNUSABLE: u8 = 2;

/// What all threads share: what there is to do, and how far they are.
struct Plan {
    options: Load,
    shape: Shape,
    clock: Clock,
    /// Connections that are open, over all threads.
    opened: AtomicUsize,
    /// Connections that could not be opened, or have ended before their time.
    lost: AtomicUsize,
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
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Loads the server, and says what came of it.
pub(crate) fn load(options: Load) -> ExitCode {
    if let Some(profile) = options.abuse {
        return abuse::run(&options, profile).unwrap_or_else(|message| {
            eprintln!("longwire: {message}");
            ExitCode::from(UNUSABLE)
        });
    }
    match run(options) {
        Ok(report) => {
            let printed = report.print();
            if let Err(error) = printed {
                eprintln!("longwire: {error}");
                return ExitCode::from(UNUSABLE);
            }
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("longwire: {message}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn run(options: Load) -> Result<Report, String> {
    if options.fan_out && options.size < STAMP {
        return Err(format!("--fan-out knows its messages by their first {STAMP} bytes: --size must not be less"));
    }
    let shape = Shape::new(options.text, options.size);
    let before = options.server_pid.map(Usage::of).transpose()?;
    let plan = Arc::new(Plan {
        shape,
        clock: Clock::new(),
        opened: AtomicUsize::new(0),
        lost: AtomicUsize::new(0),
        messages: AtomicU64::new(0),
        begin: AtomicU64::new(0),
        over: AtomicBool::new(false),
        options,
    });
    let threads: Vec<_> = (0..usize::from(plan.options.threads))
        .map(|number| {
            let plan = plan.clone();
            let body =
                move || if plan.options.fan_out { fan_out::run(&plan, number) } else { echo::run(&plan, number) };
            thread::Builder::new().name(format!("load-{number}")).spawn(body).map_err(|error| error.to_string())
        })
        .collect::<Result<_, _>>()?;
    let watched = progress::watch(&plan, before);
    plan.over.store(true, Ordering::Release);
    let mut tally = Tally::new(plan.options.duration);
    for thread in threads {
        tally.add(&thread.join().map_err(|_| "a thread has panicked")??);
    }
    Ok(Report::new(&plan, tally, watched?))
}
