//! How a server is set up: addresses, limits, rules, and one loop or several.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use longwire_handshake::Deflate;

use crate::ledger::{Account, Bounds, Ledger};
use crate::remote::{Fellows, Remote, Switchboard};
use crate::session::Rules;
use crate::sys::{Listener, Mio, Sys};
use crate::{Handler, Limits, Loop, Network};

/// Which pages may open a WebSocket here (RFC 6455 §10.2). A request without an Origin is no browser's and always may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Pages of this very host and port, as the request names them.
    #[default]
    Same,
    /// Exactly these, such as `https://example.org`.
    Listed(Vec<String>),
    /// Any page. Whatever a visitor's cookies open, every page may then open.
    Any,
}

/// A server that is being set up. It listens from the moment it is bound.
///
/// `Server::default()` listens nowhere yet: for several sockets of any kind, and for machines that bring their own.
#[derive(Debug, Default)]
pub struct Server {
    /// Bound here, so they can be bound again for more loops.
    listeners: Vec<Listener>,
    /// From elsewhere, or bound to a path: all loops take from the same queue.
    inherited: Vec<Listener>,
    limits: Limits,
    origins: Origins,
    hosts: Vec<String>,
    trusted: Vec<Network>,
    tick: Option<Duration>,
    deflate: Option<Deflate>,
    switchboard: Arc<Switchboard>,
}

