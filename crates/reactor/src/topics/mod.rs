//! Topics: who listens to what, and what was published in this turn.
//!
//! A publication is encoded when it is published, once per wire form that has a subscriber, into the topic's own buffers.
//! At the end of the turn each subscriber gets everything that concerns it in one write, in the order of the calls.

#[cfg(test)]
mod model;
mod runs;
mod seed;
mod subscriptions;
mod topic;

use std::collections::HashMap;
use std::rc::Rc;

use crate::slots::Slots;
use topic::{Published, Topic};

pub(crate) use runs::Runs;
pub(crate) use seed::Seed;
use subscriptions::Entry;
pub(crate) use subscriptions::Subscriptions;

/// Buffers that are kept between turns, at most: what topics have said must not stay in memory for each of them.
const SPARE: usize = 8;

/// To deliver what is shorter than this is as much work.
const LEAST: usize = 64;

/// The wire form that a subscriber reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Frames,
    /// Frames whose payload is compressed, with a window of so many bits that nobody keeps.
    Deflated(u8),
    Events,
}

fn topic_in(topics: &[Option<Box<Topic>>], number: u32) -> &Topic {
    topics[number as usize].as_ref().expect("a number that is given out has a topic")
}

fn topic_mut(topics: &mut [Option<Box<Topic>>], number: u32) -> &mut Topic {
    topics[number as usize].as_mut().expect("a number that is given out has a topic")
}

/// The topics of one loop.
pub(crate) struct Topics {
    names: HashMap<Rc<str>, u32, Seed>,
    /// A place that was used stays, but a vacant one is a word.
    topics: Vec<Option<Box<Topic>>>,
    vacant: Vec<u32>,
    /// Topics with something to deliver.
    busy: Vec<u32>,
    /// What waits to be delivered in all topics together, in bytes, with what is noted of each publication.
    pending: usize,
    /// So many bytes at most will be given to listeners: each form's, times those who read it. What is short counts as [`LEAST`].
    owed: u64,
    /// Buffers for the next topics that speak: one that is silent owns none.
    spare: Vec<Vec<u8>>,
    /// Counts publications; never starts again.
    sequence: u64,
    /// Counts deliveries.
    delivery: u32,
}

