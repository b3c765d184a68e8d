//! What one connection has received and not used up: it exists only while there is something in it.

use longwire_frame::Assembly;

use crate::deadlines::Moment;

/// The carried input of one connection.
#[derive(Default)]
pub(crate) struct Input {
    /// An incomplete head, frame header or control frame; a request that waits for its body or its answer; or bytes that
    /// were read before reading was paused.
    pub(crate) carry: Vec<u8>,
    /// A message that arrives in pieces, and when its first byte came.
    pub(crate) assembly: Option<(Assembly, Moment)>,
    /// Topics that a later answer will be subscribed to, if it opens something.
    pub(crate) wanted: Vec<Box<str>>,
}

impl Input {
    pub(crate) fn is_empty(&self) -> bool {
        self.carry.is_empty() && self.assembly.is_none() && self.wanted.is_empty()
    }

    /// Bytes that it pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        let assembly = self.assembly.as_ref().map_or(0, |(assembly, _)| assembly.capacity());
        let wanted: usize = self.wanted.iter().map(|topic| topic.len() + size_of::<Box<str>>()).sum();
        size_of::<Self>() + self.carry.capacity() + assembly + wanted
    }
}
