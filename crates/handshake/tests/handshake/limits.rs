//! The limits: at them, and one beyond.

use longwire_handshake::{FieldSlots, Head, Limits, Refusal, Request};

use crate::reading::{HOST, scan_every_way};
use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 6585 §5"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}

#[test]
fn the_defaults_are_those_of_the_docs() {
    assert_eq!(Limits::default(), Limits { head: 16_384, fields: 100, target: 8_192 });
    assert_eq!(Limits::default(), Limits::DEFAULT);
}

#[test]
fn every_limit_is_inclusive_however_small() {
    let head = format!("{HOST}X: y\r\n\r\n");
    let fits = Limits { head: u32::try_from(head.len()).expect("short"), fields: 2, target: 1 };
    assert_eq!(scan_every_way(head.as_bytes(), fits), Ok(Some(head.len())));
    for (limits, refusal) in [
        (Limits { head: fits.head - 1, ..fits }, Refusal::HeadTooLarge),
        (Limits { fields: 1, ..fits }, Refusal::TooManyFields),
        (Limits { target: 0, ..fits }, Refusal::TargetTooLong),
        (Limits { head: 0, fields: 0, target: 0 }, Refusal::HeadTooLarge),
    ] {
        assert_eq!(scan_every_way(head.as_bytes(), limits), Err(refusal));
    }
}

#[test]
fn a_head_that_can_no_longer_end_in_time_is_refused_at_once() {
    let limits = Limits { head: 10, ..Limits::default() };
    assert_eq!(Head::new(limits).scan(b"GET / HTT"), Ok(None));
    assert_eq!(Head::new(limits).scan(b"GET / HTTP"), Err(Refusal::HeadTooLarge));
}

#[test]
fn what_follows_a_head_does_not_count() {
    let limits = Limits { head: 27, ..Limits::default() };
    let bytes = [HOST.as_bytes(), b"\r\n", &[b'x'; 1000]].concat();
    assert_eq!(scan_every_way(&bytes, limits), Ok(Some(27)));
}

#[test]
fn the_slots_are_a_limit_of_their_own() {
    let head = format!("{HOST}X: y\r\n\r\n");
    assert!(Request::parse(head.as_bytes(), &mut FieldSlots::<2>::of_any_size()).is_ok());
    let refusal = Request::parse(head.as_bytes(), &mut FieldSlots::<1>::of_any_size()).err();
    assert_eq!(refusal, Some(Refusal::TooManyFields));
}
