//! What decompresses for the connections of one loop.

use longwire_frame::{Context, Error, Inflater, Limits, Opcode, Step};

use super::{Parked, Terms};
use crate::ledger::OBJECT;

/// A decompressor in the hands of a connection: for a message that has begun, or for as long as its peer keeps its window.
pub(crate) struct Inflating {
    inflater: Inflater,
    context: Context,
    pub(crate) opcode: Opcode,
    pub(crate) parked: Option<Parked>,
}

impl Inflating {
    /// Takes the next step of a message; `bytes` are what is not consumed of what has come of it, `end` if nothing follows.
    pub(crate) fn inflate<'o>(&mut self, bytes: &[u8], end: bool, out: &'o mut [u8]) -> Result<Step<'o>, Error> {
        self.inflater.inflate(self.opcode, bytes, end, out)
    }

    /// Final blocks that the message has brought so far.
    pub(crate) const fn final_blocks(&self) -> u32 {
        self.inflater.final_blocks()
    }

    /// Whether it is amid a message.
    pub(crate) const fn message_open(&self) -> bool {
        self.inflater.message_open()
    }

    /// Bytes that it pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        let parked = self.parked.as_ref().map_or(0, |parked| parked.bytes.pinned() + OBJECT);
        size_of::<Self>() + self.inflater.capacity() + parked + 3 * OBJECT
    }
}

/// The decompressors that nobody holds.
pub(crate) struct Inflaters {
    limits: Limits,
    /// One is enough for all messages that arrive as a whole.
    spare: Option<Box<Inflating>>,
    /// What a step puts out.
    out: Vec<u8>,
    step: usize,
}

impl Inflaters {
    /// Of messages within these limits; `step` bytes come out at a time.
    pub(crate) fn new(limits: Limits, step: usize) -> Self {
        Self { limits, spare: None, out: Vec::new(), step: step.max(Inflater::LEAST) }
    }

    /// One for a message that begins.
    pub(crate) fn lend(&mut self, terms: Terms, opcode: Opcode) -> Option<Box<Inflating>> {
        let new = |context| {
            Box::new(Inflating { inflater: Inflater::new(context, self.limits), context, opcode, parked: None })
        };
        if terms.peer_keeps() {
            return Some(new(Context::TakenOver));
        }
        let mut lent = self.spare.take().unwrap_or_else(|| new(Context::Fresh));
        lent.opcode = opcode;
        Some(lent)
    }

    /// Its message has ended, or its connection.
    pub(crate) fn give_back(&mut self, mut inflating: Box<Inflating>) {
        if inflating.context == Context::Fresh {
            if inflating.message_open() {
                inflating.inflater.clear();
            }
            inflating.parked = None;
            self.spare = Some(inflating);
        }
    }

    /// The loop's memory for what comes out, as much as a step may bring. Put it back.
    pub(crate) fn take_out(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.out);
        out.resize(self.step, 0);
        out
    }

    pub(crate) fn put_back(&mut self, out: Vec<u8>) {
        self.out = out;
    }
}
