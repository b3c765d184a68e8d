//! Where the server listens: an address, a Unix socket, or a socket that another process has opened and hands over.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use listenfd::ListenFd;
use longwire_reactor::Server;
use longwire_reactor::sys::Listener;

/// The first descriptor that is handed over, as sd_listen_fds(3) has it.
const FIRST: usize = 3;

/// One place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Address(SocketAddr),
    Unix(PathBuf),
    Descriptor(usize),
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err("a path follows unix:") } else { Ok(Self::Unix(path.into())) };
        }
        if let Some(number) = text.strip_prefix("fd:") {
            let number = number.parse().ok().filter(|number| *number >= FIRST);
            return number.map(Self::Descriptor).ok_or("a number from 3 on follows fd:");
        }
        text.parse()
            .map(Self::Address)
            .map_err(|_| "an address like 127.0.0.1:8080 or [::]:80, unix:PATH, or fd:NUMBER")
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
        }
    }
}

/// A server that listens in all these places, or why it cannot.
pub(crate) fn bind(places: &[Listen]) -> Result<Server, String> {
    let mut handed = ListenFd::from_env();
    places.iter().try_fold(Server::default(), |server, place| {
        let bound = match place {
            Listen::Address(address) => server.also(address),
            Listen::Unix(path) => server.also_unix(path),
            Listen::Descriptor(number) => take(&mut handed, *number).map(|listener| server.also_from(listener)),
        };
        bound.map_err(|error| match (error.kind(), place) {
            (io::ErrorKind::AddrInUse, Listen::Unix(_)) => {
                format!("{place} is in use: another program listens there, or the file is no socket")
            }
            (io::ErrorKind::AddrInUse, _) => {
                format!("{place} is in use: another program listens there; choose another with --listen")
            }
            (io::ErrorKind::PermissionDenied, _) => format!("{place} needs rights that this user does not have"),
            (_, Listen::Descriptor(_)) => format!("{place}: {error}"),
            _ => error.to_string(),
        })
    })
}

fn take(handed: &mut ListenFd, number: usize) -> io::Result<Listener> {
    let at = number - FIRST;
    let listener = match handed.take_tcp_listener(at) {
        Ok(tcp) => tcp.map(Listener::from),
        Err(_) => handed.take_unix_listener(at)?.map(Listener::from),
    };
    listener
        .ok_or_else(|| io::Error::other("it was not handed over to this process (LISTEN_FDS, LISTEN_PID), or is taken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_three_forms() {
        for (text, place) in [
            ("127.0.0.1:8080", Listen::Address(([127, 0, 0, 1], 8080).into())),
            ("[::]:80", Listen::Address((std::net::Ipv6Addr::UNSPECIFIED, 80).into())),
            ("unix:/run/longwire.sock", Listen::Unix("/run/longwire.sock".into())),
            ("unix:fd:3", Listen::Unix("fd:3".into())),
            ("fd:3", Listen::Descriptor(3)),
        ] {
            assert_eq!(text.parse(), Ok(place), "{text}");
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        for text in ["", "nowhere", "localhost:80", "127.0.0.1", "unix:", "fd:", "fd:2", "fd:x", "fd:-1", "8080"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_descriptor_that_nobody_handed_over_is_named() {
        let error = bind(&[Listen::Descriptor(7)]).unwrap_err();
        assert!(error.contains("fd:7") && error.contains("LISTEN_FDS"), "{error}");
    }
}
