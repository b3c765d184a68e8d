//! The machines of a build that has none: nothing can be agreed on, so nobody asks for one.

use longwire_frame::{Error, Limits, Opcode, Step};

use super::{Parked, Terms};

/// There is none.
pub(crate) struct Deflaters;

impl Deflaters {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) const fn cost(_: u8) -> usize {
        0
    }

    pub(crate) const fn shared(&mut self, _: u8, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(crate) const fn give(&mut self, _: u32, _: u8) {}

    pub(crate) const fn own(&mut self, _: u32, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(crate) const fn take(&mut self, _: u32) {}

    pub(crate) const fn owned(&self) -> usize {
        0
    }

    pub(crate) fn give_back(&mut self, _: Vec<u8>) {}
}

/// Nobody has one.
pub(crate) struct Inflating {
    pub(crate) opcode: Opcode,
    pub(crate) parked: Option<Parked>,
    never: std::convert::Infallible,
}

impl Inflating {
    pub(crate) fn inflate<'o>(&mut self, _: &[u8], _: bool, _: &'o mut [u8]) -> Result<Step<'o>, Error> {
        match self.never {}
    }

    pub(crate) const fn message_open(&self) -> bool {
        match self.never {}
    }

    pub(crate) const fn final_blocks(&self) -> u32 {
        match self.never {}
    }

    pub(crate) const fn pinned(&self) -> usize {
        match self.never {}
    }
}

/// There is none.
pub(crate) struct Inflaters;

impl Inflaters {
    pub(crate) const fn new(_: Limits, _: usize) -> Self {
        Self
    }

    pub(crate) const fn lend(&mut self, _: Terms, _: Opcode) -> Option<Box<Inflating>> {
        None
    }

    #[expect(clippy::boxed_local, reason = "as it is where there is one")]
    pub(crate) fn give_back(&mut self, inflating: Box<Inflating>) {
        match inflating.never {}
    }

    pub(crate) const fn take_out(&mut self) -> Vec<u8> {
        Vec::new()
    }

    pub(crate) fn put_back(&mut self, _: Vec<u8>) {}
}
