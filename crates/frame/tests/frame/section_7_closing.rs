//! §5.5.1 and §7: the closing handshake of both initiators, and the end that a fault makes.

use longwire_frame::{Close, CloseCode, Connection, Error, Event, Limits, Mask, Message, Reply, State, Unsent};

use crate::{masked, unmasked};

fn server() -> (Connection, Reply, [u8; 256]) {
    (Connection::server(Limits::DEFAULT), Reply::new(), [0; 256])
}

/// 1000 as a payload.
const NORMAL: [u8; 2] = [0x03, 0xE8];

#[test]
fn both_begin_at_once() {
    let (mut server, mut reply, mut out) = server();
    let mut client = Connection::client(Limits::DEFAULT);
    let ours = server.close(None, Mask::NONE, &mut out).unwrap();
    let mut theirs = [0; 16];
    let len = client.close(None, Mask::new(crate::KEY), &mut theirs).unwrap();
    client.receive(&mut out[..ours], &mut reply, Mask::new(crate::KEY)).unwrap();
    assert!(reply.is_empty());
    server.receive(&mut theirs[..len], &mut reply, Mask::NONE).unwrap();
    assert!(reply.is_empty());
    assert_eq!((server.state(), client.state()), (State::Closed, State::Closed));
}

#[test]
fn nothing_follows_our_close() {
    for begin in [true, false] {
        let (mut server, mut reply, mut out) = server();
        if begin {
            server.close(None, Mask::NONE, &mut out).unwrap();
        } else {
            server.receive(&mut masked(0x88, b""), &mut reply, Mask::NONE).unwrap();
        }
        let text = Message::Text("late");
        assert_eq!(server.message(text, Mask::NONE, &mut out), Err(Unsent::Closed));
        assert_eq!(server.message_header(text, Mask::NONE), Err(Unsent::Closed));
        assert_eq!(server.piece(text, true, Mask::NONE, &mut out), Err(Unsent::Closed));
        assert_eq!(server.piece_header(text, true, Mask::NONE), Err(longwire_frame::Closed));
        assert_eq!(server.ping(b"", Mask::NONE, &mut out), Err(Unsent::Closed));
        assert_eq!(server.pong(b"", Mask::NONE, &mut out), Err(Unsent::Closed));
        assert_eq!(server.close(None, Mask::NONE, &mut out), Err(Unsent::Closed));
    }
}

#[test]
fn a_close_that_does_not_fit_has_not_been_sent() {
    let (mut server, _, _) = server();
    assert_eq!(server.close(None, Mask::NONE, &mut [0; 1]), Err(Unsent::Full));
    assert_eq!(server.state(), State::Open);
}

#[test]
fn a_close_may_come_in_the_middle_of_a_message_of_ours() {
    let (mut server, _, mut out) = server();
    server.piece(Message::Text("begun"), false, Mask::NONE, &mut out).unwrap();
    assert!(server.is_mid_message());
    assert!(server.close(None, Mask::NONE, &mut out).is_ok());
}

#[test]
fn a_fault_sends_its_close_and_ends_everything() {
    let (mut server, mut reply, mut out) = server();
    let mut frame = masked(0x81, &[0xFF]);
    let fault = server.receive(&mut frame, &mut reply, Mask::NONE);
    assert_eq!(fault, Err(Error::NotUtf8));
    assert_eq!(reply.as_bytes()[..4], [0x88, reply.as_bytes().len() as u8 - 2, 0x03, 0xEF]);
    assert_eq!(server.state(), State::Failed);
    assert_eq!(server.message(Message::Text("x"), Mask::NONE, &mut out), Err(Unsent::Closed));
    let mut more = masked(0x88, &NORMAL);
    let len = more.len();
    let step = server.receive(&mut more, &mut reply, Mask::NONE).unwrap();
    assert_eq!((step.consumed, step.event), (len, None), "not even a Close is looked at");
    assert!(reply.is_empty());
}

#[test]
fn an_extension_may_fail_the_connection() {
    let (mut server, mut reply, _) = server();
    assert_eq!(server.fail(Error::MessageTooBig, &mut reply, Mask::NONE), Error::MessageTooBig);
    assert_eq!(reply.as_bytes()[2..4], [0x03, 0xF1]);
    assert_eq!(server.state(), State::Failed);
    server.fail(Error::MessageTooBig, &mut reply, Mask::NONE);
    assert!(reply.is_empty(), "once");
}

