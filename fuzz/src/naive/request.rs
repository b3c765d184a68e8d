//! A request, read from a whole head by somebody who splits it into lines and words: RFC 9112 §3 to §6. All that is wrong with it is
//! said. Text is Latin-1 here, a letter for each byte.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use longwire_handshake::Refusal;

/// What a head says.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// As sent.
    pub target: String,
    pub path: String,
    pub query: Option<String>,
    pub host: String,
    pub is_http_1_0: bool,
    pub fields: Vec<(String, String)>,
    pub body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    None,
    Length(u64),
    Chunked,
}

/// A letter for each byte.
#[must_use]
pub fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Reads a head that has its blank line.
///
/// # Errors
/// All that is wrong.
pub fn read(head: &[u8]) -> Result<Request, Vec<Refusal>> {
    let text = latin_1(head);
    let text = text.strip_prefix("\r\n").unwrap_or(&text);
    let mut lines = text.strip_suffix("\r\n\r\n").expect("a blank line").split("\r\n");
    let line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let mut faults = Vec::new();
    let fields: Vec<(String, String)> = lines.filter_map(|line| field(line, &mut faults)).collect();
    let [method, target, version] = line[..] else {
        faults.push(Refusal::BadRequestLine);
        return Err(faults);
    };
    if !is_token(method) {
        faults.push(Refusal::BadMethod);
    }
    if method == "CONNECT" {
        faults.push(Refusal::ConnectNotImplemented);
    }
    let is_http_1_0 = match version.as_bytes() {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] => *minor == b'0',
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            faults.push(Refusal::VersionNotSupported);
            false
        }
        _ => {
            faults.push(Refusal::BadVersion);
            false
        }
    };
    let named = |name: &str| values(&fields, name);
    let (host, lengths, codings) = (named("host"), named("content-length"), named("transfer-encoding"));
    match &host[..] {
        [] if is_http_1_0 => {}
        [] => faults.push(Refusal::HostMissing),
        [host] if is_authority(host) => {}
        [_] => faults.push(Refusal::BadHost),
        _ => faults.push(Refusal::HostRepeated),
    }
    let body = match (&lengths[..], &codings[..]) {
        ([], []) => Body::None,
        ([length], []) => match number(length) {
            Some(length) => Body::Length(length),
            None => wrong(&mut faults, &[Refusal::BadContentLength]),
        },
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") && !is_http_1_0 => Body::Chunked,
        ([], [coding]) if !is_http_1_0 => wrong(&mut faults, &[other_coding(coding)]),
        (lengths, codings) => {
            if lengths.len() > 1 {
                faults.push(Refusal::ContentLengthRepeated);
            }
            if codings.len() > 1 {
                faults.push(Refusal::TransferEncodingRepeated);
            }
            if !codings.is_empty() && is_http_1_0 {
                faults.push(Refusal::TransferEncodingInHttp10);
            }
            if !codings.is_empty() && !lengths.is_empty() {
                faults.push(Refusal::TwoLengths);
            }
            Body::None
        }
    };
    let Some((authority, path, query)) = read_target(method, target) else {
        faults.push(Refusal::BadTarget);
        return Err(faults);
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    // §3.2.2: what the target names replaces what Host says.
    let host = authority.or(host.first().cloned()).unwrap_or_default();
    Ok(Request { method: method.into(), target: target.into(), path, query, host, is_http_1_0, fields, body })
}

fn wrong(faults: &mut Vec<Refusal>, more: &[Refusal]) -> Body {
    faults.extend(more);
    Body::None
}

/// `name ":" value`, the blanks around the value left out (§5).
fn field(line: &str, faults: &mut Vec<Refusal>) -> Option<(String, String)> {
    match line.split_once(':') {
        Some((name, value)) if is_token(name) => Some((name.into(), value.trim_matches([' ', '\t']).into())),
        _ => {
            faults.push(Refusal::BadField);
            None
        }
    }
}

/// §6.1 and §6.3: what is to be said of a coding that is not the word `chunked`.
fn other_coding(coding: &str) -> Refusal {
    let codings = list(coding);
    let are_chunked: Vec<bool> = codings.iter().map(|coding| coding.eq_ignore_ascii_case("chunked")).collect();
    let [first @ .., true] = are_chunked.as_slice() else { return Refusal::ChunkedNotFinal };
    // Empty elements are no word that everybody reads alike.
    if first.is_empty() || first.contains(&true) { Refusal::ChunkedNotFinal } else { Refusal::TransferCodingUnknown }
}

