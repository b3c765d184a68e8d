//! Sending to one connection, and ending it: messages, pieces, pings, events, closes, and the policy at the queue's bound.

use longwire_frame::{Close, CloseCode, Header, Mask, Message};
use longwire_sse::Comment;

use super::Sending;
use crate::handler::Closed;
use crate::publication::{Publication, append_encoded, append_frame, append_framed, append_header};
use crate::session::Session;
use crate::slots::Key;
use crate::wire::Machine;

impl Sending {
    /// Sends a publication in the form that this connection reads. Does nothing unless it is open.
    pub(crate) fn send(&mut self, machine: &mut dyn Machine, slot: u32, publication: &Publication<'_>) {
        if !self.admits(machine, slot) {
            return;
        }
        match self.slots[slot].session {
            Session::WebSocket(_) => {
                if let Some(message) = publication.message() {
                    self.send_message(machine, slot, message);
                }
            }
            Session::Events(_) => {
                self.stats.messages_out += 1;
                self.slots[slot].heard = self.now;
                self.push_with(slot, |out| publication.encode_event(out));
                self.flush_if_long(machine, slot);
            }
            _ => {}
        }
    }

    /// Whether something may be sent: the connection is open and its queue below the bound. At the bound it ends.
    pub(super) fn admits(&mut self, machine: &mut dyn Machine, slot: u32) -> bool {
        let connection = &self.slots[slot];
        if connection.ending || !connection.session.is_open() {
            return false;
        }
        let admitted = self.queued(slot) < self.limits.send_queue;
        if !admitted {
            self.stats.dropped += 1;
            self.end(machine, slot, Closed::Overflow, CloseCode::POLICY, "reads too slowly");
        }
        admitted
    }

    #[inline]
    pub(super) fn send_message(&mut self, machine: &mut dyn Machine, slot: u32, message: Message<'_>) {
        let key = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        match socket.connection.message_header(message, key) {
            Ok(header) => {
                self.stats.messages_out += 1;
                self.send_frame(machine, slot, header, message.as_bytes());
            }
            // §5.4: between the fragments of our own message only control frames may go; it waits for the last one.
            Err(_) if socket.connection.is_mid_message() => {
                self.stats.messages_out += 1;
                let mut frame = Vec::new();
                append_frame(message, &mut frame);
                self.queue(slot).hold(&frame);
                self.touch(slot);
            }
            Err(_) => {}
        }
    }

    #[inline]
    pub(super) fn send_frame(&mut self, machine: &mut dyn Machine, slot: u32, header: Header, payload: &[u8]) {
        let direct = payload.len() >= self.limits.direct && header.mask.is_none() && self.corked == Some(slot);
        if direct {
            append_header(header, &mut self.cork);
            let taken = self.flush(machine, slot, payload);
            if taken < payload.len() {
                self.queue(slot).push(&payload[taken..]);
            }
        } else {
            self.push_with(slot, |out| append_framed(header, payload, out));
            self.flush_if_long(machine, slot);
        }
    }

    pub(super) fn flush_if_long(&mut self, machine: &mut dyn Machine, slot: u32) {
        if self.corked == Some(slot) && self.cork.len() >= self.limits.cork {
            self.flush(machine, slot, &[]);
        }
    }

    /// Sends a piece of a message; the first one decides what kind of message it is.
    pub(crate) fn piece(&mut self, machine: &mut dyn Machine, slot: u32, piece: Message<'_>, end: bool) {
        if !self.admits(machine, slot) {
            return;
        }
        let key = self.mask_for(machine, slot);
        let Session::WebSocket(socket) = &mut self.slots[slot].session else { return };
        if socket.sends.is_some_and(|kind| kind != piece.kind()) {
            // §5.6: what began as text stays text. Bytes in it could not be sent, and leaving them out would be a lie.
            log::error!("a piece of the other kind was sent in mid-message: the connection ends");
            return self.end(machine, slot, Closed::ByUs, CloseCode::INTERNAL, "internal error");
        }
        let Ok(header) = socket.connection.piece_header(piece, end, key) else { return };
        socket.sends = if end { None } else { Some(piece.kind()) };
        self.send_frame(machine, slot, header, piece.as_bytes());
        if end {
            self.stats.messages_out += 1;
            self.release_held(machine, slot);
        }
    }

    /// What waited for the end of a fragmented message goes now.
    pub(super) fn release_held(&mut self, machine: &mut dyn Machine, slot: u32) {
        let Some(queue) = &mut self.slots[slot].output else { return };
        let held = queue.release();
        if queue.len() == 0 {
            self.slots[slot].output = None;
        }
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

    /// Sends a ping; a payload is cut at 125 bytes (§5.5).
    pub(crate) fn ping(&mut self, machine: &mut dyn Machine, slot: u32, payload: &[u8]) {
        if self.slots[slot].ending {
            return;
        }
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

    /// The mask key of the next frame: a fresh one from us as a client (§5.3), none from a server.
    pub(crate) fn mask_for(&mut self, machine: &mut dyn Machine, slot: u32) -> Mask {
        if self.slots[slot].client { self.masks.next(machine) } else { Mask::NONE }
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
        let connection = &mut self.slots[slot];
        if let Session::Events(_) | Session::Later(_) | Session::Opening(_) = connection.session {
            connection.ending = true;
            self.endings.push((Key { slot, generation: connection.generation }, Closed::ByUs));
        }
    }

    /// We end it for a reason of our own: a WebSocket is told the code and not waited for.
    pub(crate) fn end(&mut self, machine: &mut dyn Machine, slot: u32, why: Closed, code: CloseCode, reason: &str) {
        if std::mem::replace(&mut self.slots[slot].ending, true) {
            return;
        }
        let generation = self.slots[slot].generation;
        self.slots[slot].since = self.now;
        self.endings.push((Key { slot, generation }, why));
        self.push_close(machine, slot, code, reason);
    }

    /// Appends our Close, unless there was one already or this is no WebSocket. `true` if it was appended.
    fn push_close(&mut self, machine: &mut dyn Machine, slot: u32, code: CloseCode, reason: &str) -> bool {
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
