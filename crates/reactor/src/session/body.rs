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
    let Session::Body(body) = &visit.sending.slots[visit.key.slot].session else { return 0 };
    // What is coded is more than its data.
    let most = if let Left::Length(left) = body.left { bytes.len().min(left as usize) } else { bytes.len() };
    let begun = visit.input.as_ref().map(|input| (input.request.len(), input.request.capacity()));
    if begun.is_some_and(|(length, capacity)| !visit.may_grow(growth(length, capacity, most))) {
        return bytes.len();
    }
    let Session::Body(body) = &mut visit.sending.slots[visit.key.slot].session else { return 0 };
    let Some(input) = visit.input.as_mut() else { return 0 };
    let (taken, whole) = match &mut body.left {
        Left::Length(left) => {
            let taken = bytes.len().min(*left as usize);
            input.request.extend_from_slice(&bytes[..taken]);
            *left -= taken as u32;
            (taken, *left == 0)
        }
        Left::Chunks(chunks) => match append(chunks, bytes, &mut input.request) {
            Ok((taken, whole)) => (taken, whole),
            Err(refusal) => {
                refuse(visit, refusal);
                return bytes.len();
            }
        },
    };
    if whole {
        let start = body.head as usize;
        let all = std::mem::take(&mut input.request);
        let (head, content) = all.split_at(start);
        let mut slots = FieldSlots::new();
        let request = Request::parse(head, &mut slots).expect("a head that was parsed before");
        head::request(visit, &request, head, content);
    }
    taken
}

/// Appends the data that is in these bytes of a coded body. Returns how many bytes that took, and whether the body is whole.
fn append(chunks: &mut Chunks, bytes: &[u8], body: &mut Vec<u8>) -> Result<(usize, bool), Refusal> {
    let mut at = 0;
    loop {
        let (part, taken) = chunks.decode(&bytes[at..])?;
        at += taken;
        match part {
            Part::Data(data) => body.extend_from_slice(data),
            Part::More => return Ok((at, false)),
            Part::End => return Ok((at, true)),
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