impl Topics {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            names: HashMap::with_hasher(seed),
            topics: Vec::new(),
            vacant: Vec::new(),
            busy: Vec::new(),
            pending: 0,
            owed: 0,
            spare: Vec::new(),
            sequence: 0,
            delivery: 0,
        }
    }

    /// How many connections listen to a topic.
    pub(crate) fn subscribers(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |topic| topic_in(&self.topics, *topic).subscribers.len())
    }

    /// Subscribes a connection; `false` if it has `most` topics already.
    pub(crate) fn subscribe(&mut self, slots: &mut Slots, slot: u32, form: Form, name: &str, most: usize) -> bool {
        let topic = self.topic(name);
        let subscriptions = slots[slot].subscriptions.get_or_insert_default();
        if subscriptions.entries.iter().any(|entry| entry.topic == topic) {
            return true;
        }
        if subscriptions.entries.len() >= most {
            self.forget_if_unused(topic);
            return false;
        }
        let found = topic_mut(&mut self.topics, topic);
        subscriptions.topics += topic::cost(name);
        subscriptions.entries.reserve_exact(1);
        subscriptions.entries.push(Entry { topic, place: found.subscribers.len() as u32, since: self.sequence });
        found.subscribers.push(slot);
        found.want(form);
        true
    }

    fn topic(&mut self, name: &str) -> u32 {
        if let Some(topic) = self.names.get(name) {
            return *topic;
        }
        let name: Rc<str> = name.into();
        let topic = Box::new(Topic::new(name.clone()));
        let number = match self.vacant.pop() {
            Some(number) => {
                self.topics[number as usize] = Some(topic);
                number
            }
            None => {
                self.topics.push(Some(topic));
                (self.topics.len() - 1) as u32
            }
        };
        self.names.insert(name, number);
        number
    }

    /// Ends one subscription. What was published to it in this turn is dropped with it: take it first, with `gather`.
    pub(crate) fn unsubscribe(&mut self, slots: &mut Slots, slot: u32, form: Form, name: &str) {
        let Some(topic) = self.names.get(name).copied() else { return };
        let Some(subscriptions) = &mut slots[slot].subscriptions else { return };
        let Some(at) = subscriptions.entries.iter().position(|entry| entry.topic == topic) else { return };
        let entry = subscriptions.entries.swap_remove(at);
        subscriptions.topics -= topic::cost(name);
        if subscriptions.entries.is_empty() {
            slots[slot].subscriptions = None;
        }
        self.leave(slots, entry, form);
    }

    /// Ends all subscriptions of a connection.
    pub(crate) fn unsubscribe_all(&mut self, slots: &mut Slots, slot: u32, form: Form) {
        if let Some(subscriptions) = slots[slot].subscriptions.take() {
            for entry in subscriptions.entries {
                self.leave(slots, entry, form);
            }
        }
    }

    fn leave(&mut self, slots: &mut Slots, entry: Entry, form: Form) {
        let topic = topic_mut(&mut self.topics, entry.topic);
        topic.unwant(form);
        topic.subscribers.swap_remove(entry.place as usize);
        if let Some(moved) = topic.subscribers.get(entry.place as usize) {
            let entries = &mut slots[*moved].subscriptions.as_mut().expect("a subscriber has subscriptions").entries;
            let theirs = entries.iter_mut().find(|other| other.topic == entry.topic);
            theirs.expect("a subscriber knows its topic").place = entry.place;
        }
        self.forget_if_unused(entry.topic);
    }

    fn forget_if_unused(&mut self, number: u32) {
        let topic = topic_mut(&mut self.topics, number);
        // A topic with publications under way is forgotten when they are delivered.
        if topic.subscribers.is_empty() && topic.published.is_empty() && self.names.remove(&topic.name).is_some() {
            self.topics[number as usize] = None;
            self.vacant.push(number);
            if self.names.is_empty() {
                (self.topics, self.vacant) = (Vec::new(), Vec::new());
            }
            if self.names.len() < self.names.capacity() / 4 {
                self.names.shrink_to(self.names.len() * 2);
            }
        }
    }

    /// Publishes to whoever listens now, except to one connection if so wished. `encode` appends a form's bytes.
    pub(crate) fn publish(&mut self, name: &str, except: Option<u32>, mut encode: impl FnMut(Form, &mut Vec<u8>)) {
        let Some(number) = self.names.get(name).copied() else { return };
        let topic = topic_mut(&mut self.topics, number);
        for wire in &mut topic.forms {
            let before = wire.bytes.len();
            if wire.wanted > 0 {
                encode(wire.form, in_use(&mut wire.bytes, &mut self.spare));
            }
            let length = wire.bytes.len() - before;
            self.pending += length + size_of::<usize>();
            self.owed += if length > 0 { length.max(LEAST) as u64 * u64::from(wire.wanted) } else { 0 };
            wire.ends.push(wire.bytes.len());
        }
        if topic.published.is_empty() {
            self.busy.push(number);
        }
        topic.published.push(Published { sequence: self.sequence, except });
        self.sequence += 1;
        self.pending += size_of::<Published>();
    }

    /// How many bytes wait to be delivered, in all topics together.
    pub(crate) const fn pending(&self) -> usize {
        self.pending
    }

    /// How many bytes all listeners together will get of that.
    pub(crate) const fn owed(&self) -> u64 {
        self.owed
    }

    /// Whether anything waits to be delivered.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Everybody whom this turn's publications concern, each once, in a fixed order.
    pub(crate) fn audience(&mut self, slots: &mut Slots, into: &mut Vec<u32>) {
        // 0 stands for whoever was never served.
        self.delivery = self.delivery.checked_add(1).unwrap_or(1);
        for number in &self.busy {
            for slot in &topic_in(&self.topics, *number).subscribers {
                let subscriptions = slots[*slot].subscriptions.as_mut().expect("a subscriber has subscriptions");
                if subscriptions.served != self.delivery {
                    subscriptions.served = self.delivery;
                    into.push(*slot);
                }
            }
        }
    }

    /// What this turn's publications mean to one subscriber, in the order of the calls.
    pub(crate) fn gather<'t>(&'t self, slots: &Slots, slot: u32, form: Form) -> Runs<'t> {
        let mut runs = Runs::default();
        let Some(subscriptions) = &slots[slot].subscriptions else { return runs };
        let mut concerned = subscriptions.entries.iter().filter(|entry| !self.topic_of(entry).published.is_empty());
        let Some(first) = concerned.next() else { return runs };
        let Some(second) = concerned.next() else {
            // Usually only one of its topics spoke: then its bytes are one run, but for what does not concern it.
            self.runs_of(first, slot, form, true, |_, run| runs.push(run));
            return runs;
        };
        let mut several = Vec::new();
        for entry in [first, second].into_iter().chain(concerned) {
            self.runs_of(entry, slot, form, false, |sequence, run| several.push((sequence, run)));
        }
        several.sort_unstable_by_key(|(sequence, _)| *sequence);
        several.into_iter().for_each(|(_, run)| runs.push(run));
        runs
    }

    /// A subscriber has been given what was published so far.
    pub(crate) fn caught_up(&self, slots: &mut Slots, slot: u32) {
        if let Some(subscriptions) = &mut slots[slot].subscriptions {
            subscriptions.entries.iter_mut().for_each(|entry| entry.since = self.sequence);
        }
    }

    fn topic_of(&self, entry: &Entry) -> &Topic {
        topic_in(&self.topics, entry.topic)
    }

    fn runs_of<'t>(&'t self, entry: &Entry, slot: u32, form: Form, join: bool, mut each: impl FnMut(u64, &'t [u8])) {
        let topic = self.topic_of(entry);
        let Some(wire) = topic.wire(form) else { return };
        // What came before its time lies in front.
        let first = topic.published.partition_point(|published| published.sequence < entry.since);
        let mut end = first.checked_sub(1).map_or(0, |last| wire.ends[last]);
        let mut run = None;
        for (published, next) in topic.published[first..].iter().zip(&wire.ends[first..]) {
            let start = std::mem::replace(&mut end, *next);
            let concerns = published.except != Some(slot);
            if concerns && join {
                run = run.or(Some(start));
            } else if concerns {
                each(published.sequence, &wire.bytes[start..end]);
            } else if let Some(run) = run.take() {
                each(published.sequence, &wire.bytes[run..start]);
            }
        }
        if let Some(run) = run {
            each(self.sequence, &wire.bytes[run..end]);
        }
    }

    /// Forgets this turn's publications.
    pub(crate) fn delivered(&mut self) {
        (self.pending, self.owed) = (0, 0);
        let mut busy = std::mem::take(&mut self.busy);
        for number in busy.drain(..) {
            let topic = topic_mut(&mut self.topics, number);
            topic.published.clear();
            topic.published.shrink_to(16);
            topic.forms.retain(|wire| wire.wanted > 0);
            for wire in &mut topic.forms {
                wire.ends.clear();
                wire.ends.shrink_to(16);
                let mut buffer = std::mem::take(&mut wire.bytes);
                if buffer.capacity() > 0 && self.spare.len() < SPARE {
                    buffer.clear();
                    buffer.shrink_to(64 << 10);
                    self.spare.push(buffer);
                }
            }
            self.forget_if_unused(number);
        }
        self.busy = busy;
    }
}

