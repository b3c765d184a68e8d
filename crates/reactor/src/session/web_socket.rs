//! A WebSocket: frames in, callbacks out, replies back. RFC 6455 §5 to §7 themselves are `longwire_frame`'s; this file
//! decides what they mean for a connection of this loop.

use longwire_frame::{Assembly, Connection as Frames, Error, Event, Kind, Mask, Message, State, Step};

use super::input::Input;
use super::{Session, Visit, compressed, whole};
use crate::closed::{Closed, Deadline};
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::deflate::Terms;
use crate::due::{Due, Times, earliest};
use crate::handler::{Handler, Piece};
use crate::lent::Lent;
use crate::queue::growth;
use crate::sending::Sending;
use crate::slots::Key;
use crate::stats::count;

/// What is known of one WebSocket.
pub(crate) struct WebSocket {
    pub(crate) connection: Frames,
    /// When the ping's last byte left for the kernel, while its pong is awaited.
    pub(crate) pinged: Option<Moment>,
    /// When the message began that has not ended.
    message_since: Option<Moment>,
    /// What we are sending in pieces.
    pub(crate) sends: Sends,
    /// The application wants pieces, not messages.
    pub(crate) pieces: bool,
    /// How messages are compressed.
    pub(crate) terms: Terms,
    /// The last message was read into its place. The next one will be, too, except for what the first read brings.
    pub(super) after_long: bool,
}

/// A message of ours that goes out in pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sends {
    Nothing,
    /// Of this kind; its last piece is still to come.
    Pieces(Kind),
    /// It found no room when it began: its other pieces are dropped, too.
    Skipped,
}

impl WebSocket {
    const fn new(connection: Frames, terms: Terms, pieces: bool) -> Self {
        let connection = connection.negotiated(terms.rsv());
        Self { connection, pinged: None, message_since: None, sends: Sends::Nothing, pieces, terms, after_long: false }
    }

    /// Whether it is open and nothing is begun: no message of the peer's, no ping of ours, and no compressor of its own.
    #[inline]
    pub(super) const fn is_at_rest(&self) -> bool {
        let open = matches!(self.connection.state(), State::Open);
        open && self.message_since.is_none() && self.pinged.is_none() && !self.terms.owns()
    }

    /// Whether it hands on whole messages, and what comes next may be one; and no ping of ours waits for an answer, so that nothing has to be
    /// noted of a byte but when it came.
    #[inline]
    pub(super) const fn takes_whole(&self) -> bool {
        let open = matches!(self.connection.state(), State::Open);
        open && self.message_since.is_none() && self.pinged.is_none() && !self.pieces
    }

    /// Whether whole messages may be sent now: none of ours is begun, and it is open.
    #[inline]
    pub(crate) fn sends_whole(&self) -> bool {
        let open = matches!(self.connection.state(), State::Open);
        open && self.sends == Sends::Nothing && !self.connection.is_mid_message()
    }

    /// The last byte that waited has left. Whether the wait for the peer begins only now.
    pub(super) fn sent(&mut self, now: Moment, paused: bool) -> bool {
        // The pong's clock starts when the ping's last byte has left, that of the peer's Close with ours, …
        self.pinged = self.pinged.map(|_| now);
        // … and that of its message goes on: what it could not send meanwhile is not to be held against it.
        if paused {
            self.message_since = self.message_since.map(|_| now);
        }
        self.connection.state() == State::CloseSent
    }

    pub(super) const fn has_closed(&self) -> bool {
        matches!(self.connection.state(), State::Closed)
    }

    pub(super) fn due(&self, connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
        if self.connection.state() == State::CloseSent {
            // Nobody answers a Close that has not left: until then the write stall rules.
            let said = !connection.waits();
            return said.then(|| (connection.since.after(times.close), Due::Late(Deadline::Close)));
        }
        // While we do not read, or our ping is still queued, silence is our own doing: then the write stall rules.
        let message = self.message_since.filter(|_| !connection.paused);
        let message = message.map(|since| (since.after(times.message), Due::Late(Deadline::Message)));
        let life = match self.pinged {
            _ if connection.paused || connection.waits() => None,
            Some(pinged) => Some((pinged.after(times.pong), Due::Late(Deadline::Pong))),
            None => Some((connection.heard.after(times.ping), Due::Ping)),
        };
        earliest([message, life])
    }
}

