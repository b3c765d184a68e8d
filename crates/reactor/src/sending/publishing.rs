//! Publishing: from a callback to the topics, and at the end of the turn to every subscriber in one write each.

use std::io::IoSlice;

use longwire_frame::State;

use super::Sending;
use crate::encode::{append_deflated_frame, append_frame};
use crate::publication::Publication;
use crate::remote::Parcel;
use crate::session::Session;
use crate::stats::count;
use crate::topics::Form;
use crate::unit;
use crate::wire::Machine;

/// The kernel takes no more parts in one call.
const MOST_PARTS: usize = 1_024;

/// What all listeners together are to get is delivered when it is so many times [`Limits::cork`](crate::Limits::cork).
const MOST_COPIES: u64 = 64;

impl Sending {
    /// Publishes: at the end of the turn to the subscribers of this loop and of the others, or earlier if it becomes much.
    pub(crate) fn publish(
        &mut self,
        machine: &mut dyn Machine,
        topic: &str,
        publication: &Publication<'_>,
        except: Option<u32>,
    ) {
        if !self.fellows.is_empty() {
            let parcel = Parcel::pack(publication);
            self.outbound_bytes += size_of::<(Box<str>, Parcel)>() + topic.len() + parcel.bytes();
            self.outbound.push((topic.into(), parcel));
            if self.outbound_bytes >= self.limits.cork {
                self.tell_fellows();
            }
        }
        self.publish_here(machine, topic, publication, except);
    }

    /// Gives the other loops what was published for them. What one has no room for is lost to it, and counted.
    fn tell_fellows(&mut self) {
        if !self.outbound.is_empty() {
            self.outbound_bytes = 0;
            self.stats.dropped += self.fellows.publish(&std::mem::take(&mut self.outbound).into());
        }
    }

    pub(crate) fn publish_here(
        &mut self,
        machine: &mut dyn Machine,
        topic: &str,
        publication: &Publication<'_>,
        except: Option<u32>,
    ) {
        self.stats.published += 1;
        let Self { topics, deflaters, limits, work, .. } = self;
        topics.publish(topic, except, |form, out| match (form, publication.message()) {
            (Form::Events, _) => publication.encode_event(out),
            (_, None) => {}
            (Form::Frames, Some(message)) => append_frame(message, out),
            (Form::Deflated(window), Some(message)) => {
                let worth_it = message.len() >= limits.deflate_from;
                work.deflated(if worth_it { message.len() } else { 0 });
                match worth_it.then(|| deflaters.shared(window, message.as_bytes())).flatten() {
                    Some(payload) => {
                        append_deflated_frame(message, &payload, out);
                        deflaters.give_back(payload);
                    }
                    None => append_frame(message, out),
                }
            }
        });
        // What one turn can publish must not grow with what its peers can send.
        let most = self.limits.cork;
        if self.topics.pending() >= most || self.topics.owed() >= MOST_COPIES.saturating_mul(most as u64) {
            self.deliver(machine);
        }
    }

    /// Subscribes a connection: at once if it is open, with its reply if a request is under way.
    pub(crate) fn subscribe(&mut self, slot: u32, topic: &str) {
        let most = self.limits.topics;
        if let Some(form) = form(&self.slots[slot].session) {
            let joined = self.topics.subscribe(&mut self.slots, slot, form, topic, most);
            self.stats.dropped += u64::from(!joined);
        } else if let Some(wanted) = self.wanted_by(slot)
            && !wanted.iter().any(|wanted| **wanted == *topic)
        {
            if wanted.len() < most {
                wanted.push(topic.into());
            } else {
                self.stats.dropped += 1;
            }
        }
    }

    pub(crate) fn unsubscribe(&mut self, machine: &mut dyn Machine, slot: u32, topic: &str) {
        match form(&self.slots[slot].session) {
            Some(form) => {
                self.deliver_now(machine, slot);
                self.topics.unsubscribe(&mut self.slots, slot, form, topic);
            }
            None => {
                if let Some(wanted) = self.wanted_by(slot) {
                    wanted.retain(|wanted| **wanted != *topic);
                }
            }
        }
    }

    /// The topics that wait for the reply to a request.
    fn wanted_by(&mut self, slot: u32) -> Option<&mut Vec<Box<str>>> {
        match &mut self.slots[slot].session {
            Session::Head(_) | Session::Body(_) => Some(&mut self.wanted),
            Session::Later(later) => Some(&mut later.wanted),
            _ => None,
        }
    }

