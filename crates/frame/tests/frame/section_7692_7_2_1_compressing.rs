//! RFC 7692 §7.2.1 and §7.1.2: what is compressed, as another implementation reads it.

use longwire_frame::{Context, Deflater};
use miniz_oxide::inflate::decompress_to_vec;

/// What a stream says of which the last flush has lost its tail, by another implementation than ours.
fn read(stream: &[u8]) -> Vec<u8> {
    let ended = [stream, &[0x00, 0x00, 0xFF, 0xFF], &[0x03, 0x00]].concat();
    decompress_to_vec(&ended).expect("it inflates, and ends where a block ends")
}

fn message(deflater: &mut Deflater, payload: &[u8]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    deflater.message(payload, &mut out);
    assert!(out.starts_with(b"before"), "what stands there is left alone");
    out.split_off(6)
}

/// Bytes that nothing compresses.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x1234_5678_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 16) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Text that looks like what is sent.
pub(crate) fn speech(len: usize) -> Vec<u8> {
    let lines = (0_u64..).map(|at| format!("{{\"id\": {}, \"of\": \"apples\", \"left\": {}}}\n", at * at, at * 7 % 23));
    let mut text = Vec::new();
    for line in lines {
        if text.len() >= len {
            break;
        }
        text.extend(line.into_bytes());
    }
    text.truncate(len);
    text
}

#[test]
fn section_7_2_1_a_message_without_its_tail_is_what_another_implementation_reads() {
    for bits in 9..=15 {
        for len in (0..70).chain([1000, 4096, 65_535, 65_536, 300_000]) {
            for payload in [speech(len), noise(len), vec![b'a'; len]] {
                let mut deflater = Deflater::new(Context::Fresh, bits).unwrap();
                let out = message(&mut deflater, &payload);
                assert!(read(&out) == payload, "{len} bytes with {bits} bits");
                assert!(message(&mut deflater, &payload) == out, "the same again is the same bytes");
                // The decoder's room for what an extension marks.
                assert!(out.len() <= len + len / 8 + 64, "{len} bytes became {}", out.len());
            }
        }
    }
}

#[test]
fn section_7_2_1_with_takeover_the_messages_are_one_stream_and_repetition_is_cheap() {
    let mut deflater = Deflater::new(Context::TakenOver, 15).unwrap();
    let (mut stream, mut said) = (Vec::new(), Vec::new());
    let mut lens = Vec::new();
    for at in 0..50 {
        let payload = speech(400 + at);
        let out = message(&mut deflater, &payload);
        lens.push(out.len());
        stream.extend(&out);
        said.extend(payload);
        assert_eq!(read(&stream), said);
        stream.extend([0x00, 0x00, 0xFF, 0xFF]);
    }
    assert!(lens[1..].iter().all(|len| len * 4 < lens[0]), "{lens:?}");
}

#[test]
fn section_7_2_1_pieces_can_be_read_when_they_arrive_at_every_split() {
    let payload = speech(300);
    for context in [Context::Fresh, Context::TakenOver] {
        let mut deflater = Deflater::new(context, 15).unwrap();
        let mut before = Vec::new();
        let mut said: Vec<u8> = Vec::new();
        for cut in 0..=payload.len() {
            if context == Context::Fresh {
                before.clear();
                said.clear();
            }
            deflater.piece(&payload[..cut], false, &mut before);
            said.extend(&payload[..cut]);
            let so_far = [&before[..], &[0x03, 0x00]].concat();
            assert!(decompress_to_vec(&so_far).expect("it is whole so far") == said, "cut at {cut}");
            deflater.piece(&payload[cut..], true, &mut before);
            said.extend(&payload[cut..]);
            assert!(read(&before) == said, "cut at {cut}");
            before.extend([0x00, 0x00, 0xFF, 0xFF]);
        }
    }
}

#[test]
fn section_7_2_3_6_what_is_empty_is_one_byte_whatever_came_before() {
    for context in [Context::Fresh, Context::TakenOver] {
        let mut deflater = Deflater::new(context, 15).unwrap();
        for _ in 0..3 {
            assert_eq!(message(&mut deflater, b""), [0x00]);
        }
        message(&mut deflater, b"Hello");
        for _ in 0..3 {
            assert_eq!(message(&mut deflater, b""), [0x00]);
        }
        let mut out = Vec::new();
        deflater.piece(b"Hello", false, &mut out);
        assert!(out.ends_with(&[0x00, 0x00, 0xFF, 0xFF]), "within a message the tail is sent");
        out.clear();
        deflater.piece(b"", true, &mut out);
        assert_eq!(out, [0x00]);
    }
}

#[test]
fn section_7_1_2_a_small_window_does_not_look_further_back() {
    for bits in 9..=15 {
        let window = 1_usize << bits;
        let refers_back = |distance: usize| {
            let one = noise(distance);
            let mut deflater = Deflater::new(Context::Fresh, bits).unwrap();
            let out = message(&mut deflater, &[&one[..], &one[..200]].concat());
            let alone = message(&mut deflater, &one);
            out.len() < alone.len() + 128
        };
        // zlib keeps 262 bytes of its window to itself.
        assert!(refers_back(window - 262), "{bits} bits");
        assert!(!refers_back(window + 1), "{bits} bits");
    }
}

#[test]
fn section_7_1_2_windows_that_zlib_does_not_have_are_not_made() {
    for bits in (0..9).chain(16..=u8::MAX) {
        assert!(Deflater::new(Context::Fresh, bits).is_none(), "{bits} bits");
    }
}

#[test]
fn section_7_1_1_a_deflater_that_was_cleared_knows_nothing() {
    for context in [Context::Fresh, Context::TakenOver] {
        let mut deflater = Deflater::new(context, 15).unwrap();
        let first = message(&mut deflater, &speech(500));
        deflater.piece(&speech(100), false, &mut Vec::new());
        deflater.clear();
        assert_eq!(message(&mut deflater, &speech(500)), first);
    }
}
