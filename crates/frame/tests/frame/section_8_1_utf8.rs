//! §8.1 and RFC 3629: text fails at the first byte that cannot be completed.

use longwire_frame::{Error, Utf8};

/// After how many bytes it is certain that this will never be UTF-8, by the table of RFC 3629 §4 and nothing else.
fn certain(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let (second, more) = match bytes[at] {
            0x00..=0x7F => (0x00..=0xFF, 0),
            0xC2..=0xDF => (0x80..=0xBF, 1),
            0xE0 => (0xA0..=0xBF, 2),
            0xE1..=0xEC | 0xEE | 0xEF => (0x80..=0xBF, 2),
            0xED => (0x80..=0x9F, 2),
            0xF0 => (0x90..=0xBF, 3),
            0xF1..=0xF3 => (0x80..=0xBF, 3),
            0xF4 => (0x80..=0x8F, 3),
            _ => return Some(at + 1),
        };
        for next in 1..=more {
            let range = if next == 1 { second.clone() } else { 0x80..=0xBF };
            match bytes.get(at + next) {
                Some(byte) if range.contains(byte) => {}
                Some(_) => return Some(at + next + 1),
                None => return None,
            }
        }
        at += 1 + more;
    }
    None
}

/// Pushes in pieces, and says what came out or after how many bytes it failed.
fn pushed(bytes: &[u8], cuts: &[usize]) -> Result<String, usize> {
    let mut utf8 = Utf8::new();
    let mut text = String::new();
    let mut from = 0;
    for &to in cuts.iter().chain([&bytes.len()]) {
        let (carried, rest) = utf8.push(&bytes[from..to]).map_err(|_| to)?;
        text.extend(carried);
        text.push_str(rest);
        from = to;
    }
    utf8.finish().map_err(|_| usize::MAX)?;
    Ok(text)
}

/// What is to come of these bytes if they are cut so: the text, or at which cut it is certain that it is none, or at the end.
fn judged<'b>(bytes: &'b [u8], certain: Option<usize>, cuts: &[usize]) -> Result<&'b str, usize> {
    match certain {
        Some(at) => Err(cuts.iter().copied().find(|cut| *cut >= at).unwrap_or(bytes.len())),
        None => std::str::from_utf8(bytes).map_err(|_| usize::MAX),
    }
}

#[test]
fn every_beginning_of_up_to_four_bytes_fails_at_its_byte_and_at_no_other() {
    // Every class of byte that the table tells apart, with both of its edges.
    let edges = [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
        0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ];
    let cut: [&[usize]; 7] = [&[], &[1], &[2], &[3], &[1, 2], &[1, 3], &[2, 3]];
    for a in 0..=255 {
        for b in edges {
            for c in edges {
                for d in edges {
                    let bytes = [a, b, c, d];
                    let certain = certain(&bytes);
                    let by_byte = judged(&bytes, certain, &[1, 2, 3]);
                    assert_eq!(pushed(&bytes, &[1, 2, 3]).as_deref(), by_byte.as_ref().copied(), "{bytes:02x?}");
                    // The other splits, with each class of first byte.
                    if edges.contains(&a) {
                        for cuts in cut {
                            let verdict = judged(&bytes, certain, cuts);
                            assert_eq!(
                                pushed(&bytes, cuts).as_deref(),
                                verdict.as_ref().copied(),
                                "{bytes:02x?}, {cuts:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// All 16,777,216 of three bytes would take too long; the first two of them are all, and the third is of every class.
#[test]
fn all_pairs_of_bytes_are_judged_at_every_split() {
    for pair in 0..=u16::MAX {
        let [a, b] = pair.to_be_bytes();
        for c in [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xF4, 0xFF] {
            let bytes = [a, b, c];
            let certain = certain(&bytes);
            for cuts in [&[][..], &[1], &[2], &[1, 2]] {
                let verdict = judged(&bytes, certain, cuts);
                assert_eq!(pushed(&bytes, cuts).as_deref(), verdict.as_ref().copied(), "{bytes:02x?}, {cuts:?}");
            }
        }
    }
}

#[test]
fn every_character_survives_every_cut() {
    let mut utf8 = Utf8::new();
    for character in '\0'..=char::MAX {
        let mut memory = [0; 4];
        let bytes = character.encode_utf8(&mut memory).as_bytes();
        for cut in 1..bytes.len() {
            assert_eq!(utf8.push(&bytes[..cut]), Ok((None, "")));
            assert!(!utf8.is_whole());
            assert_eq!(utf8.push(&bytes[cut..]), Ok((Some(character), "")));
            assert_eq!(utf8.finish(), Ok(()));
        }
    }
}

#[test]
fn two_cuts_anywhere_give_the_same_text() {
    let text = "aé€𐍈 κόσμε 👩‍🚀 \u{feff}z";
    for first in 0..=text.len() {
        for second in first..=text.len() {
            assert_eq!(pushed(text.as_bytes(), &[first, second]).as_deref(), Ok(text), "{first}, {second}");
        }
    }
}

/// The fast form is whatever `Utf8` uses for whole pieces, the naive one `core::str::from_utf8`.
#[test]
fn the_fast_form_equals_the_naive_one_at_every_alignment_length_and_fault() {
    let texts = ["wire".repeat(80), "дрот".repeat(40), "線".repeat(110), "🪢".repeat(80), "wire дрот 線 🪢".repeat(15)];
    for text in texts.map(String::into_bytes) {
        for alignment in 0..64 {
            for len in (0..=132).chain([191, 192, 193, 255, 256, 257]) {
                let piece = &text[alignment..alignment + len];
                assert_eq!(pushed(piece, &[]).ok().as_deref(), std::str::from_utf8(piece).ok(), "{piece:02x?}");
            }
        }
        let mut memory = text.clone();
        for len in [63, 64, 65, 127, 128, 129, 200] {
            for at in 0..len {
                for wrong in [0x00, 0x80, 0xC0, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0xFF] {
                    memory[at] = wrong;
                    let piece = &memory[..len];
                    assert_eq!(pushed(piece, &[]).ok().as_deref(), std::str::from_utf8(piece).ok(), "{piece:02x?}");
                }
                memory[at] = text[at];
            }
        }
    }
}

#[test]
fn the_end_in_mid_character_is_an_error_and_a_new_beginning() {
    let mut utf8 = Utf8::new();
    assert_eq!(utf8.push(b"a\xE2\x82"), Ok((None, "a")));
    assert_eq!(utf8.finish(), Err(Error::NotUtf8));
    assert_eq!(utf8.push(b"b"), Ok((None, "b")));
    assert_eq!(utf8.finish(), Ok(()));
}

#[test]
fn no_bytes_change_nothing() {
    let mut utf8 = Utf8::new();
    utf8.push(b"\xE2").unwrap();
    assert_eq!(utf8.push(b""), Ok((None, "")));
    assert_eq!(utf8.push(b"\x82\xAC!"), Ok((Some('€'), "!")));
}
