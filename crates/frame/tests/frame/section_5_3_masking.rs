//! §5.3: byte *i* of the payload with byte *i* modulo 4 of the key.

use longwire_frame::Mask;

use crate::KEY;

#[test]
fn the_fast_form_equals_the_naive_one_at_every_alignment_length_and_phase() {
    let original: Vec<u8> = (0..2400_u32).map(|at| (at * 31 % 251) as u8).collect();
    let short = (0..16).map(|alignment| (alignment, (0..=300).collect::<Vec<_>>()));
    let long =
        (0..64).map(|alignment| (alignment, vec![383, 384, 385, 511, 512, 513, 584, 1025, 2047, 2048, 2049, 2311]));
    for (alignment, lengths) in short.chain(long) {
        for len in lengths {
            for phase in 0..4 {
                let mut key = KEY;
                key.rotate_left(phase);
                let (mut fast, mut naive) = (original.clone(), original.clone());
                let (mut fast_key, mut naive_key) = (Mask::new(key), Mask::new(key));
                fast_key.apply(&mut fast[alignment..alignment + len]);
                naive_key.apply_naive(&mut naive[alignment..alignment + len]);
                assert_eq!(fast, naive, "alignment {alignment}, length {len}, phase {phase}");
                assert_eq!(fast_key, naive_key, "alignment {alignment}, length {len}, phase {phase}");
            }
        }
    }
}

#[test]
fn the_naive_form_is_the_section_word_for_word() {
    let mut payload: Vec<u8> = (0..100).collect();
    Mask::new(KEY).apply_naive(&mut payload);
    for (i, byte) in payload.iter().enumerate() {
        assert_eq!(*byte, i as u8 ^ KEY[i % 4]);
    }
}

#[test]
fn a_payload_may_come_in_pieces() {
    let mut whole: Vec<u8> = (0..=255).collect();
    let pieces = whole.clone();
    Mask::new(KEY).apply(&mut whole);
    for first in 0..=256 {
        for second in [first, (first + 1).min(256), (first + 63).min(256), 256] {
            let mut pieces = pieces.clone();
            let mut mask = Mask::new(KEY);
            mask.apply(&mut pieces[..first]);
            mask.apply(&mut pieces[first..second]);
            mask.apply(&mut pieces[second..]);
            assert_eq!(pieces, whole, "cut at {first} and {second}");
            assert_eq!(mask.key(), KEY, "256 bytes turn the key all the way round");
        }
    }
}

#[test]
fn masking_twice_is_nothing() {
    let original: Vec<u8> = (0..99).collect();
    let mut payload = original.clone();
    Mask::new(KEY).apply(&mut payload);
    assert_ne!(payload, original);
    Mask::new(KEY).apply(&mut payload);
    assert_eq!(payload, original);
}

#[test]
fn the_key_of_none_changes_nothing() {
    let mut payload: Vec<u8> = (0..99).collect();
    let mut none = Mask::NONE;
    none.apply(&mut payload);
    assert!(payload.iter().copied().eq(0..99));
    assert_eq!(none.key(), [0; 4]);
    assert_eq!(Mask::default(), Mask::NONE);
}
