//! Sending to one connection, and closing it: messages, pieces, pings, events, closes.

use longwire_frame::{Close, CloseCode, Encoder, Header, Mask, Message, Role, Whole};
use longwire_sse::Comment;

use super::Sending;
use crate::Limits;
use crate::closed::Closed;
use crate::connection::Connection;
use crate::encode::{append_encoded, append_frame, append_framed, append_header};
use crate::notices::Notice;
use crate::publication::Publication;
use crate::session::Session;
use crate::session::web_socket::Sends;
use crate::stats::count;
use crate::wire::Machine;

/// The short way of messages: to the visited peer, and from it.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// Messages of fewer bytes are [collected](Sending::collect).
    pub(crate) most: usize,
    /// As whose they go.
    pub(crate) role: Role,
    /// What takes whole messages, if that is what the application wants and none is begun.
    pub(crate) whole: Option<Whole>,
}

impl Sending {
    /// Sends a publication in the form that this connection reads. Does nothing unless it is open.
    pub(crate) fn send(&mut self, machine: &mut dyn Machine, slot: u32, publication: &Publication<'_>) {
        if !self.admit(machine, slot) {
            return;
        }
        match (&self.slots[slot].session, publication.message()) {
            (Session::WebSocket(_), Some(message)) => self.send_message(machine, slot, message),
            (Session::WebSocket(_), None) => {}
            (Session::Events(_), _) => {
                count(&mut self.stats.messages_out, 1);
                self.slots[slot].heard = self.now;
                self.push_with(slot, |out| publication.encode_event(out));
                self.flush_if_long(machine, slot);
            }
            _ => {}
        }
    }

    /// The short way to a peer, if it is the visited one; `None` if that has to be asked each time, for it is not open, or something is
    /// begun or waits.
    pub(crate) fn short_way(&self, slot: u32) -> Option<Way> {
        if self.cork.is_of(slot) { Self::way_to(&self.slots[slot], &self.limits) } else { None }
    }

    /// See [`short_way`](Self::short_way), for the visited peer.
    #[inline(always)]
    pub(crate) fn way_to(connection: &Connection, limits: &Limits) -> Option<Way> {
        let Session::WebSocket(socket) = &connection.session else { return None };
        let waits = connection.output.is_some() | connection.ending | connection.paused;
        if waits || !socket.sends_whole() {
            return None;
        }
        let role = if connection.client { Role::Client } else { Role::Server };
        let most = if socket.terms.window().is_some() { limits.deflate_from } else { usize::MAX };
        let whole = if socket.pieces { None } else { socket.connection.whole() };
        Some(Way { most: most.min(limits.direct), role, whole })
    }

    /// Sends a message the short way, if it is short and that way is open. `false` if not: then nothing has happened.
    pub(crate) fn send_short(&mut self, machine: &mut dyn Machine, slot: u32, message: Message<'_>) -> bool {
        match self.short_way(slot) {
            Some(Way { most, role: Role::Server, .. }) if message.len() < most => self.collect(slot, message),
            Some(Way { most, role: Role::Client, .. }) if message.len() < most => {
                self.collect_masked(machine, slot, message)
            }
            _ => false,
        }
    }

    /// Collects a short message for the visited peer, a client, to which the [short way](Self::short_way) is open. `false` if so much is
    /// collected that this has to be asked: then nothing has happened.
    #[inline]
    pub(crate) fn collect(&mut self, slot: u32, message: Message<'_>) -> bool {
        self.collect_with(slot, message, |out| Encoder::new(Role::Server).short(message, Mask::NONE, out))
    }

    /// The same, where the peer is a server.
    pub(crate) fn collect_masked(&mut self, machine: &mut dyn Machine, slot: u32, message: Message<'_>) -> bool {
        let key = self.masks.peek(machine);
        let fits = self.collect_with(slot, message, |out| Encoder::new(Role::Client).short(message, key, out));
        if fits {
            self.masks.take();
        }
        fits
    }

    #[inline]
    fn collect_with(
        &mut self,
        slot: u32,
        message: Message<'_>,
        encode: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        debug_assert!(self.short_way(slot).is_some(), "the short way was closed meanwhile");
        if self.cork.len() + message.len() >= self.little {
            return false;
        }
        let Some(written) = encode(self.cork.bytes.spare()) else { return false };
        self.cork.bytes.wrote(written);
        count(&mut self.stats.messages_out, 1);
        true
    }

