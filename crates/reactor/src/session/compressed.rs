//! Messages that come compressed: RFC 7692 §7.2.2. What comes out of a few bytes may be a thousand times as much, so a visit
//! stops when it has had enough, in the middle of a frame if need be; what has come and waits is *parked*, and goes first next time.

use std::borrow::Cow;

use longwire_frame::{Event, Opcode};

use super::input::Begun;
use super::{Session, Visit, web_socket};
use crate::carry::Carry;
use crate::deflate::{Inflating, Parked};
use crate::handler::Handler;
use crate::queue::growth;

/// So many bytes of a compressed message that arrives in pieces are worth a decompressor, which pins ten times as many.
const WORTH: usize = 4 << 10;

/// So many bytes go in at a time: what comes out is bounded, but not the work of bytes of which nothing comes out.
const LENT: usize = 4 << 10;

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
    let how = inflate(visit, &mut inflating, bytes, end);
    if let Inflated::Waits(used) = how {
        inflating.parked = Some(Parked { bytes: Carry::from(&bytes[used..]), end });
    }
    keep(visit, inflating, how);
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
    if let Some(Parked { mut bytes, end }) = inflating.parked.take() {
        let how = inflate(visit, &mut inflating, bytes.rest(), end);
        if let Inflated::Waits(used) = how {
            bytes.use_up(used);
            inflating.parked = Some(Parked { bytes, end });
        }
        keep(visit, inflating, how);
        web_socket::note_message(visit);
    }
    !is_parked(visit)
}

/// What [`inflate`] came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inflated {
    /// The message has ended.
    Whole,
    /// All that was given is used; or the connection has come to an end.
    All,
    /// So much of it is used, and the visit has no time for more.
    Waits(usize),
}

/// Decompresses as much as the visit has time for, and hands on what comes out.
fn inflate<H: Handler>(visit: &mut Visit<'_, H>, inflating: &mut Inflating, bytes: &[u8], end: bool) -> Inflated {
    let mut out = visit.sending.inflaters.take_out();
    let mut at = 0;
    let how = loop {
        let connection = visit.connection();
        if connection.ending {
            break Inflated::All;
        }
        if connection.paused || visit.sending.work.is_too_much() {
            break Inflated::Waits(at);
        }
        let before = inflating.final_blocks();
        let lent = &bytes[at..bytes.len().min(at + LENT)];
        let step = match inflating.inflate(lent, end && at + lent.len() == bytes.len(), &mut out) {
            Ok(step) => step,
            Err(fault) => {
                web_socket::fail_for(visit, fault);
                break Inflated::All;
            }
        };
        at += step.consumed;
        let brought = match step.event {
            Some(Event::Text { carried, rest, .. }) => rest.len() + carried.map_or(0, char::len_utf8),
            Some(Event::Binary { bytes, .. }) => bytes.len(),
            _ => 0,
        };
        visit.sending.stats.inflated += brought as u64;
        visit.sending.work.inflated(step.consumed, brought, inflating.final_blocks().saturating_sub(before));
        let Some(data) = step.event else {
            if step.consumed == 0 {
                break Inflated::All;
            }
            continue;
        };
        let is_last = matches!(data, Event::Text { end: true, .. } | Event::Binary { end: true, .. });
        web_socket::hand_on(visit, data);
        visit.pause_if_full();
        if is_last {
            break Inflated::Whole;
        }
    };
    visit.sending.inflaters.put_back(out);
    how
}

/// Who keeps the decompressor: the connection, for as long as its message lasts or its peer keeps a window.
fn keep<H: Handler>(visit: &mut Visit<'_, H>, inflating: Box<Inflating>, how: Inflated) {
    let connection = visit.connection();
    let peer_keeps = match &connection.session {
        Session::WebSocket(socket) if !connection.ending => Some(socket.terms.peer_keeps()),
        _ => None,
    };
    match peer_keeps {
        Some(keeps) if keeps || how != Inflated::Whole => {
            visit.input.get_or_insert_default().inflating = Some(inflating);
        }
        _ => visit.sending.inflaters.give_back(inflating),
    }
}
