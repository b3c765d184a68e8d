//! The end of a connection: what is queued goes out, our half is closed, and the peer is read until its FIN, so that no
//! unread byte makes the kernel reset what we sent last.

use crate::connection::{Connection, Due, Times};
use crate::deadlines::Moment;

/// How far the end has come.
#[derive(Clone, Copy)]
pub(crate) struct Closing {
    /// Our FIN is on its way.
    pub(crate) shut: bool,
}

pub(super) fn due(connection: &Connection, times: &Times) -> Option<(Moment, Due)> {
    if connection.waits() {
        return None;
    }
    let idle = connection.heard.after(times.linger_idle);
    let all = connection.since.after(times.linger);
    Some((idle.earlier(all), Due::Linger))
}
