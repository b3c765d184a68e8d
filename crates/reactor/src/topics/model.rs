//! What topics are, said with plain sets, and topics held against it.

use proptest::prelude::*;

use super::{Form, LEAST, Seed, Topics};
use crate::connection::Connection;
use crate::encode::append_frame;
use crate::publication::Publication;
use crate::slots::Slots;

/// Topics and a few connections, in slots 0, 1, 2, …
pub(super) fn listeners(count: usize) -> (Topics, Slots) {
    let mut slots = Slots::new();
    for _ in 0..count {
        slots.insert(Connection::vacant());
    }
    (Topics::new(Seed(1, 2)), slots)
}

/// Publishes in the forms that tell where they belong.
pub(super) fn publish(topics: &mut Topics, name: &str, publication: &Publication<'_>, except: Option<u32>) -> usize {
    topics.publish(name, except, |form, out| append(form, publication, out));
    topics.pending()
}

fn append(form: Form, publication: &Publication<'_>, out: &mut Vec<u8>) {
    match form {
        Form::Frames => append_frame(publication.message().expect("a message"), out),
        Form::Deflated(window) => {
            out.push(window);
            out.extend_from_slice(publication.message().expect("a message").as_bytes());
        }
        Form::Events => publication.encode_event(out),
    }
}

/// What one connection would be sent now.
pub(super) fn heard(topics: &Topics, slots: &Slots, slot: u32, form: Form) -> Vec<u8> {
    topics.gather(slots, slot, form).concat()
}

#[derive(Clone, Debug)]
enum Act {
    Subscribe(u32, usize),
    Unsubscribe(u32, usize),
    UnsubscribeAll(u32),
    Publish(usize, Option<u32>),
    Deliver,
}

fn act() -> impl Strategy<Value = Act> {
    let (slot, topic) = (0u32..6, 0usize..4);
    prop_oneof![
        3 => (slot.clone(), topic.clone()).prop_map(|(slot, topic)| Act::Subscribe(slot, topic)),
        2 => (slot.clone(), topic.clone()).prop_map(|(slot, topic)| Act::Unsubscribe(slot, topic)),
        1 => slot.clone().prop_map(Act::UnsubscribeAll),
        6 => (topic, proptest::option::of(slot)).prop_map(|(topic, except)| Act::Publish(topic, except)),
        1 => Just(Act::Deliver),
    ]
}

proptest! {
    /// The lists that point at each other, beside plain sets: nobody misses or repeats anything, and nothing stays.
    #[test]
    fn everybody_gets_what_was_published_while_listening(acts in proptest::collection::vec(act(), 1..200)) {
        const TOPICS: [&str; 4] = ["a", "b", "c", "d"];
        // Slots 0 and 3 are plain WebSockets, 1 and 4 streams, 2 and 5 read what is compressed, each its own window.
        let form = |slot: u32| match slot % 3 {
            0 => Form::Frames,
            1 => Form::Events,
            _ => Form::Deflated(slot as u8 + 7),
        };
        let (mut topics, mut slots) = listeners(6);
        // For each connection: what it listens to, and for each such topic what it shall hear, with its number.
        let mut model: Vec<[Option<Vec<u64>>; 4]> = vec![Default::default(); 6];
        let mut number = 0;
        for act in acts.into_iter().chain([Act::Deliver]) {
            match act {
                Act::Subscribe(slot, topic) => {
                    topics.subscribe(&mut slots, slot, form(slot), TOPICS[topic], 10);
                    model[slot as usize][topic].get_or_insert_default();
                }
                Act::Unsubscribe(slot, topic) => {
                    topics.unsubscribe(&mut slots, slot, form(slot), TOPICS[topic]);
                    model[slot as usize][topic] = None;
                }
                Act::UnsubscribeAll(slot) => {
                    topics.unsubscribe_all(&mut slots, slot, form(slot));
                    model[slot as usize] = Default::default();
                }
                Act::Publish(topic, except) => {
                    number += 1;
                    publish(&mut topics, TOPICS[topic], &number.to_string().as_str().into(), except);
                    for (slot, topics) in model.iter_mut().enumerate() {
                        if let Some(hears) = &mut topics[topic] && except != Some(slot as u32) {
                            hears.push(number);
                        }
                    }
                }
                Act::Deliver => {
                    let mut given = 0;
                    for (slot, hears) in model.iter_mut().enumerate() {
                        let slot = slot as u32;
                        let mut numbers: Vec<u64> = hears.iter().flatten().flatten().copied().collect();
                        numbers.sort_unstable();
                        let mut expected = Vec::new();
                        for number in numbers.iter().map(ToString::to_string) {
                            append(form(slot), &Publication::from(&number), &mut expected);
                        }
                        given += expected.len() as u64;
                        prop_assert_eq!(heard(&topics, &slots, slot, form(slot)), expected);
                        hears.iter_mut().flatten().for_each(Vec::clear);
                    }
                    prop_assert!(given <= topics.owed());
                    let mut audience = Vec::new();
                    topics.audience(&mut slots, &mut audience);
                    let all = audience.len();
                    audience.sort_unstable();
                    audience.dedup();
                    prop_assert_eq!(audience.len(), all, "nobody is served twice");
                    topics.delivered();
                }
            }
            for (topic, name) in TOPICS.iter().enumerate() {
                let listening = model.iter().filter(|topics| topics[topic].is_some()).count();
                prop_assert_eq!(topics.subscribers(name), listening);
            }
        }
        for slot in 0..6 {
            topics.unsubscribe_all(&mut slots, slot, form(slot));
        }
        prop_assert!(topics.names.is_empty() && topics.is_idle());
    }
}

#[test]
fn what_is_owed_counts_every_reader_of_a_form_in_its_own_bytes() {
    let (mut topics, mut slots) = listeners(5);
    for slot in 0..5 {
        let form = if slot < 3 { Form::Frames } else { Form::Events };
        assert!(topics.subscribe(&mut slots, slot, form, "t", 10));
    }
    let long = "x".repeat(500);
    let all = 3 * (4 + 500) + 2 * "data: \n\n".len() + 2 * 500;
    for times in 1..3 {
        publish(&mut topics, "t", &long.as_str().into(), None);
        assert_eq!(topics.owed(), times * all as u64);
    }
    topics.delivered();
    assert_eq!(topics.owed(), 0);
    publish(&mut topics, "t", &"short".into(), None);
    assert_eq!(topics.owed(), 5 * LEAST as u64);
}

#[test]
fn nobody_is_passed_over_when_the_number_of_deliveries_wraps() {
    let (mut topics, mut slots) = listeners(1);
    topics.delivery = u32::MAX;
    topics.subscribe(&mut slots, 0, Form::Frames, "t", 10);
    publish(&mut topics, "t", &"heard".into(), None);
    let mut audience = Vec::new();
    topics.audience(&mut slots, &mut audience);
    assert_eq!(audience, [0]);
}
