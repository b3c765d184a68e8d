//! Listening sockets: how they are bound, told their limits and shared between loops, and where the file of a Unix socket goes.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::Limits;

/// A listening socket: TCP, or a Unix stream socket. From elsewhere it comes by `From`.
///
/// ```
/// use longwire_reactor::sys::Listener;
///
/// let listener = Listener::from(std::net::TcpListener::bind("127.0.0.1:0")?);
/// assert!(listener.to_string().starts_with("127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Tcp(TcpListener),
    /// With its file, if we made that.
    Unix(UnixListener, Option<Arc<SocketFile>>),
}

impl Listener {
    /// Binds a TCP address.
    ///
    /// # Errors
    /// What `bind(2)` and `listen(2)` report: [`io::ErrorKind::AddrInUse`] for a port that is taken.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        Self::bind(address, false)
    }

    /// One more listener on the same address, with a queue of its own: the kernel shares out who connects.
    pub(crate) fn shared(&self) -> io::Result<Self> {
        let Kind::Tcp(listener) = &self.0 else { return self.try_clone() };
        // Only now: as long as it was not set, a second instance could not bind the address. Who waits in this one's queue
        // already stays there.
        SockRef::from(listener).set_reuse_port(true)?;
        Self::bind(listener.local_addr()?, true)
    }

    fn bind(address: SocketAddr, shared: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if shared {
            socket.set_reuse_port(true)?;
        }
        if address.is_ipv6() {
            socket.set_only_v6(address.ip() != std::net::Ipv6Addr::UNSPECIFIED)?;
        }
        socket.bind(&address.into())?;
        let listener = Self(Kind::Tcp(socket.into()));
        // Who comes before the limits are known is bounded, too.
        listener.tune(&Limits::default())?;
        Ok(listener)
    }

    /// Binds a Unix stream socket. A socket file that a dead server has left there is replaced. The file goes when the last
    /// loop has closed its listener.
    ///
    /// Who may connect is decided by the file's mode, as the process's umask leaves it: usually its owner alone.
    ///
    /// # Errors
    /// What `bind(2)` reports: [`io::ErrorKind::AddrInUse`] if somebody listens there, or the file is no socket.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_dead(path) => {
                fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        let file = SocketFile::of(path)?;
        Ok(Self(Kind::Unix(listener, Some(Arc::new(file)))))
    }

    /// The address of a TCP listener.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.0 {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    /// Sets what the limits say, once for all connections: they inherit it. Then it listens.
    pub(super) fn tune(&self, limits: &Limits) -> io::Result<()> {
        let backlog = i32::try_from(limits.backlog).unwrap_or(i32::MAX);
        let listener = match &self.0 {
            Kind::Tcp(listener) => listener,
            Kind::Unix(listener, _) => {
                listener.set_nonblocking(true)?;
                return SockRef::from(listener).listen(backlog);
            }
        };
        let socket = SockRef::from(listener);
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
        socket.set_tcp_keepalive(&keepalive.with_retries(4))?;
        // The kernel's own patience ends live peers, too, if their window stays shut: it must be the longer one.
        socket.set_tcp_user_timeout(Some(limits.write_stall.saturating_mul(2)))?;
        socket.set_tcp_notsent_lowat(limits.kernel_unsent)?;
        // Left alone, the kernel lets it grow for whoever sends fast, and keeps it so when we stop reading.
        socket.set_recv_buffer_size(limits.kernel_unread as usize)?;
        // A socket that listens may be told a new backlog.
        socket.listen(backlog)
    }

    /// The same listener for one more loop: all take from one queue.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(match &self.0 {
            Kind::Tcp(listener) => Kind::Tcp(listener.try_clone()?),
            Kind::Unix(listener, file) => Kind::Unix(listener.try_clone()?, file.clone()),
        }))
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener))
    }
}

impl From<UnixListener> for Listener {
    /// Its file stays whose it is.
    fn from(listener: UnixListener) -> Self {
        Self(Kind::Unix(listener, None))
    }
}

/// `127.0.0.1:8080`, or `unix:/run/longwire.sock`.
impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("a closed socket"),
            },
            Kind::Unix(listener, _) => match listener.local_addr() {
                Ok(address) => write!(f, "unix:{}", address.as_pathname().unwrap_or(Path::new("")).display()),
                Err(_) => f.write_str("a closed socket"),
            },
        }
    }
}

/// The file of a Unix socket that we bound. Dropped, it is removed, unless another file has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    number: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        // The process may change its directory.
        let path = std::path::absolute(path)?;
        let file = fs::symlink_metadata(&path)?;
        Ok(Self { path, device: file.dev(), number: file.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = |file: &fs::Metadata| (file.dev(), file.ino()) == (self.device, self.number);
        if fs::symlink_metadata(&self.path).is_ok_and(|file| is_ours(&file)) {
            // Whoever comes next replaces what cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a path is a socket on which nobody listens any more.
fn is_dead(path: &Path) -> bool {
    // Connecting to a file of another kind is refused, too.
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
        && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_connects_before_the_limits_are_known_is_bounded_too() -> io::Result<()> {
        let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let Kind::Tcp(socket) = &listener.0 else { return Err(io::Error::other("no TCP")) };
        socket.set_nonblocking(false)?;
        let _client = std::net::TcpStream::connect(socket.local_addr()?)?;
        let (server, _) = socket.accept()?;
        let (server, limits) = (SockRef::from(&server), Limits::default());
        // Linux keeps as much again for its own books, and grants nobody more than its administrator does.
        let most: usize =
            fs::read_to_string("/proc/sys/net/core/rmem_max")?.trim().parse().map_err(io::Error::other)?;
        assert_eq!(server.recv_buffer_size()?, 2 * most.min(limits.kernel_unread as usize));
        assert_eq!(server.tcp_notsent_lowat()?, limits.kernel_unsent);
        assert!(server.tcp_nodelay()? && server.keepalive()?);
        assert_eq!(server.tcp_user_timeout()?, Some(2 * limits.write_stall));
        Ok(())
    }
}
