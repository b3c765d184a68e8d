//! §5.4: messages in frames, and frames in pieces as the network cuts them.

use longwire_frame::{Connection, Decoder, Event, Limits, Mask, Message, Reply, Role};

use crate::{masked, unmasked};

#[test]
fn an_unfinished_payload_is_handed_out_in_pieces() {
    let mut decoder = Decoder::new(Role::Server, Limits::DEFAULT);
    let mut frame = masked(0x82, b"0123456789");
    let step = decoder.decode(&mut frame[..10]).unwrap();
    assert_eq!((step.consumed, step.event), (10, Some(Event::Binary { bytes: b"0123", end: false })));
    assert_eq!((decoder.frame_left(), decoder.message_open()), (6, true));
    let step = decoder.decode(&mut frame[10..]).unwrap();
    assert_eq!((step.consumed, step.event), (6, Some(Event::Binary { bytes: b"456789", end: true })));
    assert_eq!((decoder.frame_left(), decoder.message_open()), (0, false));
}

#[test]
fn a_header_without_payload_is_consumed_and_is_no_event() {
    let mut decoder = Decoder::new(Role::Client, Limits::DEFAULT);
    let mut header = [0x81, 0x05];
    let step = decoder.decode(&mut header).unwrap();
    assert_eq!((step.consumed, step.event), (2, None));
    assert_eq!(decoder.frame_left(), 5);
    let step = decoder.decode(&mut []).unwrap();
    assert_eq!((step.consumed, step.event), (0, None));
}

#[test]
fn a_character_that_has_only_begun_is_consumed_and_is_no_event() {
    let mut decoder = Decoder::new(Role::Server, Limits::DEFAULT);
    let mut begun = masked(0x01, &[0xE2, 0x82]);
    let step = decoder.decode(&mut begun).unwrap();
    assert_eq!((step.consumed, step.event), (8, None));
    let mut rest = masked(0x80, &[0xAC]);
    let event = decoder.decode(&mut rest).unwrap().event;
    assert_eq!(event, Some(Event::Text { carried: Some('€'), rest: "", end: true }));
}

#[test]
fn the_rest_of_a_frame_may_be_decoded_where_it_belongs() {
    let mut decoder = Decoder::new(Role::Server, Limits::DEFAULT);
    let mut frame = masked(0x82, b"straight into place");
    decoder.decode(&mut frame[..6]).unwrap();
    let mut place = [0; 64];
    let left = decoder.frame_left() as usize;
    place[..left].copy_from_slice(&frame[6..]);
    decoder.decode(&mut place[..left]).unwrap();
    assert_eq!(&place[..left], b"straight into place");
}

#[test]
fn a_step_never_looks_behind_its_frame() {
    let mut decoder = Decoder::new(Role::Server, Limits::DEFAULT);
    let mut two = [masked(0x81, b"one"), masked(0x81, b"two")].concat();
    let step = decoder.decode(&mut two).unwrap();
    assert_eq!(step.event, Some(Event::Text { carried: None, rest: "one", end: true }));
    let consumed = step.consumed;
    assert_eq!(two[consumed..], masked(0x81, b"two"));
}

#[test]
fn a_message_stays_open_between_its_frames() {
    let mut decoder = Decoder::new(Role::Client, Limits::DEFAULT);
    decoder.decode(&mut unmasked(0x01, b"a")).unwrap();
    assert_eq!((decoder.frame_left(), decoder.message_open()), (0, true));
    decoder.decode(&mut unmasked(0x89, b"ping")).unwrap();
    assert!(decoder.message_open(), "a control frame changes nothing");
    decoder.decode(&mut unmasked(0x80, b"b")).unwrap();
    assert!(!decoder.message_open());
}

#[test]
fn events_outlive_the_call_but_not_the_input() {
    let mut decoder = Decoder::new(Role::Client, Limits::DEFAULT);
    let mut frame = unmasked(0x81, b"held");
    let event = decoder.decode(&mut frame).unwrap().event;
    let next = decoder.decode(&mut []).unwrap();
    assert_eq!(event, Some(Event::Text { carried: None, rest: "held", end: true }));
    assert_eq!(next.event, None);
}

#[test]
fn a_connection_knows_what_is_begun_in_each_direction() {
    let begun =
        |connection: &Connection| (connection.frame_left(), connection.message_open(), connection.is_mid_message());
    let (mut server, mut reply, mut out) = (Connection::server(Limits::DEFAULT), Reply::new(), [0; 64]);
    assert_eq!(begun(&server), (0, false, false));
    server.receive(&mut masked(0x01, b"theirs")[..8], &mut reply, Mask::NONE).unwrap();
    assert_eq!(begun(&server), (4, true, false));
    server.piece(Message::Text("ours"), false, Mask::NONE, &mut out).unwrap();
    assert_eq!(begun(&server), (4, true, true));
    server.piece(Message::Text(""), true, Mask::NONE, &mut out).unwrap();
    assert_eq!(begun(&server), (4, true, false));
}
