//! A request that waits for its answer: reading is paused, and the head is kept, for the answer may open anything.

use longwire_handshake::{FieldSlots, Request};

use super::head::Head;
use super::{Session, Visit, answer};
use crate::closed::{Closed, Deadline};
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::ledger::OBJECT;
use crate::reply::Reply;

/// A request under way. The input holds its head.
pub(crate) struct Later {
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
    visit.input.get_or_insert_default().request = head.to_vec();
    visit.become_session(Session::Later(Later { wanted }));
}

/// Gives the answer; what was read behind the request is looked at afterwards.
pub(super) fn answer<H: Handler>(visit: &mut Visit<'_, H>, reply: Reply, why: Closed) {
    let Session::Later(Later { wanted }) = &mut visit.connection().session else { return };
    let wanted = std::mem::take(wanted);
    let Some(head) = visit.input.as_mut().map(|input| std::mem::take(&mut input.request)) else { return };
    visit.sending.wanted = wanted;
    let mut slots = FieldSlots::new();
    let request = Request::parse(&head, &mut slots).expect("a head that was parsed before");
    let since = visit.connection().since;
    visit.become_session(Session::Head(Head::next(visit.sending.limits.head)));
    // How long it waited is still to be told.
    visit.connection().since = since;
    answer::apply(visit, &request, &head, reply);
    if let Session::Later(_) = visit.connection().session {
        // The answer was `later` once more: it waits as before, and no longer for that.
        visit.connection().since = since;
        return;
    }
    if !visit.connection().session.is_open() {
        visit.closed(why);
    }
    if visit.input.as_ref().is_some_and(|input| !input.carry.is_empty()) {
        visit.connection().left_over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_pins_the_topics_that_it_will_listen_to() {
        let waiting = |wanted: Vec<Box<str>>| Later { wanted }.pinned();
        assert_eq!(waiting(Vec::new()), 0);
        let places = 2 * size_of::<Box<str>>();
        assert_eq!(waiting(vec!["news".into(), "weather".into()]), places + 11 + 2 * OBJECT);
    }
}
