//! What the application does beside what it must: anything that a callback may do, as the dice say.

use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::time::Duration;

use longwire_reactor::handshake::FieldValue;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::{
    CloseCode, Closed, Deadline, DeflateOffer, Event, Hub, Id, Line, Message, Opening, Out, Peer, Publication, Reply,
};

use super::{App, Seat};
use crate::coverage::Met;
use crate::model::{State, TOPICS};
use crate::words::Kind;

impl App {
    /// A few things, and perhaps the last one.
    pub(super) fn act(&mut self, peer: &mut Peer<'_, Seat>, record: usize) {
        for _ in 0..self.random.below(self.plan.zeal + 1) {
            self.act_once(peer, record);
        }
        self.may_panic(record);
    }

    fn act_once(&mut self, peer: &mut Peer<'_, Seat>, record: usize) {
        let topic = self.random.below(TOPICS.len());
        match self.random.below(24) {
            0..4 => {
                let size = self.size();
                self.say(&mut peer.out, record, 0, size);
            }
            4..7 => self.say_to_another(|to, text| peer.out.send_to(to, text)),
            7..9 => self.publish(topic, None, |topic, what| peer.publish(topic, what)),
            9..11 => self.publish(topic, Some(record), |topic, what| peer.publish_to_others(topic, what)),
            11..13 => self.subscribe(peer, record, topic),
            13 => {
                self.model.meet(Met::Unsubscribe);
                self.model.records[record].topics &= !(1 << topic);
                peer.unsubscribe(TOPICS[topic]);
            }
            14..18 => self.say_a_piece(&mut peer.out, record),
            18..20 => self.wake(peer, record),
            20 => {
                self.model.meet(Met::Ping);
                peer.ping(b"are you there?");
            }
            21 => self.answer_another(&mut peer.out),
            22 => _ = (peer.address(), peer.subscribers(TOPICS[topic]), peer.unix_time()),
            _ if self.random.one_in(3) => self.close(peer, record),
            _ => {}
        }
    }

    /// In `request` nothing is open yet, but topics may be chosen.
    pub(super) fn act_on_request(&mut self, peer: &mut Peer<'_, Seat>, record: usize) {
        for _ in 0..self.random.below(3) {
            let topic = self.random.below(TOPICS.len());
            self.subscribe(peer, record, topic);
        }
        if self.random.one_in(8) {
            self.say(&mut peer.out, record, 0, 0);
        }
    }

    fn size(&mut self) -> usize {
        let most = if self.random.one_in(6) { 5_000 } else { 200 };
        self.random.below(most)
    }

    pub(super) fn wake(&mut self, peer: &mut Peer<'_, Seat>, record: usize) {
        (self.model.records[record].waking, self.model.records[record].overdue) = (true, false);
        peer.wake_after(Duration::from_millis(self.random.below(30) as u64));
    }

    fn subscribe(&mut self, peer: &mut Peer<'_, Seat>, record: usize, topic: usize) {
        self.model.subscribe(record, topic);
        peer.subscribe(TOPICS[topic]);
    }

    /// Sends a word to the peer that this callback is about.
    pub(super) fn say(&mut self, out: &mut Out<'_>, record: usize, about: u32, size: usize) {
        let word = self.model.next_word(record, about);
        self.scratch.clear();
        word.write(size, &mut self.scratch);
        self.model.meet(if word.kind == Kind::Lost { Met::ToNobody } else { Met::Direct });
        self.ladder.application(format_args!("  send {:.24}", self.scratch));
        let is_text = word.number % 2 == 1 || self.model.records[record].state == State::Events;
        if is_text {
            out.send(&self.scratch);
        } else {
            out.send(self.scratch.as_bytes());
        }
    }

    /// Sends a word to anybody there ever was.
    fn say_to_another(&mut self, send: impl FnOnce(longwire_reactor::PeerId, &str)) {
        let alive = !self.model.live.is_empty() && !self.random.one_in(4);
        let to = match alive {
            true => *self.random.pick(&self.model.live),
            false => self.random.below(self.model.records.len()),
        };
        let Some(id) = self.model.records.get(to).map(|record| record.id) else { return };
        let word = self.model.next_word(to, 0);
        self.model.meet(if word.kind == Kind::Lost { Met::ToNobody } else { Met::ToOther });
        let size = self.size();
        self.scratch.clear();
        word.write(size, &mut self.scratch);
        self.ladder.application(format_args!("  send_to {id} {:.24}", self.scratch));
        send(id, &self.scratch);
    }

