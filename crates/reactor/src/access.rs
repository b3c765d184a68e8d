//! What an access log is made of: every request that was answered, and every connection that has ended. How a line looks is
//! the application's affair.

use std::net::SocketAddr;
use std::time::Duration;

use crate::closed::Closed;
use crate::peer_id::PeerId;
use crate::request::Request;
use crate::sending::Sending;
use crate::slots::Key;

/// One entry of an access log, as [`Handler::access`](crate::Handler::access) is told of it.
///
/// Whatever a peer has written comes as it was written: whoever puts it on a line has to see to it that it stays there.
pub struct Access<'a> {
    /// The request that was answered, or the last one of the connection that has ended.
    pub id: PeerId,
    /// What happened.
    pub record: Record<'a>,
    sending: &'a mut Sending,
    slot: u32,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A request was answered: with a page, a refusal, or the head of a WebSocket or a stream.
    Answered {
        /// The request; `None` if it was not understood, or did not arrive in time.
        request: Option<Request<'a>>,
        /// The status of the answer.
        status: u16,
        /// The bytes of its body, of one whose length is known; none in answer to HEAD.
        body: u64,
        /// From the request's last byte to the answer, in turns of the loop's clock: 0, unless the reply was `later`. For
        /// what never became a request, from its first byte.
        took: Duration,
    },
    /// A connection has ended, whatever it was for.
    Closed {
        /// Why: what ended first, if several things did. A plain connection whose last answer said so is
        /// [`Closed::Answered`]; one that waited too long for its next request is late.
        why: Closed,
        /// How long it was open; after 49 days it is counted anew.
        age: Duration,
    },
}

impl<'a> Access<'a> {
    pub(crate) fn new(sending: &'a mut Sending, key: Key, record: Record<'a>) -> Self {
        Self { id: sending.id(key), record, sending, slot: key.slot }
    }

    /// Where it came from: see [`Out::address`](crate::Out::address).
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.sending.addresses.client(self.slot)
    }

    /// The wall clock in whole seconds since 1970.
    #[must_use]
    pub const fn unix_time(&self) -> u64 {
        self.sending.wall
    }
}

impl std::fmt::Debug for Access<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("id", &self.id).field("record", &self.record).finish_non_exhaustive()
    }
}
