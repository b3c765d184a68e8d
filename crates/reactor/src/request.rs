//! A request as the application sees it: the parsed head, decoded where a form was encoded. Where it came from, the peer
//! knows.

use std::borrow::Cow;

use longwire_handshake as handshake;

/// A whole request, borrowed from the input.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    head: &'a handshake::Request<'a, 'a>,
}

impl<'a> Request<'a> {
    pub(crate) const fn new(head: &'a handshake::Request<'a, 'a>) -> Self {
        Self { head }
    }

    /// The method, as sent: `GET`, `POST`, …
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.head.method()
    }

    /// The target, as sent: what an access log shows. Most clients send the path with its query (`/chat?room=1`), some, as proxies
    /// are asked, a whole URI (`http://localhost/chat?room=1`).
    #[must_use]
    pub fn target(&self) -> &'a str {
        self.head.target_as_sent()
    }

    /// The path, as sent (not decoded), without the query; `*` for a request that names no resource.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.head.path()
    }

    /// The first value of a name in the query, decoded as a form is: `+` is a blank, `%41` is `A`, and bytes that are no
    /// UTF-8 become U+FFFD.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<Cow<'a, str>> {
        self.head.query()?.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    /// The first field of that name (any case) whose value is UTF-8.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.head.field(name)
    }

    /// A cookie's value, as sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&'a str> {
        self.head.cookie(name)
    }

    /// Where an event stream that was cut wants to go on.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&'a str> {
        self.head.last_event_id()
    }

    /// The page that asks, for a browser's request.
    #[must_use]
    pub fn origin(&self) -> Option<&'a str> {
        self.head.origin()
    }

    /// The head, for what this view leaves out.
    #[must_use]
    pub const fn head(&self) -> &'a handshake::Request<'a, 'a> {
        self.head
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method(), self.path())
    }
}

/// Decodes `application/x-www-form-urlencoded` text.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Cow::Borrowed(text);
    }
    let hex = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    match String::from_utf8(decoded) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_query_is_decoded_as_a_form() {
        for (sent, meant) in [
            ("plain", "plain"),
            ("a+b%20c", "a b c"),
            ("%e2%80%A6", "…"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decode(sent), meant, "{sent}");
        }
    }
}