    /// Goes on with the word that is being sent in pieces, or begins one.
    fn say_a_piece(&mut self, out: &mut Out<'_>, record: usize) {
        if !self.model.records[record].hears() || self.model.records[record].state != State::WebSocket {
            return;
        }
        let (word, at, size) = match self.model.records[record].pieces.take() {
            Some(begun) => begun,
            None => {
                let word = self.model.next_word(record, 0);
                self.model.meet(Met::Pieces);
                self.model.records[record].pieced = true;
                (word, 0, self.size())
            }
        };
        self.scratch.clear();
        word.write(size, &mut self.scratch);
        let rest = &self.scratch.as_bytes()[at..];
        let mut step = self.random.between(0, rest.len());
        while !self.scratch.is_char_boundary(at + step) {
            step -= 1;
        }
        let end = step == rest.len() || self.random.one_in(3);
        let piece = if end { rest } else { &rest[..step] };
        let piece = if word.number % 2 == 1 {
            Message::Text(std::str::from_utf8(piece).expect("no character is cut"))
        } else {
            Message::Binary(piece)
        };
        self.ladder.application(format_args!(
            "  piece of {} bytes{}",
            piece.len(),
            if end { ", the last" } else { "" }
        ));
        out.piece(piece, end);
        self.model.records[record].pieces = (!end).then_some((word, at + step, size));
    }