/// The opening handshake is over, and what was said so far goes in front of all frames.
pub(super) fn open<H: Handler>(visit: &mut Visit<'_, H>, connection: Frames, terms: Terms, pieces: bool) {
    visit.sending.mark_opened(visit.key.slot);
    visit.become_session(Session::WebSocket(WebSocket::new(connection, terms, pieces)));
    visit.sending.stats.web_sockets += 1;
    visit.opened();
}

/// Asks the peer for a sign of life. A connection that is idle needs no compressor.
pub(super) fn ping<H: Handler>(visit: &mut Visit<'_, H>) {
    let now = visit.sending.now;
    if let Session::WebSocket(socket) = &mut visit.connection().session {
        socket.pinged = Some(now);
    }
    visit.sending.forget_deflater(visit.key.slot);
    // Whatever is held back: nothing stands before it, and its pong is awaited.
    visit.sending.push_ping(visit.machine, visit.key.slot, b"");
}

/// Takes all whole frames, and what is there of an unfinished data frame. A Close is answered with the visit in which it came
/// (RFC 6455 §5.5.1).
pub(super) fn receive<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let length = bytes.len();
    let (mut used, mut long) = (0, false);
    while used < bytes.len() {
        let taken = if is_begun(visit) { 0 } else { whole::take(visit, &mut bytes[used..]) };
        used += taken;
        if used == bytes.len() || taken > 0 && has_enough(visit) {
            break;
        }
        long = true;
        let slot = visit.key.slot;
        let mask = visit.sending.mask_for_reply(visit.machine, slot);
        let Session::WebSocket(socket) = &mut visit.sending.slots[slot].session else { break };
        if !socket.connection.message_open() {
            // What comes next may begin a message: its time is not that of the last one.
            socket.message_since = None;
        }
        let step = match socket.connection.receive(&mut bytes[used..], visit.reply, mask) {
            Ok(step) => step,
            Err(fault) => {
                fail(visit, fault);
                return bytes.len();
            }
        };
        if !visit.reply.is_empty() {
            visit.sending.push_reply(slot, visit.reply, matches!(step.event, Some(Event::Ping(_))));
        }
        if step.consumed == 0 && step.event.is_none() {
            break;
        }
        used += step.consumed;
        visit.sending.cork.expect(used < length);
        match step.event {
            None | Some(Event::Ping(_) | Event::Pong(_)) => {}
            Some(Event::Extended { opcode, bytes, end, .. }) => compressed::receive(visit, opcode, bytes, end),
            Some(Event::Close(close)) => {
                let ours_was_first = visit.reply.is_empty();
                let code = close.map(|close| close.code);
                visit.finish(match (ours_was_first, visit.sending.draining) {
                    (true, true) => Closed::Drained,
                    (true, false) => Closed::ByUs,
                    (false, _) => Closed::ByPeer(code),
                });
                return bytes.len();
            }
            Some(data) => hand_on(visit, data),
        }
        if has_enough(visit) {
            break;
        }
    }
    if long {
        note_message(visit);
    }
    used
}

/// Whether something is kept of which what comes next may be a part.
fn is_begun<H: Handler>(visit: &Visit<'_, H>) -> bool {
    visit.input.as_ref().is_some_and(|input| !input.is_empty())
}

/// Whether a visit goes no further now.
fn has_enough<H: Handler>(visit: &mut Visit<'_, H>) -> bool {
    visit.pause_if_full();
    let overworked = visit.sending.work.is_too_much();
    let connection = visit.connection();
    connection.ending || connection.paused || overworked || compressed::is_parked(visit)
}

/// §7.1.7: the connection fails; its Close, which is in the reply, goes out and nothing more is read.
pub(super) fn fail<H: Handler>(visit: &mut Visit<'_, H>, fault: Error) {
    visit.sending.push_reply(visit.key.slot, visit.reply, false);
    visit.finish(Closed::Fault(fault));
}

