//! `Dial`: connections are opened steadily, so that a backlog is not what is measured.

use longwire_reactor::{DeflateOffer, Handler, Loop, Opening, PeerId};

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