    fn publish(&mut self, topic: usize, except: Option<usize>, publish: impl FnOnce(&str, Publication<'_>)) {
        self.model.meet(Met::Publish);
        let word = self.model.publish(topic, except);
        let size = self.size();
        self.scratch.clear();
        word.write(size, &mut self.scratch);
        self.ladder.application(format_args!("  publish in {}: {:.24}", TOPICS[topic], self.scratch));
        let event = Event::data(&self.scratch);
        let publication = match self.random.below(4) {
            0 => Publication::both(self.scratch.as_bytes(), event),
            1 => event.name(Line::literal("news")).id(Id::new("17").expect("an id")).into(),
            _ => Publication::from(&self.scratch),
        };
        publish(TOPICS[topic], publication);
    }

    fn close(&mut self, peer: &mut Peer<'_, Seat>, record: usize) {
        self.model.meet(Met::Close);
        self.ladder.application(format_args!("  close"));
        if !self.model.records[record].closing {
            self.model.records[record].seal();
        }
        peer.close(CloseCode::NORMAL, "enough");
        // What is said now must reach nobody.
        self.say(&mut peer.out, record, 0, 0);
    }

    /// Answers the request that this callback is about, if its answer was to come later.
    pub(super) fn answer(&mut self, out: &mut Out<'_>, record: usize) {
        let id = self.model.records[record].id;
        if let Some(reply) = self.late_reply(record) {
            out.answer_to(id, reply);
        }
    }

    fn answer_another(&mut self, out: &mut Out<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let (record, _) = *self.random.pick(&self.waiting);
        self.answer(out, record);
    }

    /// The answer to a request that waits, unless it has had one.
    pub(crate) fn late_reply(&mut self, record: usize) -> Option<Reply> {
        let at = self.waiting.iter().position(|(waits, _)| *waits == record)?;
        let (_, asks) = self.waiting.swap_remove(at);
        let known = &mut self.model.records[record];
        if known.state != State::Later || known.closing {
            return None;
        }
        known.answered = true;
        self.ladder.application(format_args!("  answer to {}", known.id));
        Some(self.reply(record, asks))
    }

    /// The answer that a waiting request was promised does not come: another one does.
    pub(crate) fn unanswered(&mut self, record: usize) {
        let known = &mut self.model.records[record];
        if std::mem::take(&mut known.answered) {
            self.model.answers[known.guest].pop_back();
        }
    }

    /// Where no peer is meant.
    pub(super) fn act_on_hub(&mut self, hub: &mut Hub<'_>) {
        for _ in 0..self.random.below(self.plan.zeal + 1) {
            let topic = self.random.below(TOPICS.len());
            match self.random.below(8) {
                0..2 => self.publish(topic, None, |topic, what| hub.publish(topic, what)),
                2..4 if !self.model.records.is_empty() => self.say_to_another(|to, text| hub.send_to(to, text)),
                4 if !self.waiting.is_empty() => {
                    let (record, _) = *self.random.pick(&self.waiting);
                    let id = self.model.records[record].id;
                    if let Some(reply) = self.late_reply(record) {
                        hub.answer_to(id, reply);
                    }
                }
                5 if !self.model.live.is_empty() => {
                    let record = *self.random.pick(&self.model.live);
                    let known = &mut self.model.records[record];
                    if known.state != State::Asked && !known.closing && self.random.one_in(4) {
                        known.seal();
                        let id = known.id;
                        self.model.meet(Met::Close);
                        self.ladder.application(format_args!("  close {id}"));
                        hub.close(id, CloseCode::GOING_AWAY, "somebody says so");
                    }
                }
                6 if self.dialled < 3 => self.dial(hub),
                _ => _ = hub.stats(),
            }
        }
        if self.panics_now() {
            resume_unwind(Box::new(()));
        }
    }

    fn dial(&mut self, hub: &mut Hub<'_>) {
        let mut opening = Opening::new(FieldValue::literal("elsewhere"), OriginForm::literal("/"));
        if self.plan.deflate.is_some() {
            opening = opening.deflate(DeflateOffer::DEFAULT);
        }
        let guest = self.model.new_guest();
        self.dialled += 1;
        // The port says which guest shall answer.
        let address = SocketAddr::from(([10, 0, 0, 1], guest as u16));
        self.ladder.application(format_args!("  connect to {address}"));
        if let Ok(id) = hub.connect(address, opening) {
            self.model.meet(Met::Dialled);
            self.model.dialled += 1;
            self.model.begin(id, guest, State::Dialled);
        }
    }

    /// Whether it is known why this ended.
    pub(super) fn may_end(&self, record: usize, why: Closed, state: State) -> bool {
        let known = &self.model.records[record];
        match why {
            Closed::Answered => state == State::Later && known.answered,
            Closed::Drained => self.plan.drains.is_some(),
            Closed::Refused => state == State::Dialled,
            Closed::Overflow => {
                matches!(state, State::WebSocket | State::Events) && !self.plan.roomy
                    // What has begun cannot be dropped.
                    && (!known.dropping || known.pieced)
            }
            Closed::NoRoom => self.plan.poor,
            Closed::Panicked => self.plan.panics.is_some(),
            Closed::ByUs => known.closing || known.doomed,
            Closed::ByPeer(_) | Closed::Fault(_) => state == State::WebSocket,
            // The shortest of the others is two seconds.
            Closed::Late(_) => !self.model.patient,
            _ => true,
        }
    }

    pub(super) fn meet_end(&mut self, why: Closed) {
        self.model.meet(match why {
            Closed::ByPeer(_) => Met::ByPeer,
            Closed::ByUs => Met::ByUs,
            Closed::Answered => Met::Answered,
            Closed::Drained => Met::Drain,
            Closed::Gone => Met::Gone,
            Closed::Broken(_) => Met::Broken,
            Closed::Fault(_) => Met::Fault,
            Closed::Refused => Met::Refused,
            Closed::Overflow => Met::Overflow,
            Closed::NoRoom => Met::NoRoomLeft,
            Closed::Panicked => Met::Panicked,
            Closed::Late(Deadline::Answer) => Met::LateAnswer,
            Closed::Late(Deadline::Message) => Met::LateMessage,
            Closed::Late(Deadline::Pong) => Met::LatePong,
            Closed::Late(Deadline::WriteStall) => Met::LateWrite,
            Closed::Late(Deadline::Close) => Met::LateClose,
            Closed::Late(Deadline::Age) => Met::LateAge,
            Closed::Late(Deadline::Opening) => Met::LateOpening,
            // Deadlines and reasons may become more; what is met here is counted by its name then.
            _ => return,
        });
    }
}
