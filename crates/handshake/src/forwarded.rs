//! Where a request came from, as the proxies on its way say: `Forwarded` (RFC 7239), and `X-Forwarded-For`, which was there
//! first. Both are lists to which each proxy adds at the right; whatever a client makes up stands to the left of that. So
//! they are read from the right, and what was not reached is not looked at. Which proxy is believed is not decided here.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::Request;
use crate::grammar::{is_alphanumeric_or, is_tchar, is_token, trim};

impl<'h, 'b> Request<'h, 'b> {
    /// Who sent the request to each proxy, as `Forwarded` says (RFC 7239 §5.2), from the last proxy to the first. It ends at
    /// the first that does not tell an address: one that is hidden, unknown, or not as the RFC has it. A port that is not told
    /// is 0, and an IPv4 address in the clothes of IPv6 is one of IPv4.
    ///
    /// ```
    /// use longwire_handshake::{FieldSlots, Request};
    ///
    /// let mut slots = FieldSlots::new();
    /// let head = b"GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=_secret, for=192.0.2.7;proto=https\r\n\
    ///     Forwarded: for=\"[2001:db8::1]:4711\"\r\n\r\n";
    /// let request = Request::parse(head, &mut slots)?;
    /// let told = ["[2001:db8::1]:4711", "192.0.2.7:0"].map(|address| address.parse().expect("an address"));
    /// assert!(request.forwarded_for().eq(told));
    /// # Ok::<(), longwire_handshake::Refusal>(())
    /// ```
    pub fn forwarded_for(&self) -> impl Iterator<Item = SocketAddr> + use<'h, 'b> {
        let elements = self.fields.values("forwarded").rev().flat_map(|list| from_the_right(list, split_quoted));
        elements.map_while(|element| node(for_value(element?)?))
    }

    /// The same as `X-Forwarded-For` says: addresses with or without a port, an IPv6 one with or without brackets.
    pub fn x_forwarded_for(&self) -> impl Iterator<Item = SocketAddr> + use<'h, 'b> {
        let elements = self.fields.values("x-forwarded-for").rev().flat_map(|list| from_the_right(list, split_plain));
        elements.map_while(|element| bare_address(element?).or_else(|| node(element?)))
    }
}

/// What stands before the last element of a list, and that element; nothing if its quotes do not close.
type Split = fn(&[u8]) -> Option<(&[u8], &[u8])>;

/// The elements of a list from the last to the first, trimmed. RFC 9110 §5.6.1.2: empty ones do not count. One that cannot be
/// told from what stands before it is the end.
fn from_the_right(list: &[u8], split: Split) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = trim(list);
    let elements = core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let element = split(rest).map(|(before, element)| {
            rest = trim(before);
            trim(element)
        });
        if element.is_none() {
            rest = &[];
        }
        Some(element)
    });
    elements.filter(|element| element.is_none_or(|element| !element.is_empty()))
}

fn split_plain(list: &[u8]) -> Option<(&[u8], &[u8])> {
    match list.iter().rposition(|byte| *byte == b',') {
        Some(comma) => Some((list.get(..comma)?, list.get(comma + 1..)?)),
        None => Some((&[], list)),
    }
}

/// As a comma in quotes does not divide, they are looked at; from the right, too, for a quote that a client has left open must
/// not swallow what a proxy has added.
fn split_quoted(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut quoted = false;
    let mut left = list;
    while let [before @ .., byte] = left {
        match byte {
            // RFC 9110 §5.6.4: a quote behind a backslash is one of the string's own bytes. (Outside of a string it makes no element.)
            b'"' if backslashes_at_the_end(before).is_multiple_of(2) => quoted = !quoted,
            b',' if !quoted => return Some((before, list.get(left.len()..)?)),
            _ => {}
        }
        left = before;
    }
    (!quoted).then_some((&[], list))
}

fn backslashes_at_the_end(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == b'\\').count()
}

/// RFC 7239 §4: the value of the pair `for`, which stands in an element at most once, without its quotes.
fn for_value(element: &[u8]) -> Option<&[u8]> {
    let mut value = None;
    let mut rest = element;
    while !rest.is_empty() {
        let (pair, behind) = split_pair(rest)?;
        rest = behind;
        if let Some((_, node)) = pair.filter(|(name, _)| name.eq_ignore_ascii_case(b"for"))
            && value.replace(node).is_some()
        {
            return None;
        }
    }
    value
}

type Pair<'b> = (&'b [u8], &'b [u8]);

/// `[ name "=" value ] ( ";" | end )`, and what stands behind. Blanks around the semicolon are overlooked, as they are seen there.
fn split_pair(bytes: &[u8]) -> Option<(Option<Pair<'_>>, &[u8])> {
    if let Some(behind) = bytes.strip_prefix(b";") {
        return Some((None, trim(behind)));
    }
    let (name, value) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == b'=')?)?;
    let value = value.strip_prefix(b"=").filter(|_| is_token(name))?;
    let (value, behind) = match value.strip_prefix(b"\"") {
        Some(quoted) => split_string(quoted)?,
        None => value.split_at_checked(value.iter().position(|byte| !is_tchar(*byte)).unwrap_or(value.len()))?,
    };
    match trim(behind) {
        [] => Some((Some((name, value)), &[])),
        [b';', behind @ ..] => Some((Some((name, value)), trim(behind))),
        _ => None,
    }
}

/// The rest of a quoted string, whose first quote was taken, with its backslashes; and what stands behind its last quote.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((bytes.get(..bytes.len() - rest.len())?, behind)),
            [b'\\', _, behind @ ..] | [_, behind @ ..] => rest = behind,
            [] => return None,
        }
    }
}

/// RFC 7239 §6: an IPv4 address, or one of IPv6 in brackets, and perhaps a port. `unknown` and hidden names are no address.
fn node(text: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(text).ok()?;
    let (address, port) = match text.strip_prefix('[') {
        Some(text) => {
            let (address, behind) = text.split_once(']')?;
            let port = if behind.is_empty() { None } else { Some(behind.strip_prefix(':')?) };
            (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let (address, port) = text.split_once(':').map_or((text, None), |(address, port)| (address, Some(port)));
            (IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), port)
        }
    };
    Some(SocketAddr::new(address.to_canonical(), port.map_or(Some(0), port_number)?))
}

/// §6.3: up to five digits, or a hidden name, which is no number.
fn port_number(text: &str) -> Option<u16> {
    match text.as_bytes() {
        [b'_', name @ ..] => {
            (!name.is_empty() && name.iter().all(|byte| is_alphanumeric_or(*byte, b"._-"))).then_some(0)
        }
        digits => digits.iter().all(u8::is_ascii_digit).then(|| text.parse().ok())?,
    }
}

fn bare_address(text: &[u8]) -> Option<SocketAddr> {
    let address: IpAddr = str::from_utf8(text).ok()?.parse().ok()?;
    Some(SocketAddr::new(address.to_canonical(), 0))
}
