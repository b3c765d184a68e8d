//! Messages that lie whole in the input: the short way of what is done with any frame. What is anything else goes the long way, in
//! `web_socket.rs`, from there on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use longwire_frame::Error;

use super::{Visit, web_socket};
use crate::handler::Handler;
use crate::peer::{Out, Peer};
use crate::sending::Sending;
use crate::side::Side;
use crate::slots::Key;
use crate::wire::Machine;

/// What [`receive`] came to: so many bytes were taken.
pub(crate) struct Taken {
    bytes: usize,
    how: How,
}

enum How {
    /// Nothing came of it but that short messages were collected: the connection is as it was.
    Calm,
    Restless,
    Faulty(Error),
    Panicked,
}

impl Taken {
    /// How many bytes, if the connection is as it was.
    #[inline]
    pub(crate) const fn calm(&self) -> Option<usize> {
        if let How::Calm = self.how { Some(self.bytes) } else { None }
    }
}

/// Takes whole messages, one after the other, as long as they lie whole in the input and nothing is in their way: the short way of what
/// is done with any frame. Nothing may be begun of which they could be a part; what it comes to, [`conclude`] does.
pub(crate) fn receive<H: Handler>(
    handler: &mut H,
    users: &mut Side<H::User>,
    sending: &mut Sending,
    machine: &mut dyn Machine,
    key: Key,
    bytes: &mut [u8],
) -> Taken {
    let half = sending.limits.send_queue / 2;
    let Some(user) = users.get_mut(key.slot) else { return Taken { bytes: 0, how: How::Restless } };
    let mut peer = Peer { user, out: Out::new(sending, machine, key) };
    let all = bytes.len();
    let mut rest = bytes;
    let taken = catch_unwind(AssertUnwindSafe(|| {
        let (mut way, mut how) = (peer.out.go_short(), How::Calm);
        while let Some(whole) = way {
            let message = match whole.next(&mut rest) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(fault) => return How::Faulty(fault),
            };
            peer.out.begin(!rest.is_empty());
            handler.message(&mut peer, message);
            if peer.out.collected() > half {
                return How::Restless;
            }
            if !peer.out.is_short() {
                (way, how) = (peer.out.go_short(), How::Restless);
            }
        }
        how
    }));
    Taken { bytes: all - rest.len(), how: taken.unwrap_or(How::Panicked) }
}

/// Does what is left to be done when whole messages were taken, of so many bytes in all. Returns how many were used.
pub(crate) fn conclude<H: Handler>(visit: &mut Visit<'_, H>, taken: Taken, all: usize) -> usize {
    match taken.how {
        How::Calm | How::Restless => return taken.bytes,
        How::Panicked => visit.panicked(),
        How::Faulty(fault) => {
            web_socket::fail_for(visit, fault);
            return all;
        }
    }
    taken.bytes
}

/// Takes whole messages in the course of a visit. Returns how many bytes were used.
pub(super) fn take<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let all = bytes.len();
    let taken = receive(visit.handler, visit.users, visit.sending, visit.machine, visit.key, bytes);
    conclude(visit, taken, all)
}
