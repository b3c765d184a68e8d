//! `Dial`: connections are opened steadily, so that a backlog is not what is measured.

use std::time::Duration;

use longwire_reactor::{DeflateOffer, Handler, Limits, Loop, Opening, PeerId, Server};

use super::Plan;

/// Who is called, how fast, and who has been.
pub(super) struct Dial {
    opening: Opening,
    begun: u64,
    called: usize,
    wanted: usize,
    /// Nanoseconds between two calls.
    pause: u64,
}

impl Dial {
    /// For so many connections of one of the threads.
    pub(super) fn new(plan: &Plan, wanted: usize) -> Self {
        let opening = plan.options.target.opening();
        let opening = if plan.options.deflate { opening.deflate(DeflateOffer::DEFAULT) } else { opening };
        let pause = 1_000_000_000 * u64::from(plan.options.threads) / u64::from(plan.options.connect_rate);
        Self { opening, begun: plan.clock.now(), called: 0, wanted, pause }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.called == self.wanted
    }

    /// Calls whoever is due.
    pub(super) fn go_on<H: Handler>(
        &mut self,
        plan: &Plan,
        on: &mut Loop<H>,
        mut called: impl FnMut(&mut H, PeerId),
    ) -> Result<(), String> {
        let due = 1 + (plan.clock.now() - self.begun) / self.pause.max(1);
        while !self.is_done() && (self.called as u64) < due {
            let address = plan.options.target.address();
            let opening = match plan.options.source(self.called) {
                Some(source) => self.opening.clone().source(source),
                None => self.opening.clone(),
            };
            let opened = on.with_hub(|hub| hub.connect(address, opening));
            let id = opened.map_err(|error| format!("connection {} to {address}: {error}", self.called + 1))?;
            called(on.handler(), id);
            self.called += 1;
        }
        Ok(())
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

/// How long the last of what is on its way is waited for.
pub(super) const LAST: Duration = Duration::from_secs(5);

/// How long a turn of a thread may last while it is watched for its end.
pub(super) const TURN: Duration = Duration::from_millis(20);