/// A topic's buffer, with a used one's memory if it has none.
fn in_use<'b>(buffer: &'b mut Vec<u8>, spare: &mut Vec<Vec<u8>>) -> &'b mut Vec<u8> {
    if buffer.capacity() == 0 {
        *buffer = spare.pop().unwrap_or_default();
    }
    buffer
}

#[cfg(test)]
mod tests {
    use longwire_sse::Event;

    use super::model::{heard, listeners, publish};
    use super::*;

    #[test]
    fn a_form_that_nobody_reads_is_not_encoded() {
        let (mut topics, mut slots) = listeners(2);
        publish(&mut topics, "t", &"nobody".into(), None);
        assert!(topics.is_idle());
        topics.subscribe(&mut slots, 0, Form::Frames, "t", 10);
        publish(&mut topics, "t", &"one".into(), None);
        let topic = topic_in(&topics.topics, 0);
        assert_eq!((topic.forms.len(), topic.forms[0].bytes.len()), (1, 5));
        topics.subscribe(&mut slots, 1, Form::Events, "t", 10);
        publish(&mut topics, "t", &"two".into(), None);
        publish(&mut topics, "t", &Event::data("three").into(), None);
        assert_eq!(heard(&topics, &slots, 0, Form::Frames), b"\x81\x03one\x81\x03two\x81\x05three");
        assert_eq!(heard(&topics, &slots, 1, Form::Events), b"data: two\n\ndata: three\n\n");
    }

