//! docs/vectors/streams.json: the table, and how a module runs the part that belongs to its section.

use serde::Deserialize;

use crate::reading::{Outcome, Seen, read_every_way};

#[derive(Deserialize)]
struct Table {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    section: String,
    streams: Vec<Body>,
    events: Vec<Seen>,
    retry: Option<u64>,
    last_event_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Body {
    Text(String),
    Hex(String),
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Hex(hex) => hex
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
                .collect(),
        }
    }
}

fn table() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/streams.json");
    let text = std::fs::read_to_string(path).expect("docs/vectors/streams.json is there");
    serde_json::from_str(&text).expect("docs/vectors/streams.json is a table of vectors")
}

/// Runs every vector of a section, whole, byte by byte and at every split, and against the reference.
pub(crate) fn run(section: &str) {
    let mut count = 0;
    for vector in table().vectors.into_iter().filter(|vector| vector.section == section) {
        println!("{}", vector.id);
        let streams: Vec<Vec<u8>> = vector.streams.iter().map(Body::bytes).collect();
        let expected = Outcome { events: vector.events, retry: vector.retry, last_event_id: vector.last_event_id };
        assert_eq!(read_every_way(&streams), expected, "{}", vector.id);
        assert_eq!(crate::reference::read_streams(&streams), expected, "{}, by the reference", vector.id);
        count += 1;
    }
    assert!(count > 0, "no vector belongs to {section}");
}

#[test]
fn every_vector_belongs_to_a_module_and_has_its_own_id() {
    let mut ids = std::collections::BTreeSet::new();
    for vector in table().vectors {
        assert!(["9.2.4", "9.2.5", "9.2.6", "9.2.7"].contains(&&*vector.section), "{}: {}", vector.id, vector.section);
        assert!(ids.insert(vector.id.clone()), "{} stands there twice", vector.id);
    }
}
