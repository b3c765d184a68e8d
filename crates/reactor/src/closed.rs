//! Why something has ended.

use std::io;

use longwire_frame::CloseCode;

/// Why a WebSocket, a stream or a later answer ended. RFC 6455 §7.1.5 says which code is the connection's, and §7.1.7 that a
/// server logs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closed {
    /// The peer closed, with this code if it gave one.
    ByPeer(Option<CloseCode>),
    /// The application closed.
    ByUs,
    /// The later answer was given; or, in an access log, the last answer of a plain connection.
    Answered,
    /// The server is stopping.
    Drained,
    /// The peer went without a Close (a FIN or a reset).
    Gone,
    /// The connection failed in mid-air.
    Broken(io::ErrorKind),
    /// The peer broke a rule of RFC 6455.
    Fault(longwire_frame::Error),
    /// A server that we connected to did not open the WebSocket.
    Refused,
    /// A deadline passed.
    Late(Deadline),
    /// Its queue was at the bound: the peer does not read as fast as we send. A WebSocket is told with 1008.
    Overflow,
    /// The process has no room (`Limits::budget`), and this connection pinned much or was about to. A WebSocket is told
    /// with 1013, a stream when to come back.
    NoRoom,
    /// The handler panicked.
    Panicked,
}

/// Which deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// `Limits::later`.
    Answer,
    /// `Limits::message_deadline`.
    Message,
    /// `Limits::pong`.
    Pong,
    /// `Limits::write_stall`.
    WriteStall,
    /// `Limits::close`.
    Close,
    /// `Limits::max_age`.
    Age,
    /// `Limits::head_deadline`, of a connection that we made.
    Opening,
    /// `Limits::keep_alive`, or `Limits::head_deadline` where no byte ever came. Only access logs tell of it.
    Idle,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByPeer(_) => f.write_str("the peer closed"),
            Self::ByUs => f.write_str("we closed"),
            Self::Answered => f.write_str("answered"),
            Self::Drained => f.write_str("the server is stopping"),
            Self::Gone => f.write_str("the peer went"),
            Self::Broken(kind) => write!(f, "broken: {kind}"),
            Self::Fault(fault) => write!(f, "the peer's fault: {fault}"),
            Self::Refused => f.write_str("refused"),
            Self::Late(deadline) => write!(f, "too late: {deadline}"),
            Self::Overflow => f.write_str("the peer reads too slowly"),
            Self::NoRoom => f.write_str("no room"),
            Self::Panicked => f.write_str("the handler panicked"),
        }
    }
}

impl std::fmt::Display for Deadline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answer => "answer",
            Self::Message => "message",
            Self::Pong => "pong",
            Self::WriteStall => "write stall",
            Self::Close => "close",
            Self::Age => "age",
            Self::Opening => "opening",
            Self::Idle => "idle",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_words_of_its_own() {
        use Deadline::{Age, Answer, Close, Idle, Message, Opening, Pong, WriteStall};
        let reasons = [
            Closed::ByPeer(None),
            Closed::ByUs,
            Closed::Answered,
            Closed::Drained,
            Closed::Gone,
            Closed::Refused,
            Closed::Overflow,
            Closed::NoRoom,
            Closed::Panicked,
            Closed::Broken(io::ErrorKind::ConnectionReset),
            Closed::Broken(io::ErrorKind::BrokenPipe),
            Closed::Fault(longwire_frame::Error::NotUtf8),
            Closed::Fault(longwire_frame::Error::MessageTooBig),
        ];
        let late = [Answer, Message, Pong, WriteStall, Close, Age, Opening, Idle].map(Closed::Late);
        let words: BTreeSet<String> = reasons.iter().chain(&late).map(ToString::to_string).collect();
        assert_eq!(words.len(), reasons.len() + late.len(), "{words:?}");
        assert_eq!(Closed::Late(WriteStall).to_string(), "too late: write stall");
    }
}
