//! `longwire serve`: from bound to drained.

use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use longwire_reactor::sys::Listener;
use longwire_reactor::{Remote, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::access::Log;
use crate::lines::Lines;
use crate::listen;
use crate::options::Serve;
use crate::routes::chat::Room;
use crate::site::Site;

/// A command line that cannot be followed, or an address that cannot be had.
const UNUSABLE: u8 = 2;

/// How long the end waits for the last lines of the access log.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Serves until told to stop.
pub(crate) fn serve(options: Serve) -> ExitCode {
    match prepare(&options) {
        Ok(server) => run(server, &options),
        Err(message) => {
            eprintln!("longwire: {message}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn prepare(options: &Serve) -> Result<Server, String> {
    let limits = options.limits();
    raise_descriptors(limits.connections, usize::from(options.threads));
    let mut server = listen::bind(&options.listen)?;
    for name in &options.allow_host {
        server = server.host(name);
    }
    for network in &options.trusted_proxy {
        server = server.trust(*network);
    }
    if let Some(terms) = options.deflate() {
        server = server.deflate(terms);
    }
    Ok(server.limits(limits).origins(options.origins()))
}

/// A connection is a descriptor: takes as many as the system lets this process have, and says if they may not do.
fn raise_descriptors(connections: usize, threads: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::debug!("the number of descriptors stays as it is: {error}");
    }
    // Beside the connections: standard streams and the like; and what each loop has, its poll, its waker, its alarm, a spare one and its listeners.
    let wanted = (connections + 64 + 16 * threads) as u64;
    if let Some(current) = getrlimit(Resource::Nofile).current.filter(|current| *current < wanted) {
        log::warn!("{current} descriptors are too few for --max-connections {connections}: see ulimit -n");
    }
}

fn run(server: Server, options: &Serve) -> ExitCode {
    let places: Vec<String> = server.listeners().map(place).collect();
    let outcome = stop_on_signals(server.remote()).and_then(|()| Lines::to(io::stdout())).and_then(|lines| {
        let ended = server.run_threads(usize::from(options.threads), |number| {
            // Only now do all loops listen: whoever reads this and connects is served.
            if number == 0 {
                places.iter().for_each(|place| log::info!("listening on {place}"));
            }
            Site { log: Log::new(options.access_log, &lines), room: Room::new(usize::from(options.threads)) }
        });
        // What reads our lines may have stopped reading: it is not waited for without end.
        if !lines.finish(LAST_LINES) {
            log::warn!("the last lines of the access log were not taken");
        }
        ended
    });
    match outcome {
        Ok(()) => {
            log::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What to type to get there.
fn place(listener: &Listener) -> String {
    match listener.address() {
        Some(address) => format!("http://{address}"),
        None => listener.to_string(),
    }
}

/// The first signal drains, the second one ends at once.
fn stop_on_signals(remote: Remote) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for (count, _) in signals.forever().enumerate() {
            log::info!("{}", if count == 0 { "stopping: everybody is told" } else { "stopping now" });
            remote.drain();
        }
    })?;
    Ok(())
}
