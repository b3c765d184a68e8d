//! Messages that lie whole in the input: the short way of what is done with any frame. What is anything else goes the long way, in
//! `web_socket.rs`, from there on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use longwire_frame::Error;

use super::{Visit, web_socket};
use crate::handler::Handler;
use crate::peer::{Out, Peer};
use crate::sending::{Sending, Way};
use crate::side::Side;
use crate::slots::Key;
use crate::wire::Machine;

/// What [`receive`] came to: so many bytes were used, of so many.
pub(crate) struct Taken {
    used: usize,
    all: usize,
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
    /// Whether all were, and the connection is as it was.
    #[inline]
    pub(crate) const fn is_calm(&self) -> bool {
        matches!(self.how, How::Calm) && self.used == self.all
    }
}

/// Takes whole messages, one after the other, as long as they lie whole in the input and nothing is in their way: the short way of what
/// is done with any frame. Nothing may be kept that has come before them; what it comes to, [`conclude`] does.
#[inline(always)]
pub(crate) fn receive<H: Handler>(
    handler: &mut H,
    users: &mut Side<H::User>,
    sending: &mut Sending,
    machine: &mut dyn Machine,
    key: Key,
    way: Option<Way>,
    bytes: &mut [u8],
) -> Taken {
    let all = bytes.len();
    let Some(user) = users.get_mut(key.slot) else { return Taken { used: 0, all, how: How::Restless } };
    let mut peer = Peer { user, out: Out::new(sending, machine, key) };
    let mut rest = bytes;
    let how = catch_unwind(AssertUnwindSafe(|| tell(handler, &mut peer, way, &mut rest)));
    Taken { used: all - rest.len(), all, how: how.unwrap_or(How::Panicked) }
}

/// See [`receive`].
#[inline(always)]
fn tell<H: Handler>(handler: &mut H, peer: &mut Peer<'_, H::User>, way: Option<Way>, rest: &mut &mut [u8]) -> How {
    let (mut takes, mut how) = (peer.out.go(way), How::Calm);
    while let Some(whole) = takes {
        let message = match whole.next(rest) {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(fault) => return How::Faulty(fault),
        };
        peer.out.begin(!rest.is_empty());
        handler.message(peer, message);
        if peer.out.has_much() {
            return How::Restless;
        }
        if !peer.out.is_short() {
            if peer.out.is_overworked() {
                return How::Restless;
            }
            (takes, how) = (peer.out.go_on(), How::Restless);
        }
    }
    how
}

/// Does what is left to be done when whole messages were taken. Returns how many bytes were used.
pub(crate) fn conclude<H: Handler>(visit: &mut Visit<'_, H>, Taken { used, all, how }: Taken) -> usize {
    match how {
        How::Calm | How::Restless => used,
        How::Panicked => {
            visit.panicked();
            used
        }
        How::Faulty(fault) => {
            web_socket::fail_for(visit, fault);
            all
        }
    }
}

/// Takes whole messages in the course of a visit. Returns how many bytes were used.
///
/// Why it does not call [`receive`]: what is guarded against panics there would be one function for both, and no part of the visit any more, which
/// was 37 instructions a message.
pub(super) fn take<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let (key, all) = (visit.key, bytes.len());
    let way = visit.sending.short_way(key.slot);
    let Some(user) = visit.users.get_mut(key.slot) else { return 0 };
    let mut peer = Peer { user, out: Out::new(visit.sending, visit.machine, key) };
    let mut rest = bytes;
    let how = catch_unwind(AssertUnwindSafe(|| tell(visit.handler, &mut peer, way, &mut rest)));
    let taken = Taken { used: all - rest.len(), all, how: how.unwrap_or(How::Panicked) };
    if taken.used > 0 {
        visit.connection().session.forget_long();
    }
    conclude(visit, taken)
}