#[test]
fn every_fault_fits_into_its_close() {
    for &fault in Error::ALL {
        for mut connection in [Connection::server(Limits::DEFAULT), Connection::client(Limits::DEFAULT)] {
            let mut reply = Reply::new();
            connection.fail(fault, &mut reply, Mask::NONE);
            let code = fault.close_code().get();
            assert!([1002, 1007, 1009].contains(&code), "{fault}");
            assert!(reply.as_bytes().ends_with(fault.what().as_bytes()), "{fault}");
            assert!(reply.as_bytes().windows(2).any(|two| two == code.to_be_bytes()), "{fault}");
        }
    }
}

#[test]
fn after_the_peers_close_everything_is_consumed_and_nothing_is_said() {
    let (mut server, mut reply, _) = server();
    let mut input = [masked(0x88, &NORMAL), masked(0x81, b"late"), vec![0xFF; 100]].concat();
    let at = server.receive(&mut input, &mut reply, Mask::NONE).unwrap().consumed;
    let rest = input.len() - at;
    let step = server.receive(&mut input[at..], &mut reply, Mask::NONE).unwrap();
    assert_eq!((step.consumed, step.event), (rest, None));
    assert!(reply.is_empty());
}

#[test]
fn section_7_4_only_codes_that_may_be_sent_can_be_constructed() {
    let codes: Vec<u16> = (0..=u16::MAX).filter(|code| CloseCode::new(*code).is_some()).collect();
    let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
    assert_eq!(codes, expected);
    let constants = [
        CloseCode::NORMAL,
        CloseCode::GOING_AWAY,
        CloseCode::PROTOCOL,
        CloseCode::UNSUPPORTED,
        CloseCode::INVALID_DATA,
        CloseCode::POLICY,
        CloseCode::TOO_BIG,
        CloseCode::MANDATORY_EXTENSION,
        CloseCode::INTERNAL,
        CloseCode::RESTART,
        CloseCode::TRY_AGAIN,
        CloseCode::BAD_GATEWAY,
    ];
    assert!(constants.map(CloseCode::get).into_iter().eq((1000..=1003).chain(1007..=1014)));
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    for (reason, kept) in
        [("x".repeat(123), 123), ("x".repeat(124), 123), ("é".repeat(62), 122), ("🚀".repeat(31), 120)]
    {
        let close = Close::new(CloseCode::NORMAL, &reason);
        assert_eq!(close.reason.len(), kept);
        assert!(reason.starts_with(close.reason));
        // Written down field by field it is cut as well.
        let by_hand = Close { code: CloseCode::NORMAL, reason: &reason };
        let mut out = [0; 125];
        assert_eq!(by_hand.encode(&mut out), Ok(kept + 2));
        assert_eq!(by_hand.encoded_len(), kept + 2);
        assert_eq!(Close::parse(&out[..kept + 2]), Ok(Some(close)));
        assert_eq!(by_hand.encode(&mut out[..kept + 1]), Err(longwire_frame::Full));
    }
}

/// §7.4.1, §7.4.2 and §11.7: of all codes, those that may be sent are echoed, and every other is answered with 1002.
#[test]
fn section_7_4_all_codes_are_judged_for_both_roles() {
    for code in 0..=u16::MAX {
        let fine = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let sides = [
            (Connection::server(Limits::DEFAULT), masked(0x88, &code.to_be_bytes())),
            (Connection::client(Limits::DEFAULT), unmasked(0x88, &code.to_be_bytes())),
        ];
        for (mut connection, mut frame) in sides {
            let mut reply = Reply::new();
            let heard = connection.receive(&mut frame, &mut reply, Mask::NONE).map(|step| step.event);
            let answer = reply.as_bytes().last_chunk::<2>().copied();
            if fine {
                let close = Close { code: CloseCode::new(code).unwrap(), reason: "" };
                assert_eq!(heard, Ok(Some(Event::Close(Some(close)))));
                assert_eq!((connection.state(), answer), (State::Closed, Some(code.to_be_bytes())), "{code}");
            } else {
                assert_eq!((heard, connection.state()), (Err(Error::CloseCode), State::Failed), "{code}");
                assert!(reply.as_bytes().windows(2).any(|two| two == 1002_u16.to_be_bytes()), "{code}");
            }
        }
    }
}

#[test]
fn a_close_payload_says_what_it_must() {
    assert_eq!(Close::parse(b""), Ok(None));
    assert_eq!(Close::parse(b"\x03"), Err(Error::ShortClose));
    assert_eq!(Close::parse(b"\x03\xed"), Err(Error::CloseCode));
    assert_eq!(Close::parse(b"\x03\xe8\xff"), Err(Error::NotUtf8));
    assert_eq!(Close::parse(&[&NORMAL[..], &[b'x'; 124]].concat()), Err(Error::LongControl));
}
