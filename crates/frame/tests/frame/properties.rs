//! What holds for any bytes whatever. Each property is a function of plain bytes and the public API, so that a fuzzer
//! can call the same one; below, random bytes and random conversations do.

use longwire_frame::{
    Assembler, Close, CloseCode, Connection, Encoder, Error, Event, Header, Limits, Mask, Message, Reply, Role, Rsv,
    State, Utf8,
};
use proptest::prelude::*;

pub(crate) const LIMITS: Limits = Limits { message: 300, parts: 6 };

/// What a connection made of its input: whatever was whole, what it sent in answer, and the fault.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Story {
    pub(crate) lines: Vec<String>,
    pub(crate) replies: Vec<u8>,
    pub(crate) fault: Option<Error>,
}

fn connection(role: Role, negotiated: Rsv) -> Connection {
    match role {
        Role::Server => Connection::server(LIMITS),
        Role::Client => Connection::client(LIMITS),
    }
    .negotiated(negotiated)
}

/// Gives `input` cut into pieces of the sizes in `cuts`, over and over, and checks every promise on the way.
pub(crate) fn tell(role: Role, negotiated: Rsv, input: &[u8], cuts: &[usize]) -> Story {
    let mut connection = connection(role, negotiated);
    let mut story = Story::default();
    let mut reply = Reply::new();
    let mut memory = [0; LIMITS.message as usize];
    let mut assembler = Assembler::new(&mut memory);
    let mut extended = Vec::new();
    let mut kept = Vec::new();
    let mut cuts = cuts.iter().map(|cut| (*cut).max(1)).cycle();
    let mut left = input;
    while !left.is_empty() {
        let (piece, rest) = left.split_at(cuts.next().unwrap_or(left.len()).min(left.len()));
        left = rest;
        kept.extend_from_slice(piece);
        // Every step but the last consumes something, or fails, which happens once.
        for _ in 0..=kept.len() + 2 {
            let before = kept.clone();
            let was = connection.state();
            let step = match connection.receive(&mut kept, &mut reply, Mask::NONE) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(story.fault.replace(error), None, "a connection fails once");
                    assert_eq!(connection.state(), State::Failed);
                    assert_eq!(
                        connection.receive(&mut [0x81], &mut Reply::new(), Mask::NONE).map(|s| s.consumed),
                        Ok(1)
                    );
                    story.replies.extend(reply.as_bytes());
                    kept = before;
                    continue;
                }
            };
            story.replies.extend(reply.as_bytes());
            assert!(step.consumed <= before.len());
            assert!(step.event.is_none() || was == State::Open, "after the end nothing is said");
            if let Some(event) = step.event {
                match event {
                    Event::Extended { bytes, end, .. } => {
                        extended.extend_from_slice(bytes);
                        if end {
                            story.lines.push(format!("extended {extended:?}"));
                            extended.clear();
                        }
                    }
                    Event::Text { .. } | Event::Binary { .. } => {
                        let message = assembler.push(event).expect("no message is longer than the limit");
                        story.lines.extend(message.map(|message| format!("{message:?}")));
                    }
                    Event::Ping(_) | Event::Pong(_) | Event::Close(_) => story.lines.push(format!("{event:?}")),
                }
            }
            let (consumed, silent) = (step.consumed, step.event.is_none());
            assert_eq!(kept[consumed..], before[consumed..], "what is not consumed is not touched");
            kept.drain(..consumed);
            if consumed == 0 && silent {
                break;
            }
        }
        assert!(kept.len() <= 130, "the caller keeps {} bytes", kept.len());
        assert!(connection.frame_left() == 0 || kept.is_empty());
    }
    story
}

/// However the network cuts it, the same bytes tell the same story. (A fuzzer's property.)
fn any_cut_tells_the_same(role: Role, negotiated: Rsv, input: &[u8], cuts: &[usize]) {
    let whole = tell(role, negotiated, input, &[]);
    assert_eq!(tell(role, negotiated, input, cuts), whole);
    assert_eq!(tell(role, negotiated, input, &[1]), whole);
    // What is sent in answer is something that the other side accepts.
    let other = if role == Role::Server { Role::Client } else { Role::Server };
    assert_eq!(tell(other, Rsv::NONE, &whole.replies, &[]).fault, None);
}

