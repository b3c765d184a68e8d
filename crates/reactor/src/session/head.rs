//! A request's head, and what becomes of the request: handed to the application, refused, or turned into something else.

use longwire_frame::Connection as Frames;
use longwire_handshake::{
    self as handshake, Accept, Body as Content, Connection as Persistence, FieldName, FieldSlots, FieldValue, Refusal,
    Request, Response, Status, Upgrade, negotiate,
};

use super::web_socket::WebSocket;
use super::{Session, Visit, body, events, later};
use crate::connection::{Connection, Due, Times};
use crate::deadlines::Moment;
use crate::handler::Handler;
use crate::publication::append_encoded;
use crate::reply::{Kind, Page, Reply};
use crate::request;
use crate::server::Origins;

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
            refuse(visit, refusal, asks_for_head(bytes));
            return bytes.len();
        }
    };
    let (head, rest) = bytes.split_at(length);
    let mut slots = FieldSlots::new();
    match Request::parse(head, &mut slots) {
        Ok(parsed) => length + with_content(visit, &parsed, head, rest),
        Err(refusal) => {
            refuse(visit, refusal, asks_for_head(head));
            bytes.len()
        }
    }
}

/// Whether a head that was not understood seems to be a HEAD: then nobody reads a body behind the answer.
fn asks_for_head(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\r\n").unwrap_or(bytes).starts_with(b"HEAD ")
}

/// A head is there: waits for its body, or handles the request. Returns how much of `rest` that took.
fn with_content<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>, head: &[u8], rest: &[u8]) -> usize {
    if visit.connection().loopback && !handshake::loopback_host(parsed.host(), &visit.rules.hosts) {
        refuse(visit, Refusal::HostNotAllowed, parsed.is_head());
        return rest.len();
    }
    let length = match parsed.content() {
        handshake::Content::None => Some(0),
        handshake::Content::Length(length) => Some(length),
        handshake::Content::Chunked => None,
    };
    if length.is_some_and(|length| length > u64::from(visit.sending.limits.body)) {
        refuse(visit, Refusal::BodyTooLarge, parsed.is_head());
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
    let connection = visit.connection();
    (connection.request, connection.waking) = (request, false);
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

/// A plain response, of any size; then the next request or the end.
fn page<H: Handler>(visit: &mut Visit<'_, H>, parsed: &Request<'_, '_>, page: Page, fields: &[(&'static str, String)]) {
    let Page { status, kind, body } = page;
    let mut fields = lend(fields);
    if !body.is_empty() {
        fields.insert(0, (FieldName::CONTENT_TYPE, FieldValue::literal(kind)));
    }
    let last = visit.sending.draining || visit.connection().ending;
    let connection = if last { Persistence::Close } else { parsed.connection() };
    let content = Content::LengthOnly(body.len() as u64);
    respond(visit, &Response { status, fields: &fields, body: content, connection });
    if !parsed.is_head() && !matches!(status.code(), 204 | 205 | 304) {
        visit.sending.push_body(visit.machine, visit.key.slot, body);
    }
    if connection == Persistence::Close {
        visit.shut();
    } else {
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
    if !visit.sending.has_room() {
        return page(visit, parsed, no_room(), &[]);
    }
    let (upgrade, negotiated) = match agreed {
        Ok(agreed) => agreed,
        Err(refusal) => return refuse(visit, refusal, parsed.is_head()),
    };
    let mut fields = lend(fields);
    let accept = upgrade.accept();
    fields.extend(upgrade_fields(&accept, negotiated.protocol));
    let (status, body) = (Status::SWITCHING_PROTOCOLS, Content::None);
    respond(visit, &Response { status, fields: &fields, body, connection: Persistence::Upgrade });
    visit.sending.mark_opened();
    let frames = Frames::server(visit.sending.limits.message);
    visit.become_session(Session::WebSocket(WebSocket::new(frames, pieces)));
    visit.sending.stats.web_sockets += 1;
    opened(visit);
}

/// The fields of the 101.
fn upgrade_fields<'a>(
    accept: &'a Accept,
    protocol: Option<&'a str>,
) -> impl Iterator<Item = (FieldName<'a>, FieldValue<'a>)> {
    let protocol = protocol.and_then(|protocol| FieldValue::new(protocol).ok());
    [
        Some((FieldName::UPGRADE, FieldValue::literal("websocket"))),
        Some((FieldName::SEC_WEBSOCKET_ACCEPT, accept.value())),
        protocol.map(|protocol| (FieldName::SEC_WEBSOCKET_PROTOCOL, protocol)),
    ]
    .into_iter()
    .flatten()
}