/// The same, where somebody else than the machine of frames has found the fault.
pub(super) fn fail_for<H: Handler>(visit: &mut Visit<'_, H>, fault: Error) {
    let mask = visit.sending.mask_for_reply(visit.machine, visit.key.slot);
    if let Session::WebSocket(socket) = &mut visit.sending.slots[visit.key.slot].session {
        socket.connection.fail(fault, visit.reply, mask);
        fail(visit, fault);
    }
}

/// Hands data to the application, in the way that it wants it.
#[inline]
pub(super) fn hand_on<H: Handler>(visit: &mut Visit<'_, H>, data: Event<'_>) {
    let Session::WebSocket(socket) = &visit.connection().session else { return };
    if socket.pieces { piece(visit, data) } else { assemble(visit, data) }
}

/// Keeps the time at which an unfinished message began.
pub(super) fn note_message<H: Handler>(visit: &mut Visit<'_, H>) {
    let now = visit.sending.now;
    if let Session::WebSocket(socket) = &mut visit.connection().session {
        let open = socket.connection.message_open();
        socket.message_since = open.then(|| socket.message_since.unwrap_or(now));
    }
}

/// Hands a piece through.
fn piece<H: Handler>(visit: &mut Visit<'_, H>, event: Event<'_>) {
    let (piece, end) = match event {
        Event::Text { carried, rest, end } => (Piece::Text { carried, rest, end }, end),
        Event::Binary { bytes, end } => (Piece::Binary { bytes, end }, end),
        _ => return,
    };
    count(&mut visit.sending.stats.messages_in, u64::from(end));
    visit.call(|handler, peer| handler.piece(peer, piece));
}

/// Hands a whole message through as it lies in the input, or joins what arrives in pieces.
#[inline]
fn assemble<H: Handler>(visit: &mut Visit<'_, H>, event: Event<'_>) {
    let begun = visit.input.as_ref().is_some_and(|input| input.assembly.is_some());
    let message = match event {
        Event::Text { carried: None, rest, end: true } if !begun => Message::Text(rest),
        Event::Binary { bytes, end: true } if !begun => Message::Binary(bytes),
        _ => return join(visit, event),
    };
    count(&mut visit.sending.stats.messages_in, 1);
    visit.call(|handler, peer| handler.message(peer, message));
}

fn join<H: Handler>(visit: &mut Visit<'_, H>, event: Event<'_>) {
    let more = match event {
        Event::Text { rest, .. } => rest.len() + char::MAX.len_utf8(),
        Event::Binary { bytes, .. } => bytes.len(),
        _ => 0,
    };
    let (length, spare) = visit.input.as_deref().map_or((0, 0), Input::assembled);
    if more > spare && !grow(visit, length + more, growth(length, length + spare, more)) {
        return;
    }
    let input = visit.input.get_or_insert_with(Box::<Input>::default);
    let assembly = input.assembly.get_or_insert_with(Assembly::new);
    let end = match event {
        Event::Text { carried, rest, end } => {
            assembly.push_text(carried, rest);
            end
        }
        Event::Binary { bytes, end } => {
            assembly.push_binary(bytes);
            end
        }
        _ => false,
    };
    if end {
        deliver(visit);
    }
}

/// Makes room for `wanted` bytes of a message of which `arrived` are there; `false` if there is none. New memory is at most about four times what
/// has arrived. Used memory, which is resident anyway, may be sixteen times that, if the frame will fill half of it.
fn grow<H: Handler>(visit: &mut Visit<'_, H>, arrived: usize, wanted: usize) -> bool {
    let Visit { sending, key, .. } = visit;
    let Session::WebSocket(socket) = &sending.slots[key.slot].session else { return false };
    // And what is read with the end of a frame, and what stands in front.
    let most = |times| arrived.saturating_mul(times).saturating_add(sending.limits.direct + Assembly::LEAD);
    let frame = arrived.saturating_add(socket.connection.frame_left() as usize);
    let [all, least] = [wanted.max(frame), wanted].map(|length| length.saturating_add(Assembly::LEAD));
    let sizes = [all..=most(16).min(all.saturating_mul(2)), least..=most(4)];
    let used = sizes.into_iter().find_map(|sizes| sending.pool.messages.take(sizes));
    if !visit.may_grow(used.as_ref().map_or(wanted, Vec::capacity)) {
        return false;
    }
    if let Some(used) = used {
        let input = visit.input.get_or_insert_with(Box::<Input>::default);
        let outgrown = input.assembly.get_or_insert_with(Assembly::new).move_to(used);
        visit.sending.pool.messages.keep(outgrown);
    }
    true
}

