//! A request that waits for its answer: reading is paused, and the head is kept, for the answer may open anything.

use longwire_handshake::{FieldSlots, Request};

use super::input::Input;
use super::{Session, Visit, head};
use crate::connection::{Connection, Due, Times};
use crate::deadlines::Moment;
use crate::handler::{Closed, Deadline, Handler};
use crate::reply::Reply;

/// A request under way: where its head ends in the carried input, and what follows it.
pub(crate) struct Later {
    head: u32,
    /// The request's body, which is not kept, ended here.
    rest: u32,
}

pub(super) fn due(connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
    Some((connection.since.after(times.later), Due::Late(Deadline::Answer)))
}

/// Keeps the head and waits.
pub(super) fn wait<H: Handler>(visit: &mut Visit<'_, H>, head: &[u8]) {
    let length = head.len() as u32;
    let wanted = std::mem::take(&mut visit.sending.wanted);
    let carry = head.to_vec();
    visit.input = Some(Box::new(Input { carry, wanted, ..Input::default() }));
    visit.become_session(Session::Later(Later { head: length, rest: length }));
}

/// Gives the answer; what the peer sent meanwhile is looked at afterwards.
pub(super) fn answer<H: Handler>(visit: &mut Visit<'_, H>, reply: Reply) {
    let Session::Later(Later { head, rest }) = visit.connection().session else { return };
    let Some(input) = visit.input.take() else { return };
    let Input { mut carry, wanted, .. } = *input;
    visit.sending.wanted = wanted;
    let following = carry.split_off(rest as usize);
    carry.truncate(head as usize);
    let mut slots = FieldSlots::new();
    let request = Request::parse(&carry, &mut slots).expect("a head that was parsed before");
    visit.become_session(Session::Head(head::Head::next(visit.sending.limits.head)));
    head::apply(visit, &request, &carry, reply);
    if let Session::Later(_) = visit.connection().session {
        // The answer was `later` once more: it waits as before.
        if let Some(input) = &mut visit.input {
            input.carry.extend_from_slice(&following);
        }
        return;
    }
    if !visit.connection().session.is_open() {
        visit.closed(Closed::Answered);
    }
    if !following.is_empty() {
        visit.input.get_or_insert_with(Box::default).carry = following;
        visit.connection().unread = true;
    }
}