    #[inline]
    pub(super) fn send_message(&mut self, machine: &mut dyn Machine, slot: u32, message: Message<'_>) {
        let connection = &mut self.slots[slot];
        let key = if connection.client { self.masks.next(machine) } else { Mask::NONE };
        let Session::WebSocket(socket) = &mut connection.session else { return };
        match socket.connection.message_header(message, key) {
            Ok(header) => {
                count(&mut self.stats.messages_out, 1);
                match self.deflate(slot, message.as_bytes()) {
                    None => self.send_frame(machine, slot, header, message.as_bytes()),
                    Some(payload) => {
                        self.send_frame(machine, slot, header.deflated(payload.len()), &payload);
                        self.deflaters.give_back(payload);
                    }
                }
            }
            // RFC 6455 §5.4: between the fragments of our own message only control frames may go; it waits for the last one.
            Err(_) if socket.connection.is_mid_message() => {
                count(&mut self.stats.messages_out, 1);
                let mut frame = Vec::new();
                append_frame(message, &mut frame);
                self.hold(slot, &frame);
            }
            Err(_) => {}
        }
    }

    #[inline]
    pub(super) fn send_frame(&mut self, machine: &mut dyn Machine, slot: u32, header: Header, payload: &[u8]) {
        if self.is_direct(slot, payload) && header.mask.is_none() {
            append_header(header, &mut self.cork.bytes);
            let taken = self.flush(machine, slot, payload);
            // Whose header found no room has no payload either.
            if taken < payload.len() && !self.slots[slot].ending {
                self.keep_rest(slot, &payload[taken..]);
            }
        } else {
            self.push_with(slot, |out| append_framed(header, payload, out));
            self.flush_if_long(machine, slot);
        }
    }

    /// The rest of a payload waits. If its header has left it must follow, whatever happens; and if it lies in the long message that the running
    /// callback is told, the queue holds that message instead of a copy. Its memory was asked for as it came.
    fn keep_rest(&mut self, slot: u32, rest: &[u8]) {
        if self.slots[slot].waits() {
            // Its header waits, too: nothing has begun.
            return self.enqueue(slot, rest, 0);
        }
        match self.lent.as_ref().and_then(|lent| lent.rest(rest)) {
            Some(rest) => self.alter_queue(slot, |queue| queue.push_front(rest)),
            None => self.enqueue(slot, rest, rest.len()),
        }
    }

    /// Whether a payload is worth a call of its own: it is long, and nothing is about to follow with which it could leave.
    fn is_direct(&self, slot: u32, payload: &[u8]) -> bool {
        let collects = self.cork.expects_more() && self.cork.len() + payload.len() < self.limits.cork;
        payload.len() >= self.limits.direct && self.cork.is_of(slot) && !collects
    }

    /// Sends a piece of a message; the first one decides what kind of message it is. It goes plain: as long as it lasts, it
    /// would need a compressor of its own.
    pub(crate) fn piece(&mut self, machine: &mut dyn Machine, slot: u32, piece: Message<'_>, end: bool) {
        let Session::WebSocket(socket) = &self.slots[slot].session else { return };
        let sends = socket.sends;
        if !self.is_sendable(slot) {
            return;
        }
        match sends {
            Sends::Nothing if !self.admit(machine, slot) => return self.skip(slot, end),
            Sends::Skipped => return self.skip(slot, end),
            Sends::Pieces(kind) if kind != piece.kind() => {
                // RFC 6455 §5.6: what began as text stays text. Bytes in it could not be sent, and leaving them out would be a lie.
                let now = self.now;
                self.notices.tell(
                    now,
                    Notice::Piece,
                    format_args!("a piece of the other kind in mid-message: the connection ends"),
                );
                return self.end(slot, Closed::ByUs);
            }
            // A message that has begun cannot be left unfinished, whatever the policy is.
            Sends::Pieces(_) if !self.come_below_bound(machine, slot) => {
                self.stats.dropped += 1;
                return self.end_and_cut(slot, Closed::Overflow);
            }
            Sends::Nothing | Sends::Pieces(_) => {}
        }
        let key = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        let Ok(header) = socket.connection.piece_header(piece, end, key) else { return };
        socket.sends = if end { Sends::Nothing } else { Sends::Pieces(piece.kind()) };
        self.send_frame(machine, slot, header, piece.as_bytes());
        if end {
            count(&mut self.stats.messages_out, 1);
            self.release_held(machine, slot);
        }
    }

    /// A message whose first piece was dropped is dropped with all its pieces.
    fn skip(&mut self, slot: u32, end: bool) {
        let connection = &mut self.slots[slot];
        if let (true, Session::WebSocket(socket)) = (connection.dropping, &mut connection.session) {
            socket.sends = if end { Sends::Nothing } else { Sends::Skipped };
        }
    }

    /// What waits for the end of a fragmented message.
    pub(super) fn hold(&mut self, slot: u32, frames: &[u8]) {
        let grows = self.alter_queue(slot, |queue| queue.growth_of_held(frames.len()));
        if grows == 0 || self.make_room(slot, grows) {
            self.alter_queue(slot, |queue| queue.hold(frames));
        } else {
            self.end_and_cut(slot, Closed::NoRoom);
        }
    }

