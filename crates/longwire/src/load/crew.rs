//! `Crew`: what the connections of a thread are to their loop, whatever they have to say: it is built for them, turned, and left.

use std::sync::atomic::Ordering;
use std::time::Duration;

use longwire_reactor::{CloseCode, Closed, Handler, Limits, Loop, PeerId, Server};

use super::tally::Tally;
use super::{Plan, nanoseconds};

/// How long the last of what is on its way is waited for.
pub(super) const LAST: Duration = Duration::from_secs(5);

/// How long a turn of a thread may last while it is watched for its end.
pub(super) const TURN: Duration = Duration::from_millis(20);

/// All connections of a thread.
pub(super) trait Crew<'p>: Handler {
    fn shift(&mut self) -> &mut Shift<'p>;

    /// What comes now comes at another time than what has come.
    fn begin_turn(&mut self) {}
}

/// What each thread keeps, whatever its connections say: what there is to do, and what came of it.
pub(super) struct Shift<'p> {
    pub(super) plan: &'p Plan,
    pub(super) tally: Tally,
    /// Nothing more is sent, and whoever goes now may.
    pub(super) ending: bool,
    /// Messages that have come since the other threads were told.
    pub(super) untold: u64,
}

impl<'p> Shift<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, tally: Tally::new(plan.options.duration), ending: false, untold: 0 }
    }

    /// Whether an answer is followed by the next message at once.
    pub(super) fn goes_on(&self) -> bool {
        self.plan.options.rate.is_none() && !self.ending
    }

    pub(super) fn opened(&self) {
        self.plan.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&mut self, why: Closed) {
        if !self.ending {
            self.plan.lose(&mut self.tally, words(why));
        }
    }
}

/// A loop that lets nobody wait: the limits of a server that is attacked are not meant for who attacks.
pub(super) fn build<H: Handler>(plan: &Plan, connections: usize, handler: H) -> Result<Loop<H>, String> {
    const LONG: Duration = Duration::from_secs(24 * 3_600);
    let mut limits = Limits {
        connections: connections + 16,
        per_address: connections + 16,
        budget: usize::MAX >> 1,
        send_queue: usize::MAX >> 8,
        ping: LONG,
        write_stall: LONG,
        message_deadline: LONG,
        ..Limits::default()
    };
    limits.message.message = u32::try_from(plan.options.size).unwrap_or(u32::MAX).max(1 << 20);
    Server::default().limits(limits).build(handler).map_err(|error| error.to_string())
}

/// Goes on for as long, and tells the other threads how far it is.
pub(super) fn turn<'p, C: Crew<'p>>(on: &mut Loop<C>, wait: Duration) -> Result<(), String> {
    on.handler().begin_turn();
    let _ = on.turn(Some(wait)).map_err(|error| error.to_string())?;
    let shift = on.handler().shift();
    if shift.untold > 0 {
        shift.plan.messages.fetch_add(std::mem::take(&mut shift.untold), Ordering::Relaxed);
    }
    Ok(())
}

/// Says goodbye to these, and waits until all have gone.
pub(super) fn leave<'p, C: Crew<'p>>(mut on: Loop<C>, open: &[PeerId]) -> Result<Tally, String> {
    on.with_hub(|hub| open.iter().for_each(|id| hub.close(*id, CloseCode::NORMAL, "")));
    let clock = on.handler().shift().plan.clock;
    let last = clock.now() + nanoseconds(LAST);
    while on.stats().connections > 0 && clock.now() < last {
        turn(&mut on, TURN)?;
    }
    Ok(std::mem::replace(&mut on.handler().shift().tally, Tally::new(Duration::ZERO)))
}

/// Why a connection ended, as who loads a server sees it.
fn words(why: Closed) -> String {
    match why {
        Closed::ByPeer(Some(code)) => format!("the server closed with {}", code.get()),
        Closed::ByPeer(None) => "the server closed without a code".into(),
        Closed::Gone => "the server went without a Close".into(),
        Closed::Refused => "the server did not open the WebSocket".into(),
        other => other.to_string(),
    }
}
