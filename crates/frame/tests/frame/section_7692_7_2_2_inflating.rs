//! RFC 7692 §7.2.2, and what it says nothing about: how much of a bomb goes off.

use longwire_frame::{CloseCode, Context, Deflater, Error, Event, Inflater, Limits, Opcode};
use miniz_oxide::deflate::compress_to_vec;

use crate::section_7692_7_2_1_compressing::{noise, speech};

/// RFC 7692 §7.2.3.1, and §7.2.3.4.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const FINAL_HELLO: [u8; 7] = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// §7.2.3.2: the same, by looking five bytes back.
const HELLO_AGAIN: [u8; 5] = [0xf2, 0x00, 0x11, 0x00, 0x00];

/// All that comes out of a whole message in steps of `step` bytes, and how many steps that took.
fn inflate(inflater: &mut Inflater, mut bytes: &[u8], step: usize) -> Result<(Vec<u8>, usize), Error> {
    let mut memory = vec![0; step];
    let mut said = Vec::new();
    for steps in 1.. {
        let step = inflater.inflate(Opcode::Binary, bytes, true, &mut memory)?;
        bytes = &bytes[step.consumed..];
        if let Some(Event::Binary { bytes: piece, end }) = step.event {
            said.extend(piece);
            if end {
                assert!(bytes.is_empty());
                return Ok((said, steps));
            }
        }
    }
    unreachable!("a message has an end")
}

fn hello(inflater: &mut Inflater) {
    assert_eq!(inflate(inflater, &HELLO, 64), Ok((b"Hello".to_vec(), 1)));
}

#[test]
fn a_message_that_fits_comes_in_one_step_where_it_was_lent() {
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    let mut memory = [0; 5];
    // The memory is full with it, and only the next step can tell that this was all.
    let step = inflater.inflate(Opcode::Text, &HELLO, true, &mut memory).unwrap();
    assert_eq!((step.consumed, step.event), (7, Some(Event::Text { carried: None, rest: "Hello", end: false })));
    let step = inflater.inflate(Opcode::Text, &[], true, &mut memory).unwrap();
    assert_eq!((step.consumed, step.event), (0, Some(Event::Text { carried: None, rest: "", end: true })));

    let mut memory = [0; 6];
    let step = inflater.inflate(Opcode::Text, &HELLO, true, &mut memory).unwrap();
    assert_eq!((step.consumed, step.event), (7, Some(Event::Text { carried: None, rest: "Hello", end: true })));
}

#[test]
fn no_step_brings_more_than_was_lent_and_all_of_them_bring_all() {
    let payload = speech(20_000);
    let mut deflater = Deflater::new(Context::Fresh, 15).unwrap();
    let mut compressed = Vec::new();
    deflater.message(&payload, &mut compressed);
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    for step in [4, 5, 100, 19_999, 20_000, 20_001] {
        let (said, steps) = inflate(&mut inflater, &compressed, step).unwrap();
        assert!(said == payload);
        assert_eq!(steps, payload.len() / step + 1, "in steps of {step}");
    }
}

/// Four bytes hold any character, so each step brings something, or there is nothing left.
#[test]
fn text_comes_out_whole_in_the_smallest_steps_however_it_is_cut() {
    let text = "κόσμε κόσμε 😀 κόσμε 😀😀 €€€".repeat(3);
    let mut deflater = Deflater::new(Context::Fresh, 15).unwrap();
    let mut compressed = Vec::new();
    deflater.message(text.as_bytes(), &mut compressed);
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    let mut memory = [0; Inflater::LEAST];
    for cut in 0..=compressed.len() {
        let mut said = String::new();
        let mut ended = false;
        for (mut bytes, end) in [(&compressed[..cut], false), (&compressed[cut..], true)] {
            loop {
                let step = inflater.inflate(Opcode::Text, bytes, end, &mut memory).unwrap();
                bytes = &bytes[step.consumed..];
                match step.event {
                    Some(Event::Text { carried, rest, end }) => {
                        said.extend(carried);
                        said.push_str(rest);
                        ended |= end;
                    }
                    None if step.consumed > 0 => {}
                    _ => break,
                }
                if ended {
                    break;
                }
            }
        }
        assert_eq!((said, ended), (text.clone(), true), "cut at {cut}");
    }
}