    #[test]
    fn what_waits_is_counted_over_all_topics_and_silent_topics_own_nothing() {
        let (mut topics, mut slots) = listeners(1);
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        for _ in 0..2 {
            let mut waits = 0;
            for name in &names {
                topics.subscribe(&mut slots, 0, Form::Frames, name, 100);
                waits += 4 + 1_000 + size_of::<Published>() + size_of::<usize>();
                assert_eq!(publish(&mut topics, name, &"x".repeat(1_000).as_str().into(), None), waits);
            }
            assert_eq!(publish(&mut topics, "nobody's", &"x".into(), None), waits);
            topics.delivered();
            assert_eq!((topics.pending(), topics.owed()), (0, 0));
            let wires = || topics.topics.iter().flatten().flat_map(|topic| &topic.forms);
            assert!(wires().count() == 100 && wires().all(|wire| wire.bytes.capacity() == 0));
            assert_eq!(topics.spare.len(), SPARE);
        }
    }

    #[test]
    fn what_one_topic_said_is_one_run_unless_something_in_it_was_for_others() {
        let (mut topics, mut slots) = listeners(2);
        topics.subscribe(&mut slots, 0, Form::Frames, "t", 10);
        topics.subscribe(&mut slots, 1, Form::Frames, "t", 10);
        for (text, except) in [("a", None), ("b", None), ("c", Some(0)), ("d", None)] {
            publish(&mut topics, "t", &text.into(), except);
        }
        assert_eq!(topics.gather(&slots, 1, Form::Frames).count(), 1);
        assert_eq!(topics.gather(&slots, 0, Form::Frames).count(), 2);
        assert_eq!(heard(&topics, &slots, 0, Form::Frames), b"\x81\x01a\x81\x01b\x81\x01d");
    }

    #[test]
    fn a_topic_is_forgotten_with_its_last_listener_and_its_number_used_again() {
        let (mut topics, mut slots) = listeners(1);
        topics.subscribe(&mut slots, 0, Form::Frames, "first", 10);
        publish(&mut topics, "first", &"x".into(), None);
        topics.unsubscribe_all(&mut slots, 0, Form::Frames);
        assert_eq!(topics.names.len(), 1, "what is under way is delivered first");
        topics.delivered();
        assert_eq!((topics.names.len(), topics.topics.len()), (0, 0));
        topics.subscribe(&mut slots, 0, Form::Frames, "second", 10);
        assert_eq!((topics.names.len(), topics.topics.len()), (1, 1));
        assert!(heard(&topics, &slots, 0, Form::Frames).is_empty());
    }

    #[test]
    fn a_topic_beyond_the_limit_leaves_no_trace() {
        let (mut topics, mut slots) = listeners(1);
        assert!(topics.subscribe(&mut slots, 0, Form::Frames, "one", 1));
        assert!(topics.subscribe(&mut slots, 0, Form::Frames, "one", 1));
        assert!(!topics.subscribe(&mut slots, 0, Form::Frames, "two", 1));
        assert_eq!((topics.names.len(), topics.subscribers("one"), topics.subscribers("two")), (1, 1, 0));
    }
}
