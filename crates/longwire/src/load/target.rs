//! `Target`: which server, where on it, and whether a WebSocket or an event stream is there.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use http::Uri;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::{FieldValue, Opening};
use tokio::net::{TcpSocket, TcpStream};

/// What a `ws://` or `http://` address means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it was said.
    said: String,
    stream: bool,
    /// What `Host` says.
    host: String,
    path: String,
    address: SocketAddr,
}

impl Target {
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is an event stream.
    pub(super) const fn is_stream(&self) -> bool {
        self.stream
    }

    /// A connection of those that are not a loop's, from an address of ours if one is named.
    pub(super) async fn connect(&self, source: Option<IpAddr>) -> io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_nodelay(true)?;
        if let Some(source) = source {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        socket.connect(self.address).await
    }

    /// The request for the event stream.
    pub(super) fn get(&self) -> Vec<u8> {
        let Self { host, path, .. } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n").into_bytes()
    }

    /// The same as bytes, for those who write them themselves.
    pub(super) fn upgrade(&self, compressed: bool) -> Vec<u8> {
        let Self { host, path, .. } = self;
        let extension = if compressed { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extension}\r\n"
        )
        .into_bytes()
    }

    pub(super) fn opening(&self) -> Opening {
        let host = FieldValue::new(&self.host).unwrap_or_default();
        Opening::new(host, OriginForm::new(&self.path).unwrap_or(OriginForm::literal("/")))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(said: &str) -> Result<Self, String> {
        let wrong = || "an address like ws://127.0.0.1:8080/echo or http://127.0.0.1:8080/clock".to_owned();
        let uri: Uri = said.parse().map_err(|_| wrong())?;
        let stream = match uri.scheme_str() {
            Some("ws") => false,
            Some("http") => true,
            Some("wss" | "https") => return Err("ws:// and http:// alone: TLS is not spoken here".into()),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        if OriginForm::new(path).is_none() || FieldValue::new(authority.as_str()).is_err() {
            return Err(wrong());
        }
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let found = (name, authority.port_u16().unwrap_or(80)).to_socket_addrs();
        let address = found
            .map_err(|error| format!("{name}: {error}"))?
            .next()
            .ok_or_else(|| format!("{name} has no address"))?;
        Ok(Self { said: said.into(), stream, host: authority.as_str().into(), path: path.into(), address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_a_port_and_a_path() {
        let target: Target = "ws://127.0.0.1:8080/echo?a=b".parse().expect("a target");
        assert_eq!((target.host.as_str(), target.path.as_str()), ("127.0.0.1:8080", "/echo?a=b"));
        assert_eq!(target.address(), SocketAddr::from(([127, 0, 0, 1], 8080)));
        let target: Target = "ws://[::1]".parse().expect("a target");
        assert_eq!((target.path.as_str(), target.address().port()), ("/", 80));
        assert_eq!((target.to_string().as_str(), target.is_stream()), ("ws://[::1]", false));
        let target: Target = "http://127.0.0.1/clock".parse().expect("a target");
        assert!(target.is_stream());
        assert_eq!(target.get(), b"GET /clock HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["", "echo", "ftp://a/", "wss://a/", "https://a/", "ws:///echo", "ws://a b/", "/echo"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