#[test]
fn a_bomb_goes_off_as_far_as_the_limit_however_small_the_steps() {
    let mut bomb = Vec::new();
    Deflater::new(Context::Fresh, 15).unwrap().message(&vec![0; 8 << 20], &mut bomb);
    for limit in [0, 1, 1000, 1 << 20] {
        let mut inflater = Inflater::new(Context::Fresh, Limits { message: limit, parts: 1 });
        for step in [7, 1 << 16, 16 << 20] {
            let mut memory = vec![0xAA; step];
            let (mut bytes, mut said) = (&bomb[..], 0);
            let fault = loop {
                match inflater.inflate(Opcode::Binary, bytes, true, &mut memory) {
                    Ok(step) => {
                        bytes = &bytes[step.consumed..];
                        let Some(Event::Binary { bytes, end: false }) = step.event else { panic!("{step:?}") };
                        said += bytes.len();
                    }
                    Err(fault) => break fault,
                }
            };
            assert_eq!((fault, fault.close_code()), (Error::MessageTooBig, CloseCode::TOO_BIG));
            assert!(said <= limit as usize, "{said} bytes were handed out");
            let untouched = memory.iter().skip(limit as usize + 1).all(|byte| *byte == 0xAA);
            assert!(untouched, "one byte more shows that there is more");
        }
    }
}

#[test]
fn the_limit_is_inclusive_and_each_messages_own() {
    for len in [1_u32, 2, 255, 70_000] {
        for payload in [noise(len as usize), vec![0; len as usize]] {
            let mut compressed = Vec::new();
            Deflater::new(Context::Fresh, 15).unwrap().message(&payload, &mut compressed);
            for step in [4, 1000, 1 << 17] {
                let mut inflater = Inflater::new(Context::Fresh, Limits { message: len, parts: 1 });
                for _ in 0..3 {
                    assert!(inflate(&mut inflater, &compressed, step).is_ok_and(|(said, _)| said == payload));
                }
                let mut inflater = Inflater::new(Context::Fresh, Limits { message: len - 1, parts: 1 });
                assert_eq!(inflate(&mut inflater, &compressed, step), Err(Error::MessageTooBig));
            }
        }
    }
}

#[test]
fn final_blocks_by_the_thousand_are_read_and_more_are_refused() {
    for context in [Context::Fresh, Context::TakenOver] {
        let mut inflater = Inflater::new(context, Limits::DEFAULT);
        for _ in 0..2 {
            let (said, _) = inflate(&mut inflater, &FINAL_HELLO.repeat(4096), 1 << 16).unwrap();
            assert!(said == b"Hello".repeat(4096));
        }
        let fault = inflate(&mut inflater, &FINAL_HELLO.repeat(4097), 1 << 16);
        assert_eq!(fault, Err(Error::TooManyFinalBlocks));
        assert_eq!(inflate(&mut inflater, &[3, 0].repeat(1 << 19), 1 << 16), Err(Error::TooManyFinalBlocks));
        hello(&mut inflater);
    }
}

#[test]
fn final_blocks_are_counted_for_each_message() {
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    let mut memory = [0; 64];
    for count in [0, 1, 2, 9] {
        assert_eq!(inflater.final_blocks(), 0);
        // Not the last frame of its message: with it the count begins anew.
        let step = inflater.inflate(Opcode::Binary, &FINAL_HELLO.repeat(count), false, &mut memory).unwrap();
        assert_eq!((step.consumed, inflater.final_blocks()), (7 * count, count as u32));
        inflater.inflate(Opcode::Binary, &HELLO, true, &mut memory).unwrap();
    }
}

