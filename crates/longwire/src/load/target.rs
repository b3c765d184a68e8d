//! `Target`: which server, and where on it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use http::Uri;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::{FieldValue, Opening};

/// What a `ws://` address means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it was said.
    said: String,
    /// What `Host` says.
    host: String,
    path: String,
    address: SocketAddr,
}

impl Target {
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
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
        let wrong = || "an address like ws://127.0.0.1:8080/echo".to_owned();
        let uri: Uri = said.parse().map_err(|_| wrong())?;
        if uri.scheme_str() == Some("wss") {
            return Err("ws:// alone: TLS is not spoken here".into());
        }
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("ws")).ok_or_else(wrong)?;
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
        Ok(Self { said: said.into(), host: authority.as_str().into(), path: path.into(), address })
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
        assert_eq!(target.to_string(), "ws://[::1]");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["", "echo", "http://a/", "wss://a/", "ws:///echo", "ws://a b/", "/echo"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
