//! A request's head, and the way of the request to the application. What it is answered with is in `answer.rs`.

use longwire_handshake::{self as handshake, FieldSlots, Refusal, Request};

use super::{Session, Visit, answer, body};
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::reply::Reply;
use crate::{forwarded, request};

/// A head that is awaited or arriving.
pub(crate) struct Head {
    scan: handshake::Head,
    /// Its first byte is there, and so the head deadline runs.
    begun: bool,
    /// No request has been answered on this connection yet.
    first: bool,
}

impl Head {
    /// The next head of a connection that has answered one.
    pub(crate) const fn next(limits: handshake::Limits) -> Self {
        Self { scan: handshake::Head::new(limits), begun: false, first: false }
    }

    /// Whether no byte of it is there.
    pub(crate) const fn is_awaited(&self) -> bool {
        !self.begun
    }

    /// Whether the connection has answered a request and has not begun another.
    pub(crate) const fn is_between_requests(&self) -> bool {
        !self.first && !self.begun
    }

    /// The first head of a connection: the deadline runs from accept on.
    pub(crate) const fn first(limits: handshake::Limits) -> Self {
        Self { scan: handshake::Head::new(limits), begun: false, first: true }
    }

    pub(super) fn due(&self, connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
        match (self.begun, self.first) {
            // Between requests the peer may think, but not while it still reads the last answer.
            (false, false) if connection.waits() => None,
            (false, false) => Some((connection.since.after(times.keep_alive), Due::Quiet)),
            (false, true) => Some((connection.since.after(times.head), Due::Quiet)),
            (true, _) => Some((connection.since.after(times.head), Due::RequestTimeout)),
        }
    }
}

/// Scans on from where the last bytes ended; with the blank line the request begins.
pub(super) fn receive<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let now = visit.sending.now;
    let connection = &mut visit.sending.slots[visit.key.slot];
    let Session::Head(head) = &mut connection.session else { return 0 };
    if !std::mem::replace(&mut head.begun, true) && !head.first {
        connection.since = now;
        // Behind a proxy the next request may be another person's.
        visit.sending.addresses.forget_client(visit.key.slot);
    }
    let length = match head.scan.scan(bytes) {
        Ok(Some(length)) => length,
        Ok(None) => return 0,
        Err(refusal) => {
            answer::refuse_bytes(visit, refusal, bytes);
            return bytes.len();
        }
    };
    let (head, rest) = bytes.split_at(length);
    let mut slots = FieldSlots::new();
    match Request::parse(head, &mut slots) {
        Ok(parsed) => {
            learn_client(visit, &parsed);
            length + with_content(visit, &parsed, head, rest)
        }
        Err(refusal) => {
            answer::refuse_bytes(visit, refusal, head);
            bytes.len()
        }
    }
}

/// Whom the request is from, if the peer is a trusted proxy. Behind it the next request may be another person's.
fn learn_client<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>) {
    if !visit.rules.trusted.is_empty() && forwarded::is_forwarded(parsed) {
        let peer = visit.sending.addresses.peer(visit.key.slot);
        if let Some(client) = forwarded::client(parsed, peer, &visit.rules.trusted) {
            visit.sending.addresses.learn_client(visit.key.slot, client);
        }
    }
}

/// A head is there: waits for its body, or handles the request. Returns how much of `rest` that took. RFC 9112 §9.3: the body is
/// read, or the connection closed. RFC 9110 §10.1.1: leave to send it is not kept waiting.
fn with_content<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>, head: &[u8], rest: &[u8]) -> usize {
    if visit.connection().loopback && !handshake::loopback_host(parsed.host(), &visit.rules.hosts) {
        answer::refuse(visit, Refusal::HostNotAllowed, parsed);
        return rest.len();
    }
    let length = match parsed.content() {
        handshake::Content::None => Some(0),
        handshake::Content::Length(length) => Some(length),
        handshake::Content::Chunked => None,
    };
    if length.is_some_and(|length| length > u64::from(visit.sending.limits.body)) {
        answer::refuse(visit, Refusal::BodyTooLarge, parsed);
        return rest.len();
    }
    let length = length.map(|length| length as u32);
    match length {
        Some(length) if length as usize <= rest.len() => {
            request(visit, parsed, head, &rest[..length as usize]);
            length as usize
        }
        _ => {
            // RFC 9110 §10.1.1: a client that waits for leave gets it; one whose body is on its way needs none.
            if parsed.expects_continue() && rest.is_empty() {
                visit.sending.push(visit.key.slot, b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            body::begin(visit, head, length);
            0
        }
    }
}

/// A whole request: asks the application.
pub(super) fn request<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>, head: &[u8], body: &[u8]) {
    visit.sending.wanted.clear();
    let request = visit.sending.slots.stamp();
    let now = visit.sending.now;
    let connection = visit.connection();
    (connection.request, connection.waking, connection.since) = (request, false, now);
    visit.users.insert(visit.key.slot, H::User::default());
    let mut reply = None;
    visit.call(|handler, peer| {
        reply = Some(handler.request(peer, &request::Request::new(parsed), body));
    });
    answer::apply(visit, parsed, head, reply.unwrap_or_else(|| Reply::status(500)));
    if !visit.connection().session.keeps_user() {
        visit.users.remove(visit.key.slot);
    }
}