/// Makes room for the next `most` bytes of a large binary message, of whose frame `to_come` are to come; `false` if there is none. It grows by
/// much at once, so that it is seldom moved, however small its fragments are: by a quarter of what has arrived at least, and by no more
/// than three times that; by a little more if that is the end of the frame, or all of it would be moved for its last bytes.
pub(crate) fn make_place<H: Handler>(visit: &mut Visit<'_, H>, most: usize, to_come: usize) -> bool {
    let (length, spare) = visit.input.as_deref().map_or((0, 0), Input::assembled);
    let direct = visit.sending.limits.direct;
    let least = if to_come < most + direct { to_come } else { most };
    if least <= spare {
        return true;
    }
    let more = if to_come < 3 * length + direct { to_come.max(length / 4) } else { least.max(3 * length) };
    let grown = grow(visit, length, length + more);
    if let Some(assembly) = visit.input.as_mut().and_then(|input| input.assembly.as_mut()).filter(|_| grown) {
        assembly.reserve(more);
    }
    grown
}

/// The last byte of a message in pieces is there.
fn deliver<H: Handler>(visit: &mut Visit<'_, H>) {
    let Some(assembly) = visit.input.as_mut().and_then(|input| input.assembly.take()) else { return };
    count(&mut visit.sending.stats.messages_in, 1);
    if !Lent::is_long(assembly.message().len(), visit.sending.limits.direct) {
        visit.call(|handler, peer| handler.message(peer, assembly.message()));
        return visit.sending.pool.messages.keep(assembly.into_memory());
    }
    let lent = Lent::new(assembly);
    visit.sending.lent = Some(lent.clone());
    visit.call(|handler, peer| handler.message(peer, lent.message()));
    visit.sending.lent = None;
    lent.give_back(&mut visit.sending.pool.messages);
}

/// How much of a large binary message may be read straight into its place: 0 if it should go through the shared buffer.
pub(crate) fn left_to_place(sending: &Sending, key: Key, input: &Input) -> usize {
    let Input { carry, assembly: Some(assembly), inflating, .. } = input else { return 0 };
    let Session::WebSocket(socket) = &sending.slots[key.slot].session else { return 0 };
    let left = socket.connection.frame_left() as usize;
    // Room is made for what one read may bring, so only where something has come that is worth it.
    let arrived = matches!(assembly.message(), Message::Binary(bytes) if bytes.len() >= sending.limits.direct);
    let inflates = inflating.as_ref().is_some_and(|inflating| inflating.message_open());
    if carry.is_empty() && !inflates && arrived && left >= sending.limits.direct { left } else { 0 }
}

/// `length` bytes of a frame's payload lie in their place: unmasks them there.
pub(crate) fn received_in_place<H: Handler>(visit: &mut Visit<'_, H>, length: usize) {
    let Some(mut assembly) = visit.input.as_mut().and_then(|input| input.assembly.take()) else { return };
    let Session::WebSocket(socket) = &mut visit.sending.slots[visit.key.slot].session else { return };
    let place = &mut assembly.place(length)[..length];
    // Inside the payload of a binary frame nothing can be wrong any more, and no key is needed.
    let step = socket.connection.receive(place, visit.reply, Mask::NONE);
    let end = matches!(step, Ok(Step { event: Some(Event::Binary { end: true, .. }), .. }));
    assembly.fill(length);
    if let Some(input) = visit.input.as_mut() {
        input.assembly = Some(assembly);
    }
    socket.after_long = true;
    if end {
        visit.sending.cork.expect(false);
        deliver(visit);
    }
    note_message(visit);
}
