//! §6.1: what we send, and what cannot be sent.

use longwire_frame::{Encoder, Header, Kind, Mask, Message, Opcode, Role, Unfinished, Unsent};

use crate::{KEY, masked, unmasked};

#[test]
fn a_whole_message_is_one_frame() {
    let mut out = [0; 64];
    let written = Encoder::new(Role::Server).message(Message::Text("Hello"), Mask::NONE, &mut out).unwrap();
    assert_eq!(out[..written], unmasked(0x81, b"Hello"));
    let written = Encoder::new(Role::Client).message(Message::Binary(&[1, 2]), Mask::new(KEY), &mut out).unwrap();
    assert_eq!(out[..written], masked(0x82, &[1, 2]));
}

#[test]
fn pieces_are_one_message() {
    let mut encoder = Encoder::new(Role::Server);
    let mut sent: Vec<u8> = Vec::new();
    for (piece, end) in [("Hel", false), ("", false), ("lo", true)] {
        let mut out = [0; 16];
        let written = encoder.piece(Message::Text(piece), end, Mask::NONE, &mut out).unwrap();
        sent.extend(&out[..written]);
        assert_eq!(encoder.is_open(), !end);
    }
    assert_eq!(sent, [unmasked(0x01, b"Hel"), unmasked(0x00, b""), unmasked(0x80, b"lo")].concat());
}

#[test]
fn one_piece_that_is_the_end_is_a_whole_message() {
    let mut encoder = Encoder::new(Role::Server);
    let header = encoder.piece_header(Message::Binary(b"x"), true, Mask::NONE);
    assert_eq!((header.fin, header.opcode), (true, Opcode::Binary));
    assert!(!encoder.is_open());
}

#[test]
fn the_header_form_is_the_header_of_the_other_form() {
    for len in (0..70).chain([125, 126, 65_535, 65_536]) {
        let payload: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        for role in [Role::Server, Role::Client] {
            let encoder = Encoder::new(role);
            let mut out = vec![0; len + Header::MAX_LEN];
            let written = encoder.message(Message::Binary(&payload), Mask::new(KEY), &mut out).unwrap();
            let header = encoder.message_header(Message::Binary(&payload), Mask::new(KEY)).unwrap();
            let mut head = [0; Header::MAX_LEN];
            let at = header.encode(&mut head).unwrap();
            assert_eq!(head[..at], out[..at]);
            if let Some(mut mask) = header.mask {
                mask.apply_naive(&mut out[at..written]);
            }
            assert_eq!(out[at..written], payload);
        }
    }
}

#[test]
fn the_short_way_writes_the_same_or_nothing() {
    for (role, len) in [Role::Server, Role::Client].into_iter().flat_map(|role| LENGTHS.map(|len| (role, len))) {
        let (mut encoder, payload) = (Encoder::new(role), vec![b'x'; len]);
        let message = Message::Binary(&payload);
        let (mut long, mut short) = (vec![0; len + 14], vec![0; len + 14]);
        let written = encoder.message(message, Mask::new(KEY), &mut long).ok();
        assert_eq!(encoder.short(message, Mask::new(KEY), &mut short), written.filter(|_| len < 65_536));
        assert!(short == if len < 65_536 { long } else { vec![0; len + 14] }, "{role:?}, {len}");
        encoder.piece_header(message, false, Mask::NONE);
        assert_eq!(encoder.short(message, Mask::new(KEY), &mut short), None, "§5.4: a message is begun");
    }
}

#[test]
fn a_message_does_not_begin_inside_another() {
    let mut encoder = Encoder::new(Role::Server);
    encoder.piece_header(Message::Text("a"), false, Mask::NONE);
    assert_eq!(encoder.message_header(Message::Text("b"), Mask::NONE), Err(Unfinished));
    assert_eq!(encoder.message(Message::Text("b"), Mask::NONE, &mut [0; 16]), Err(Unsent::Unfinished));
    assert!(encoder.ping(b"", Mask::NONE, &mut [0; 16]).is_ok(), "control frames may");
    encoder.piece_header(Message::Text("c"), true, Mask::NONE);
    assert!(encoder.message_header(Message::Text("b"), Mask::NONE).is_ok());
}

#[test]
fn a_full_output_changes_nothing() {
    let mut encoder = Encoder::new(Role::Client);
    for room in 0..11 {
        let mut out = vec![0xEE; room];
        assert_eq!(encoder.message(Message::Text("Hello"), Mask::new(KEY), &mut out), Err(Unsent::Full));
        assert_eq!(encoder.piece(Message::Text("Hello"), false, Mask::new(KEY), &mut out), Err(Unsent::Full));
        assert_eq!(encoder.ping(b"Hello", Mask::new(KEY), &mut out), Err(Unsent::Full));
        assert!(!encoder.is_open());
        assert!(out.iter().all(|byte| *byte == 0xEE));
    }
    assert_eq!(encoder.message(Message::Text("Hello"), Mask::new(KEY), &mut [0; 11]), Ok(11));
}

#[test]
fn an_output_that_is_one_byte_too_short_stays_as_it_was() {
    for (role, len) in [Role::Server, Role::Client].into_iter().flat_map(|role| LENGTHS.map(|len| (role, len))) {
        let (encoder, payload) = (Encoder::new(role), vec![b'x'; len]);
        let message = Message::Binary(&payload);
        let whole = encoder.message_header(message, Mask::new(KEY)).unwrap().encoded_len() + len;
        let mut out = vec![0xEE; whole];
        assert_eq!(encoder.message(message, Mask::new(KEY), &mut out[1..]), Err(Unsent::Full), "{role:?}, {len}");
        assert!(out.iter().all(|byte| *byte == 0xEE), "{role:?}, {len}");
        assert_eq!(encoder.message(message, Mask::new(KEY), &mut out), Ok(whole));
    }
}

/// On either side of where a header changes its form.
const LENGTHS: [usize; 6] = [0, 1, 125, 126, 65_535, 65_536];

#[test]
fn a_control_frame_of_126_bytes_cannot_be_sent() {
    let encoder = Encoder::new(Role::Server);
    let mut out = [0; 256];
    assert_eq!(encoder.ping(&[0; 126], Mask::NONE, &mut out), Err(Unsent::TooLong));
    assert_eq!(encoder.pong(&[0; 126], Mask::NONE, &mut out), Err(Unsent::TooLong));
    assert_eq!(encoder.ping(&[0; 125], Mask::NONE, &mut out), Ok(127));
}

#[test]
fn a_message_is_made_of_what_one_has() {
    assert_eq!(Message::from("a"), Message::Text("a"));
    assert_eq!(Message::from(&[1, 2]), Message::Binary(&[1, 2]));
    assert_eq!(Message::from(&[1, 2][..]), Message::Binary(&[1, 2]));
    assert_eq!((Message::from("é").len(), Message::from("é").kind()), (2, Kind::Text));
    assert_eq!(Message::from("é").as_bytes(), "é".as_bytes());
    assert!(Message::from("").is_empty());
    assert_eq!((Kind::Text.opcode(), Kind::Binary.opcode()), (Opcode::Text, Opcode::Binary));
}

#[cfg(feature = "alloc")]
#[test]
fn a_message_is_made_of_what_one_owns() {
    assert_eq!(Message::from(&String::from("a")), Message::Text("a"));
    assert_eq!(Message::from(&vec![1, 2]), Message::Binary(&[1, 2]));
}
