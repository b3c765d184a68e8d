//! The end of a connection: what is queued goes out, our half is closed, and the peer is read until its FIN, so that no
//! unread byte makes the kernel reset what we sent last.

use longwire_frame::CloseCode;

use super::{Session, Visit, events};
use crate::closed::{Closed, Deadline};
use crate::connection::Connection;
use crate::deadlines::Moment;
use crate::due::{Due, Times};
use crate::handler::Handler;
use crate::sending::Sending;

/// How far the end has come.
#[derive(Clone, Copy)]
pub(crate) struct Closing {
    /// Our FIN is on its way; or it follows the peer's, for which a client waits after the closing handshake (RFC 6455 §7.1.1).
    pub(crate) shut: bool,
    /// What began it, if it was not the peer.
    pub(crate) why: Option<Closed>,
}

/// Says why we end it: a WebSocket by a Close, a stream by when to come back. Plain requests have been answered by then.
pub(super) fn say<H: Handler>(visit: &mut Visit<'_, H>, why: Closed) {
    match (&visit.connection().session, why) {
        (Session::WebSocket(_), why) => {
            if let Some((code, reason)) = words(why) {
                visit.sending.push_close(visit.machine, visit.key.slot, code, reason);
            }
        }
        (Session::Events(_), Closed::Drained | Closed::NoRoom) => {
            let retry = Sending::retry_later(visit.machine);
            events::push_retry(visit, retry);
        }
        _ => {}
    }
}

/// The Close for each reason of our own (RFC 6455 §7.4.1).
const fn words(why: Closed) -> Option<(CloseCode, &'static str)> {
    Some(match why {
        Closed::Overflow => (CloseCode::POLICY, "reads too slowly"),
        Closed::NoRoom => (CloseCode::TRY_AGAIN, "the server has no room"),
        Closed::Late(Deadline::Age) => (CloseCode::GOING_AWAY, "too old"),
        Closed::Late(Deadline::Message) => (CloseCode::POLICY, "message too slow"),
        // The handler broke off, or asked for what cannot be sent.
        Closed::Panicked | Closed::ByUs => (CloseCode::INTERNAL, "internal error"),
        _ => return None,
    })
}

pub(super) fn due(connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
    if connection.waits() {
        return None;
    }
    // A peer that was silent before, as one whose request was too slow, has this time, too.
    let silent = if connection.heard.reached(connection.since) { connection.heard } else { connection.since };
    let idle = silent.after(times.linger_idle);
    let all = connection.since.after(times.linger);
    Some((idle.earlier(all), Due::Linger))
}
