//! What holds of compression for any bytes whatever: all windows, both contexts, any pieces, any cuts, any steps.

use longwire_frame::{Connection, Context, Deflater, Error, Event, Inflater, Limits, Mask, Message, Opcode};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use proptest::prelude::*;

use crate::section_7692_6_frames::{Receiver, frame};

/// A message as its pieces. Text is made of few words, so that there is something to be found again.
#[derive(Clone, Debug)]
enum Said {
    Text(Vec<String>),
    Binary(Vec<Vec<u8>>),
}

fn said() -> impl Strategy<Value = Said> {
    let words =
        prop::sample::select(vec!["Longwire ", "speaks ", "κόσμε ", "😀", "{\"id\": 17}", "aaaaaaaaaaaaaaaaaaaa"]);
    let text = prop::collection::vec(words, 0..40).prop_map(|words| words.concat());
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..5000_usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    prop_oneof![
        prop::collection::vec(text, 1..4).prop_map(Said::Text),
        prop::collection::vec(bytes, 1..4).prop_map(Said::Binary),
    ]
}

fn contexts() -> impl Strategy<Value = Context> {
    prop::sample::select(vec![Context::Fresh, Context::TakenOver])
}

/// Compresses what is said, and says what must be heard. Every third message goes plain.
fn conversation(said: &[Said], context: Context, bits: u8) -> (Vec<u8>, Vec<(Opcode, Vec<u8>)>) {
    let mut server = Connection::server(Limits::DEFAULT);
    let mut deflater = Deflater::new(context, bits).unwrap();
    let (mut sent, mut heard) = (Vec::new(), Vec::new());
    for (number, said) in said.iter().enumerate() {
        let pieces: Vec<Message<'_>> = match said {
            Said::Text(pieces) => pieces.iter().map(|piece| Message::Text(piece)).collect(),
            Said::Binary(pieces) => pieces.iter().map(|piece| Message::Binary(piece)).collect(),
        };
        for (at, piece) in pieces.iter().enumerate() {
            let end = at == pieces.len() - 1;
            let header = server.piece_header(*piece, end, Mask::NONE).unwrap();
            if number % 3 == 2 {
                sent.extend(frame(header, piece.as_bytes()));
                continue;
            }
            let mut payload = Vec::new();
            deflater.piece(piece.as_bytes(), end, &mut payload);
            sent.extend(frame(header.deflated(payload.len()), &payload));
        }
        let joined = pieces.iter().flat_map(|piece| piece.as_bytes()).copied().collect();
        heard.push((pieces[0].kind().opcode(), joined));
    }
    (sent, heard)
}

/// What comes of a message, given in pieces of `cut` bytes and taken in steps of `step`.
fn inflated(bytes: &[u8], opcode: Opcode, limit: u32, cut: usize, step: usize) -> Result<Vec<u8>, Error> {
    let mut inflater = Inflater::new(Context::Fresh, Limits { message: limit, parts: 1 });
    let mut memory = vec![0; step];
    let mut out = Vec::new();
    let mut left = bytes;
    loop {
        let (mut piece, rest) = left.split_at(cut.min(left.len()));
        left = rest;
        loop {
            let step = inflater.inflate(opcode, piece, left.is_empty(), &mut memory)?;
            piece = &piece[step.consumed..];
            let end = match step.event {
                Some(Event::Text { carried, rest, end }) => {
                    out.extend(carried.into_iter().collect::<String>().bytes().chain(rest.bytes()));
                    end
                }
                Some(Event::Binary { bytes, end }) => {
                    out.extend(bytes);
                    end
                }
                _ => false,
            };
            assert!(out.len() <= limit as usize);
            match step.event {
                _ if end => return Ok(out),
                None if step.consumed == 0 => break,
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compressed_is_heard(
        said in prop::collection::vec(said(), 0..6),
        context in contexts(),
        bits in 9..=15_u8,
        cut in 1..200_usize,
        memory in Inflater::LEAST..300,
    ) {
        let (sent, heard) = conversation(&said, context, bits);
        let mut receiver = Receiver::new(context, memory);
        sent.chunks(cut).for_each(|piece| receiver.give(piece));
        prop_assert_eq!(receiver.heard, heard);
    }

    #[test]
    fn what_is_compressed_is_heard_at_every_split(said in said(), context in contexts(), bits in 9..=15_u8) {
        let (sent, heard) = conversation(std::slice::from_ref(&said), context, bits);
        for cut in 0..=sent.len().min(400) {
            let mut receiver = Receiver::new(context, 100);
            receiver.give(&sent[..cut]);
            receiver.give(&sent[cut..]);
            prop_assert_eq!(&receiver.heard, &heard);
        }
    }

    /// Any bytes are judged the same however they come and go; and what another implementation reads, we read.
    #[test]
    fn any_bytes_come_to_the_same(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            prop::collection::vec(prop::sample::select(vec![0x00, 0x02, 0x03, 0xf2, 0x48, 0xcd, 0xc9, 0x07, 0xff, 0x4b]), 0..40),
        ],
        text in any::<bool>(),
        limit in 0..2000_u32,
        cut in 1..20_usize,
        step in Inflater::LEAST..50,
    ) {
        let opcode = if text { Opcode::Text } else { Opcode::Binary };
        let whole = inflated(&bytes, opcode, limit, bytes.len().max(1), 4096);
        let other = inflated(&bytes, opcode, limit, cut, step);
        match (&whole, &other) {
            // Where two things are wrong, the way they come may decide which is found.
            (Err(_), Err(_)) => {}
            _ => prop_assert_eq!(&whole, &other),
        }
        let ended = [&bytes[..], &[0x00, 0x00, 0xFF, 0xFF, 0x03, 0x00]].concat();
        if opcode == Opcode::Binary && !bytes.is_empty() {
            match decompress_to_vec_with_limit(&ended, limit as usize + 1) {
                // That one stops behind the first final block.
                Ok(read) if whole.as_ref().is_ok_and(|whole| !whole.starts_with(&read)) => {
                    prop_assert!(false, "{:?} is read as {:?}, not as {:?}", bytes, read, whole);
                }
                Err(error) if error.status == TINFLStatus::Failed => prop_assert!(whole.is_err(), "{:?}", whole),
                _ => {}
            }
        }
    }
}
