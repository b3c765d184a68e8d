//! §9.2.6, interpreting an event stream: what a written block means to a client.

use std::time::Duration;

use longwire_sse::{Event, Id, Line};

use crate::reading::{Seen, events, read_every_way};

#[test]
fn the_vectors_of_this_section() {
    crate::vectors::run("9.2.6");
}

#[test]
fn a_forged_name_cannot_be_built() {
    for forged in ["x\ndata: pwn", "x\rdata: pwn", "x\r\n\r\ndata: pwn", "x\0"] {
        assert!(Line::new(forged).is_err(), "{forged:?}");
        assert!(Id::new(forged).is_err(), "{forged:?}");
    }
}

#[test]
fn data_is_cut_at_crlf_lf_and_cr() {
    assert_eq!(Event::data("a\r\nb\nc\rd").to_string(), "data: a\ndata: b\ndata: c\ndata: d\n\n");
    assert_eq!(events(Event::data("a\r\nb\nc\rd").to_string()), [Seen::new("", "message", "a\nb\nc\nd")]);
}

#[test]
fn data_is_cut_at_nothing_else() {
    let text = "a\u{2028}b\u{2029}c\u{85}d\u{B}e\u{C}f\u{1C}g";
    assert_eq!(Event::data(text).to_string().lines().count(), 2, "one line of data and the empty one");
    assert_eq!(events(Event::data(text).to_string()), [Seen::new("", "message", text)]);
}

#[test]
fn data_cannot_become_a_field() {
    for text in ["\nid: 9", "\revent: x", "a\n\ndata: b", "\r\n\r\nretry: 1\r\n", ": c", "\n:", "id: 9\n"] {
        let outcome = read_every_way(&[Event::data(text).to_string()]);
        assert_eq!(outcome.events, [Seen::new("", "message", &text.replace("\r\n", "\n").replace('\r', "\n"))]);
        assert_eq!((outcome.retry, outcome.last_event_id.as_str()), (None, ""));
    }
}

#[test]
fn empty_data_is_an_event() {
    assert_eq!(Event::data("").to_string(), "data:\n\n");
    assert_eq!(events(Event::data("").to_string()), [Seen::new("", "message", "")]);
}

#[test]
fn line_ends_at_the_ends_of_data_survive() {
    for text in ["\n", "\n\n", "a\n", "\na", "a\n\n"] {
        assert_eq!(events(Event::data(text).to_string()), [Seen::new("", "message", text)]);
    }
}

#[test]
fn blanks_survive() {
    for text in [" ", "  a  ", " a\n  b ", "\ta"] {
        assert_eq!(events(Event::data(text).to_string()), [Seen::new("", "message", text)]);
    }
    let event = Event::data("x").name(Line::literal("  name "));
    assert_eq!(events(event.to_string()), [Seen::new("", "  name ", "x")]);
}

#[test]
fn an_empty_name_is_no_name() {
    let event = Event::data("x").name(Line::literal(""));
    assert_eq!(event.to_string(), "data: x\n\n");
}

#[test]
fn retry_is_in_milliseconds_and_never_sooner_than_asked() {
    for (wait, written) in [
        (Duration::ZERO, "retry: 0\n\n"),
        (Duration::from_secs(3), "retry: 3000\n\n"),
        (Duration::from_nanos(1), "retry: 1\n\n"),
        (Duration::from_micros(1001), "retry: 2\n\n"),
        (Duration::MAX, "retry: 18446744073709551615\n\n"),
    ] {
        assert_eq!(Event::retry_only(wait).to_string(), written);
    }
    let outcome = read_every_way(&[Event::data("x").retry(Duration::from_millis(250)).to_string()]);
    assert_eq!((outcome.events.len(), outcome.retry), (1, Some(250)));
}

#[test]
fn a_block_without_data_is_written_only_where_asked_for() {
    assert_eq!(Event::default().to_string(), "\n", "nothing was asked for");
    assert!(Event::data("").id(Id::EMPTY).retry(Duration::ZERO).to_string().contains("data:\n"));
}
