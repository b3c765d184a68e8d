//! What a connection costs: the numbers that the crate's page promises.

use std::mem::size_of;

use longwire_frame::{Connection, Decoder, Encoder, Error, Event, Message, Reply, Step, Unsent, Utf8};

#[test]
fn a_connection_costs_what_the_page_says() {
    assert_eq!(size_of::<Decoder>(), 32);
    assert_eq!(size_of::<Encoder>(), 2);
    assert_eq!(size_of::<Connection>(), 36);
    assert_eq!(size_of::<Utf8>(), 3);
    assert_eq!(size_of::<Reply>(), 132, "one per loop, not per connection");
    assert_eq!((size_of::<Error>(), size_of::<Unsent>()), (1, 1));
}

#[test]
fn values_fit_into_registers_or_a_cache_line() {
    assert!(size_of::<Message<'_>>() <= 3 * size_of::<usize>());
    assert!(size_of::<Event<'_>>() <= 4 * size_of::<usize>());
    assert!(size_of::<Step<'_>>() <= 5 * size_of::<usize>());
}
