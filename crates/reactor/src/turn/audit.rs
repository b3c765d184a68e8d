//! What must be true of a loop whenever it is not in the middle of a turn.
//!
//! Most of it is what no test of one connection shows: an edge that was consumed and not remembered, a timer that nobody will
//! fire, a byte that nobody counts. All of these look like a server that works, until one connection sleeps for ever.

use super::Loop;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::slots::Key;
use crate::sys::Sys;

/// What is counted over all connections on the way.
#[derive(Default)]
struct Sums {
    connections: usize,
    users: usize,
    pinned: usize,
    listed: usize,
}

impl<H: Handler, S: Sys> Loop<H, S> {
    /// Checks between two turns that what must always be true is true. It costs a few words for each connection: simulators
    /// and fuzzers may call it after every turn.
    ///
    /// # Errors
    /// What is not true, in words.
    pub fn audit(&mut self) -> Result<(), String> {
        let mut sums = Sums::default();
        let sending = &self.sending;
        if !(sending.endings.is_empty() && sending.answers.is_empty() && sending.touched.is_empty()) {
            return Err("a turn left endings, answers or touched connections behind".into());
        }
        if !sending.topics.is_idle() {
            return Err("a turn left publications behind".into());
        }
        for key in sending.slots.live() {
            let connection = &sending.slots[key.slot];
            let (user, socket) = (self.users.get(key.slot).is_some(), self.wires.holds(key.slot));
            let complaint = complaint(connection, sending.slot_cost, user, socket).or_else(|| {
                let (due, _) = connection.due(&sending.times)?;
                let armed = connection.link.armed()?;
                (!due.reached(armed)).then_some("its timer is armed for later than its deadline")
            });
            if let Some(complaint) = complaint {
                return Err(self.describe(key, complaint));
            }
            if connection.due(&sending.times).is_none() {
                return Err(self.describe(key, "nothing ends it: it has no deadline"));
            }
            sums.connections += 1;
            sums.users += usize::from(user);
            sums.pinned += connection.pinned;
            sums.listed += usize::from(connection.listed);
        }
        self.check(&sums)
    }

    /// What must be true of all connections together.
    fn check(&self, sums: &Sums) -> Result<(), String> {
        let sending = &self.sending;
        if (sums.connections, sums.connections) != (sending.slots.len(), self.wires.count()) {
            return Err(format!(
                "{} connections are alive, {} are counted and {} have a socket",
                sums.connections,
                sending.slots.len(),
                self.wires.count()
            ));
        }
        if sums.users != self.users.len() {
            return Err(format!("{} connections have a user, but {} users are kept", sums.users, self.users.len()));
        }
        if sums.pinned != sending.ledger.pinned() {
            return Err(format!("{} bytes are pinned, the ledger says {}", sums.pinned, sending.ledger.pinned()));
        }
        if sums.listed > sending.ready.len() {
            return Err(format!("{} connections are listed, {} stand on the list", sums.listed, sending.ready.len()));
        }
        Ok(())
    }

    #[cold]
    fn describe(&self, key: Key, complaint: &str) -> String {
        let connection = &self.sending.slots[key.slot];
        let mut is = Vec::new();
        for (name, flag) in [
            ("listed", connection.listed),
            ("readable", connection.readable),
            ("read_closed", connection.read_closed),
            ("broken", connection.broken),
            ("finished", connection.finished),
            ("blocked", connection.blocked),
            ("paused", connection.paused),
            ("left_over", connection.left_over),
            ("ending", connection.ending),
            ("waking", connection.waking),
        ] {
            is.extend(flag.then_some(name));
        }
        format!(
            "peer {} ({}; {} bytes queued; {}): {complaint}",
            self.sending.id(key),
            connection.session.name(),
            connection.queued(),
            is.join(", ")
        )
    }
}

/// What is wrong with one connection, if anything is.
fn complaint(connection: &Connection, slot_cost: usize, user: bool, socket: bool) -> Option<&'static str> {
    let session = &connection.session;
    let complaints = [
        (connection.generation == 0, "it lives in a vacant slot"),
        (connection.torn, "what it had begun to send will not be finished, and it lives"),
        (!socket, "it has no socket"),
        (user != session.keeps_user(), "its user value is kept where it should not be, or is lost"),
        (connection.ending, "its end was noted and has not come"),
        (connection.link.armed().is_none(), "it has no timer"),
        (connection.pinned != slot_cost + connection.pins(), "what it pins is not what is booked"),
        (connection.wants_read() && !connection.listed, "there is something to read and nobody will"),
        (connection.waits() && !connection.blocked && !connection.listed, "its queue waits for nothing"),
        (connection.paused && !connection.waits(), "it is paused and nothing will resume it"),
        (connection.subscriptions.is_some() && !session.is_open(), "it subscribes to something and is not open"),
        (connection.output.as_ref().is_some_and(|queue| queue.is_over()), "it owns an empty queue"),
        (connection.input.as_ref().is_some_and(|input| input.is_empty()), "it owns an empty input"),
    ];
    complaints.into_iter().find_map(|(is_so, complaint)| is_so.then_some(complaint))
}
