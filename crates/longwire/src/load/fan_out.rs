//! One speaks, all listen: what a server makes of a message that everybody is to get, the speaker too, as soon as it can.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use longwire_reactor::{Closed, Handler, Hub, Loop, Message, Peer, PeerId};

use super::crew::{self, Crew, LAST, Shift, TURN};
use super::dial::Dial;
use super::speech::Ear;
use super::tally::Tally;
use super::{Plan, nanoseconds};

/// The listeners of a thread, and on the first thread the speaker.
struct Room<'p> {
    shift: Shift<'p>,
    /// Whoever was called, in this order, and whether it is there.
    ids: BTreeMap<PeerId, bool>,
    speaker: Option<PeerId>,
    /// How many were ever there to listen.
    listeners: u64,
    memory: Vec<u8>,
}

impl<'p> Crew<'p> for Room<'p> {
    fn shift(&mut self) -> &mut Shift<'p> {
        &mut self.shift
    }
}

impl Handler for Room<'_> {
    type User = Ear;

    fn opened(&mut self, peer: &mut Peer<'_, Self::User>) {
        self.ids.insert(peer.id(), true);
        self.listeners += u64::from(self.speaker != Some(peer.id()));
        self.shift.opened();
    }

    fn message(&mut self, peer: &mut Peer<'_, Self::User>, message: Message<'_>) {
        let bytes = match message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        };
        // What others say in the same room is not ours.
        let plan = self.shift.plan;
        let Some(number) = plan.shape.number(bytes, &self.memory) else { return };
        if !peer.user.hears(number) {
            self.shift.tally.wrong += 1;
        } else if self.speaker != Some(peer.id()) {
            plan.speech.arrived(plan, number, bytes.len(), &mut self.shift.tally);
            self.shift.untold += 1;
        } else if self.shift.goes_on() {
            peer.out.send(plan.speech.say(plan, &mut self.memory, plan.clock.now()));
        }
    }

    fn closed(&mut self, _hub: &mut Hub<'_>, id: PeerId, _user: Self::User, why: Closed) {
        self.ids.insert(id, false);
        self.shift.closed(why);
    }
}

/// Opens so many listeners, and if one speaks here, speaks until it is over.
pub(super) fn run(plan: &Plan, listeners: usize, speaks: bool) -> Result<Tally, String> {
    let memory = plan.shape.memory();
    let room = Room { shift: Shift::new(plan), ids: BTreeMap::new(), speaker: None, listeners: 0, memory };
    let mut on = crew::build(plan, listeners + 1, room)?;
    // The speaker is called last, when whoever is to hear it is there.
    let mut dial = Dial::new(plan, listeners);
    let mut speaker = Dial::new(plan, usize::from(speaks));
    let mut spoken = false;
    let mut sent = 0;
    let mut begun = 0;
    while !plan.over.load(Ordering::Acquire) {
        dial.go_on(plan, &mut on, |room, id| _ = room.ids.insert(id, false))?;
        let everybody = plan.opened.load(Ordering::Relaxed) >= plan.options.connections as usize;
        if dial.is_done() && everybody && !speaker.is_done() {
            speaker.go_on(plan, &mut on, |room, id| room.speaker = Some(id))?;
        }
        let wait = match (plan.window(), on.handler().speaker, plan.options.rate) {
            (None, _, _) => {
                if dial.is_done() {
                    Duration::from_millis(5)
                } else {
                    Duration::from_millis(1)
                }
            }
            (Some(_), Some(id), None) if !spoken => {
                spoken = true;
                let now = plan.clock.now();
                speak(&mut on, id, (0..plan.options.in_flight).map(|_| now));
                Duration::ZERO
            }
            (Some(_), Some(id), Some(rate)) => {
                if sent == 0 {
                    begun = plan.clock.now();
                }
                let due = |sent: u64| begun + sent * 1_000_000_000 / u64::from(rate);
                while due(sent) <= plan.clock.now() {
                    speak(&mut on, id, [due(sent)]);
                    sent += 1;
                }
                Duration::ZERO
            }
            (Some(_), _, _) => TURN,
        };
        crew::turn(&mut on, wait)?;
    }
    end(on)
}

/// Says a message for each of these moments, in which they are due: at once, or a server would answer the first alone.
fn speak(on: &mut Loop<Room<'_>>, speaker: PeerId, due: impl IntoIterator<Item = u64>) {
    let room = on.handler();
    let (plan, mut memory) = (room.shift.plan, std::mem::take(&mut room.memory));
    on.with_hub(|hub| {
        for due in due {
            hub.send_to(speaker, plan.speech.say(plan, &mut memory, due));
        }
    });
    on.handler().memory = memory;
}

/// Hears the last deliveries, and leaves.
fn end(mut on: Loop<Room<'_>>) -> Result<Tally, String> {
    on.handler().shift.ending = true;
    let clock = on.handler().shift.plan.clock;
    let counted = on.handler().shift.plan.speech.counted();
    let counted = counted.end - counted.start;
    // Whom the server has sent away was to hear it, too.
    let expected = counted * on.handler().listeners;
    let last = clock.now() + nanoseconds(LAST);
    while on.handler().shift.tally.delivered < expected && clock.now() < last {
        crew::turn(&mut on, TURN)?;
    }
    let room = on.handler();
    room.shift.tally.expect(expected);
    room.shift.tally.sent = if room.speaker.is_some() { counted } else { 0 };
    let open: Vec<PeerId> = room.ids.iter().filter(|(_, open)| **open).map(|(id, _)| *id).collect();
    crew::leave(on, &open)
}
