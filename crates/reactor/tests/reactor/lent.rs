//! A long message that is sent on by the callback that is told it: what the socket does not take waits where it lies, in its place among
//! all else that is said.

use longwire_reactor::frame::Opcode;
use longwire_reactor::frame::{Limits as Frames, Message};
use longwire_reactor::{CloseCode, Closed, Limits};

use crate::stage::*;

const LENGTH: usize = 500_000;

fn roomy() -> Limits {
    Limits { message: Frames { message: 8 << 20, parts: 100 }, send_queue: 32 << 20, ..Limits::default() }
}

fn numbers() -> Vec<u8> {
    (0..LENGTH as u32).map(|number| (number % 251) as u8).collect()
}

/// Takes what is there in steps of so many bytes.
fn take(stage: &mut Stage, ws: &mut Ws, step: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    for _ in 0..=20 * LENGTH / step {
        ws.client.set_window(step);
        stage.settle();
        frames.extend(ws.frames());
    }
    ws.client.set_window(usize::MAX);
    stage.settle();
    frames.extend(ws.all_frames());
    frames
}

#[test]
fn what_is_said_behind_it_comes_behind_it() {
    let (bytes, letters) = (numbers(), "\u{e9}\u{1f600}".repeat(LENGTH / 6));
    for message in [Message::Binary(&bytes), Message::Text(&letters)] {
        let kind = if let Message::Text(_) = message { Opcode::Text } else { Opcode::Binary };
        for window in [0, 5, 10, 11, 70_000, LENGTH - 70_000, LENGTH - 10, LENGTH + 15] {
            let mut stage = Stage::with(
                roomy(),
                App::new().on_message(|peer, message| {
                    peer.send(message);
                    if message.len() > 9 {
                        peer.send("behind");
                        peer.send(message);
                    }
                }),
            );
            let mut ws = stage.web_socket("/");
            ws.client.set_window(window);
            ws.client.send(&[Sent::message(message), Sent::ping(b"?"), Sent::message("more")].concat());
            stage.settle();
            stage.on.with_hub(|hub| hub.publish("nobody's", "news"));
            let mut frames = take(&mut stage, &mut ws, 50_000);
            // While nobody reads, a pong has no place among the others.
            frames.retain(|frame| *frame != pong("?"));
            let large = whole(kind, message.as_bytes());
            let expected = [large.clone(), whole(Opcode::Text, "behind"), large, whole(Opcode::Text, "more")];
            assert!(frames == expected, "{window}: {frames:?}");
            assert_eq!(stage.on.stats().pinned, 0);
        }
    }
}

#[test]
fn a_part_of_it_is_sent_and_no_more() {
    for (begin, end) in [(0, LENGTH - 1), (1, LENGTH), (130_001, 390_002)] {
        let mut stage = Stage::with(
            roomy(),
            App::new().on_message(move |peer, message| {
                let part = &message.as_bytes()[begin..end];
                peer.piece(part, false);
                peer.piece(part, true);
            }),
        );
        let mut ws = stage.web_socket("/");
        ws.client.set_window(99_999);
        ws.send(&numbers());
        stage.settle();
        let frames = take(&mut stage, &mut ws, 77_777);
        let expected = &numbers()[begin..end];
        assert!(frames == [part(Opcode::Binary, expected), whole(Opcode::Continuation, expected)], "{frames:?}");
        assert_eq!(stage.on.stats().pinned, 0);
    }
}

#[test]
fn it_has_begun_and_is_finished_whatever_ends_the_connection() {
    let closing = |code, reason: &str, why, limits: Limits, app: App, end: fn(&mut Stage)| {
        let mut stage = Stage::with(limits, app);
        let mut ws = stage.web_socket("/");
        ws.client.set_window(100_000);
        ws.send(&numbers());
        stage.settle();
        end(&mut stage);
        stage.settle();
        let frames = take(&mut stage, &mut ws, 60_000);
        assert!(frames == [whole(Opcode::Binary, numbers()), closes(code, reason)], "{frames:?}");
        assert_eq!(stage.app().whys(), [why]);
        assert_eq!(stage.on.stats().pinned, 0);
    };
    let panics = App::new().on_message(|peer, message| {
        peer.send(message);
        peer.send("taken back");
        panic!("on purpose");
    });
    closing(CloseCode::INTERNAL, "internal error", Closed::Panicked, roomy(), panics, |_| ());
    let narrow = Limits { send_queue: 450_000, ..roomy() };
    let listens = || App::new().on_opened(|peer| peer.subscribe("all"));
    closing(CloseCode::POLICY, "reads too slowly", Closed::Overflow, narrow, listens(), |stage| {
        stage.on.with_hub(|hub| hub.publish("all", &[7; 60_000]));
        stage.on.with_hub(|hub| hub.publish("all", "one too many"));
    });
}

#[test]
fn a_peer_that_is_gone_takes_it_along() {
    let mut stage = Stage::with(roomy(), App::new());
    let ws = stage.web_socket("/");
    ws.client.set_window(100_000);
    ws.send(&numbers());
    stage.settle();
    let pinned = stage.on.stats().pinned as usize;
    assert!((LENGTH..2 * LENGTH + 100_000).contains(&pinned), "{pinned}");
    ws.client.reset();
    stage.settle();
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn for_its_last_bytes_its_memory_is_not_kept() {
    let mut stage = Stage::with(roomy(), App::new());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(100_000);
    ws.send(&numbers());
    stage.settle();
    ws.send("behind");
    ws.client.set_window(LENGTH - 100_100);
    stage.settle();
    assert!(stage.on.stats().pinned < 2_000, "{}", stage.on.stats().pinned);
    let frames = take(&mut stage, &mut ws, 50_000);
    assert!(frames == [whole(Opcode::Binary, numbers()), whole(Opcode::Text, "behind")], "{frames:?}");
    assert_eq!(stage.on.stats().pinned, 0);
}