/// Something is open: the topics that the request asked for begin, and the application hears of it.
pub(super) fn opened<H: Handler>(visit: &mut Visit<'_, H>) {
    for topic in std::mem::take(&mut visit.sending.wanted) {
        visit.sending.subscribe(visit.key.slot, &topic);
    }
    visit.call(|handler, peer| handler.opened(peer));
}

/// The head of an event stream.
pub(super) fn respond_stream<H: Handler>(visit: &mut Visit<'_, H>, fields: &[(&'static str, String)]) {
    let mut fields = lend(fields);
    fields.push((FieldName::CONTENT_TYPE, FieldValue::literal(longwire_sse::MEDIA_TYPE)));
    fields.push((FieldName::literal("Cache-Control"), FieldValue::literal("no-store")));
    // nginx holds a response back until it has a buffer full, unless it is told not to.
    fields.push((FieldName::literal("X-Accel-Buffering"), FieldValue::literal("no")));
    let (status, body) = (Status::OK, Content::Stream);
    respond(visit, &Response { status, fields: &fields, body, connection: Persistence::Close });
}

/// The peer broke a rule: it is told which, and that was its last request.
pub(super) fn refuse<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal, is_head: bool) {
    log::debug!("{} is refused: {refusal}", visit.sending.id(visit.key));
    let response = refusal.response();
    respond(visit, &response);
    if let (Content::Bytes(body), false) = (response.body, is_head) {
        visit.sending.push(visit.key.slot, body);
    }
    visit.shut();
}

fn no_room() -> Page {
    let body = b"no room\n".as_slice().into();
    Page { status: Status::SERVICE_UNAVAILABLE, kind: "text/plain; charset=utf-8", body }
}

/// A request whose body cannot be kept, for the process has no room.
pub(super) fn refuse_for_room<H: Handler>(visit: &mut Visit<'_, H>) {
    let Page { status, body, .. } = no_room();
    let content = Content::LengthOnly(body.len() as u64);
    respond(visit, &Response { status, fields: &[], body: content, connection: Persistence::Close });
    visit.sending.push(visit.key.slot, &body);
    visit.shut();
}

/// A request began and did not end in time.
pub(crate) fn timed_out<H: Handler>(visit: &mut Visit<'_, H>) {
    refuse(visit, Refusal::RequestTimeout, false);
}

/// Pushes a response's head.
fn respond<H: Handler>(visit: &mut Visit<'_, H>, response: &Response<'_>) {
    visit.sending.stats.requests += 1;
    let date = visit.sending.date;
    visit.sending.push_with(visit.key.slot, |out| {
        append_encoded(response.encoded_head_len(), |place| response.encode_head(&date, place), out);
    });
}

/// Fields that are owned, as the encoder wants them. `Reply::field` and `Opening::field` took nothing else.
pub(super) fn lend<'a>(fields: &'a [(&'static str, String)]) -> Vec<(FieldName<'a>, FieldValue<'a>)> {
    let lend = |(name, value): &'a (&'static str, String)| Some((FieldName::new(name)?, FieldValue::new(value).ok()?));
    fields.iter().filter_map(lend).collect()
}
