//! An opening handshake of ours: the request is sent when the socket is connected, and the 101 is awaited. RFC 6455 §4.1.

use core::net::IpAddr;

use longwire_frame::Connection as Frames;
use longwire_handshake::client::{self, OriginForm};
use longwire_handshake::{self as handshake, DeflateOffer, FieldName, FieldValue, Token};

use super::{Session, Visit, answer, web_socket};
use crate::closed::{Closed, Deadline};
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::deflate::Terms;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::ledger::OBJECT;

/// What a client asks for: where the WebSocket is, and on which terms.
#[derive(Clone, Debug)]
pub struct Opening {
    host: String,
    target: String,
    protocols: Vec<Token<'static>>,
    origin: Option<String>,
    fields: Vec<(&'static str, String)>,
    pieces: bool,
    source: Option<IpAddr>,
    deflate: Option<DeflateOffer>,
}

impl Opening {
    /// A WebSocket at `target` (a path, with its query) of `host` (a name or an address, with the port unless it is 80).
    #[must_use]
    pub fn new(host: FieldValue<'_>, target: OriginForm<'_>) -> Self {
        Self {
            host: host.as_str().into(),
            target: target.as_str().into(),
            protocols: Vec::new(),
            origin: None,
            fields: Vec::new(),
            pieces: false,
            source: None,
            deflate: None,
        }
    }

    /// Asks for a subprotocol; the first one is the most wanted.
    #[must_use]
    pub fn protocol(mut self, name: Token<'static>) -> Self {
        self.protocols.push(name);
        self
    }

    /// Says which page asks, as a browser would.
    #[must_use]
    pub fn origin(mut self, origin: FieldValue<'_>) -> Self {
        self.origin = Some(origin.as_str().into());
        self
    }

    /// Adds a field to the request. Those that the handshake itself says are passed over.
    #[must_use]
    pub fn field(mut self, name: FieldName<'static>, value: FieldValue<'_>) -> Self {
        self.fields.push((name.as_str(), value.as_str().into()));
        self
    }

    /// Asks for [`Handler::piece`] instead of whole messages.
    #[must_use]
    pub const fn pieces(mut self) -> Self {
        self.pieces = true;
        self
    }

    /// Comes from this address, which must be one of this machine, instead of the one that the system chooses. So a client can have more
    /// connections to one server than an address has ports, some 28,000.
    #[must_use]
    pub const fn source(mut self, address: IpAddr) -> Self {
        self.source = Some(address);
        self
    }

    pub(crate) const fn comes_from(&self) -> Option<IpAddr> {
        self.source
    }

    /// Offers permessage-deflate (RFC 7692): whether messages are compressed is then for the server to say.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, offer: DeflateOffer) -> Self {
        self.deflate = Some(offer);
        self
    }

    /// Lends the parts to the encoder's borrowed form. They were checked when they were given.
    fn with<T>(&self, key: [u8; 16], call: impl FnOnce(&client::Opening<'_>) -> T) -> T {
        let value = |text| FieldValue::new(text).expect("it was a field value when it was given");
        call(&client::Opening {
            host: value(&self.host),
            target: OriginForm::new(&self.target).expect("it was a target when it was given"),
            key,
            protocols: &self.protocols,
            origin: self.origin.as_deref().map(value),
            deflate: self.deflate,
            fields: &answer::lend(&self.fields),
        })
    }
}

/// An opening whose answer is awaited.
pub(crate) struct Awaited {
    opening: Opening,
    nonce: [u8; 16],
    scan: handshake::Head,
    connected: bool,
}

impl Awaited {
    pub(crate) const fn new(opening: Opening, nonce: [u8; 16], limits: handshake::Limits) -> Self {
        Self { opening, nonce, scan: handshake::Head::new(limits), connected: false }
    }

    pub(crate) fn pinned(&self) -> usize {
        let Opening { host, target, protocols, origin, fields, .. } = &self.opening;
        let origin = origin.as_ref().map_or(0, String::capacity);
        let values: usize = fields.iter().map(|(_, value)| value.capacity() + OBJECT).sum();
        let lists = size_of_val(protocols.as_slice()) + size_of_val(fields.as_slice());
        size_of::<Self>() + host.capacity() + target.capacity() + origin + values + lists + 6 * OBJECT
    }
}

pub(super) fn due(connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
    Some((connection.since.after(times.head), Due::Late(Deadline::Opening)))
}

/// The socket became writable for the first time: it is connected, and the request goes out.
pub(crate) fn connected<H: Handler>(visit: &mut Visit<'_, H>) {
    let Session::Opening(awaited) = &mut visit.sending.slots[visit.key.slot].session else { return };
    if std::mem::replace(&mut awaited.connected, true) {
        return;
    }
    let request = awaited.opening.with(awaited.nonce, |opening| {
        let mut request = vec![0; opening.encoded_len()];
        opening.encode(&mut request).map(|_| request)
    });
    match request {
        Ok(request) => visit.sending.push(visit.key.slot, &request),
        Err(_) => visit.finish(Closed::Refused),
    }
}

/// Whether its socket is still being connected.
pub(crate) fn is_connecting(session: &Session) -> bool {
    matches!(session, Session::Opening(awaited) if !awaited.connected)
}

/// Scans the answer; a 101 that keeps its terms opens the WebSocket. RFC 6455 §7.2.1: an answer that is not fine fails the
/// connection; §9.1: only what it agrees to is in use. RFC 9112 §9.2: there is one request, so the answer is its own.
pub(super) fn receive<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let Session::Opening(awaited) = &mut visit.sending.slots[visit.key.slot].session else { return 0 };
    let length = match awaited.scan.scan(bytes) {
        Ok(None) => return 0,
        Ok(Some(length)) => length,
        Err(_) => {
            visit.finish(Closed::Refused);
            return bytes.len();
        }
    };
    let agreed = awaited
        .opening
        .with(awaited.nonce, |opening| client::check_response(&bytes[..length], opening).map(|opened| opened.deflate));
    let pieces = awaited.opening.pieces;
    let Ok(agreed) = agreed else {
        visit.finish(Closed::Refused);
        return bytes.len();
    };
    visit.users.insert(visit.key.slot, H::User::default());
    visit.sending.wanted.clear();
    web_socket::open(visit, Frames::client(visit.sending.limits.message), Terms::of_client(agreed), pieces);
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_pins_all_that_it_will_say() {
        let host = FieldValue::new("example.org").expect("a value");
        let awaited = |opening| Awaited::new(opening, [0; 16], handshake::Limits::DEFAULT).pinned();
        let bare = awaited(Opening::new(host, OriginForm::literal("/")));
        assert_eq!(bare, size_of::<Awaited>() + "example.org".len() + "/".len() + 6 * OBJECT);
        let field = |opening: Opening, name, value| opening.field(FieldName::literal(name), FieldValue::literal(value));
        let more = Opening::new(host, OriginForm::literal("/"));
        let more = field(field(more, "Cookie", "a=b"), "X-Token", "secret");
        let fields = 2 * size_of::<(&str, String)>() + 3 + 6 + 2 * OBJECT;
        assert_eq!(awaited(more), bare + fields);
    }
}
