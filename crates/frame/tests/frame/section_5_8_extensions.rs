//! §5.8: a negotiated bit makes a message the extension's, from its first frame to its last.

use longwire_frame::{Decoder, Error, Event, Limits, Opcode, Role, Rsv};

use crate::masked;

#[test]
fn a_control_frame_in_between_does_not_reset_the_bit() {
    let mut decoder = Decoder::new(Role::Server, Limits::DEFAULT).negotiated(Rsv::RSV1);
    decoder.decode(&mut masked(0x41, &[0xFF])).unwrap();
    decoder.decode(&mut masked(0x89, b"")).unwrap();
    let mut last = masked(0x80, &[0xFE]);
    let event = decoder.decode(&mut last).unwrap().event;
    let expected = Event::Extended { rsv: Rsv::RSV1, opcode: Opcode::Text, bytes: &[0xFE], end: true };
    assert_eq!(event, Some(expected));
}

#[test]
fn an_extended_text_is_not_held_to_utf_8_and_leaves_nothing_behind() {
    let mut decoder = Decoder::new(Role::Server, Limits::DEFAULT).negotiated(Rsv::RSV1);
    decoder.decode(&mut masked(0xC1, &[0xCE])).unwrap();
    let mut plain = masked(0x81, "κ".as_bytes());
    let event = decoder.decode(&mut plain).unwrap().event;
    assert_eq!(event, Some(Event::Text { carried: None, rest: "κ", end: true }));
}

#[test]
fn what_an_extension_made_longer_may_be_longer_by_an_eighth_and_64_bytes() {
    for limit in [0, 7, 8, 1_000, 100_000] {
        let limits = Limits { message: limit, parts: 9 };
        let first = |len: u32, bit: u8| {
            let header = [&[bit | 2, 0xFF][..], &u64::from(len).to_be_bytes(), &[0; 4]].concat();
            let short = [&[bit | 2, 0xFE][..], &(len as u16).to_be_bytes(), &[0; 4]].concat();
            let tiny = vec![bit | 2, 0x80 | len as u8, 0, 0, 0, 0];
            let mut header = if len > 0xFFFF {
                header
            } else if len > 125 {
                short
            } else {
                tiny
            };
            let mut decoder = Decoder::new(Role::Server, limits).negotiated(Rsv::RSV1);
            decoder.decode(&mut header).map(|_| ())
        };
        let most = limit + limit / 8 + 64;
        assert_eq!(first(most, 0xC0), Ok(()));
        assert_eq!(first(most + 1, 0xC0), Err(Error::MessageTooBig));
        assert_eq!(first(limit, 0x80), Ok(()));
        assert_eq!(first(limit + 1, 0x80), Err(Error::MessageTooBig));
    }
}

#[test]
fn an_extension_sets_its_bit_on_the_header_it_is_given() {
    use longwire_frame::{Encoder, Header, Mask, Message};
    let mut header = Encoder::new(Role::Server).message_header(Message::Text("x"), Mask::NONE).unwrap();
    header.rsv = Rsv::RSV1;
    let mut out = [0; Header::MAX_LEN];
    let written = header.encode(&mut out).unwrap();
    assert_eq!(out[..written], [0xC1, 0x01]);
}
