//! A request's body: taken whole, by its length or in chunks, up to `Limits::body`. RFC 9112 §6.

use longwire_handshake::{Chunks, FieldSlots, Part, Refusal, Request};

use super::{Session, Visit, answer, head};
use crate::handler::Handler;
use crate::queue::growth;

/// What is still to come of a body. The input holds the head and what has come, as the request.
pub(crate) struct Body {
    head: u32,
    left: Left,
}

#[derive(Clone, Copy)]
enum Left {
    Length(u32),
    Chunks(Chunks),
}

/// Begins a body whose head is `head`.
pub(super) fn begin<H: Handler>(visit: &mut Visit<'_, H>, head: &[u8], length: Option<u32>) {
    let most = visit.sending.limits.body;
    let left = length.map_or(Left::Chunks(Chunks::new(most)), Left::Length);
    visit.input.get_or_insert_default().request = head.to_vec();
    visit.become_session(Session::Body(Body { head: head.len() as u32, left }));
}

/// Takes what belongs to the body. With its last byte the request is handed to the application.
pub(super) fn receive<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let Session::Body(Body { head, mut left }) = visit.connection().session else { return 0 };
    let taken = match &mut left {
        Left::Length(left) => {
            let taken = bytes.len().min(*left as usize);
            *left -= taken as u32;
            append(visit, &bytes[..taken]).then_some((taken, *left == 0))
        }
        Left::Chunks(chunks) => match decode(visit, chunks, bytes) {
            Ok(taken) => taken,
            Err(refusal) => {
                refuse(visit, refusal);
                None
            }
        },
    };
    // Else it has come to an end.
    let Some((taken, whole)) = taken else { return bytes.len() };
    if let Session::Body(body) = &mut visit.connection().session {
        body.left = left;
    }
    if whole {
        let all = visit.input.as_mut().map(|input| std::mem::take(&mut input.request)).unwrap_or_default();
        let (head, content) = all.split_at(head as usize);
        let mut slots = FieldSlots::new();
        let request = Request::parse(head, &mut slots).expect("a head that was parsed before");
        head::request(visit, &request, head, content);
    }
    taken
}

/// Appends data to what has come. `false` if there is no room for it: then the connection has come to an end.
fn append<H: Handler>(visit: &mut Visit<'_, H>, data: &[u8]) -> bool {
    let begun = visit.input.as_ref().map_or((0, 0), |input| (input.request.len(), input.request.capacity()));
    if !visit.may_grow(growth(begun.0, begun.1, data.len())) {
        return false;
    }
    visit.input.get_or_insert_default().request.extend_from_slice(data);
    true
}

/// Appends the data that is in these bytes of a coded body. Returns how many bytes that took, and whether the body is whole.
fn decode<H: Handler>(
    visit: &mut Visit<'_, H>,
    chunks: &mut Chunks,
    bytes: &[u8],
) -> Result<Option<(usize, bool)>, Refusal> {
    let mut at = 0;
    loop {
        let (part, taken) = chunks.decode(&bytes[at..])?;
        at += taken;
        match part {
            Part::Data(data) if append(visit, data) => {}
            Part::Data(_) => return Ok(None),
            Part::More => return Ok(Some((at, false))),
            Part::End => return Ok(Some((at, true))),
        }
    }
}

/// The peer broke a rule in the body, or was too slow with it. RFC 9110 §10.1.1: as the last answer of the connection.
pub(super) fn refuse<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal) {
    give_up(visit, |visit, request| {
        answer::refuse_with(visit, refusal, request, request.is_some_and(Request::is_head));
    });
}

/// The rest of a request is not awaited any more: gives its answer, with its head if that was whole and did not have to go for lack
/// of room. RFC 9112 §6.3: an incomplete body is no body.
pub(super) fn give_up<H: Handler>(
    visit: &mut Visit<'_, H>,
    answer: impl FnOnce(&mut Visit<'_, H>, Option<&Request<'_, '_>>),
) {
    let head = match &visit.sending.slots[visit.key.slot].session {
        Session::Body(body) => body.head as usize,
        _ => 0,
    };
    let begun = visit.input.take().map(|input| input.request).unwrap_or_default();
    let mut slots = FieldSlots::new();
    let request = begun.get(..head).and_then(|head| Request::parse(head, &mut slots).ok());
    answer(visit, request.as_ref());
}