/// The authority that it names, the path and the query (§3.2).
fn read_target(method: &str, target: &str) -> Option<(Option<String>, String, Option<String>)> {
    if target == "*" {
        return (method == "OPTIONS").then(|| (None, "*".into(), None));
    }
    let lower = target.to_ascii_lowercase();
    let scheme = ["http://", "https://"].into_iter().find(|scheme| lower.starts_with(scheme));
    let (authority, rest) = match scheme {
        None if target.starts_with('/') => (None, target),
        None => return None,
        Some(scheme) => {
            let rest = &target[scheme.len()..];
            let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            // RFC 9110 §4.2.1: there must be a host.
            let empty = authority.is_empty() || authority.starts_with(':');
            if empty || !is_authority(authority) {
                return None;
            }
            (Some(authority.to_owned()), rest)
        }
    };
    if !rest.chars().all(|char| char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%[]".contains(char)) {
        return None;
    }
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    Some((authority, if path.is_empty() { "/" } else { path }.into(), query))
}

/// A host, which may be empty, and a port, which may be missing (RFC 3986 §3.2).
fn is_authority(text: &str) -> bool {
    let (is_host, rest) = match text.strip_prefix('[').map(|text| text.split_once(']')) {
        Some(None) => return false,
        Some(Some((address, rest))) => (address.parse::<Ipv6Addr>().is_ok(), rest),
        None => {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            let may_stand = |char: char| char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%".contains(char);
            (name.chars().all(may_stand), rest)
        }
    };
    let is_port = |port: &str| port.is_empty() || number(port).is_some_and(|port| port < 1 << 16);
    is_host && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Digits alone, and no more than 64 bits (RFC 9110 §8.6).
fn number(text: &str) -> Option<u64> {
    text.chars().all(|char| char.is_ascii_digit()).then(|| text.parse().ok())?
}

/// At least one character that needs no quotes (RFC 9110 §5.6.2).
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]{}".contains(char))
}

/// The elements of a list without quotes; empty ones do not count (RFC 9110 §5.6.1).
#[must_use]
pub fn list(value: &str) -> Vec<&str> {
    value.split(',').map(|element| element.trim_matches([' ', '\t'])).filter(|element| !element.is_empty()).collect()
}

fn values(fields: &[(String, String)], name: &str) -> Vec<String> {
    fields.iter().filter(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect()
}

/// An address as proxies tell one: bare, in brackets, with a port, or with a name that hides the port (RFC 7239 §6).
fn address(text: &str) -> Option<SocketAddr> {
    let hidden =
        |name: &str| !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "._-".contains(char));
    let ip = |text: &str| text.parse::<IpAddr>().ok();
    let in_brackets = |text: &str| ip(text.strip_prefix('[')?.strip_suffix(']')?).filter(IpAddr::is_ipv6);
    let without_port = |text: &str| in_brackets(text).or_else(|| ip(text).filter(IpAddr::is_ipv4));
    // RFC 4007 §11: a zone means something on one machine alone.
    let with_port = || text.parse::<SocketAddr>().ok().filter(|_| !text.contains('%'));
    let with_name = || text.split_once(":_").filter(|(_, name)| hidden(name)).and_then(|(text, _)| without_port(text));
    let socket = |ip| SocketAddr::new(ip, 0);
    let address = ip(text).or_else(|| in_brackets(text)).map(socket).or_else(with_port);
    let address = address.or_else(|| with_name().map(socket))?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

impl Request {
    /// The values of all fields of that name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        values(&self.fields, name)
    }

    /// Whether one of these fields lists the word (RFC 9110 §5.3: they are one list).
    #[must_use]
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name).iter().flat_map(|value| list(value)).any(|element| element.eq_ignore_ascii_case(word))
    }

    /// Whether a proxy could take it for the beginning of a tunnel.
    #[must_use]
    pub fn names_websocket(&self) -> bool {
        self.values("upgrade").iter().any(|value| value.to_ascii_lowercase().contains("websocket"))
    }

    /// §9.3: whether the connection goes on.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        let says_so = !self.is_http_1_0 || self.lists("connection", "keep-alive");
        says_so && !self.lists("connection", "close") && !self.names_websocket()
    }

    /// The first cookie of that name (RFC 6265 §4.2).
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        let values = self.values("cookie");
        let mut pairs = values.iter().flat_map(|value| value.split(';')).map(|pair| pair.trim_matches([' ', '\t']));
        pairs.find_map(|pair| pair.split_once('=').filter(|(is, _)| *is == name)).map(|(_, value)| value.to_owned())
    }

    /// Who asked each proxy, the last one first, as `X-Forwarded-For` tells: up to the first that is no address.
    #[must_use]
    pub fn x_forwarded_for(&self) -> Vec<SocketAddr> {
        let values = self.values("x-forwarded-for");
        let elements: Vec<&str> = values.iter().flat_map(|value| list(value)).collect();
        elements.into_iter().rev().map_while(address).collect()
    }
}