/// A stream of another implementation that ends with a final block: what comes behind it looks back over the whole window.
#[test]
fn section_7_2_3_4_a_final_block_does_not_end_the_window() {
    // From 32 KiB back, three bytes: a stored block cannot say that, so this is a block of fixed codes, bit by bit.
    let far = bits("0 10 0000001 11101 1111111111111 0000000 0 00");
    for filling in [noise(32_768), speech(40_000), [speech(70_000), noise(100)].concat()] {
        let first = compress_to_vec(&filling, 6);
        let back = &filling[filling.len() - 32_768..][..3];
        let said = [&filling[..], back].concat();
        for step in [1000, 1 << 17] {
            // Within a message, whatever the context; and in the next one, if it is taken over.
            for context in [Context::Fresh, Context::TakenOver] {
                let mut inflater = Inflater::new(context, Limits::DEFAULT);
                let whole = [&first[..], &far].concat();
                assert!(inflate(&mut inflater, &whole, step).is_ok_and(|(inflated, _)| inflated == said));
            }
            let mut inflater = Inflater::new(Context::TakenOver, Limits::DEFAULT);
            assert!(inflate(&mut inflater, &first, step).is_ok_and(|(inflated, _)| inflated == filling));
            assert!(inflate(&mut inflater, &far, step).is_ok_and(|(inflated, _)| inflated == back));
            let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
            assert!(inflate(&mut inflater, &first, step).is_ok());
            assert_eq!(inflate(&mut inflater, &far, step), Err(Error::Inflate));
        }
    }
}

/// What was somebody else's must not come out for who looks back, neither at once nor behind a final block.
#[test]
fn section_7_1_1_2_without_takeover_no_message_sees_another() {
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    let behind_a_final_block = [&[0x03, 0x00][..], &HELLO_AGAIN].concat();
    for secret in [&HELLO[..], &FINAL_HELLO] {
        for spy in [&HELLO_AGAIN[..], &behind_a_final_block] {
            assert_eq!(inflate(&mut inflater, secret, 64), Ok((b"Hello".to_vec(), 1)));
            assert_eq!(inflate(&mut inflater, spy, 64), Err(Error::Inflate));
        }
    }
    let mut inflater = Inflater::new(Context::TakenOver, Limits::DEFAULT);
    hello(&mut inflater);
    inflater.clear();
    assert_eq!(inflate(&mut inflater, &behind_a_final_block, 64), Err(Error::Inflate));
}

