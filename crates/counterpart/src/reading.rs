//! A request as we read it, in JSON: whoever sent the bytes can compare it with what was meant.

use longwire_reactor::Request;
use longwire_reactor::handshake::Version;
use serde::Serialize;

/// What a request says. Bytes are written as the characters of their numbers, as Latin-1 has them: every byte is one.
#[derive(Serialize)]
pub(crate) struct Reading<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    version: &'static str,
    fields: Vec<(&'a str, String)>,
    body: String,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(request: &Request<'a>, body: &[u8]) -> Self {
        let head = request.head();
        Self {
            method: head.method(),
            path: head.path(),
            query: head.query(),
            version: match head.version() {
                Version::Http10 => "HTTP/1.0",
                Version::Http11 => "HTTP/1.1",
            },
            fields: head.fields().map(|field| (field.name, latin_1(field.value))).collect(),
            body: latin_1(body),
        }
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
