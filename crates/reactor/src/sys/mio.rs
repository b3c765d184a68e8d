//! The real machine: Linux sockets through mio's poll. The only file that names mio.

use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Waker};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use socket2::{Domain, SockRef, Socket, Type};

use super::alarm::Alarm;
use super::listener::{Kind, Listener, SocketFile};
use super::{Accepted, Edge, Sys, Token, WAKE, Wake};
use crate::Limits;

/// As what the poll reports that the alarm rang.
const ALARM: Token = WAKE - 1;

/// A listener as the loop holds it.
struct Open {
    listener: Accepting,
    loopback: Loopback,
    /// Goes with the listener, and behind it.
    _file: Option<Arc<SocketFile>>,
}

enum Accepting {
    Tcp(mio::net::TcpListener),
    Unix(mio::net::UnixListener),
}

/// What a listener's own address says of its connections' addresses.
#[derive(Clone, Copy)]
enum Loopback {
    Never,
    Always,
    /// Bound to every address: each connection must be asked.
    Ask,
}

/// The real machine of one loop.
pub struct Mio {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    listeners: Vec<Option<Open>>,
    /// Held so that one descriptor can be freed when there are none.
    spare: Option<File>,
    alarm: Alarm,
}

impl std::fmt::Debug for Mio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mio").field("listeners", &self.listeners.len()).finish_non_exhaustive()
    }
}

impl Mio {
    /// A machine that listens on `listeners`, in this order, with the options that the limits say.
    ///
    /// # Errors
    /// What `epoll_create(2)`, `eventfd(2)`, `timerfd_create(2)` and `epoll_ctl(2)` report.
    pub fn new(listeners: Vec<Listener>, limits: &Limits) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), mio::Token(WAKE))?);
        let alarm = Alarm::new()?;
        poll.registry().register(&mut SourceFd(&alarm.as_raw_fd()), mio::Token(ALARM), Interest::READABLE)?;
        let mut open = Vec::new();
        for (token, listener) in listeners.into_iter().enumerate() {
            listener.tune(limits)?;
            let (token, interest) = (mio::Token(token), Interest::READABLE);
            open.push(Some(match listener.0 {
                Kind::Tcp(listener) => {
                    let loopback = match listener.local_addr()?.ip().to_canonical() {
                        ip if ip.is_unspecified() => Loopback::Ask,
                        ip if ip.is_loopback() => Loopback::Always,
                        _ => Loopback::Never,
                    };
                    let mut listener = mio::net::TcpListener::from_std(listener);
                    poll.registry().register(&mut listener, token, interest)?;
                    Open { listener: Accepting::Tcp(listener), loopback, _file: None }
                }
                Kind::Unix(listener, file) => {
                    let mut listener = mio::net::UnixListener::from_std(listener);
                    poll.registry().register(&mut listener, token, interest)?;
                    Open { listener: Accepting::Unix(listener), loopback: Loopback::Never, _file: file }
                }
            }));
        }
        let spare = File::open("/dev/null").ok();
        Ok(Self { poll, events: Events::with_capacity(limits.events.max(1)), waker, listeners: open, spare, alarm })
    }
}

impl Wake for Waker {
    fn wake(&self) {
        // An eventfd can only fail to be written when its counter is full, and then the loop is being woken already.
        let _ = Self::wake(self);
    }
}

impl Sys for Mio {
    type Socket = OwnedFd;

    fn listeners(&self) -> usize {
        self.listeners.len()
    }

    #[inline]
    fn poll(&mut self, most: usize, until: Option<Duration>, mut note: impl FnMut(Edge)) -> io::Result<usize> {
        if self.events.capacity() != most {
            self.events = Events::with_capacity(most);
        }
        let timeout = match until {
            Some(moment) if !moment.is_zero() => {
                self.alarm.ring_by(moment)?;
                None
            }
            never_or_now => never_or_now,
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(0),
            other => other?,
        }
        let mut count = 0;
        for event in &self.events {
            count += 1;
            if event.token().0 == ALARM {
                self.alarm.has_rung();
                continue;
            }
            note(Edge {
                token: event.token().0,
                readable: event.is_readable() || event.is_error(),
                writable: event.is_writable(),
                read_closed: event.is_read_closed() || event.is_error(),
                broken: event.is_error(),
            });
        }
        Ok(count)
    }

    fn accept(&mut self, listener: usize) -> io::Result<Accepted<OwnedFd>> {
        let open = self.listeners[listener].as_ref().ok_or(io::ErrorKind::WouldBlock)?;
        // mio's accept makes the socket non-blocking in the same system call.
        Ok(match &open.listener {
            Accepting::Tcp(tcp) => {
                let (stream, address) = tcp.accept()?;
                let loopback = match open.loopback {
                    Loopback::Always => true,
                    Loopback::Never => false,
                    Loopback::Ask => stream.local_addr().is_ok_and(|own| own.ip().to_canonical().is_loopback()),
                };
                Accepted { socket: stream.into(), address: Some(address), loopback, short_read_drains: true }
            }
            Accepting::Unix(unix) => {
                let socket = unix.accept()?.0.into();
                Accepted { socket, address: None, loopback: false, short_read_drains: false }
            }
        })
    }

    fn shed(&mut self, listener: usize) -> io::Result<()> {
        self.spare = None;
        let shed = self.accept(listener).map(drop);
        self.spare = File::open("/dev/null").ok();
        shed
    }

    fn stop_listening(&mut self, listener: usize) {
        self.listeners[listener] = None;
    }

    fn register(&mut self, socket: &OwnedFd, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut SourceFd(&socket.as_raw_fd()), mio::Token(token), interest)
    }

    fn connect(&mut self, address: SocketAddr, source: Option<IpAddr>) -> io::Result<OwnedFd> {
        let Some(source) = source else {
            let stream = mio::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            return Ok(stream.into());
        };
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            Ok(()) | Err(_) => Ok(socket.into()),
        }
    }

    fn connected(&mut self, socket: &OwnedFd) -> io::Result<()> {
        let socket = SockRef::from(socket);
        socket.take_error()?.map_or(Ok(()), Err)?;
        socket.peer_addr().map(drop)
    }

    #[inline]
    fn read(&mut self, socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
        (&*SockRef::from(socket)).read(buffer)
    }

    #[inline]
    fn write(&mut self, socket: &OwnedFd, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match buffers {
            [one] => SockRef::from(socket).send_with_flags(one, libc::MSG_NOSIGNAL),
            many => SockRef::from(socket).send_vectored_with_flags(many, libc::MSG_NOSIGNAL),
        }
    }

    fn shutdown(&mut self, socket: &OwnedFd) {
        // A socket that is not connected any more has nothing to shut down.
        let _ = SockRef::from(socket).shutdown(std::net::Shutdown::Write);
    }

    fn close(&mut self, socket: OwnedFd) {
        drop(socket);
    }

    #[inline]
    fn now(&self) -> Duration {
        // Every Linux has this clock. (To say what else would be wrong takes 10 KiB of names of errors.)
        let time = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap_or(TimeSpec::new(0, 0));
        Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32)
    }

    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn entropy(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }

    fn waker(&self) -> Arc<dyn Wake> {
        self.waker.clone()
    }
}