/// A header is read back from what it writes, byte for byte. (A fuzzer's property.)
fn a_header_that_is_parsed_is_the_only_form_of_itself(input: &[u8]) {
    if let Ok(Some((header, len))) = Header::parse(input) {
        let mut out = [0; Header::MAX_LEN];
        assert_eq!(header.encode(&mut out), Ok(len));
        assert_eq!(out[..len], input[..len]);
    }
    // A verdict stands, whatever else arrives: nothing accepted is refused later for its front, nor the reverse.
    for there in 0..input.len().min(Header::MAX_LEN) {
        if let Err(error) = Header::parse(&input[..there]) {
            assert_eq!(Header::parse(input), Err(error));
        }
    }
}

/// Text in pieces is judged as text in one, and as early as in single bytes. (A fuzzer's property.)
fn utf8_in_pieces_is_utf8(input: &[u8], cuts: &[usize]) {
    let mut cuts = cuts.iter().map(|cut| (*cut).max(1)).cycle();
    let mut utf8 = Utf8::new();
    let mut text = String::new();
    let mut given = 0;
    while given < input.len() {
        let to = (given + cuts.next().unwrap_or(input.len())).min(input.len());
        match utf8.push(&input[given..to]) {
            Ok((carried, rest)) => {
                text.extend(carried);
                text.push_str(rest);
                let cut = std::str::from_utf8(&input[..to]);
                assert!(cut.is_ok() || cut.is_err_and(|cut| cut.error_len().is_none()));
            }
            Err(_) => {
                assert!(std::str::from_utf8(&input[..to]).is_err_and(|cut| cut.error_len().is_some()));
                return;
            }
        }
        given = to;
    }
    assert_eq!(utf8.finish().is_ok(), std::str::from_utf8(input).is_ok());
    assert_eq!(text.as_bytes(), &input[..text.len()]);
    assert!(input.len() - text.len() <= 3);
}

/// A payload of a Close that is understood is the only form of itself. (A fuzzer's property.)
fn a_close_that_is_parsed_is_the_only_form_of_itself(input: &[u8]) {
    if let Ok(Some(close)) = Close::parse(input) {
        let mut out = [0; 125];
        assert_eq!(close.encode(&mut out), Ok(input.len()));
        assert_eq!(&out[..input.len()], input);
        assert_eq!(Close::new(close.code, close.reason), close);
    }
}

/// What somebody may say.
#[derive(Clone, Debug)]
enum Said {
    Text(Vec<String>),
    Binary(Vec<Vec<u8>>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        prop::collection::vec(".{0,20}", 1..4).prop_map(Said::Text),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70), 1..4).prop_map(Said::Binary),
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(Said::Ping),
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(Said::Pong),
        prop::option::of((3000..5000_u16, ".{0,200}")).prop_map(Said::Close),
    ]
}

/// Encodes what is said, with a Ping between any two pieces, and says what must arrive.
fn conversation(sender: Role, said: &[Said], key: [u8; 4]) -> (Vec<u8>, Vec<String>) {
    let mut connection = connection(sender, Rsv::NONE);
    let (mut sent, mut lines) = (Vec::new(), Vec::new());
    let mut out = [0; 1024];
    let key = Mask::new(key);
    for what in said {
        let pieces: Vec<Message<'_>> = match what {
            Said::Text(pieces) => pieces.iter().map(|piece| Message::Text(piece)).collect(),
            Said::Binary(pieces) => pieces.iter().map(|piece| Message::Binary(piece)).collect(),
            Said::Ping(payload) => {
                let written = connection.ping(payload, key, &mut out).unwrap();
                sent.extend(&out[..written]);
                lines.push(format!("{:?}", Event::Ping(payload)));
                continue;
            }
            Said::Pong(payload) => {
                let written = connection.pong(payload, key, &mut out).unwrap();
                sent.extend(&out[..written]);
                lines.push(format!("{:?}", Event::Pong(payload)));
                continue;
            }
            Said::Close(close) => {
                let close = close.as_ref().map(|(code, reason)| Close::new(CloseCode::new(*code).unwrap(), reason));
                let written = connection.close(close, key, &mut out).unwrap();
                sent.extend(&out[..written]);
                lines.push(format!("{:?}", Event::Close(close)));
                break;
            }
        };
        let last = pieces.len() - 1;
        for (at, piece) in pieces.iter().enumerate() {
            let written = if last == 0 {
                connection.message(*piece, key, &mut out).unwrap()
            } else {
                connection.piece(*piece, at == last, key, &mut out).unwrap()
            };
            sent.extend(&out[..written]);
            if at != last {
                let written = connection.ping(b"between", key, &mut out).unwrap();
                sent.extend(&out[..written]);
                lines.push(format!("{:?}", Event::Ping(b"between")));
            }
        }
        let joined: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes()).copied().collect();
        lines.push(match pieces[0] {
            Message::Text(_) => format!("{:?}", Message::Text(std::str::from_utf8(&joined).unwrap())),
            Message::Binary(_) => format!("{:?}", Message::Binary(&joined)),
        });
    }
    (sent, lines)
}

