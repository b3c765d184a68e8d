//! §9.2.7, authoring notes: comments that keep a quiet stream alive, and writing into lent memory.

use longwire_sse::{Comment, Event, Full, Id, Line};

use crate::reading::{Seen, events};

#[test]
fn the_vectors_of_this_section() {
    crate::vectors::run("9.2.7");
}

#[test]
fn a_heartbeat_is_three_bytes_and_no_event() {
    assert_eq!(Comment::HEARTBEAT.to_string(), ":\n\n");
    assert_eq!(events(Comment::HEARTBEAT.to_string()), []);
    assert_eq!(Comment::default(), Comment::HEARTBEAT);
}

#[test]
fn a_comment_cannot_break_out() {
    assert!(Line::new("x\n\ndata: pwn").is_err());
    for text in [" ", "data: x", ":", "id: 9"] {
        let comment = Comment(Line::new(text).unwrap()).to_string();
        assert_eq!(events(comment + "data: a\n\n"), [Seen::new("", "message", "a")]);
    }
}

#[test]
fn comments_between_events_change_nothing() {
    let stream = format!("{}{}{}", Event::data("a"), Comment::HEARTBEAT, Event::data("b"));
    assert_eq!(events(stream), [Seen::new("", "message", "a"), Seen::new("", "message", "b")]);
}

#[test]
fn output_that_is_one_byte_short_is_full() {
    let event = Event::data("one\r\ntwo").id(Id::new("7").unwrap()).name(Line::literal("n"));
    let text = event.to_string();
    assert_eq!(event.encoded_len(), text.len());
    let mut out = vec![0xAA; text.len() + 1];
    for short in 0..text.len() {
        assert_eq!(event.encode(&mut out[..short]), Err(Full));
    }
    assert_eq!(event.encode(&mut out), Ok(text.len()));
    assert_eq!(out, [text.as_bytes(), &[0xAA]].concat(), "nothing behind the block is touched");

    let mut out = [0; 3];
    assert_eq!(Comment::HEARTBEAT.encode(&mut out[..2]), Err(Full));
    assert_eq!(Comment::HEARTBEAT.encode(&mut out), Ok(3));
    assert_eq!((Comment::HEARTBEAT.encoded_len(), &out), (3, b":\n\n"));
}
