//! §10.4: what a message may cost, below, at and above the limit.

use longwire_frame::{Decoder, Error, Event, Limits, Role};

use crate::unmasked;

#[test]
fn the_defaults_are_a_mebibyte_in_131072_frames() {
    assert_eq!(Limits::default(), Limits { message: 1_048_576, parts: 131_072 });
    assert_eq!(Limits::default(), Limits::DEFAULT);
}

#[test]
fn the_message_limit_is_inclusive_however_the_message_is_cut() {
    for message in [0_u32, 1, 2, 10, 124] {
        for frames in 1..=3_u32 {
            for len in message.saturating_sub(1)..=message + 1 {
                let mut decoder = Decoder::new(Role::Client, Limits { message, parts: 10 });
                let mut result = Ok(());
                for frame in 0..frames {
                    // The first frames share what the last one does not have.
                    let payload = if frame + 1 == frames { len - len / frames * (frames - 1) } else { len / frames };
                    let opcode = if frame == 0 { 0x02 } else { 0x00 };
                    let fin = if frame + 1 == frames { 0x80 } else { 0 };
                    let mut bytes = unmasked(fin | opcode, &vec![0; payload as usize]);
                    result = result.and(decoder.decode(&mut bytes).map(|_| ()));
                }
                let expected = if len <= message { Ok(()) } else { Err(Error::MessageTooBig) };
                assert_eq!(result, expected, "{len} of {message} bytes in {frames} frames");
            }
        }
    }
}

#[test]
fn the_limit_on_parts_is_inclusive() {
    for parts in 0..5_u32 {
        let mut decoder = Decoder::new(Role::Client, Limits { message: 0, parts });
        for frame in 0..parts {
            assert!(decoder.decode(&mut unmasked(if frame == 0 { 0x02 } else { 0x00 }, b"")).is_ok());
        }
        let one_more = if parts == 0 { 0x82 } else { 0x80 };
        assert_eq!(decoder.decode(&mut [one_more]), Err(Error::TooManyParts), "{parts}");
    }
}

#[test]
fn the_largest_limit_is_a_limit() {
    let limits = Limits { message: u32::MAX, parts: u32::MAX };
    let mut at = vec![0x82, 0x7F, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    let mut decoder = Decoder::new(Role::Client, limits);
    assert_eq!(decoder.decode(&mut at).map(|step| step.consumed), Ok(10));
    assert_eq!(decoder.frame_left(), u32::MAX);
    let mut beyond = [0x82, 0x7F, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(Decoder::new(Role::Client, limits).decode(&mut beyond), Err(Error::MessageTooBig));
    assert_eq!(Decoder::new(Role::Client, limits).decode(&mut beyond[..6]), Err(Error::MessageTooBig));
}

#[test]
fn each_message_has_the_whole_limit() {
    let mut decoder = Decoder::new(Role::Client, Limits { message: 3, parts: 1 });
    for _ in 0..10 {
        let mut frame = unmasked(0x82, b"abc");
        let event = decoder.decode(&mut frame).unwrap().event;
        assert_eq!(event, Some(Event::Binary { bytes: b"abc", end: true }));
    }
}
