//! The machine: everything the loop asks of the world outside, as one small trait.
//!
//! [`Mio`] is the real one. [`sim::Sim`] is an imaginary one with a clock and a network of its own: the *same* loop runs on
//! either, so that every history on the imaginary machine can be repeated byte for byte. Nothing else in this crate
//! opens a socket, reads a clock or draws a random number.

mod alarm;
mod listener;
mod mio;
pub mod sim;

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use listener::Listener;
pub use mio::Mio;

/// What names a source of events. The machine hands it back and does not look inside.
pub type Token = usize;

/// The token of wake-ups. Listeners have the tokens from 0; the one before this is the machine's own, and never told; connections have such that
/// are none of these.
pub const WAKE: Token = u32::MAX as usize >> 14;

/// One event: which source, and what the machine says of it. Events are hints: a spurious one does no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// The source's token.
    pub token: Token,
    /// A read (or an accept) may succeed.
    pub readable: bool,
    /// A write may succeed.
    pub writable: bool,
    /// The peer will send no more.
    pub read_closed: bool,
    /// The connection is broken: a reset, or a machine on the way that gave up.
    pub broken: bool,
}

/// A connection that was just accepted, not registered yet.
#[derive(Debug)]
pub struct Accepted<S> {
    /// The socket, non-blocking.
    pub socket: S,
    /// The other end, if it has such an address (Unix sockets have none).
    pub address: Option<SocketAddr>,
    /// Whether its own end has a loopback address.
    pub loopback: bool,
    /// Whether a read that brings less than there is room for has drained the socket. Not so on Unix sockets, where
    /// ancillary data ends a read early and no further edge comes.
    pub short_read_drains: bool,
}

/// Wakes a loop from any thread.
pub trait Wake: Send + Sync {
    /// Makes the loop's next poll, or the one under way, report [`WAKE`]. Never blocks.
    fn wake(&self);
}

/// The machine under the loop. Every call returns at once but [`Sys::poll`].
///
/// Sockets are edge-triggered: an edge is reported once, until a call answered [`io::ErrorKind::WouldBlock`] or moved
/// fewer bytes than it could.
pub trait Sys {
    /// A connected (or connecting) stream socket. Dropping it does not count as closing it: see [`Sys::close`].
    type Socket;

    /// How many listeners there are; their tokens are 0, 1, 2, …
    fn listeners(&self) -> usize;

    /// Waits for events until this moment of [`Sys::now`] (not at all if it has passed; for ever if `None`), takes at most `most` of them, and
    /// tells `note` all that are not the machine's own. Returns how many it has taken: if those are `most`, there may be more. It may come back
    /// sooner, with none.
    ///
    /// # Errors
    /// Whatever the machine reports; [`io::ErrorKind::Interrupted`] is no events.
    fn poll(&mut self, most: usize, until: Option<Duration>, note: impl FnMut(Edge)) -> io::Result<usize>;

    /// Takes one waiting connection of a listener.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when none waits, or what `accept(2)` reports.
    fn accept(&mut self, listener: usize) -> io::Result<Accepted<Self::Socket>>;

    /// Out of descriptors: accepts one connection with the spare descriptor and closes it, so that its peer is told.
    ///
    /// # Errors
    /// As [`Sys::accept`].
    fn shed(&mut self, listener: usize) -> io::Result<()>;

    /// Closes a listener; its token is never reported again.
    fn stop_listening(&mut self, listener: usize);

    /// Asks for edges of both kinds under `token`, once and for all.
    ///
    /// # Errors
    /// What `epoll_ctl(2)` reports.
    fn register(&mut self, socket: &Self::Socket, token: Token) -> io::Result<()>;

    /// Starts to connect, from an address of ours if one is named.
    ///
    /// # Errors
    /// What `socket(2)`, `bind(2)` and `connect(2)` report; "in progress" is no error.
    fn connect(&mut self, address: SocketAddr, source: Option<IpAddr>) -> io::Result<Self::Socket>;

    /// How a connection that became writable came out.
    ///
    /// # Errors
    /// Why it could not be made.
    fn connected(&mut self, socket: &Self::Socket) -> io::Result<()>;

    /// Reads into `buffer`; 0 is the end of what the peer sends.
    ///
    /// # Errors
    /// What `recv(2)` reports.
    fn read(&mut self, socket: &Self::Socket, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes from `buffers` in their order, raising no signal.
    ///
    /// # Errors
    /// What `sendmsg(2)` reports.
    fn write(&mut self, socket: &Self::Socket, buffers: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends our half: the peer sees FIN after the last byte.
    fn shutdown(&mut self, socket: &Self::Socket);

    /// Gives the descriptor back.
    fn close(&mut self, socket: Self::Socket);

    /// The monotonic clock, from any fixed start.
    fn now(&self) -> Duration;

    /// The wall clock, since 1970-01-01T00:00:00Z. For dates and ids; no deadline depends on it.
    fn wall(&self) -> Duration;

    /// Fills `bytes` with what nobody can guess.
    fn entropy(&mut self, bytes: &mut [u8]);

    /// What wakes this machine's poll.
    fn waker(&self) -> Arc<dyn Wake>;
}

/// Whether an accept failed for the connection that it would have brought: those behind it are still there. (Linux reports
/// errors of the new socket's network here.)
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    const OF_THE_NETWORK: [i32; 11] = [
        libc::ECONNABORTED,
        libc::EPROTO,
        libc::EPERM,
        libc::ETIMEDOUT,
        libc::ENETDOWN,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::ENONET,
        libc::EHOSTUNREACH,
        libc::EOPNOTSUPP,
        libc::ENETUNREACH,
    ];
    error.raw_os_error().is_some_and(|number| OF_THE_NETWORK.contains(&number))
}

/// Whether an accept failed because this process or the system has no descriptor left.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
