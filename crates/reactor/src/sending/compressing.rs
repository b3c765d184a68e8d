//! Which message goes out compressed, and by whose compressor.

use super::Sending;
use crate::deflate::Deflaters;
use crate::session::Session;

impl Sending {
    /// The payload that goes out in the place of this message's, if that was agreed on and it is long enough. Give it back to
    /// `deflaters`.
    #[inline]
    pub(super) fn deflate(&mut self, slot: u32, message: &[u8]) -> Option<Vec<u8>> {
        if message.len() < self.limits.deflate_from { None } else { self.deflate_long(slot, message) }
    }

    fn deflate_long(&mut self, slot: u32, message: &[u8]) -> Option<Vec<u8>> {
        let Session::WebSocket(socket) = &self.slots[slot].session else { return None };
        let (terms, window) = (socket.terms, socket.terms.window()?);
        self.work.deflated(message.len());
        if !terms.we_keep() {
            return self.deflaters.shared(window, message);
        }
        if !terms.owns() {
            // Nobody goes for it: where there is no room, everything is said plain.
            if !self.ledger.admits(Deflaters::cost(window)) {
                return None;
            }
            self.deflaters.give(slot, window);
            self.note_owns(slot, true);
        }
        self.deflaters.own(slot, message)
    }

    /// Takes a connection's own compressor away, if it has one: it is given another when it has something to say.
    pub(crate) fn forget_deflater(&mut self, slot: u32) {
        if let Session::WebSocket(socket) = &self.slots[slot].session
            && socket.terms.owns()
        {
            self.deflaters.take(slot);
            self.note_owns(slot, false);
        }
    }

    /// Takes away all of them.
    pub(super) fn forget_deflaters(&mut self) {
        if self.deflaters.owned() > 0 {
            let keys: Vec<_> = self.slots.keys();
            keys.into_iter().for_each(|key| self.forget_deflater(key.slot));
        }
    }

    fn note_owns(&mut self, slot: u32, owns: bool) {
        if let Session::WebSocket(socket) = &mut self.slots[slot].session {
            socket.terms.set_owns(owns);
        }
        self.book(slot);
    }
}
