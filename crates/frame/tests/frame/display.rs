//! What a packet dump says.

use longwire_frame::{
    Close, CloseCode, Closed, Error, Event, Full, Header, Mask, Message, Opcode, Rsv, State, Unfinished, Unsent,
};

use crate::KEY;

#[test]
fn headers() {
    let header = Header { fin: true, rsv: Rsv::NONE, opcode: Opcode::Text, mask: Some(Mask::new(KEY)), len: 5 };
    assert_eq!(header.to_string(), "FIN text len=5 mask=37fa213d");
    let header = Header { fin: false, rsv: Rsv::RSV1, opcode: Opcode::Binary, mask: None, len: 65_536 };
    assert_eq!(header.to_string(), "RSV1 binary len=65536");
    let header = Header { fin: true, rsv: Rsv::ALL, opcode: Opcode::Continuation, mask: None, len: 0 };
    assert_eq!(header.to_string(), "FIN RSV1+RSV2+RSV3 continuation len=0");
    assert_eq!(Rsv::NONE.to_string(), "-");
}

#[test]
fn events() {
    let text = |carried, rest, end| Event::Text { carried, rest, end }.to_string();
    assert_eq!(text(None, "Hello", true), r#"text "Hello""#);
    assert_eq!(text(Some('é'), "t", false), r#"text "ét"..."#);
    assert_eq!(text(None, "", true), r#"text """#);
    assert_eq!(Event::Binary { bytes: &[0, 0xFF], end: true }.to_string(), "binary 00ff (2 bytes)");
    assert_eq!(Event::Binary { bytes: &[], end: true }.to_string(), "binary (empty)");
    assert_eq!(Event::Binary { bytes: &[7], end: false }.to_string(), "binary 07 (1 byte)...");
    let extended = Event::Extended { rsv: Rsv::RSV1, opcode: Opcode::Text, bytes: &[0xF2], end: true };
    assert_eq!(extended.to_string(), "RSV1 text f2 (1 byte)");
    assert_eq!(Event::Ping(b"hi").to_string(), "ping 6869 (2 bytes)");
    assert_eq!(Event::Pong(b"").to_string(), "pong (empty)");
    assert_eq!(Event::Close(None).to_string(), "close");
    let close = Close { code: CloseCode::GOING_AWAY, reason: "see you" };
    assert_eq!(Event::Close(Some(close)).to_string(), r#"close 1001 going away "see you""#);
    assert_eq!(Message::from("a").to_string(), r#"text "a""#);
    assert_eq!(Message::from(&[1]).to_string(), "binary 01 (1 byte)");
}

#[test]
fn a_dump_is_bounded_and_harmless() {
    let long = Event::Text { carried: Some('a'), rest: &"b".repeat(1_000_000), end: true }.to_string();
    assert_eq!(long, format!(r#"text "a{}" +999969 characters"#, "b".repeat(31)));
    let long = Event::Binary { bytes: &[0xAB; 1_000_000], end: true }.to_string();
    assert_eq!(long, format!("binary {}... (1000000 bytes)", "ab".repeat(32)));
    let hostile = Event::Text { carried: None, rest: "\x1b[2J\r\n\"\u{202e}", end: true }.to_string();
    assert_eq!(hostile, r#"text "\u{1b}[2J\r\n\"\u{202e}""#);
}

#[test]
fn close_codes() {
    for (code, name) in [
        (1000, "normal closure"),
        (1001, "going away"),
        (1002, "protocol error"),
        (1003, "unsupported data"),
        (1007, "invalid data"),
        (1008, "policy violation"),
        (1009, "message too big"),
        (1010, "mandatory extension"),
        (1011, "internal error"),
        (1012, "service restart"),
        (1013, "try again later"),
        (1014, "bad gateway"),
        (3000, "registered"),
        (3999, "registered"),
        (4000, "private"),
        (4999, "private"),
    ] {
        assert_eq!(CloseCode::new(code).unwrap().to_string(), format!("{code} {name}"));
    }
}

#[test]
fn errors_and_states() {
    assert_eq!(Error::NotUtf8.to_string(), "text that is not UTF-8 (RFC 6455 §8.1)");
    assert_eq!(Error::MisplacedBits.to_string(), "extension bit on a frame that begins no message (RFC 7692 §6)");
    for (mistake, alone, words) in [
        (Unsent::from(Full), Full.to_string(), "the output is too short"),
        (Unsent::from(Unfinished), Unfinished.to_string(), "a fragmented message is not finished"),
        (Unsent::from(Closed), Closed.to_string(), "nothing may follow a Close"),
        (Unsent::TooLong, Unsent::TooLong.to_string(), "a control frame holds at most 125 bytes"),
    ] {
        assert_eq!((mistake.to_string().as_str(), alone.as_str()), (words, words));
    }
    let states = [State::Open, State::CloseSent, State::Closed, State::Failed];
    assert_eq!(states.map(|state| state.to_string()), ["open", "close sent", "closed", "failed"]);
}

#[test]
fn every_fault_has_words_of_its_own_and_a_section() {
    let mut words: Vec<&str> = Error::ALL.iter().map(|fault| fault.what()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Error::ALL.len());
    assert!(Error::ALL.iter().all(|fault| fault.section().starts_with("RFC ") && fault.what().len() <= 123));
}

/// Windows hold what was said before: none of it is told.
#[cfg(feature = "deflate")]
#[test]
fn a_compressor_does_not_tell_what_it_holds() {
    use longwire_frame::{Context, Deflater, Inflater, Limits};
    let deflater = Deflater::new(Context::Fresh, 15).unwrap();
    assert_eq!(format!("{deflater:?}"), "Deflater { context: Fresh, .. }");
    let inflater = Inflater::new(Context::Fresh, Limits { message: 7, ..Limits::DEFAULT });
    assert_eq!(format!("{inflater:?}"), "Inflater { context: Fresh, room: 7, message_open: false, .. }");
}
