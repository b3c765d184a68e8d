//! Frames that break a rule: the right close code, the right reason told to the application, and nothing read any more.

use longwire_reactor::frame::{Error, Limits as Frames};
use longwire_reactor::{Closed, Limits};

use crate::stage::*;

fn table() -> Vec<(&'static str, Vec<u8>, Error)> {
    let unmasked = vec![0x81, 0x01, b'x'];
    let long_control = [&[0x89, 0xfe, 0, 126, 1, 2, 3, 4][..], &[0; 126]].concat();
    let extended = |bytes: &[u8]| [&[0x82][..], bytes, &[1, 2, 3, 4]].concat();
    vec![
        ("a reserved bit", Sent::raw(0xc1, b"x"), Error::ReservedBits),
        ("a reserved bit on a control frame", Sent::raw(0xa9, b"x"), Error::ReservedBits),
        ("a reserved opcode", Sent::raw(0x83, b"x"), Error::ReservedOpcode),
        ("a reserved control opcode", Sent::raw(0x8b, b""), Error::ReservedOpcode),
        ("a fragmented ping", Sent::raw(0x09, b"x"), Error::FragmentedControl),
        ("a fragmented close", Sent::raw(0x08, b""), Error::FragmentedControl),
        ("a continuation of nothing", Sent::raw(0x80, b"x"), Error::NothingToContinue),
        (
            "a new message in an open one",
            [Sent::raw(0x01, b"x"), Sent::raw(0x81, b"y")].concat(),
            Error::UnfinishedMessage,
        ),
        ("no mask", unmasked, Error::Unmasked),
        ("a long ping", long_control, Error::LongControl),
        ("a length of 16 bits for 125", extended(&[0xfe, 0, 125]), Error::LengthNotMinimal),
        ("a length of 64 bits for 65,535", extended(&[0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), Error::LengthNotMinimal),
        ("a negative length", extended(&[0xff; 9]), Error::LengthTooLarge),
        ("a close of one byte", Sent::raw(0x88, &[3]), Error::ShortClose),
        ("a close code that may not be sent", Sent::raw(0x88, &[3, 0xee]), Error::CloseCode),
        ("a close code below 1000", Sent::raw(0x88, &[3, 0xe7]), Error::CloseCode),
        ("a reason that is not UTF-8", Sent::raw(0x88, &[3, 0xe8, 0xff]), Error::NotUtf8),
        ("text that is not UTF-8", Sent::raw(0x81, &[b'a', 0xff]), Error::NotUtf8),
        ("text that ends in mid-character", Sent::raw(0x81, &[b'a', 0xe2, 0x82]), Error::NotUtf8),
        ("text that fails in an unfinished frame", Sent::raw(0x01, &[0xf4, 0x90]), Error::NotUtf8),
        ("a declared length beyond the limit", extended(&[0xff, 0, 0, 0, 0, 0, 0x10, 0, 1]), Error::MessageTooBig),
        ("a length of 2^62", extended(&[0xff, 0x40, 0, 0, 0, 0, 0, 0, 0]), Error::MessageTooBig),
    ]
}

#[test]
fn every_fault_gets_its_close_code_and_reaches_the_application_once() {
    for (name, bytes, fault) in table() {
        let mut stage = Stage::new(App::new());
        let mut ws = stage.web_socket("/");
        ws.send("before");
        ws.client.send(&bytes);
        ws.send("behind");
        stage.settle();
        let frames = ws.all_frames();
        assert_eq!(frames[0], texts(&["before"])[0], "{name}");
        assert_eq!(frames[1..], [closes(fault.close_code(), fault.what())], "{name}");
        assert_eq!(stage.app().whys(), [Closed::Fault(fault)], "{name}");
        assert_eq!(stage.app().messages.len(), 1, "{name}: what follows a fault is not looked at");
        assert!(ws.client.is_finished(), "{name}");
        ws.client.finish();
        stage.settle();
        assert!(ws.client.is_closed() && !ws.client.was_reset(), "{name}");
        assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0), "{name}");
    }
}

