//! `Origins`: which pages may connect (RFC 6455 §10.2). A browser says in Origin whose page it is that asks, and asks
//! with the visitor's cookies; the server is the only one who can refuse.

use crate::Request;
use crate::authority::Authority;

/// The pages that may connect. A request without an Origin is no browser's, and always may.
///
/// ```
/// use longwire_handshake::{FieldSlots, Origins, Request};
///
/// let head = b"GET / HTTP/1.1\r\nHost: good.example\r\nOrigin: https://good.example.evil.example\r\n\r\n";
/// let mut slots = FieldSlots::new();
/// let request = Request::parse(head, &mut slots)?;
/// assert!(!Origins::Same.allow(&request));
/// assert!(!Origins::Listed(&["https://good.example"]).allow(&request));
/// assert!(Origins::Any.allow(&request));
/// # Ok::<(), longwire_handshake::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origins<'a> {
    /// Pages of the host and port that the request is for. The scheme is not compared: a proxy may have ended TLS.
    #[default]
    Same,
    /// Exactly these, byte by byte, such as `https://example.org`.
    Listed(&'a [&'a str]),
    /// Every page: what a visitor's cookies open, every page may then open.
    Any,
}

impl Origins<'_> {
    /// Whether the request's Origin, if it has one, is among these. One that is malformed, `null`, or there twice is foreign. Who
    /// says no origin is no browser (RFC 6455 §4.2.1).
    #[must_use]
    pub fn allow(&self, request: &Request<'_, '_>) -> bool {
        let origin = match (request.fields.single("origin"), self) {
            (_, Self::Any) | (Ok(None), _) => return true,
            (Ok(Some(origin)), _) => origin,
            (Err(_), _) => return false,
        };
        match (self, str::from_utf8(origin)) {
            (Self::Same, Ok(origin)) => is_same(origin, request.host()),
            (Self::Listed(listed), Ok(origin)) => listed.contains(&origin),
            (_, _) => false,
        }
    }
}

/// Host and port of the origin are those of `host`; a port that is not said is the one that the origin's scheme has.
fn is_same(origin: &str, host: &str) -> bool {
    let (default_port, origin) = match origin.split_once("://") {
        Some(("http", authority)) => (80, authority),
        Some(("https", authority)) => (443, authority),
        // Extensions and apps have schemes of their own, and names that nobody gave them.
        _ => return false,
    };
    let (Some(origin), Some(host)) = (Authority::parse(origin), Authority::parse(host)) else { return false };
    !origin.host.is_empty()
        && origin.host.eq_ignore_ascii_case(host.host)
        && origin.port.unwrap_or(default_port) == host.port.unwrap_or(default_port)
}