/// RFC 1951 §3.1.1: the first bit of a stream is the lowest of its first byte.
fn bits(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text.bytes().filter(|letter| *letter != b' ').map(|letter| letter - b'0').collect();
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

#[test]
fn a_fault_leaves_nothing_to_whoever_comes_next() {
    let faults: [(&[u8], Error); 4] = [
        (&[0x06], Error::Inflate),
        (&HELLO_AGAIN, Error::Inflate),
        (&HELLO[..3], Error::Inflate),
        (&[0x00, 0x09, 0x00, 0xf6, 0xff, b'H', b'e', b'l', b'l', b'o'], Error::Inflate),
    ];
    for context in [Context::Fresh, Context::TakenOver] {
        for (bytes, fault) in faults {
            let mut inflater = Inflater::new(context, Limits::DEFAULT);
            assert_eq!(inflate(&mut inflater, bytes, 64), Err(fault));
            assert_eq!(fault.close_code(), CloseCode::INVALID_DATA);
            assert!(!inflater.message_open());
            assert_eq!(inflate(&mut inflater, &HELLO_AGAIN, 64), Err(Error::Inflate), "the window is gone");
            hello(&mut inflater);
        }
        // Text that is not UTF-8, and a character that is half there, are nothing to the next text either.
        let mut inflater = Inflater::new(context, Limits::DEFAULT);
        for bytes in [&b"\xCE"[..], b"\xFF", b"ok \xED\xA0\x80"] {
            let mut compressed = Vec::new();
            Deflater::new(Context::Fresh, 15).unwrap().message(bytes, &mut compressed);
            let fault = inflater.inflate(Opcode::Text, &compressed, true, &mut [0; 64]).err();
            assert_eq!(fault, Some(Error::NotUtf8));
            hello(&mut inflater);
        }
    }
}

#[test]
fn one_that_was_cleared_amid_a_message_serves_another_connection() {
    for context in [Context::Fresh, Context::TakenOver] {
        let mut inflater = Inflater::new(context, Limits { message: 5, parts: 1 });
        hello(&mut inflater);
        let mut memory = [0; 64];
        let step = inflater.inflate(Opcode::Text, &HELLO[..4], false, &mut memory).unwrap();
        assert_eq!(step.event, Some(Event::Text { carried: None, rest: "Hel", end: false }));
        assert!(inflater.message_open());
        inflater.clear();
        assert!(!inflater.message_open());
        hello(&mut inflater);
        inflater.clear();
        assert_eq!(inflate(&mut inflater, &HELLO_AGAIN, 64), Err(Error::Inflate), "nothing is remembered");

        // Half a character, and then a whole one.
        let stored = [0x00, 0x01, 0x00, 0xfe, 0xff, 0xce];
        assert_eq!(inflater.inflate(Opcode::Text, &stored, false, &mut [0; 64]).map(|step| step.consumed), Ok(6));
        inflater.clear();
        let step = inflater.inflate(Opcode::Text, &HELLO, true, &mut memory).unwrap();
        assert_eq!(step.event, Some(Event::Text { carried: None, rest: "Hello", end: true }));
    }
}

/// RFC 6455 §8.1: what is certain is said at once, in the middle of a frame whose end may never come.
#[test]
fn text_fails_in_the_step_that_brings_the_byte() {
    let text = [&b"ok "[..], b"\xF0\x9F\x98\x80", b" \xF0\x9F\x98\xFF and more"].concat();
    let stored = [&[0x00, text.len() as u8, 0, !(text.len() as u8), 0xFF][..], &text].concat();
    for step in 1..=stored.len() {
        let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
        let mut memory = [0; 64];
        let mut given = 0;
        let found = stored.chunks(step).find_map(|bytes| {
            given += bytes.len();
            inflater.inflate(Opcode::Text, bytes, false, &mut memory).err()
        });
        assert_eq!(found, Some(Error::NotUtf8));
        assert_eq!(given, 17_usize.next_multiple_of(step).min(stored.len()), "in pieces of {step}");
    }
}

/// RFC 6455 §8.1: the beginning of a character is kept, and there is nothing to be told of it yet.
#[test]
fn half_a_character_is_no_event() {
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    let mut memory = [0; 64];
    // A block of three bytes that are not compressed (RFC 1951 §3.2.4), and the empty one whose tail is not sent.
    let euro = [0x00, 3, 0, 0xFC, 0xFF, 0xE2, 0x82, 0xAC, 0x00];
    let step = inflater.inflate(Opcode::Text, &euro[..7], false, &mut memory).unwrap();
    assert_eq!((step.consumed, step.event), (7, None));
    let step = inflater.inflate(Opcode::Text, &euro[7..], true, &mut memory).unwrap();
    assert_eq!((step.consumed, step.event), (2, Some(Event::Text { carried: Some('€'), rest: "", end: true })));
}

/// §7.1.2: no window is larger than 32 KiB, so no more than that is remembered, nor is there room for more.
#[test]
fn what_is_remembered_doubles_up_to_a_window() {
    let mut inflater = Inflater::new(Context::TakenOver, Limits::DEFAULT);
    let nothing = inflater.capacity();
    let mut rooms = Vec::new();
    for _ in 0..2 {
        hello(&mut inflater);
        rooms.push(inflater.capacity() - nothing);
    }
    assert_eq!(rooms, [10, 10], "room for twice what came first, and that is filled");
    let (mut deflater, mut payload) = (Deflater::new(Context::Fresh, 15).unwrap(), Vec::new());
    deflater.message(&noise(100_000), &mut payload);
    let (mut bytes, mut memory) = (&payload[..], [0; 100]);
    while !bytes.is_empty() {
        let step = inflater.inflate(Opcode::Binary, bytes, false, &mut memory).unwrap();
        bytes = &bytes[step.consumed..];
        rooms.push(inflater.capacity() - nothing);
    }
    assert!(rooms.is_sorted());
    rooms.dedup();
    assert!(rooms.len() < 16, "{rooms:?}");
    assert_eq!(rooms.last(), Some(&32_768));
}
