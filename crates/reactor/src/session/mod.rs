//! What one connection is for, as a state named for what it awaits. No socket and no clock in here: bytes come in with a
//! [`Visit`], and what goes out is pushed to the sending half.
//! docs/states.md draws the states and what leads from one to another.

mod answer;
pub(crate) mod body;
pub(crate) mod closing;
mod compressed;
pub(crate) mod events;
pub(crate) mod head;
pub(crate) mod input;
pub(crate) mod later;
pub(crate) mod opening;
mod visit;
pub(crate) mod web_socket;
pub(crate) mod whole;

use longwire_handshake::Deflate;

use self::body::Body;
use self::closing::Closing;
use self::events::Events;
use self::head::Head;
use self::later::Later;
use self::opening::{Awaited, Opening};
use self::web_socket::WebSocket;
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::{Limits, Network, Origins};

pub(crate) use self::visit::Visit;

/// What a connection awaits.
pub(crate) enum Session {
    /// A request's head.
    Head(Head),
    /// The rest of a request's body.
    Body(Body),
    /// The application's answer.
    Later(Later),
    /// Frames.
    WebSocket(WebSocket),
    /// Nothing from the peer but its end.
    Events(Events),
    /// The answer to an opening handshake of ours.
    Opening(Box<Awaited>),
    /// The peer's FIN: ours has been sent or follows the queue.
    Closing(Closing),
}

/// What the peer's FIN is to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtFin {
    /// It goes on: an answer is owed, or the FIN is what was waited for.
    GoesOn,
    /// What was said still leaves.
    EndsWhenSent,
    /// It ends at once.
    Ends,
}

impl Session {
    /// What it means that the peer has sent its FIN, and whether something that came before it was left over.
    pub(crate) const fn at_fin(&self, left_over: bool) -> AtFin {
        match self {
            Self::Later(_) | Self::Closing(_) => AtFin::GoesOn,
            Self::Head(_) | Self::Body(_) if left_over => AtFin::GoesOn,
            // Half a request never will be one.
            Self::Head(_) | Self::Body(_) => AtFin::EndsWhenSent,
            Self::WebSocket(_) | Self::Events(_) | Self::Opening(_) => AtFin::Ends,
        }
    }

    pub(crate) fn opening(opening: Opening, nonce: [u8; 16], limits: longwire_handshake::Limits) -> Self {
        Self::Opening(Box::new(Awaited::new(opening, nonce, limits)))
    }

    /// The state of connections that only have to end.
    pub(crate) const fn closing() -> Self {
        Self::Closing(Closing { shut: false, why: None })
    }

    /// Its state, for those who read reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Head(_) => "head",
            Self::Body(_) => "body",
            Self::Later(_) => "later",
            Self::WebSocket(_) => "web socket",
            Self::Events(_) => "events",
            Self::Opening(_) => "opening",
            Self::Closing(_) => "closing",
        }
    }

    /// Every transition there is. (docs/states.md draws them, and is held against this.)
    const fn may_become(&self, next: &Self) -> bool {
        matches!(
            (self, next),
            (Self::Head(_), Self::Body(_))
                // A whole request has its answer, of any kind; or it is refused.
                | (
                    Self::Head(_) | Self::Body(_),
                    Self::Head(_) | Self::Later(_) | Self::WebSocket(_) | Self::Events(_) | Self::Closing(_)
                )
                // The answer is here: it is given to the head that was kept, as if it had come at once.
                | (Self::Later(_), Self::Head(_))
                | (Self::Opening(_), Self::WebSocket(_))
                | (Self::Later(_) | Self::WebSocket(_) | Self::Events(_) | Self::Opening(_), Self::Closing(_))
        )
    }

    /// Whether something may be sent by name: a WebSocket or an event stream.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self, Self::WebSocket(_) | Self::Events(_))
    }

    /// Whether a request is awaited, and no byte of it has been read.
    pub(crate) const fn is_silent(&self) -> bool {
        matches!(self, Self::Head(head) if head.is_awaited())
    }

    /// Whether the closing handshake is over.
    pub(crate) const fn has_closed(&self) -> bool {
        matches!(self, Self::WebSocket(socket) if socket.has_closed())
    }

    /// Whether it is a WebSocket on which nothing is begun.
    #[inline]
    pub(crate) const fn is_at_rest(&self) -> bool {
        matches!(self, Self::WebSocket(socket) if socket.is_at_rest())
    }

    /// Whether it is a WebSocket whose next bytes may be a whole message.
    #[inline]
    pub(crate) const fn takes_whole(&self) -> bool {
        matches!(self, Self::WebSocket(socket) if socket.takes_whole())
    }

    /// Whether the application's value stays with it.
    pub(crate) const fn keeps_user(&self) -> bool {
        matches!(self, Self::WebSocket(_) | Self::Events(_) | Self::Later(_))
    }

    /// Whether anything is read in this state: a request that waits is answered first, and a socket that is being connected has
    /// nothing to read.
    pub(crate) fn reads(&self) -> bool {
        !matches!(self, Self::Later(_)) && !opening::is_connecting(self)
    }

    /// How much of the shared receive buffer a read may fill: little, where what it brings will probably be copied.
    #[inline]
    pub(crate) fn reads_at_most(&self, limits: &Limits) -> usize {
        let little = matches!(self, Self::WebSocket(socket) if socket.after_long);
        if little { limits.receive.min(4 * limits.direct) } else { limits.receive }
    }

    /// A short message came.
    pub(crate) const fn forget_long(&mut self) {
        if let Self::WebSocket(socket) = self {
            socket.after_long = false;
        }
    }

    /// Bytes came from the peer. Whether that is a sign of its life: on a stream only what we send counts.
    pub(crate) const fn heard(&mut self) -> bool {
        match self {
            Self::Events(_) => return false,
            Self::WebSocket(socket) => socket.pinged = None,
            _ => {}
        }
        true
    }

    /// The last byte that waited has left. Whether the wait for the peer begins only now.
    pub(crate) fn sent(&mut self, now: Moment, paused: bool) -> bool {
        match self {
            Self::WebSocket(socket) => socket.sent(now, paused),
            // The peer may think about its next request from when the last answer has left.
            Self::Head(head) => head.is_between_requests(),
            _ => false,
        }
    }

    /// Bytes that its state pins on the heap.
    pub(crate) fn pinned(&self) -> usize {
        match self {
            Self::Later(later) => later.pinned(),
            Self::WebSocket(socket) => socket.terms.pinned(),
            Self::Opening(awaited) => awaited.pinned(),
            _ => 0,
        }
    }

    pub(crate) fn due(&self, connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
        match self {
            Self::Head(head) => head.due(connection, times),
            Self::Body(_) => Some((connection.since.after(times.body), Due::RequestTimeout)),
            Self::Later(_) => later::due(connection, times),
            Self::WebSocket(socket) => socket.due(connection, times),
            Self::Events(_) => events::due(connection, times),
            Self::Opening(_) => opening::due(connection, times),
            Self::Closing(_) => closing::due(connection, times),
        }
    }
}

/// Rules of the server that a session needs to know.
pub(crate) struct Rules {
    pub(crate) origins: Origins,
    /// What WebSockets are to be compressed like, if they are.
    pub(crate) deflate: Option<Deflate>,
    /// Names that a Host may have on a loopback address.
    pub(crate) hosts: Vec<String>,
    /// Where proxies are whose word about their clients is believed.
    pub(crate) trusted: Vec<Network>,
}
