//! §9.2.4, the `Last-Event-ID` header: an id must come back as it went out.

use longwire_sse::{Event, Id, NotAnId, Parser};

use crate::reading::read_every_way;

#[test]
fn the_vectors_of_this_section() {
    crate::vectors::run("9.2.4");
}

#[test]
fn an_id_is_any_text_that_a_request_field_carries() {
    for text in ["", "7", "a b", "1790000000-7", "…", "\u{1F9ED}", "a:b", "\u{FEFF}", "\u{A0}x\u{A0}"] {
        assert_eq!(Id::new(text).map(|id| (id.as_str(), id.is_empty())), Ok((text, text.is_empty())));
        let outcome = read_every_way(&[Event::data("x").id(Id::new(text).unwrap()).to_string()]);
        assert_eq!(outcome.last_event_id, text, "it comes back unchanged");
    }
    assert_eq!(Id::new(""), Ok(Id::EMPTY));
    assert!(Id::EMPTY.is_empty());
}

#[test]
fn an_id_without_control_characters() {
    for code in (0..=0x1F).chain(0x7F..=0x9F) {
        let control = char::from(code);
        for text in [format!("{control}"), format!("1{control}"), format!("{control}1"), format!("1{control}2")] {
            assert_eq!(Id::new(&text), Err(NotAnId::ControlCharacter), "{text:?}");
        }
    }
}

#[test]
fn an_id_without_blanks_at_its_ends() {
    for text in [" ", " 7", "7 ", "  7  "] {
        assert_eq!(Id::new(text), Err(NotAnId::BlankAtEnd), "{text:?}");
    }
}

#[test]
fn an_id_has_256_bytes_at_most() {
    assert!(Id::new(&"x".repeat(255)).is_ok());
    assert!(Id::new(&"x".repeat(256)).is_ok());
    assert_eq!(Id::new(&"x".repeat(257)), Err(NotAnId::TooLong));
    assert_eq!(Id::new(&"é".repeat(129)), Err(NotAnId::TooLong), "bytes, not characters");
}

#[test]
fn an_id_only_block_moves_the_last_event_id_and_is_no_event() {
    let text = Event::id_only(Id::new("7").unwrap()).to_string();
    assert_eq!(text, "id: 7\n\n");
    let outcome = read_every_way(&[text]);
    assert_eq!((outcome.events.len(), outcome.last_event_id.as_str()), (0, "7"));
}

#[test]
fn an_empty_id_resets() {
    let first = Event::data("a").id(Id::new("7").unwrap()).to_string();
    let reset = Event::id_only(Id::EMPTY).to_string();
    assert_eq!(reset, "id:\n\n");
    assert_eq!(read_every_way(&[first + &reset]).last_event_id, "");
}

#[test]
fn the_id_of_a_block_in_progress_is_not_the_last_event_id_yet() {
    let mut parser = Parser::new([0; 64]);
    parser.parse(b"id: 1\ndata: a\n\nid: 2\ndata: b\n").unwrap();
    assert_eq!(parser.last_event_id(), "1", "the first event was handed out, the second block was not begun");
    parser.parse(b"id: 2\ndata: b\n").unwrap();
    assert_eq!(parser.last_event_id(), "1");
    parser.parse(b"\n").unwrap();
    assert_eq!(parser.last_event_id(), "2");
}
