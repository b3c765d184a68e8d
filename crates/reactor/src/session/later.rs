//! A request that waits for its answer: reading is paused, and the head is kept, for the answer may open anything.

use longwire_handshake::{FieldSlots, Request};

use super::head::Head;
use super::input::Input;
use super::{Session, Visit, answer};
use crate::closed::{Closed, Deadline};
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::ledger::OBJECT;
use crate::reply::Reply;

/// A request under way: where its head ends in the carried input. What follows there came meanwhile.
pub(crate) struct Later {
    head: u32,
    /// Topics that it will listen to, if the answer opens something.
    pub(crate) wanted: Vec<Box<str>>,
}

impl Later {
    pub(crate) fn pinned(&self) -> usize {
        let topics: usize = self.wanted.iter().map(|topic| topic.len() + OBJECT).sum();
        self.wanted.capacity() * size_of::<Box<str>>() + topics
    }
}

pub(super) fn due(connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
    Some((connection.since.after(times.later), Due::Late(Deadline::Answer)))
}

/// Keeps the head and waits.
pub(super) fn wait<H: Handler>(visit: &mut Visit<'_, H>, head: &[u8]) {
    let wanted = std::mem::take(&mut visit.sending.wanted);
    *visit.input = Some(Box::new(Input { carry: head.to_vec(), ..Input::default() }));
    visit.become_session(Session::Later(Later { head: head.len() as u32, wanted }));
}

/// Gives the answer; what the peer sent meanwhile is looked at afterwards.
pub(super) fn answer<H: Handler>(visit: &mut Visit<'_, H>, reply: Reply, why: Closed) {
    let Session::Later(Later { head, wanted }) = &mut visit.connection().session else { return };
    let (head, wanted) = (*head as usize, std::mem::take(wanted));
    let Some(input) = visit.input.take() else { return };
    let mut carry = input.carry;
    visit.sending.wanted = wanted;
    let following = carry.split_off(head);
    let mut slots = FieldSlots::new();
    let request = Request::parse(&carry, &mut slots).expect("a head that was parsed before");
    let since = visit.connection().since;
    visit.become_session(Session::Head(Head::next(visit.sending.limits.head)));
    // How long it waited is still to be told.
    visit.connection().since = since;
    answer::apply(visit, &request, &carry, reply);
    if let Session::Later(_) = visit.connection().session {
        // The answer was `later` once more: it waits as before, and no longer for that.
        visit.connection().since = since;
        if let Some(input) = visit.input.as_mut() {
            input.carry.extend_from_slice(&following);
        }
        return;
    }
    if !visit.connection().session.is_open() {
        visit.closed(why);
    }
    if !following.is_empty() {
        visit.input.get_or_insert_with(Box::default).carry = following;
        visit.connection().unread = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_pins_the_topics_that_it_will_listen_to() {
        let waiting = |wanted: Vec<Box<str>>| Later { head: 1, wanted }.pinned();
        assert_eq!(waiting(Vec::new()), 0);
        let places = 2 * size_of::<Box<str>>();
        assert_eq!(waiting(vec!["news".into(), "weather".into()]), places + 11 + 2 * OBJECT);
    }
}
