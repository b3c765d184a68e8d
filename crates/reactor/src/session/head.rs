//! A request's head, and what becomes of the request: handed to the application, refused, or turned into something else.

use std::time::Duration;

use longwire_frame::Connection as Frames;
use longwire_handshake::{
    self as handshake, Accept, Body as Content, Connection as Persistence, Deflate, FieldName, FieldSlots, FieldValue,
    Refusal, Request, Response, Status, Upgrade, negotiate,
};

use super::{Session, Visit, body, events, later, web_socket};
use crate::access::Record;
use crate::closed::Closed;
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::deflate::Terms;
use crate::due::{Due, Times};
use crate::encode::append_encoded;
use crate::handler::Handler;
use crate::reply::{Kind, Page, Reply};
use crate::server::Origins;
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
    }
    let length = match head.scan.scan(bytes) {
        Ok(Some(length)) => length,
        Ok(None) => return 0,
        Err(refusal) => {
            refuse_bytes(visit, refusal, bytes);
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
            refuse_bytes(visit, refusal, head);
            bytes.len()
        }
    }
}

/// Whether a head that was not understood seems to be a HEAD: then nobody reads a body behind the answer. RFC 9110 §9.3.2: not even
/// a refusal has content then.
fn asks_for_head(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\r\n").unwrap_or(bytes).starts_with(b"HEAD ")
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
        refuse(visit, Refusal::HostNotAllowed, parsed);
        return rest.len();
    }
    let length = match parsed.content() {
        handshake::Content::None => Some(0),
        handshake::Content::Length(length) => Some(length),
        handshake::Content::Chunked => None,
    };
    if length.is_some_and(|length| length > u64::from(visit.sending.limits.body)) {
        refuse(visit, Refusal::BodyTooLarge, parsed);
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
    apply(visit, parsed, head, reply.unwrap_or_else(|| Reply::status(500)));
    if !visit.connection().session.keeps_user() {
        visit.users.remove(visit.key.slot);
    }
}

/// Does what the application answered.
pub(super) fn apply<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>, head: &[u8], reply: Reply) {
    let Reply { kind, fields } = reply;
    match kind {
        Kind::WebSocket { protocols, pieces, dropping } => {
            visit.connection().dropping = dropping;
            open(visit, parsed, &fields, &protocols, pieces);
        }
        Kind::Events { retry, dropping } => {
            visit.connection().dropping = dropping;
            events::open(visit, parsed, &fields, retry);
        }
        Kind::Page(answer) => page(visit, parsed, answer, &fields),
        Kind::Later => later::wait(visit, head),
    }
}

