//! What is written is what is read: parse(serialize(x)) = normalise(x), over arbitrary strings.

use std::time::Duration;

use longwire_sse::{Comment, Event, Id, Line};
use proptest::prelude::*;

use crate::reading::{Outcome, Seen, read_every_way, read_streams};

/// One block, with its text owned.
#[derive(Clone, Debug)]
struct Block {
    id: Option<String>,
    name: Option<String>,
    retry: Option<u64>,
    data: Option<String>,
}

impl Block {
    fn event(&self) -> Event<'_> {
        Event {
            id: self.id.as_deref().map(|id| Id::new(id).unwrap()),
            name: self.name.as_deref().map(|name| Line::new(name).unwrap()),
            retry: self.retry.map(Duration::from_millis),
            data: self.data.as_deref(),
        }
    }
}

/// What blocks say to a client: line ends become LF, an empty name is none, an id stays.
fn normalise(blocks: &[Block]) -> Outcome {
    let mut outcome = Outcome::default();
    for block in blocks {
        outcome.retry = block.retry.or(outcome.retry);
        if let Some(id) = &block.id {
            outcome.last_event_id.clone_from(id);
        }
        if let Some(data) = &block.data {
            let name = block.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("message");
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            outcome.events.push(Seen::new(&outcome.last_event_id, name, &data));
        }
    }
    outcome
}

/// Any text, and often the characters that matter here.
fn text() -> impl Strategy<Value = String> {
    let telling = prop::sample::select(&['\r', '\n', ':', ' ', '\0', '\t', '\u{FEFF}', '\u{2028}', '\u{85}', 'x'][..]);
    prop::collection::vec(prop_oneof![telling, any::<char>()], 0..12).prop_map(String::from_iter)
}

fn block() -> impl Strategy<Value = Block> {
    let id = text().prop_map(|text| text.replace(char::is_control, "").trim_matches(' ').to_owned());
    let name = text().prop_map(|text| text.replace(['\r', '\n', '\0'], ""));
    let [id, name, data] = [id.boxed(), name.boxed(), text().boxed()].map(prop::option::of);
    (id, name, any::<Option<u64>>(), data).prop_map(|(id, name, retry, data)| Block { id, name, retry, data })
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(blocks in prop::collection::vec(block(), 0..4), heartbeats in any::<bool>()) {
        let mut stream = String::new();
        for block in &blocks {
            stream += &block.event().to_string();
            if heartbeats {
                stream += &Comment::HEARTBEAT.to_string();
            }
        }
        prop_assert_eq!(read_every_way(&[stream]), normalise(&blocks));
    }

    /// Many in one stream: nothing of one stays for the next.
    #[test]
    fn a_long_stream_is_read_as_it_was_written(blocks in prop::collection::vec(block(), 10..30), size in 1..400_usize) {
        let stream: String = blocks.iter().map(|block| block.event().to_string()).collect();
        prop_assert_eq!(read_streams(&[stream], |stream| stream.chunks(size).collect()), normalise(&blocks));
    }

    #[test]
    fn the_three_ways_to_write_agree(block in block()) {
        let event = block.event();
        let text = event.to_string();
        let mut out = vec![0; event.encoded_len()];
        prop_assert_eq!(event.encode(&mut out), Ok(text.len()));
        prop_assert_eq!(out, text.as_bytes());
    }

    #[test]
    fn any_text_is_one_line_or_refused(text in text()) {
        prop_assert_eq!(Line::new(&text).is_ok(), !text.contains(['\r', '\n', '\0']));
    }

    #[test]
    fn any_text_is_an_id_or_refused(text in text()) {
        let fine = text.len() <= 256 && !text.contains(char::is_control) && text.trim_matches(' ') == text;
        prop_assert_eq!(Id::new(&text).is_ok(), fine);
    }
}
