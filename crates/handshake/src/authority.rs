//! `Authority`: a host with or without a port, as Host, an absolute-form target and an Origin say it (RFC 3986 §3.2),
//! and the rule about hosts that guards servers on loopback.

use core::net::Ipv6Addr;

use crate::grammar::{decimal, is_alphanumeric_or};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// As written, with the brackets of an IPv6 address. May be empty.
    pub(crate) host: &'a str,
    /// `None` for no port, and for a colon without one.
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let after_host = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
        let (host, rest) = text.split_at_checked(after_host)?;
        let valid = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
            None => host.bytes().all(may_stand_in_name),
        };
        let port = match rest.strip_prefix(':') {
            Some("") => None,
            Some(digits) => Some(u16::try_from(decimal(digits.as_bytes())?).ok()?),
            None if rest.is_empty() => None,
            None => return None,
        };
        valid.then_some(Self { host, port })
    }
}

/// RFC 3986 §3.2.2: what a registered name is made of.
const fn may_stand_in_name(byte: u8) -> bool {
    is_alphanumeric_or(byte, b"-._~!$&'()*+,;=%")
}

/// Whether a request that came over loopback is meant for us: `host` ([`Request::host`](crate::Request::host)) is localhost,
/// 127.0.0.1, \[::1\] or one of `allowed`, whatever its port and its case. `*` allows every host. RFC 9110 §15.5.4: else it is 403.
///
/// This stops DNS rebinding: a page whose name was made to resolve to 127.0.0.1 is of the same origin as the server
/// there, but its browser still says the page's own name in Host.
///
/// ```
/// use longwire_handshake::loopback_host;
///
/// const NONE: &[&str] = &[];
/// assert!(loopback_host("LocalHost:8080", NONE));
/// assert!(!loopback_host("rebound.example:8080", NONE));
/// assert!(loopback_host("www.example", &["www.example"]));
/// ```
#[must_use]
pub fn loopback_host(host: &str, allowed: &[impl AsRef<str>]) -> bool {
    if allowed.iter().any(|name| name.as_ref() == "*") {
        return true;
    }
    let Some(Authority { host, .. }) = Authority::parse(host) else { return false };
    ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|name| name.eq_ignore_ascii_case(host))
        || allowed.iter().any(|name| {
            Authority::parse(name.as_ref())
                .is_some_and(|allowed| !host.is_empty() && allowed.host.eq_ignore_ascii_case(host))
        })
}