/// A plain response, of any size; then the next request or the end. RFC 9110 §9.3.2: to HEAD the head alone.
fn page<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>, page: Page, fields: &[(&'static str, String)]) {
    let Page { status, kind, body } = page;
    let mut fields = lend(fields);
    if !body.is_empty() {
        fields.insert(0, (FieldName::CONTENT_TYPE, FieldValue::literal(kind)));
    }
    let last = visit.sending.draining || visit.connection().ending;
    let connection = if last { Persistence::Close } else { parsed.connection() };
    let content = Content::LengthOnly(body.len() as u64);
    let has_body = !parsed.is_head() && !matches!(status.code(), 204 | 205 | 304);
    let sent = if has_body { body.len() } else { 0 };
    respond(visit, Some(parsed), &Response { status, fields: &fields, body: content, connection }, sent);
    if has_body {
        visit.sending.push_body(visit.machine, visit.key.slot, body);
    }
    if connection == Persistence::Close {
        visit.shut(Closed::Answered);
    } else {
        visit.sending.addresses.forget_client(visit.key.slot);
        let next = Head::next(visit.sending.limits.head);
        visit.become_session(Session::Head(next));
    }
}

/// Answers an opening handshake (RFC 6455 §4.2.2), or refuses it.
fn open<H: Handler>(
    visit: &mut Visit<'_, H>,
    parsed: &Request<'_, '_>,
    fields: &[(&'static str, String)],
    protocols: &[&'static str],
    pieces: bool,
) {
    let listed: Vec<&str>;
    let origins = match &visit.rules.origins {
        Origins::Same => handshake::Origins::Same,
        Origins::Any => handshake::Origins::Any,
        Origins::Listed(origins) => {
            listed = origins.iter().map(String::as_str).collect();
            handshake::Origins::Listed(&listed)
        }
    };
    let agreed =
        Upgrade::from_request(parsed).and_then(|upgrade| Ok((upgrade, negotiate(parsed, &origins, protocols)?)));
    if !visit.sending.find_room() {
        return page(visit, parsed, no_room(), &[]);
    }
    let (upgrade, negotiated) = match agreed {
        Ok(agreed) => agreed,
        Err(refusal) => return refuse(visit, refusal, parsed),
    };
    let agreed = visit.rules.deflate.and_then(|wanted| wanted.answer(upgrade.extensions()));
    let mut memory = [0; Deflate::MAX_LEN];
    let extension = agreed.map(|agreed| agreed.value(&mut memory));
    let mut fields = lend(fields);
    let accept = upgrade.accept();
    fields.extend(upgrade_fields(&accept, negotiated.protocol, extension));
    let (status, body) = (Status::SWITCHING_PROTOCOLS, Content::None);
    let response = Response { status, fields: &fields, body, connection: Persistence::Upgrade };
    respond(visit, Some(parsed), &response, 0);
    web_socket::open(visit, Frames::server(visit.sending.limits.message), Terms::of_server(agreed), pieces);
}

/// The fields of the 101.
fn upgrade_fields<'a>(
    accept: &'a Accept,
    protocol: Option<&'a str>,
    extension: Option<FieldValue<'a>>,
) -> impl Iterator<Item = (FieldName<'a>, FieldValue<'a>)> {
    let protocol = protocol.and_then(|protocol| FieldValue::new(protocol).ok());
    [
        Some((FieldName::UPGRADE, FieldValue::WEBSOCKET)),
        Some((FieldName::SEC_WEBSOCKET_ACCEPT, accept.value())),
        protocol.map(|protocol| (FieldName::SEC_WEBSOCKET_PROTOCOL, protocol)),
        extension.map(|extension| (FieldName::SEC_WEBSOCKET_EXTENSIONS, extension)),
    ]
    .into_iter()
    .flatten()
}

/// The head of an event stream. WHATWG HTML §9.2.2: with any other status or type a browser gives up for ever.
pub(super) fn respond_stream<H: Handler>(
    visit: &mut Visit<'_, H>,
    parsed: &Request<'_, '_>,
    fields: &[(&'static str, String)],
) {
    let mut fields = lend(fields);
    fields.push((FieldName::CONTENT_TYPE, FieldValue::literal(longwire_sse::MEDIA_TYPE)));
    fields.push((FieldName::CACHE_CONTROL, FieldValue::literal("no-store")));
    // nginx holds a response back until it has a buffer full, unless it is told not to.
    fields.push((FieldName::literal("X-Accel-Buffering"), FieldValue::literal("no")));
    let (status, body) = (Status::OK, Content::Stream);
    respond(visit, Some(parsed), &Response { status, fields: &fields, body, connection: Persistence::Close }, 0);
}

/// The peer broke a rule: it is told which, and that was its last request.
pub(super) fn refuse<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal, parsed: &Request<'_, '_>) {
    refuse_with(visit, refusal, Some(parsed), parsed.is_head());
}

/// The same, where the bytes of a head did not make a request.
fn refuse_bytes<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal, bytes: &[u8]) {
    refuse_with(visit, refusal, None, asks_for_head(bytes));
}

/// The same again, where there may be a request.
pub(super) fn refuse_with<H: Handler>(
    visit: &mut Visit<'_, H>,
    refusal: Refusal,
    parsed: Option<&Request<'_, '_>>,
    is_head: bool,
) {
    log::debug!("{} is refused: {refusal}", visit.sending.id(visit.key));
    let response = refusal.response();
    let body = match response.body {
        Content::Bytes(body) if !is_head => body,
        _ => &[],
    };
    respond(visit, parsed, &response, body.len());
    visit.sending.push(visit.key.slot, body);
    visit.shut(Closed::Answered);
}

fn no_room() -> Page {
    let body = b"no room\n".as_slice().into();
    Page { status: Status::SERVICE_UNAVAILABLE, kind: "text/plain; charset=utf-8", body }
}

/// A request that cannot be kept until it is whole, for the process has no room.
pub(super) fn refuse_for_room<H: Handler>(visit: &mut Visit<'_, H>) {
    let Page { status, body, .. } = no_room();
    let content = Content::LengthOnly(body.len() as u64);
    body::give_up(visit, |visit, parsed| {
        let response = Response { status, fields: &[], body: content, connection: Persistence::Close };
        let body = if parsed.is_some_and(Request::is_head) { &[] } else { &*body };
        respond(visit, parsed, &response, body.len());
        visit.sending.push(visit.key.slot, body);
        visit.shut(Closed::NoRoom);
    });
}

/// A request began and did not end in time. RFC 9112 §9.5: gracefully.
pub(super) fn timed_out<H: Handler>(visit: &mut Visit<'_, H>) {
    if let Session::Body(_) = visit.connection().session {
        return body::refuse(visit, Refusal::RequestTimeout);
    }
    let begun = visit.input.take().map(|input| input.carry).unwrap_or_default();
    refuse_bytes(visit, Refusal::RequestTimeout, &begun);
}

/// Pushes a response's head, and tells the application of it. So many bytes of body will follow.
fn respond<H: Handler>(
    visit: &mut Visit<'_, H>,
    parsed: Option<&Request<'_, '_>>,
    response: &Response<'_>,
    body: usize,
) {
    visit.sending.stats.requests += 1;
    let date = visit.sending.date;
    visit.sending.push_with(visit.key.slot, |out| {
        append_encoded(response.encoded_head_len(), |place| response.encode_head(&date, place), out);
    });
    let (request, status) = (parsed.map(request::Request::new), response.status.code());
    let took = visit.sending.now.since(visit.connection().since);
    let took = Duration::from_millis(u64::from(took));
    visit.access(Record::Answered { request, status, body: body as u64, took });
}

/// Fields that are owned, as the encoder wants them. `Reply::field` and `Opening::field` took nothing else.
pub(super) fn lend<'a>(fields: &'a [(&'static str, String)]) -> Vec<(FieldName<'a>, FieldValue<'a>)> {
    let lend = |(name, value): &'a (&'static str, String)| Some((FieldName::new(name)?, FieldValue::new(value).ok()?));
    fields.iter().filter_map(lend).collect()
}
