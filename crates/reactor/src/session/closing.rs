//! The end of a connection: what is queued goes out, our half is closed, and the peer is read until its FIN, so that no
//! unread byte makes the kernel reset what we sent last.

use crate::connection::{Connection, Due, Times};
use crate::deadlines::Moment;
use crate::handler::Closed;

/// How far the end has come.
#[derive(Clone, Copy)]
pub(crate) struct Closing {
    /// Our FIN is on its way.
    pub(crate) shut: bool,
    /// What began it, if it was not the peer.
    pub(crate) why: Option<Closed>,
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
