//! The tests of the crate that need the heap or a table: a module per part of an RFC, the threats, and properties.

mod display;
mod limits;
mod properties;
mod reading;
mod responses;
mod section_6455_10_2_origin;
mod section_6455_4_1_client;
mod section_6455_4_2_server;
mod section_7239_forwarded;
mod section_7692_7_deflate;
mod section_9110_responses;
mod section_9112_2_messages;
mod section_9112_3_request_line;
mod section_9112_5_fields;
mod section_9112_6_content;
mod section_9112_7_1_chunks;
mod section_9112_9_connection;
mod threats;
mod vectors;

use longwire_handshake::{Accept, Chunks, Date, FieldSlots, Head, Limits, Refusal, Request, Upgrade};

/// README.md says what a connection costs.
#[cfg(target_pointer_width = "64")]
#[test]
fn the_sizes_are_those_of_the_readme() {
    assert_eq!(size_of::<Head>(), 24);
    assert_eq!(size_of::<Chunks>(), 24);
    assert_eq!(size_of::<Request<'_, '_>>(), 144);
    assert_eq!(size_of::<FieldSlots<'_>>(), 3_200);
    assert_eq!(size_of::<Limits>(), 12);
    assert_eq!(size_of::<Upgrade<'_, '_>>(), 144 + 16);
    assert_eq!(size_of::<Accept>(), 28);
    assert_eq!(size_of::<Date>(), 29);
    assert_eq!(size_of::<Refusal>(), 1);
}
