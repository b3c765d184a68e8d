//! The short way for whole messages: it is taken where it may be and nowhere else, and says what the long way says.

use longwire_frame::{Connection, Error, Event, Limits, Mask, Message, Reply, State};

use crate::{KEY, masked, unmasked};

/// What the short way says, and that it has touched nothing if it says nothing.
fn short(connection: &Connection, input: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Error> {
    let mut bytes = input.to_vec();
    let mut rest = bytes.as_mut_slice();
    let whole = connection.whole().map_or(Ok(None), |whole| whole.next(&mut rest))?;
    let whole = whole.map(|message| message.as_bytes().to_vec());
    let consumed = input.len() - rest.len();
    assert_eq!(&bytes[consumed..], &input[consumed..], "what is not taken is as it came");
    assert_eq!(whole.is_none(), consumed == 0);
    Ok(whole.map(|message| (message, consumed)))
}

fn server() -> Connection {
    Connection::server(Limits::DEFAULT)
}

#[test]
fn a_message_that_lies_whole_in_the_input_is_taken_the_short_way() {
    whole_messages_to(server, masked, 2);
    whole_messages_to(|| Connection::client(Limits::DEFAULT), unmasked, 6);
}

/// What is shorter than `least`, and so than eight bytes in all, may go the long way.
fn whole_messages_to(connection: impl Fn() -> Connection, frame: impl Fn(u8, &[u8]) -> Vec<u8>, least: usize) {
    let lengths = (least..=127).chain([128, 255, 256, 65_534, 65_535]);
    for (len, opcode) in lengths.flat_map(|len| [(len, 0x81), (len, 0x82)]) {
        let payload = vec![b'x'; len];
        let frame = frame(opcode, &payload);
        for more in [&b""[..], b"\x81"] {
            let input = [&frame, more].concat();
            let mut connection = connection();
            assert_eq!(short(&connection, &input), Ok(Some((payload.clone(), frame.len()))), "{len} bytes");
            assert_eq!(connection.state(), State::Open);
            // And the long way says the same.
            let mut bytes = input.clone();
            let step = connection.receive(&mut bytes, &mut Reply::new(), Mask::NONE).unwrap();
            let event = match opcode {
                0x81 => Event::Text { carried: None, rest: str::from_utf8(&payload).unwrap(), end: true },
                _ => Event::Binary { bytes: &payload, end: true },
            };
            assert_eq!((step.consumed, step.event), (frame.len(), Some(event)));
        }
        assert_eq!(short(&connection(), &frame[..frame.len() - 1]), Ok(None), "{len} bytes but one");
    }
}

#[test]
fn the_kind_is_that_of_the_frame() {
    let mut bytes = [masked(0x81, b"text"), masked(0x82, b"bytes")].concat();
    let whole = server().whole().unwrap();
    let mut rest = bytes.as_mut_slice();
    assert_eq!(whole.next(&mut rest), Ok(Some(Message::Text("text"))));
    assert_eq!(whole.next(&mut rest), Ok(Some(Message::Binary(b"bytes"))));
    assert_eq!((whole.next(&mut rest), rest.len()), (Ok(None), 0));
}

#[test]
fn what_needs_a_second_look_goes_the_long_way() {
    let large = [&[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0][..], &KEY, &[0; 65_536]].concat();
    let not_shortest = [&[0x82, 0xFE, 0, 125][..], &KEY, &[0; 125]].concat();
    for (what, input) in [
        ("nothing", vec![]),
        ("a piece", masked(0x01, b"piece")),
        ("a continuation", masked(0x80, b"piece")),
        ("a Ping", masked(0x89, b"ping")),
        ("a Close", masked(0x88, b"\x03\xE8bye")),
        ("bits of an extension", masked(0xC1, b"bits")),
        ("a frame that is not masked", unmasked(0x81, b"not masked")),
        ("64 KiB", large),
        ("a length that is not in its shortest form", not_shortest),
    ] {
        assert_eq!(short(&server(), &input), Ok(None), "{what}");
    }
    let (client, frame) = (Connection::client(Limits::DEFAULT), unmasked(0x81, b"not masked"));
    assert_eq!(short(&client, &masked(0x81, b"masked")), Ok(None), "masked, for a client");
    assert_eq!(short(&client, &frame), Ok(Some((b"not masked".to_vec(), frame.len()))));
}

/// §10.4: the limits hold on either way, and are inclusive.
#[test]
fn what_is_beyond_a_limit_goes_the_long_way() {
    for message in [2, 125, 126, 300] {
        let frame = |len: u32| masked(0x82, &vec![0; len as usize]);
        let mut connection = Connection::server(Limits { message, parts: 1 });
        assert!(short(&connection, &frame(message)).unwrap().is_some(), "{message}");
        assert_eq!(short(&connection, &frame(message + 1)), Ok(None));
        let mut too_long = frame(message + 1);
        let fault = connection.receive(&mut too_long, &mut Reply::new(), Mask::NONE);
        assert_eq!(fault, Err(Error::MessageTooBig));
        let no_parts = Connection::server(Limits { message, parts: 0 });
        assert_eq!(short(&no_parts, &frame(message)), Ok(None));
    }
}

/// §5.4: within a message no other begins; §5.5.1: after a Close nothing is looked at.
#[test]
fn while_something_is_begun_or_over_there_is_no_short_way() {
    let frame = masked(0x81, b"whole");
    let mut connection = server();
    connection.receive(&mut masked(0x01, b"begun"), &mut Reply::new(), Mask::NONE).unwrap();
    assert_eq!(short(&connection, &frame), Ok(None));
    let mut connection = server();
    connection.close(None, Mask::NONE, &mut [0; 16]).unwrap();
    assert_eq!(short(&connection, &frame), Ok(None));
}

/// §8.1: the fault, and the Close that says so.
#[test]
fn text_that_is_none_fails_the_connection() {
    let (mut connection, mut reply) = (server(), Reply::new());
    let fault = short(&connection, &masked(0x81, b"\xFF\xFF")).unwrap_err();
    assert_eq!(connection.fail(fault, &mut reply, Mask::NONE), Error::NotUtf8);
    assert_eq!((connection.state(), &reply.as_bytes()[2..4]), (State::Failed, &[0x03, 0xEF][..]));
    assert_eq!(short(&connection, &masked(0x81, b"whole")), Ok(None));
}
