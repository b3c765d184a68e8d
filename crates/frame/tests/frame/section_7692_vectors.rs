//! Every vector of docs/vectors/deflate.json, whole, byte by byte and at every split, into much memory and into little.

use longwire_frame::{Context, Error, Event, Inflater};

use crate::vectors::{Extension, Vector, run_every_way, table};

/// A receiver that inflates, with memory for so many bytes in one step.
struct Inflating {
    inflater: Inflater,
    memory: Vec<u8>,
}

impl Inflating {
    fn new(vector: &Vector, memory: usize) -> Self {
        let context = match vector.context.as_deref() {
            Some("fresh") => Context::Fresh,
            Some("taken-over") => Context::TakenOver,
            other => panic!("{other:?} is no context"),
        };
        Self { inflater: Inflater::new(context, vector.limits()), memory: vec![0; memory] }
    }
}

impl Extension for Inflating {
    fn take(&mut self, event: Event<'_>, keep: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
        let Event::Extended { opcode, mut bytes, end, .. } = event else {
            keep(event);
            return Ok(());
        };
        loop {
            let step = self.inflater.inflate(opcode, bytes, end, &mut self.memory)?;
            bytes = &bytes[step.consumed..];
            match step.event {
                Some(event @ (Event::Text { end, .. } | Event::Binary { end, .. })) => {
                    keep(event);
                    if end {
                        assert!(bytes.is_empty() && !self.inflater.message_open());
                        return Ok(());
                    }
                }
                Some(other) => panic!("{other} comes out of no compressor"),
                None if step.consumed == 0 => {
                    assert!(bytes.is_empty() && self.inflater.message_open());
                    return Ok(());
                }
                None => {}
            }
        }
    }
}

#[test]
fn every_vector_whole_byte_by_byte_and_at_every_split() {
    for vector in table("deflate") {
        for memory in [Inflater::LEAST, 7, 1 << 16] {
            run_every_way(&vector, || Inflating::new(&vector, memory));
        }
    }
}

#[test]
fn every_section_has_vectors_and_those_with_faults_both_verdicts() {
    let table = table("deflate");
    for section in ["7.1.2.1", "7.2.3.1", "7.2.3.2", "7.2.3.3", "7.2.3.4", "7.2.3.5", "7.2.3.6", "6.2"] {
        assert!(table.iter().any(|vector| vector.section == section), "§{section} has no vector");
    }
    for section in ["6.1", "7.1.1.2", "7.2.1", "8.1", "10.4"] {
        for refused in [false, true] {
            let found = table.iter().any(|vector| vector.section == section && vector.error.is_some() == refused);
            assert!(found, "§{section} has no vector that is {}", if refused { "refused" } else { "accepted" });
        }
    }
}
