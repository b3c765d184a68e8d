//! Messages that come compressed: RFC 7692 §7.2.2. What comes out of a few bytes may be a thousand times as much, so a visit
//! stops when it has had enough, in the middle of a frame if need be; what has come and waits is *parked*, and goes first next time.

use std::borrow::Cow;

use longwire_frame::{Event, Opcode};

use super::input::Begun;
use super::{Session, Visit, web_socket};
use crate::deflate::{Inflating, Parked};
use crate::handler::Handler;
use crate::queue::growth;

/// So many bytes of a compressed message that arrives in pieces are worth a decompressor, which pins ten times as many.
const WORTH: usize = 4 << 10;

/// Whether something is parked.
#[inline]
pub(super) fn is_parked<H: Handler>(visit: &Visit<'_, H>) -> bool {
    visit.input.as_ref().is_some_and(|input| input.is_parked())
}

/// A piece of a compressed message is here. RFC 7692 §6.2.
pub(super) fn receive<H: Handler>(visit: &mut Visit<'_, H>, opcode: Opcode, bytes: &[u8], end: bool) {
    let Session::WebSocket(socket) = &visit.sending.slots[visit.key.slot].session else { return };
    let (terms, pieces) = (socket.terms, socket.pieces);
    let held = visit.input.as_mut().and_then(|input| input.inflating.take());
    let waited = visit.input.as_mut().and_then(|input| input.begun.take());
    if held.is_none() && !terms.peer_keeps() && !pieces {
        let length = waited.as_ref().map_or(0, |begun| begun.bytes.len());
        if !end && length + bytes.len() < WORTH {
            return wait(visit, waited, opcode, bytes);
        }
    }
    let (opcode, all) = match waited {
        Some(mut begun) => {
            begun.bytes.extend_from_slice(bytes);
            (begun.opcode, Cow::Owned(begun.bytes))
        }
        None => (opcode, Cow::Borrowed(bytes)),
    };
    let bytes = &*all;
    let Some(mut inflating) = held.or_else(|| visit.sending.inflaters.lend(terms, opcode)) else { return };
    if !inflating.message_open() {
        inflating.opcode = opcode;
    }
    inflate(visit, inflating, bytes, end);
}

/// A message has begun, and too little of it is here: a decompressor for each of those would be what they are after who begin many.
fn wait<H: Handler>(visit: &mut Visit<'_, H>, waited: Option<Box<Begun>>, opcode: Opcode, bytes: &[u8]) {
    let (length, capacity) = waited.as_ref().map_or((0, 0), |begun| (begun.bytes.len(), begun.bytes.capacity()));
    if visit.may_grow(growth(length, capacity, bytes.len())) {
        let mut begun = waited.unwrap_or_else(|| Box::new(Begun { opcode, bytes: Vec::new() }));
        begun.bytes.extend_from_slice(bytes);
        visit.input.get_or_insert_default().begun = Some(begun);
    }
}

/// Goes on with what is parked. `false` if it is still, or the connection has come to an end over it.
pub(super) fn go_on<H: Handler>(visit: &mut Visit<'_, H>) -> bool {
    if !is_parked(visit) {
        return true;
    }
    let held = visit.input.as_mut().and_then(|input| input.inflating.take());
    let Some(mut inflating) = held else { return true };
    if let Some(Parked { bytes, end }) = inflating.parked.take() {
        inflate(visit, inflating, &bytes, end);
        web_socket::note_message(visit);
    }
    !is_parked(visit)
}

/// Decompresses as much as the visit has time for, and hands on what comes out.
fn inflate<H: Handler>(visit: &mut Visit<'_, H>, mut inflating: Box<Inflating>, bytes: &[u8], end: bool) {
    let mut out = visit.sending.inflaters.take_out();
    let mut at = 0;
    let ended = loop {
        let connection = visit.connection();
        if connection.ending {
            break false;
        }
        if connection.paused || visit.sending.work.is_too_much() {
            inflating.parked = Some(Parked { bytes: bytes[at..].to_vec(), end });
            break false;
        }
        let before = inflating.final_blocks();
        let step = match inflating.inflate(&bytes[at..], end, &mut out) {
            Ok(step) => step,
            Err(fault) => {
                web_socket::fail_for(visit, fault);
                break false;
            }
        };
        at += step.consumed;
        let blocks = inflating.final_blocks().saturating_sub(before);
        visit.sending.work.inflated(0, blocks);
        let Some(data) = step.event else {
            if step.consumed == 0 {
                break false;
            }
            continue;
        };
        let (brought, ends) = match data {
            Event::Text { carried, rest, end } => (rest.len() + carried.map_or(0, char::len_utf8), end),
            Event::Binary { bytes, end } => (bytes.len(), end),
            _ => (0, false),
        };
        visit.sending.stats.inflated += brought as u64;
        visit.sending.work.inflated(brought, 0);
        web_socket::hand_on(visit, data);
        visit.pause_if_full();
        if ends {
            break true;
        }
    };
    visit.sending.inflaters.put_back(out);
    keep(visit, inflating, ended);
}

/// Who keeps the decompressor: the connection, for as long as its message lasts or its peer keeps a window.
fn keep<H: Handler>(visit: &mut Visit<'_, H>, inflating: Box<Inflating>, ended: bool) {
    let connection = visit.connection();
    let peer_keeps = match &connection.session {
        Session::WebSocket(socket) if !connection.ending => Some(socket.terms.peer_keeps()),
        _ => None,
    };
    match peer_keeps {
        Some(keeps) if keeps || !ended => visit.input.get_or_insert_default().inflating = Some(inflating),
        _ => visit.sending.inflaters.give_back(inflating),
    }
}
