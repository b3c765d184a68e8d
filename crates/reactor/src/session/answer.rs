//! What a request is answered with: a page, a 101, the head of an event stream, a refusal. Each is told to the application.

use std::time::Duration;

use longwire_frame::Connection as Frames;
use longwire_handshake::{
    self as handshake, Accept, Body as Content, Connection as Persistence, Deflate, FieldName, FieldValue, Refusal,
    Request, Response, Status, Upgrade, negotiate,
};

use super::head::Head;
use super::{Session, Visit, body, events, later, web_socket};
use crate::access::Record;
use crate::closed::Closed;
use crate::deflate::Terms;
use crate::encode::append_encoded;
use crate::handler::Handler;
use crate::reply::{Kind, Page, Reply};
use crate::request;
use crate::server::Origins;

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
    let response = Response { status, fields: &fields, body: content, connection };
    if !has_body || body.len() < visit.sending.limits.direct {
        respond(visit, Some(parsed), &response, if has_body { &body } else { &[] });
    } else {
        respond_with(visit, Some(parsed), &response, body.len(), &[]);
        visit.sending.push_body(visit.machine, visit.key.slot, body);
    }
    if connection == Persistence::Close {
        visit.shut(Closed::Answered);
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
    if !visit.sending.find_room() {
        return apply(visit, parsed, &[], no_room());
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
    respond(visit, Some(parsed), &response, &[]);
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
    respond(visit, Some(parsed), &Response { status, fields: &fields, body, connection: Persistence::Close }, &[]);
}

/// The peer broke a rule: it is told which, and that was its last request.
pub(super) fn refuse<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal, parsed: &Request<'_, '_>) {
    refuse_with(visit, refusal, Some(parsed), parsed.is_head());
}

/// The same, where the bytes of a head did not make a request.
pub(super) fn refuse_bytes<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal, bytes: &[u8]) {
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
    respond(visit, parsed, &response, body);
    visit.shut(Closed::Answered);
}

/// Whether a head that was not understood seems to be a HEAD: then nobody reads a body behind the answer. RFC 9110 §9.3.2: not even
/// a refusal has content then.
fn asks_for_head(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\r\n").unwrap_or(bytes).starts_with(b"HEAD ")
}

/// What whoever finds no room is told.
pub(super) fn no_room() -> Reply {
    Reply::text("no room\n").with_status(503)
}

/// A request that cannot be kept until it is whole, for the process has no room.
pub(super) fn refuse_for_room<H: Handler>(visit: &mut Visit<'_, H>) {
    let Kind::Page(Page { status, kind, body }) = no_room().kind else { return };
    let content = Content::LengthOnly(body.len() as u64);
    body::give_up(visit, |visit, parsed| {
        let fields = [(FieldName::CONTENT_TYPE, FieldValue::literal(kind))];
        let response = Response { status, fields: &fields, body: content, connection: Persistence::Close };
        let body = if parsed.is_some_and(Request::is_head) { &[] } else { &*body };
        respond(visit, parsed, &response, body);
        visit.shut(Closed::NoRoom);
    });
}

/// A request began and did not end in time. RFC 9112 §9.5: gracefully.
pub(super) fn timed_out<H: Handler>(visit: &mut Visit<'_, H>) {
    if let Session::Body(_) = visit.connection().session {
        return body::refuse(visit, Refusal::RequestTimeout);
    }
    let mut begun = visit.input.take().map(|input| input.carry).unwrap_or_default();
    refuse_bytes(visit, Refusal::RequestTimeout, begun.rest());
}

/// Pushes a response with this body, all of it or nothing where there is no room, and tells the application of it.
fn respond<H: Handler>(
    visit: &mut Visit<'_, H>,
    parsed: Option<&Request<'_, '_>>,
    response: &Response<'_>,
    body: &[u8],
) {
    respond_with(visit, parsed, response, body.len(), body);
}

/// The same, of whose `length` bytes of body these are there. The others follow.
fn respond_with<H: Handler>(
    visit: &mut Visit<'_, H>,
    parsed: Option<&Request<'_, '_>>,
    response: &Response<'_>,
    length: usize,
    body: &[u8],
) {
    visit.sending.stats.requests += 1;
    let date = visit.sending.date;
    visit.sending.push_with(visit.key.slot, |out| {
        append_encoded(response.encoded_head_len(), |place| response.encode_head(&date, place), out);
        out.push(body);
    });
    visit.sending.flush_if_long(visit.machine, visit.key.slot);
    let (request, status) = (parsed.map(request::Request::new), response.status.code());
    let took = visit.sending.now.since(visit.connection().since);
    let took = Duration::from_millis(u64::from(took));
    visit.access(Record::Answered { request, status, body: length as u64, took });
}

/// Fields that are owned, as the encoder wants them. `Reply::field` and `Opening::field` took nothing else.
pub(super) fn lend<'a>(fields: &'a [(&'static str, String)]) -> Vec<(FieldName<'a>, FieldValue<'a>)> {
    let lend = |(name, value): &'a (&'static str, String)| Some((FieldName::new(name)?, FieldValue::new(value).ok()?));
    fields.iter().filter_map(lend).collect()
}