impl Server {
    /// Listens on an address; port 0 takes any free one, see [`Server::addresses`].
    ///
    /// # Errors
    /// What the machine reports, with the address: [`io::ErrorKind::AddrInUse`] for a port that is taken.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::default().also(address)
    }

    /// Takes a listening socket from elsewhere: a [`TcpListener`](std::net::TcpListener) or a
    /// [`UnixListener`](std::os::unix::net::UnixListener).
    #[must_use]
    pub fn from_listener(listener: impl Into<Listener>) -> Self {
        Self::default().also_from(listener)
    }

    /// Listens on a Unix socket. A file that a dead server has left there is replaced; ours goes when we stop listening. Who may
    /// connect is decided by its mode, that is, by the umask.
    ///
    /// # Errors
    /// What the machine reports, with the path: [`io::ErrorKind::AddrInUse`] if somebody listens there, or the file is no socket.
    pub fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::default().also_unix(path)
    }

    /// Listens on one more address.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub fn also(mut self, address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
        for address in address.to_socket_addrs()? {
            match Listener::tcp(address) {
                Ok(listener) => {
                    self.listeners.push(listener);
                    return Ok(self);
                }
                Err(error) => failed = naming(&address, &error),
            }
        }
        Err(failed)
    }

    /// Takes one more listening socket from elsewhere.
    #[must_use]
    pub fn also_from(mut self, listener: impl Into<Listener>) -> Self {
        self.inherited.push(listener.into());
        self
    }

    /// Listens on one more Unix socket.
    ///
    /// # Errors
    /// As [`Server::unix`].
    pub fn also_unix(self, path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let listener = Listener::unix(path).map_err(|error| naming(&path.display(), &error))?;
        Ok(self.also_from(listener))
    }

    /// The addresses that it listens on, Unix sockets aside.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners().filter_map(Listener::address).collect()
    }

    /// The sockets that it listens on.
    pub fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.iter().chain(&self.inherited)
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.workable();
        self
    }

    /// Which pages may open a WebSocket.
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// One more name that a Host may have where a request arrives on a loopback address (`*` for any): without it only
    /// `localhost`, `127.0.0.1` and `[::1]` are served there, so that no web page can reach it under a name of its own.
    #[must_use]
    pub fn host(mut self, name: &str) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Proxies are in this network, too, and what they say of their clients is believed: [`Peer::address`](crate::Peer::address)
    /// is then the client's. It is taken from `Forwarded` or `X-Forwarded-For`, read from the right over the addresses that are
    /// trusted as well; where a request has both fields, they have to agree.
    ///
    /// A proxy that writes neither field passes on what its client made up: make sure that it writes one.
    #[must_use]
    pub fn trust(mut self, network: Network) -> Self {
        self.trusted.push(network);
        self
    }

    /// Compresses messages for clients that offer it: permessage-deflate (RFC 7692), on these terms.
    ///
    /// On [`Deflate::DEFAULT`] neither side keeps a window from one message to the next, and one compressor and one decompressor
    /// serve all connections of a loop. Where a window is kept, messages become shorter, and a connection that has just spoken
    /// pins up to 350 KB: 266 KB to send, given back when it falls silent, and 80 KB to receive, kept to its end. Without room for
    /// a compressor (`Limits::budget`) everything goes out plain. What is published, and what goes out in pieces, never refers to
    /// what was said before.
    ///
    /// Who may choose a part of a message that holds a secret can learn the secret from its length: send such messages in a
    /// WebSocket without compression.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, terms: Deflate) -> Self {
        self.deflate = Some(terms);
        self
    }

    /// Calls [`Handler::tick`] this often, on the first loop.
    #[must_use]
    pub const fn tick(mut self, every: Duration) -> Self {
        self.tick = Some(every);
        self
    }

    /// What reaches this server from other threads, now and while it runs.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote::new(self.switchboard.clone())
    }

    /// Runs on this thread until it is drained, by [`Remote::drain`]. (Signals are the program's to catch.)
    ///
    /// # Errors
    /// What the machine reports when the loop is built, or its poll.
    pub fn run<H: Handler>(self, handler: H) -> io::Result<()> {
        self.build(handler)?.run()
    }

    /// Builds the one loop, for those who own the thread.
    ///
    /// # Errors
    /// What the machine reports.
    pub fn build<H: Handler>(self, handler: H) -> io::Result<Loop<H>> {
        let mut server = self;
        let mut listeners = std::mem::take(&mut server.listeners);
        listeners.append(&mut server.inherited);
        let machine = Mio::new(listeners, &server.limits)?;
        Ok(server.build_on(machine, handler))
    }

    /// Builds the one loop on another machine, such as [`Sim`](crate::sys::sim::Sim).
    pub fn build_on<H: Handler, S: Sys>(self, machine: S, handler: H) -> Loop<H, S> {
        self.switchboard.open([machine.waker()], &self.limits);
        self.build_loop(0, machine, handler, &Arc::default())
    }

    /// Runs `threads` loops, each on a thread of its own with its own handler, made there by `make(number)`. A connection
    /// stays with the loop that accepted it; publications reach all. Each address is bound once more for every further loop, and the
    /// kernel shares out who connects; who connected before this call is served by the first loop.
    ///
    /// # Errors
    /// What the machine reports when the loops are built, or any one's poll.
    ///
    /// # Panics
    /// If `threads` is 0, or a loop's thread panics outside of a callback.
    pub fn run_threads<H: Handler>(mut self, threads: usize, make: impl Fn(usize) -> H + Sync) -> io::Result<()> {
        assert!(threads > 0, "no thread, no loop");
        if threads == 1 {
            return self.run(make(0));
        }
        let mut machines = Vec::new();
        for listeners in self.share_listeners(threads)? {
            machines.push(Mio::new(listeners, &self.limits)?);
        }
        self.switchboard.open(machines.iter().map(Sys::waker), &self.limits);
        let account = Arc::default();
        let (server, make, account) = (&self, &make, &account);
        std::thread::scope(|scope| {
            let running: Vec<_> = machines
                .into_iter()
                .enumerate()
                .map(|(number, machine)| {
                    let body = move || server.build_loop(number, machine, make(number), account).run();
                    std::thread::Builder::new().name(format!("longwire-{number}")).spawn_scoped(scope, body)
                })
                .collect::<io::Result<_>>()?;
            running.into_iter().try_for_each(|thread| thread.join().expect("a loop does not panic"))
        })
    }

    /// One set of listeners for each loop, all on the same addresses. The sockets bound so far have proved that nobody else
    /// listens there; from now on they share their addresses.
    fn share_listeners(&mut self, threads: usize) -> io::Result<Vec<Vec<Listener>>> {
        let mut sets: Vec<Vec<Listener>> = (0..threads).map(|_| Vec::new()).collect();
        for listener in std::mem::take(&mut self.listeners) {
            let (first, others) = sets.split_first_mut().ok_or(io::ErrorKind::InvalidInput)?;
            for set in others {
                set.push(listener.shared()?);
            }
            first.push(listener);
        }
        for listener in std::mem::take(&mut self.inherited) {
            for set in &mut sets {
                set.push(listener.try_clone()?);
            }
        }
        Ok(sets)
    }

    fn build_loop<H: Handler, S: Sys>(
        &self,
        number: usize,
        machine: S,
        handler: H,
        account: &Arc<Account>,
    ) -> Loop<H, S> {
        let rules = Rules {
            origins: self.origins.clone(),
            deflate: self.deflate,
            hosts: self.hosts.clone(),
            trusted: self.trusted.clone(),
        };
        let bounds = Bounds {
            budget: self.limits.budget,
            connections: self.limits.connections,
            per_address: self.limits.per_address,
        };
        let ledger = Ledger::new(account.clone(), bounds);
        let fellows = Fellows::new(self.switchboard.clone(), number as u32);
        let tick = self.tick.filter(|_| number == 0);
        Loop::new(handler, machine, self.limits.clone(), rules, (number as u32, ledger, fellows), tick)
    }
}

/// The same error, which says where.
fn naming(place: &dyn std::fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}