    /// A connection that was open is not any more.
    pub(crate) fn unsubscribe_all(&mut self, slot: u32) {
        if let Some(form) = form(&self.slots[slot].session) {
            self.topics.unsubscribe_all(&mut self.slots, slot, form);
        }
    }

    /// Gives every subscriber this turn's publications, in one write each.
    pub(crate) fn deliver(&mut self, machine: &mut dyn Machine) {
        self.tell_fellows();
        if self.topics.is_idle() {
            return;
        }
        let mut audience = std::mem::take(&mut self.audience);
        self.topics.audience(&mut self.slots, &mut audience);
        for slot in &audience {
            self.deliver_to(machine, *slot);
        }
        self.topics.delivered();
        audience.clear();
        audience.shrink_to(16 << 10);
        self.audience = audience;
    }

    /// One connection is about to leave a topic or to close: what was published to it before still concerns it.
    pub(crate) fn deliver_now(&mut self, machine: &mut dyn Machine, slot: u32) {
        if !self.topics.is_idle() {
            self.deliver_to(machine, slot);
            self.topics.caught_up(&mut self.slots, slot);
        }
    }

    fn deliver_to(&mut self, machine: &mut dyn Machine, slot: u32) {
        self.work.delivers();
        let connection = &self.slots[slot];
        let Some(form) = form(&connection.session) else { return };
        let held = match &connection.session {
            // RFC 6455 §5.5.1: nothing follows our Close. §5.4: nothing but control frames goes between our fragments.
            Session::WebSocket(socket) if socket.connection.state() != State::Open => return,
            Session::WebSocket(socket) => socket.connection.is_mid_message(),
            _ => false,
        };
        let runs = self.topics.gather(&self.slots, slot, form);
        let whole = runs.len();
        if whole == 0 || self.slots[slot].ending {
            return;
        }
        self.work.wrote(whole, true);
        let connection = &mut self.slots[slot];
        if form == Form::Events {
            connection.heard = self.now;
        }
        let waits = connection.blocked || connection.output.is_some() || self.cork.is_of(slot);
        if connection.client || waits || held {
            let bytes = runs.concat();
            return self.queue_units(machine, slot, &bytes, 0, held);
        }
        let written = match runs.only() {
            Some(one) => machine.write(slot, &[IoSlice::new(one)]),
            None if runs.count() > MOST_PARTS => machine.write(slot, &[IoSlice::new(&runs.concat())]),
            None => {
                let slices: Vec<IoSlice<'_>> = runs.iter().map(IoSlice::new).collect();
                machine.write(slot, &slices)
            }
        };
        let taken = Self::wrote(connection, &mut self.endings, slot, written, whole);
        count(&mut self.stats.bytes_out, taken as u64);
        if taken < whole && !connection.ending {
            let bytes = runs.concat();
            self.queue_units(machine, slot, &bytes, taken, false);
        }
    }

    /// Queues frames or events behind the first `taken` bytes: the one that has begun, and then whole ones while the queue is
    /// below its bound. At the bound its policy drops them, or ends it.
    fn queue_units(&mut self, machine: &mut dyn Machine, slot: u32, bytes: &[u8], taken: usize, held: bool) {
        let begun = if taken == 0 { None } else { unit::ends_in(bytes, 0).find(|end| *end >= taken) };
        let start = begun.unwrap_or(taken);
        if start > taken {
            self.enqueue(slot, &bytes[taken..start], start - taken);
            self.touch(slot);
        }
        let (all, client) = (&bytes[start..], self.slots[slot].client);
        if !held && !client && self.queued(slot) + all.len() <= self.limits.send_queue {
            // None of them meets the bound.
            if !all.is_empty() && self.admit(machine, slot) {
                self.push(slot, all);
            }
            return;
        }
        let mut start = 0;
        for end in unit::ends_in(all, 0) {
            let one = &all[std::mem::replace(&mut start, end)..end];
            self.work.queues_one();
            if !self.admit(machine, slot) {
                if self.slots[slot].ending {
                    return;
                }
                continue;
            }
            if held {
                self.hold(slot, one);
            } else if client {
                self.push_frames(machine, slot, one);
            } else {
                self.push(slot, one);
            }
        }
    }
}

/// The wire form that a session's peer reads, if it is open.
fn form(session: &Session) -> Option<Form> {
    match session {
        Session::WebSocket(socket) => Some(socket.terms.form()),
        Session::Events(_) => Some(Form::Events),
        _ => None,
    }
}