/// Bytes that have a chance: headers that may be, with payloads that fit or do not.
fn nearly_frames() -> impl Strategy<Value = Vec<u8>> {
    let first =
        prop::sample::select(vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A, 0xC1, 0x41, 0x83, 0x09]);
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        ".{0,12}".prop_map(String::into_bytes),
        Just(vec![0x03, 0xE8]),
        prop::collection::vec(b'a'..=b'z', 120..140),
    ];
    let frame = (first, any::<bool>(), any::<[u8; 4]>(), payload).prop_map(|(first, mask, key, mut payload)| {
        let mut frame = vec![first];
        let bit = if mask { 0x80 } else { 0 };
        match payload.len() {
            len @ 0..=125 => frame.push(bit | len as u8),
            len => frame.extend([bit | 126, (len >> 8) as u8, len as u8]),
        }
        if mask {
            frame.extend(key);
            Mask::new(key).apply_naive(&mut payload);
        }
        frame.extend(payload);
        frame
    });
    prop::collection::vec(frame, 0..8).prop_map(|frames| frames.concat())
}

fn roles() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Server, Role::Client])
}

fn bits() -> impl Strategy<Value = Rsv> {
    (0..8_u8).prop_map(|bits| Rsv::of_first_byte(bits << 4))
}

fn any_cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..40_usize, 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(role in roles(), negotiated in bits(), input in prop::collection::vec(any::<u8>(), 0..300), cuts in any_cuts()) {
        any_cut_tells_the_same(role, negotiated, &input, &cuts);
    }

    #[test]
    fn bytes_that_are_nearly_frames(role in roles(), negotiated in bits(), input in nearly_frames(), cuts in any_cuts()) {
        any_cut_tells_the_same(role, negotiated, &input, &cuts);
    }

    #[test]
    fn headers(input in prop::collection::vec(any::<u8>(), 0..20)) {
        a_header_that_is_parsed_is_the_only_form_of_itself(&input);
    }

    #[test]
    fn text(input in prop_oneof![prop::collection::vec(any::<u8>(), 0..30), ".{0,30}".prop_map(String::into_bytes)], cuts in any_cuts()) {
        utf8_in_pieces_is_utf8(&input, &cuts);
    }

    #[test]
    fn closes(code in any::<u16>(), reason in prop_oneof![prop::collection::vec(any::<u8>(), 0..130), ".{0,40}".prop_map(String::into_bytes)]) {
        a_close_that_is_parsed_is_the_only_form_of_itself(&[&code.to_be_bytes()[..], &reason].concat());
        a_close_that_is_parsed_is_the_only_form_of_itself(&[&[0x03, 0xE8][..], &reason].concat());
    }

    #[test]
    fn what_one_side_says_the_other_side_hears(sender in roles(), said in prop::collection::vec(said(), 0..6), key in any::<[u8; 4]>(), cuts in any_cuts()) {
        let (sent, lines) = conversation(sender, &said, key);
        let receiver = if sender == Role::Server { Role::Client } else { Role::Server };
        let story = tell(receiver, Rsv::NONE, &sent, &cuts);
        prop_assert_eq!(story.fault, None);
        prop_assert_eq!(story.lines, lines);
    }

    #[test]
    fn masks(key in any::<[u8; 4]>(), payload in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>()) {
        let (mut fast, mut naive) = (payload.clone(), payload);
        let at = at.index(fast.len() + 1);
        let (mut by_piece, mut by_byte) = (Mask::new(key), Mask::new(key));
        by_piece.apply(&mut fast[..at]);
        by_piece.apply(&mut fast[at..]);
        by_byte.apply_naive(&mut naive);
        prop_assert_eq!(fast, naive);
        prop_assert_eq!(by_piece, by_byte);
    }

    #[test]
    fn an_encoder_never_mixes_messages(said in prop::collection::vec((any::<bool>(), any::<bool>()), 0..20)) {
        let mut encoder = Encoder::new(Role::Server);
        for (whole, end) in said {
            let open = encoder.is_open();
            if whole {
                prop_assert_eq!(encoder.message_header(Message::Text("x"), Mask::NONE).is_ok(), !open);
                prop_assert_eq!(encoder.is_open(), open);
            } else {
                let header = encoder.piece_header(Message::Text("x"), end, Mask::NONE);
                prop_assert_eq!(header.opcode == longwire_frame::Opcode::Continuation, open);
                prop_assert_eq!(header.fin, end);
            }
        }
    }
}
