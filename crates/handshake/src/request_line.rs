//! The first line of a request: a method, a target and a version, with one blank between (RFC 9112 §3). The scanner
//! is our own: a lenient one is how two servers come to see two different requests.

use crate::authority::Authority;
use crate::{Refusal, grammar};

/// The version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1, or a later HTTP/1: RFC 9110 §6.2 has it read as the highest one that is known.
    Http11,
}

/// The form of the request target (RFC 9112 §3.2). The fourth, `host:port`, is for `CONNECT` alone, which is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target<'b> {
    /// `/path?query`: what clients send to servers.
    Origin,
    /// `http://authority/path?query`: what clients send to proxies. A server reads it, too.
    Absolute {
        /// The host, with its port if it has one. It replaces what Host says.
        authority: &'b str,
    },
    /// `*`: the server as a whole, for `OPTIONS` alone.
    Asterisk,
}

#[derive(Clone, Copy)]
pub(crate) struct RequestLine<'b> {
    pub(crate) method: &'b str,
    pub(crate) target: Target<'b>,
    /// The target as it was sent, whatever its form.
    pub(crate) sent: &'b str,
    pub(crate) path: &'b str,
    pub(crate) query: Option<&'b str>,
    pub(crate) version: Version,
}

impl<'b> RequestLine<'b> {
    /// Parses the line, without its end. §3.1, §3.2; RFC 9110 §9.3.6: no tunnels are made.
    pub(crate) fn parse(line: &'b [u8]) -> Result<Self, Refusal> {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::BadRequestLine);
        };
        // RFC 9110 §9.1: a method is a token, and has case.
        let method = grammar::token(method).ok_or(Refusal::BadMethod)?;
        let version = parse_version(version)?;
        if method == "CONNECT" {
            return Err(Refusal::ConnectNotImplemented);
        }
        let sent = str::from_utf8(target).map_err(|_| Refusal::BadTarget)?;
        let (target, path, query) = parse_target(method, sent).ok_or(Refusal::BadTarget)?;
        Ok(Self { method, target, sent, path, query, version })
    }
}

/// RFC 9112 §2.3: `HTTP/` in capitals, a digit, a dot, a digit.
pub(crate) fn parse_version(version: &[u8]) -> Result<Version, Refusal> {
    match version {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            match (major, minor) {
                (b'1', b'0') => Ok(Version::Http10),
                (b'1', _) => Ok(Version::Http11),
                _ => Err(Refusal::VersionNotSupported),
            }
        }
        _ => Err(Refusal::BadVersion),
    }
}

/// The form, the path and the query. §3.2.2: absolute-form is accepted.
fn parse_target<'b>(method: &str, target: &'b str) -> Option<(Target<'b>, &'b str, Option<&'b str>)> {
    if target == "*" {
        // RFC 9112 §3.2.4: only OPTIONS is for the server as a whole.
        return (method == "OPTIONS").then_some((Target::Asterisk, target, None));
    }
    if is_origin_form(target.as_bytes()) {
        let (path, query) = split_query(target);
        return Some((Target::Origin, path, query));
    }
    let after_scheme = strip_scheme(target)?;
    let end = after_scheme.find(['/', '?']).unwrap_or(after_scheme.len());
    let (authority, rest) = after_scheme.split_at_checked(end)?;
    // RFC 9110 §4.2.1: a URI without a host is invalid; §4.2.4: one with a user is suspect. No authority has a user
    // here.
    if Authority::parse(authority)?.host.is_empty() || !rest.bytes().all(may_stand_in_target) {
        return None;
    }
    let (path, query) = split_query(rest);
    // RFC 9110 §4.2.3: an empty path is the path `/`.
    Some((Target::Absolute { authority }, if path.is_empty() { "/" } else { path }, query))
}

/// RFC 3986 §3.3 and §3.4: what paths and queries are made of, and the brackets, which browsers leave as they are.
/// That two digits follow a `%` is left to whoever decodes it.
const fn may_stand_in_target(byte: u8) -> bool {
    grammar::is_alphanumeric_or(byte, b"-._~!$&'()*+,;=:@/?%[]")
}

/// A slash, and nothing that may not stand in a target.
pub(crate) const fn is_origin_form(mut target: &[u8]) -> bool {
    if !matches!(target, [b'/', ..]) {
        return false;
    }
    while let [byte, rest @ ..] = target {
        if !may_stand_in_target(*byte) {
            return false;
        }
        target = rest;
    }
    true
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// RFC 9110 §4.2.3: schemes have no case.
fn strip_scheme(target: &str) -> Option<&str> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}
