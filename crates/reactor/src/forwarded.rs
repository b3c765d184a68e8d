//! Who asks behind the proxies that are trusted.

use std::net::SocketAddr;

use longwire_handshake::Request;

use crate::network::{Network, is_trusted};

const FORWARDED: &str = "forwarded";
const X_FORWARDED_FOR: &str = "x-forwarded-for";

fn has(request: &Request<'_, '_>, name: &str) -> bool {
    request.field_values(name).next().is_some()
}

/// Whether a request has one of the fields in which proxies tell of their clients.
pub(crate) fn is_forwarded(request: &Request<'_, '_>) -> bool {
    has(request, FORWARDED) || has(request, X_FORWARDED_FOR)
}

/// Who asks, if the peer is a trusted proxy and says so: the last address on the way that is not such a proxy itself. Where the
/// way is lost, it is the last one that is known.
///
/// A proxy that writes one of the two fields passes the other on as its client made it up. So where both are there, they have
/// to agree; where they do not, neither is believed.
pub(crate) fn client(request: &Request<'_, '_>, peer: Option<SocketAddr>, trusted: &[Network]) -> Option<SocketAddr> {
    if !is_trusted(peer.map(|peer| peer.ip()), trusted) {
        return None;
    }
    let follow = |mut way: &mut dyn Iterator<Item = SocketAddr>| {
        let mut known = None;
        for address in &mut way {
            known = Some(address);
            if !is_trusted(Some(address.ip()), trusted) {
                break;
            }
        }
        known
    };
    match (has(request, FORWARDED), has(request, X_FORWARDED_FOR)) {
        (true, false) => follow(&mut request.forwarded_for()),
        (false, _) => follow(&mut request.x_forwarded_for()),
        (true, true) => {
            let (new, old) = (follow(&mut request.forwarded_for()), follow(&mut request.x_forwarded_for()));
            new.filter(|new| old.is_some_and(|old| old.ip() == new.ip()))
        }
    }
}

#[cfg(test)]
mod tests {
    use longwire_handshake::FieldSlots;

    use super::*;

    /// Who asks, for a peer and lines of a head.
    fn asks(peer: &str, lines: &str) -> Option<String> {
        let trusted = ["10.0.0.0/8", "::1", "unix"].map(|text| text.parse().unwrap());
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let mut slots = FieldSlots::new();
        let request = Request::parse(head.as_bytes(), &mut slots).unwrap();
        let peer = (peer != "unix").then(|| SocketAddr::new(peer.parse().unwrap(), 1));
        client(&request, peer, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn the_client_is_the_first_from_the_right_that_is_no_proxy_of_ours() {
        let both = |list: &str, x_list: &str| format!("Forwarded: {list}\r\nX-Forwarded-For: {x_list}\r\n");
        for (peer, lines, wanted) in [
            ("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n", Some("192.0.2.7:0")),
            ("::ffff:10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n", Some("192.0.2.7:0")),
            ("unix", "X-Forwarded-For: 192.0.2.7:4711\r\n", Some("192.0.2.7:4711")),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n", Some("192.0.2.7:0")),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.9, ::1\r\n", Some("192.0.2.7:0")),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-For: 10.0.0.9\r\n", Some("192.0.2.7:0")),
            ("10.0.0.1", "X-Forwarded-For: 10.0.0.7, 10.0.0.8\r\n", Some("10.0.0.7:0")),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, junk, 10.0.0.8\r\n", Some("10.0.0.8:0")),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, junk\r\n", None),
            ("10.0.0.1", "Forwarded: for=6.6.6.6, for=192.0.2.7, for=\"[::1]:9\"\r\n", Some("192.0.2.7:0")),
            ("10.0.0.1", "Forwarded: for=6.6.6.6, for=_hidden\r\n", None),
            ("10.0.0.1", "Forwarded: for=6.6.6.6, for=unknown, for=10.0.0.8\r\n", Some("10.0.0.8:0")),
            ("10.0.0.1", "", None),
            // Of others nothing is believed.
            ("192.0.2.1", "X-Forwarded-For: 6.6.6.6\r\n", None),
            ("11.0.0.1", "Forwarded: for=6.6.6.6\r\n", None),
            ("::2", "Forwarded: for=6.6.6.6\r\n", None),
            // Where there are both fields, one may be the client's own.
            ("10.0.0.1", &both("for=6.6.6.6", "192.0.2.7"), None),
            ("10.0.0.1", &both("for=192.0.2.7", "6.6.6.6"), None),
            ("10.0.0.1", &both("for=_hidden", "6.6.6.6"), None),
            ("10.0.0.1", &both("for=6.6.6.6", "junk"), None),
            ("10.0.0.1", &both("for=\"192.0.2.7:80\"", "192.0.2.7"), Some("192.0.2.7:80")),
        ] {
            assert_eq!(asks(peer, lines).as_deref(), wanted, "{peer}: {lines}");
        }
    }
}