#[test]
fn a_fault_is_the_same_one_byte_by_byte() {
    for (name, bytes, fault) in table() {
        let mut stage = Stage::new(App::new());
        let mut ws = stage.web_socket("/");
        for byte in &bytes {
            ws.client.send(&[*byte]);
            stage.settle();
        }
        assert_eq!(ws.all_frames(), [closes(fault.close_code(), fault.what())], "{name}");
        assert_eq!(stage.app().whys(), [Closed::Fault(fault)], "{name}");
    }
}

#[test]
fn the_limits_of_a_message_are_inclusive() {
    let limits = Limits { message: Frames { message: 100, parts: 3 }, ..Limits::default() };
    let mut stage = Stage::with(limits.clone(), App::new());
    let mut ws = stage.web_socket("/");
    ws.send(&[0; 100]);
    ws.client.send(&[Sent::raw(0x02, &[1; 50]), Sent::raw(0x00, &[2; 50]), Sent::raw(0x80, b"")].concat());
    stage.settle();
    assert_eq!(ws.all_frames().len(), 2);
    for (bytes, fault) in [
        (Sent::raw(0x82, &[0; 101]), Error::MessageTooBig),
        ([Sent::raw(0x02, &[0; 60]), Sent::raw(0x80, &[0; 41])].concat(), Error::MessageTooBig),
        ([Sent::raw(0x02, b"").repeat(1), Sent::raw(0x00, b"").repeat(3)].concat(), Error::TooManyParts),
    ] {
        let mut stage = Stage::with(limits.clone(), App::new());
        let mut ws = stage.web_socket("/");
        ws.client.send(&bytes);
        stage.settle();
        assert_eq!(code_of(&ws.all_frames()[0]), Some(1009));
        assert_eq!(stage.app().whys(), [Closed::Fault(fault)]);
    }
}

#[test]
fn much_input_behind_a_fault_is_read_away_so_that_no_reset_destroys_the_close() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    ws.client.send(&Sent::raw(0x80, b"x"));
    ws.client.send(&vec![0x55; 1 << 20]);
    stage.settle();
    ws.client.send(&vec![0x55; 1 << 20]);
    stage.settle();
    assert_eq!(code_of(&ws.all_frames()[0]), Some(1002));
    assert!(ws.client.is_finished() && !ws.client.is_closed());
    ws.client.finish();
    stage.settle();
    assert!(ws.client.is_closed() && !ws.client.was_reset());
}

#[test]
fn a_declared_length_reserves_nothing() {
    let mut stage = Stage::new(App::new());
    let ws = stage.web_socket("/");
    ws.client.send(&[0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 2, 3, 4, 0]);
    stage.settle();
    assert!(stage.on.stats().pinned < 4_096, "{}", stage.on.stats().pinned);
}

#[test]
fn nor_does_a_short_message_take_the_memory_of_a_long_one() {
    let mut stage = Stage::new(App::new());
    let [long, short] = [(); 2].map(|()| stage.web_socket("/"));
    for first in [0x01, 0x02] {
        // Several reads, so that it is put together.
        for part in [Sent::raw(first, &[b'x'; 700_000]), Sent::raw(0x80, &[b'x'; 300_000])] {
            long.client.send(&part);
            stage.settle();
        }
        assert!(long.client.receive().len() > 1_000_000);
        for bytes in [1, 100, 5_000] {
            let before = stage.on.stats().pinned as usize;
            short.client.send(&Sent::raw(first, &vec![b'x'; bytes]));
            stage.settle();
            let pinned = stage.on.stats().pinned as usize - before;
            assert!(pinned <= 4 * bytes + 1_000, "{pinned} for {bytes}");
            short.client.send(&Sent::raw(0x80, b""));
            stage.settle();
        }
    }
    let large = Sent::raw(0x82, &[b'x'; 900_000]);
    for (bytes, times) in [(1_000, 4), (50_000, 6), (65_000, 17)] {
        let (mut ws, before) = (stage.web_socket("/"), stage.on.stats().pinned as usize);
        ws.client.send(&large[..bytes]);
        stage.settle();
        let pinned = stage.on.stats().pinned as usize - before;
        assert!(pinned <= times * bytes + 1_000, "{pinned} for {bytes}");
        assert_eq!(
            pinned > 900_000,
            times == 17,
            "{pinned} for {bytes}: what is there serves who has sent a sixteenth"
        );
        ws.client.send(&large[bytes..]);
        stage.settle();
        assert_eq!(ws.all_frames()[0].payload.len(), 900_000);
    }
}