    /// What waited for the end of a fragmented message goes now.
    pub(super) fn release_held(&mut self, machine: &mut dyn Machine, slot: u32) {
        if self.slots[slot].output.is_none() {
            return;
        }
        let held = self.alter_queue(slot, |queue| queue.release());
        if !held.is_empty() {
            self.push_frames(machine, slot, &held);
        }
    }

    /// Appends whole frames as a server writes them; a client's connection masks each of them first.
    pub(super) fn push_frames(&mut self, machine: &mut dyn Machine, slot: u32, mut frames: &[u8]) {
        if !self.slots[slot].client {
            return self.push(slot, frames);
        }
        while let Ok(Some((header, length))) = Header::parse(frames) {
            let end = length + header.len as usize;
            let header = Header { mask: Some(self.masks.next(machine)), ..header };
            self.push_with(slot, |out| append_framed(header, &frames[length..end], out));
            frames = &frames[end..];
        }
    }

    /// Sends a ping; a payload is cut at 125 bytes (RFC 6455 §5.5).
    pub(crate) fn ping(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) {
        if !self.is_sendable(slot) {
            return;
        }
        if !self.come_below_bound(machine, slot) {
            // It would tell nothing: what waits before it already asks for a sign of life.
            self.stats.dropped += 1;
            return;
        }
        self.push_ping(machine, slot, payload);
    }

    /// The same whatever waits.
    pub(crate) fn push_ping(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) {
        let key = self.mask_for(machine, slot);
        let mut frame = [0; 131];
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        if let Ok(length) = socket.connection.ping(&payload[..payload.len().min(125)], key, &mut frame) {
            self.push(slot, &frame[..length]);
        }
    }

    /// Sends the comment that keeps an event stream alive.
    pub(crate) fn heartbeat(&mut self, slot: u32) {
        self.slots[slot].heard = self.now;
        let beat = Comment::HEARTBEAT;
        self.push_with(slot, |out| append_encoded(beat.encoded_len(), |place| beat.encode(place), out));
    }

    /// The mask key of the next frame: a fresh one from us as a client (RFC 6455 §5.3), none from a server.
    #[inline]
    pub(crate) fn mask_for(&mut self, machine: &mut dyn Machine, slot: u32) -> Mask {
        if self.slots[slot].client { self.masks.next(machine) } else { Mask::NONE }
    }

    /// The key that a reply would be masked with; it is used up only if there is a reply.
    #[inline]
    pub(crate) fn mask_for_reply(&mut self, machine: &mut dyn Machine, slot: u32) -> Mask {
        if self.slots[slot].client { self.masks.peek(machine) } else { Mask::NONE }
    }

    /// A frame's reply goes out. While the peer does not read, only its latest ping is answered. With the visit in which its ping
    /// came (RFC 6455 §5.5.2).
    pub(crate) fn push_reply(&mut self, slot: u32, reply: &longwire_frame::Reply, is_pong: bool) {
        if self.slots[slot].client {
            self.masks.take();
        }
        if is_pong && self.slots[slot].waits() {
            self.alter_queue(slot, |queue| queue.set_pong(reply.as_bytes()));
        } else {
            self.push_control(slot, reply.as_bytes(), !is_pong);
        }
    }

    /// Appends a control frame; behind a Close nothing else may wait.
    fn push_control(&mut self, slot: u32, frame: &[u8], is_close: bool) {
        if is_close {
            self.forget_held(slot);
            self.cork.mark_close(slot);
        }
        if self.cork.is_of(slot) {
            self.cork.bytes.push(frame);
        } else {
            // So little that it asks nobody for room: where there is none, this is what says so.
            self.alter_queue(slot, |queue| queue.push(frame));
            self.touch(slot);
        }
    }

    /// The application closes: a WebSocket sends its Close and waits for the peer's, a stream ends after what is queued.
    pub(crate) fn close(&mut self, machine: &mut dyn Machine, slot: u32, code: CloseCode, reason: &str) {
        if self.slots[slot].ending {
            return;
        }
        self.deliver_now(machine, slot);
        if self.push_close(machine, slot, code, reason) {
            self.slots[slot].since = self.now;
            return self.touch(slot);
        }
        let connection = &self.slots[slot];
        if let Session::Events(_) | Session::Later(_) | Session::Opening(_) = connection.session {
            self.end(slot, Closed::ByUs);
        }
    }

    /// Appends our Close, unless there was one already or this is no WebSocket. `true` if it was appended.
    pub(crate) fn push_close(&mut self, machine: &mut dyn Machine, slot: u32, code: CloseCode, reason: &str) -> bool {
        let mask = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return false };
        let mut frame = [0; 131];
        let Ok(length) = socket.connection.close(Some(Close::new(code, reason)), mask, &mut frame) else {
            return false;
        };
        self.push_control(slot, &frame[..length], true);
        true
    }
}
