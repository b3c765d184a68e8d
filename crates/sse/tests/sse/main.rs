//! The tests of the crate that need the heap or a table: a module per section of the WHATWG HTML standard.

mod display;
mod reading;
mod reference;
mod round_trip;
mod section_9_2_4_last_event_id;
mod section_9_2_5_parsing;
mod section_9_2_6_interpreting;
mod section_9_2_7_authoring;
mod vectors;

use longwire_sse::{Comment, Event, Parser};

/// README.md says what a stream costs.
#[cfg(target_pointer_width = "64")]
#[test]
fn the_sizes_are_those_of_the_readme() {
    assert_eq!(size_of::<Event<'_>>(), 64);
    assert_eq!(size_of::<Comment<'_>>(), 16);
    assert_eq!(size_of::<Parser<[u8; 0]>>(), 128);
    assert_eq!(size_of::<Parser<[u8; 4096]>>(), 128 + 4096);
}
