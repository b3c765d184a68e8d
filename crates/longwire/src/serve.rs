//! `longwire serve`: from bound to drained.

use std::io;
use std::process::ExitCode;
use std::thread;

use longwire_reactor::{Remote, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::options::Serve;
use crate::site::Site;

/// A command line that cannot be followed, or an address that cannot be had.
const UNUSABLE: u8 = 2;

/// Serves until told to stop.
pub(crate) fn serve(options: Serve) -> ExitCode {
    match prepare(&options) {
        Ok(server) => run(server, usize::from(options.threads)),
        Err(message) => {
            eprintln!("longwire: {message}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn prepare(options: &Serve) -> Result<Server, String> {
    let limits = options.limits()?;
    raise_descriptors(limits.connections);
    let (first, others) = options.listen.split_first().ok_or("no address to listen on")?;
    let refused = |address, error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use: another program listens there; choose another with --listen")
        }
        io::ErrorKind::PermissionDenied => format!("{address} needs rights that this user does not have"),
        _ => format!("{address}: {error}"),
    };
    let mut server = Server::bind(first).map_err(|error| refused(first, error))?;
    for address in others {
        server = server.also(address).map_err(|error| refused(address, error))?;
    }
    for name in &options.allow_host {
        server = server.host(name);
    }
    Ok(server.limits(limits).origins(options.origins()))
}

/// A connection is a descriptor: takes as many as the system lets this process have, and says if they may not do.
fn raise_descriptors(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::debug!("the number of descriptors stays as it is: {error}");
    }
    // Beside the connections: listeners, the poll, standard streams.
    let wanted = connections as u64 + 64;
    if let Some(current) = getrlimit(Resource::Nofile).current.filter(|current| *current < wanted) {
        log::warn!("{current} descriptors are too few for --max-connections {connections}: see ulimit -n");
    }
}

fn run(server: Server, threads: usize) -> ExitCode {
    let addresses = server.addresses();
    let outcome = stop_on_signals(server.remote()).and_then(|()| {
        server.run_threads(threads, |number| {
            // Only now do all loops listen: whoever reads this and connects is served.
            if number == 0 {
                addresses.iter().for_each(|address| log::info!("listening on http://{address}"));
            }
            Site
        })
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
