//! The application's door: one value per loop, called when something happened.

use longwire_frame::Message;

use crate::access::Access;
use crate::closed::Closed;
use crate::peer::{Hub, Peer};
use crate::peer_id::PeerId;
use crate::reply::Reply;
use crate::request::Request;

/// What a server does. There is one value per loop, that is, per thread; every method has a default.
///
/// Calling order for one connection: [`request`](Handler::request) for every request; if the reply opened a WebSocket or
/// an event stream, [`opened`](Handler::opened), then any of the others, then [`closed`](Handler::closed) exactly once.
/// A [`Reply::later`] is closed like them, when it was answered or when its peer is gone.
///
/// A method that panics ends that one connection (status 500 or close code 1011); nothing leaves of what it had begun to send
/// to its own peer, but for what was so large that it was written at once.
pub trait Handler {
    /// What the application keeps with a WebSocket, a stream or a later answer. Every request starts with a fresh one:
    /// behind a proxy the requests of different people share a connection.
    type User: Default;

    /// A whole request: head and body. The default opens a WebSocket, whatever the path.
    ///
    /// Whose page asks is checked for WebSockets alone; what else a foreign page may do is decided here, by
    /// [`Request::origin`].
    fn request(&mut self, peer: &mut Peer<'_, Self::User>, request: &Request<'_>, body: &[u8]) -> Reply {
        let _ = (peer, request, body);
        Reply::web_socket()
    }

    /// The 101 or the stream's head is on its way; what is sent from here on follows it.
    fn opened(&mut self, peer: &mut Peer<'_, Self::User>) {
        let _ = peer;
    }

    /// A whole message, borrowed from the input.
    fn message(&mut self, peer: &mut Peer<'_, Self::User>, message: Message<'_>) {
        let _ = (peer, message);
    }

    /// A piece of a message, instead of [`message`](Handler::message), where the reply was
    /// [`Reply::pieces`](Reply::pieces).
    fn piece(&mut self, peer: &mut Peer<'_, Self::User>, piece: Piece<'_>) {
        let _ = (peer, piece);
    }

    /// This peer's queue is empty again after it was not: the moment to send what waited, or to say what was dropped.
    fn drained(&mut self, peer: &mut Peer<'_, Self::User>) {
        let _ = peer;
    }

    /// Something was dropped at the queue's bound, because the reply was [`Reply::dropping`]: told at most once a turn, with the
    /// number of what was dropped since the last call.
    ///
    /// A stream's client is told by itself, in an event named `gap`. A WebSocket's is not, for messages are the application's
    /// own: keep the number, and tell it in [`drained`](Handler::drained); here the queue may still be full, and then what is
    /// sent is dropped as well.
    fn dropped(&mut self, peer: &mut Peer<'_, Self::User>, what: Dropped) {
        let _ = (peer, what);
    }

    /// The time asked for by `wake_after` has come.
    fn timer(&mut self, peer: &mut Peer<'_, Self::User>) {
        let _ = peer;
    }

    /// A WebSocket, a stream or a later answer has ended: called exactly once for each.
    fn closed(&mut self, hub: &mut Hub<'_>, id: PeerId, user: Self::User, why: Closed) {
        let _ = (hub, id, user, why);
    }

    /// A request was answered, or a connection has ended: what an access log is made of. Called for every answer and every
    /// connection, also where nothing else is.
    fn access(&mut self, access: Access<'_>) {
        let _ = access;
    }

    /// The server's own clock, if [`Server::tick`](crate::Server::tick) asked for it; on the first loop only.
    fn tick(&mut self, hub: &mut Hub<'_>) {
        let _ = hub;
    }
}

/// A piece of a message as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text: first the character that was split between the last piece and this one, then the rest.
    Text {
        /// A character whose bytes arrived apart.
        carried: Option<char>,
        /// What follows it.
        rest: &'a str,
        /// Whether the message ends here.
        end: bool,
    },
    /// Bytes.
    Binary {
        /// The bytes of this piece.
        bytes: &'a [u8],
        /// Whether the message ends here.
        end: bool,
    },
}

/// What a queue at its bound did not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Messages or events.
    pub count: u32,
}
