//! `Error`: the peer's faults, as a client sees them. There are few: any bytes are an event stream, until memory ends.

use core::fmt;

/// The peer's fault: the stream says more than the memory holds. There is no answer to it but to hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The data of an event is longer than its place in the memory.
    DataTooLong,
    /// The name of an event is longer than an eighth of the memory, or than 1 KiB.
    NameTooLong,
    /// The id of an event is longer than an eighth of the memory, or than 1 KiB.
    IdTooLong,
}

impl Error {
    /// The section of the WHATWG HTML standard under which the limit falls. It sets none itself, but allows them.
    pub const fn section(self) -> &'static str {
        "9.2.6"
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DataTooLong => "the data of an event is longer than the memory for it",
            Self::NameTooLong => "the name of an event is longer than the memory for it",
            Self::IdTooLong => "the id of an event is longer than the memory for it",
        })
    }
}

impl core::error::Error for Error {}
