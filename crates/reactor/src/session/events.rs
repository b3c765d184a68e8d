//! An event stream: nothing is expected from the peer but its end, and silence is broken by comments.

use std::time::Duration;

use longwire_handshake::Request;
use longwire_sse::Event;

use super::{Session, Visit, answer};
use crate::closed::Closed;
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::publication::Publication;
use crate::sending::Sending;

/// An open event stream.
pub(crate) struct Events;

pub(super) fn due(connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
    // A stream whose bytes wait is not silent.
    (!connection.waits()).then(|| (connection.heard.after(times.heartbeat), Due::Heartbeat))
}

/// Sends the stream's head and opens it. It has no length and no chunks: it ends with the connection. WHATWG HTML §9.2.7: chunks
/// know nothing of events.
pub(super) fn open<H: Handler>(
    visit: &mut Visit<'_, H>,
    request: &Request<'_, '_>,
    fields: &[(&'static str, String)],
    retry: Option<Duration>,
) {
    answer::respond_stream(visit, request, fields);
    visit.sending.mark_opened(visit.key.slot);
    if request.is_head() {
        return visit.shut(Closed::Answered);
    }
    if !visit.sending.find_room() {
        // Not a 503: on any status but 200 a browser gives up for ever.
        let retry = Sending::retry_later(visit.machine);
        push_retry(visit, retry);
        return visit.shut(Closed::Answered);
    }
    visit.become_session(Session::Events(Events));
    visit.connection().heard = visit.sending.now;
    visit.sending.stats.streams += 1;
    if let Some(retry) = retry {
        push_retry(visit, retry);
    }
    visit.opened();
}

pub(super) fn push_retry<H: Handler>(visit: &mut Visit<'_, H>, retry: Duration) {
    let block = Publication::Event(Event::retry_only(retry));
    visit.sending.push_with(visit.key.slot, |out| block.encode_event(out));
}
