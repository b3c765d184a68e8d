//! What compresses for the connections of one loop.

use longwire_frame::{Context, Deflater};

use super::WINDOWS;
use crate::ledger::OBJECT;
use crate::side::Side;

/// Of what a payload was compressed into, so much is kept for the next.
const KEPT: usize = 64 << 10;

/// Short text may become a few bytes longer. What becomes longer than that is noise, which grows by a twentieth, and goes plain.
const LONGER: usize = 8;

/// The compressors of a loop.
pub(crate) struct Deflaters {
    /// For everybody who forgets: one for each window, from 9 on, once somebody needs it.
    shared: [Option<Box<Deflater>>; 7],
    /// For those who do not, each its own.
    own: Side<Box<Deflater>>,
    /// Where the next payload goes.
    payload: Vec<u8>,
}

impl Deflaters {
    pub(crate) const fn new() -> Self {
        Self { shared: [const { None }; 7], own: Side::new(), payload: Vec::new() }
    }

    /// What one compressor pins.
    pub(crate) const fn cost(window: u8) -> usize {
        size_of::<Deflater>() + Deflater::capacity(window) + 3 * OBJECT
    }

    /// The payload of a message, for anybody who has this window and forgets it. None if it is noise.
    pub(crate) fn shared(&mut self, window: u8, message: &[u8]) -> Option<Vec<u8>> {
        let at = usize::from(window.checked_sub(*WINDOWS.start())?);
        let deflater = match self.shared.get_mut(at)? {
            Some(deflater) => deflater,
            none => none.insert(Box::new(Deflater::new(Context::Fresh, window)?)),
        };
        let mut payload = std::mem::take(&mut self.payload);
        deflater.message(message, &mut payload);
        if payload.len() <= message.len() + LONGER {
            return Some(payload);
        }
        self.give_back(payload);
        None
    }

    /// Gives a connection its own.
    pub(crate) fn give(&mut self, slot: u32, window: u8) {
        if let Some(deflater) = Deflater::new(Context::TakenOver, window) {
            self.own.insert(slot, Box::new(deflater));
        }
    }

    /// The payload of a message, by the connection's own compressor. It must be sent: the next one may refer to it.
    pub(crate) fn own(&mut self, slot: u32, message: &[u8]) -> Option<Vec<u8>> {
        let deflater = self.own.get_mut(slot)?;
        let mut payload = std::mem::take(&mut self.payload);
        deflater.message(message, &mut payload);
        Some(payload)
    }

    /// Takes a connection's own away. To begin again with an empty window is always allowed.
    pub(crate) fn take(&mut self, slot: u32) {
        self.own.remove(slot);
    }

    /// How many are a connection's own.
    pub(crate) fn owned(&self) -> usize {
        self.own.len()
    }

    /// A payload has been sent.
    pub(crate) fn give_back(&mut self, mut payload: Vec<u8>) {
        payload.clear();
        payload.shrink_to(KEPT);
        self.payload = payload;
    }
}
