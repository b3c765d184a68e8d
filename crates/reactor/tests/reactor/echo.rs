//! Messages in, messages out: however the bytes arrive, in one read and one write, and large ones without a copy.

use std::time::Duration;

use longwire_reactor::frame::{Close, Limits as Frames, Message, Opcode};
use longwire_reactor::{CloseCode, Limits};

use crate::stage::*;

/// A handshake and frames of every kind behind it.
fn visit() -> Vec<u8> {
    [
        upgrade("/").into_bytes(),
        Sent::message("hello"),
        Sent::parts(&[Message::Text("K\u{f6}"), Message::Text(""), Message::Text("\u{1f600}ln")]),
        Sent::ping(b"are you there"),
        Sent::message(&[0u8, 255, 13, 10][..]),
        Sent::parts(&[Message::Binary(b"one "), Message::Binary(b"two")]),
        Sent::message(""),
        Sent::close(Some(Close::new(CloseCode::NORMAL, "bye"))),
    ]
    .concat()
}

fn answers() -> Vec<Frame> {
    vec![
        whole(Opcode::Text, "hello"),
        whole(Opcode::Text, "K\u{f6}\u{1f600}ln"),
        pong("are you there"),
        whole(Opcode::Binary, [0, 255, 13, 10]),
        whole(Opcode::Binary, "one two"),
        whole(Opcode::Text, ""),
        closes(CloseCode::NORMAL, ""),
    ]
}

/// Sends the parts one after the other and returns all that came back.
fn sent_in(parts: &[&[u8]]) -> Vec<u8> {
    let mut stage = Stage::new(App::new());
    let client = stage.connect();
    for part in parts {
        client.send(part);
        stage.settle();
    }
    assert!(client.is_finished());
    client.receive()
}

#[test]
fn a_whole_visit_is_answered_frame_by_frame() {
    let mut received = sent_in(&[&visit()]);
    let head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    received.drain(..head);
    assert_eq!(Reader::new().take(&mut received), answers());
    assert!(received.is_empty());
}

#[test]
fn byte_by_byte_gives_the_same_bytes() {
    let visit = visit();
    let bytes: Vec<&[u8]> = visit.chunks(1).collect();
    assert_eq!(sent_in(&bytes), sent_in(&[&visit]));
}

#[test]
fn every_split_gives_the_same_bytes() {
    let visit = visit();
    let whole = sent_in(&[&visit]);
    for at in 1..visit.len() {
        let (front, back) = visit.split_at(at);
        assert_eq!(sent_in(&[front, back]), whole, "split at {at}");
    }
}

#[test]
fn sixteen_small_messages_take_one_read_and_one_write() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    let words: Vec<String> = (0..16).map(|number| format!("message {number}")).collect();
    ws.client.send(&words.iter().flat_map(Sent::message).collect::<Vec<u8>>());
    let calls = stage.settle();
    assert_eq!((calls.reads, calls.writes), (1, 1));
    assert_eq!(ws.all_frames(), words.iter().map(|word| whole(Opcode::Text, word)).collect::<Vec<_>>());
}

#[test]
fn nothing_is_called_where_nothing_happens() {
    let mut stage = Stage::new(App::new());
    let _ws = stage.web_socket("/");
    let calls = stage.settle();
    assert_eq!((calls.accepts, calls.reads, calls.writes), (0, 0, 0));
}

/// Answers any message with two small ones, one of `size` bytes, and a small one.
fn mixed(size: usize) -> App {
    App::new().on_message(move |peer, _| {
        peer.send("a");
        peer.send("b");
        peer.send(&vec![7; size]);
        peer.send("c");
    })
}

#[test]
fn from_direct_on_a_message_is_written_at_once_behind_what_was_corked() {
    for (size, writes) in [(999, 1), (1_000, 2), (1_001, 2)] {
        let mut stage = Stage::with(Limits { direct: 1_000, ..Limits::default() }, mixed(size));
        let mut ws = stage.web_socket("/");
        ws.send("go");
        assert_eq!(stage.settle().writes, writes, "{size} bytes");
        let frames = ws.all_frames();
        assert_eq!(frames[..2], texts(&["a", "b"]));
        assert_eq!(frames[2], whole(Opcode::Binary, vec![7; size]));
        assert_eq!(frames[3..], texts(&["c"]));
    }
}

/// Each is long enough for a call of its own, but only the last one has nothing behind it that will be answered with it.
#[test]
fn answers_to_what_has_come_together_leave_together() {
    for (cork, writes) in [(10_000, 1), (2_500, 2)] {
        let limits = Limits { direct: 1_000, cork, ..Limits::default() };
        let mut stage = Stage::with(limits, App::new().on_message(|peer, message| peer.send(message)));
        let mut ws = stage.web_socket("/");
        let messages: Vec<Vec<u8>> = (0..6).map(|number| vec![number; 1_000]).collect();
        ws.client.send(&messages.iter().flat_map(Sent::message).collect::<Vec<u8>>());
        assert_eq!(stage.settle().writes, writes, "a cork of {cork} bytes");
        let echoes: Vec<_> = messages.iter().map(|message| whole(Opcode::Binary, message.clone())).collect();
        assert_eq!(ws.all_frames(), echoes);
    }
}

#[test]
fn a_direct_write_that_is_cut_short_anywhere_loses_nothing() {
    for window in 0..1_030 {
        let mut stage = Stage::with(Limits { direct: 1_000, ..Limits::default() }, mixed(1_000));
        let mut ws = stage.web_socket("/");
        ws.client.set_window(window);
        ws.send("go");
        stage.settle();
        ws.client.set_window(usize::MAX);
        stage.settle();
        let expected = [texts(&["a", "b"]), vec![whole(Opcode::Binary, vec![7; 1_000])], texts(&["c"])].concat();
        assert_eq!(ws.all_frames(), expected, "window {window}");
    }
}

#[test]
fn what_collects_beyond_the_cork_is_written_in_mid_visit() {
    let limits = Limits { cork: 100, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new().on_message(|peer, _| (0..10).for_each(|_| peer.send(&[1; 48]))));
    let mut ws = stage.web_socket("/");
    ws.send("go");
    assert_eq!(stage.settle().writes, 5);
    assert_eq!(ws.all_frames().len(), 10);
}

#[test]
fn a_message_at_the_limit_passes_and_leaves_nothing_behind() {
    let most = Frames::default().message as usize;
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    let message: Vec<u8> = (0..most).map(|number| (number * 7) as u8).collect();
    ws.send(&message);
    stage.settle();
    assert_eq!(ws.all_frames(), [whole(Opcode::Binary, &message)]);
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn a_large_binary_message_arrives_in_place_however_it_is_cut() {
    let limits = Limits { message: Frames { message: 8 << 20, parts: 100 }, send_queue: 32 << 20, ..Limits::default() };
    let message: Vec<u8> = (0..5_000_000u32).map(|number| (number % 251) as u8).collect();
    let (front, back) = message.split_at(3_000_001);
    for bytes in [Sent::message(&message), Sent::parts(&[Message::Binary(front), Message::Binary(back)])] {
        for step in [7_777, 65_536, 1 << 20, 10 << 20] {
            let mut stage = Stage::with(limits.clone(), App::new());
            let mut ws = stage.web_socket("/");
            for part in bytes.chunks(step) {
                ws.client.send(part);
                stage.settle();
            }
            ws.client.send(&Sent::message("after"));
            stage.settle();
            let frames = ws.all_frames();
            assert!(frames[0] == whole(Opcode::Binary, &message), "in steps of {step}");
            assert_eq!(frames[1..], texts(&["after"]));
            assert_eq!(stage.on.stats().pinned, 0);
        }
    }
}

#[test]
fn a_large_binary_message_is_read_straight_into_its_place() {
    let limits = Limits { message: Frames { message: 8 << 20, parts: 1 }, visit: 8 << 20, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new().on_message(|_, _| ()));
    let ws = stage.web_socket("/");
    ws.send(&vec![1; 4 << 20]);
    // One read fills the shared buffer, which holds less, one takes all the rest, and as it filled its place, too, one
    // more finds nothing.
    assert_eq!(stage.settle().reads, 3);
    assert_eq!(stage.app().messages.len(), 1);
}

#[test]
fn a_message_in_fragments_is_seldom_moved_although_each_header_comes_alone() {
    let fragments = 64;
    let mut stage = Stage::with(Limits::default(), App::new());
    let mut ws = stage.web_socket("/");
    let (mut pinned, mut moves) = (0, 0);
    for number in 0..fragments {
        let first = [0x02, 0x00, 0x80][usize::from(number > 0) + usize::from(number == fragments - 1)];
        let frame = Sent::raw(first, &[number; 16 << 10]);
        for part in [&frame[..8], &frame[8..]] {
            ws.client.send(part);
            stage.settle();
        }
        moves += usize::from(stage.on.stats().pinned != pinned);
        pinned = stage.on.stats().pinned;
    }
    assert!((2..30).contains(&moves), "{moves}");
    let payload: Vec<u8> = (0..fragments).flat_map(|number| [number; 16 << 10]).collect();
    assert!(ws.all_frames() == [whole(Opcode::Binary, &payload)]);
}

#[test]
fn large_text_in_steps_is_checked_and_joined() {
    let text = "\u{1f600}\u{e9}x".repeat(60_000);
    let bytes = Sent::message(&text);
    for step in [1_001, 65_535, 65_536, 65_537] {
        let mut stage = Stage::new(App::new());
        let mut ws = stage.web_socket("/");
        for part in bytes.chunks(step) {
            ws.client.send(part);
            stage.settle();
        }
        assert!(ws.all_frames() == [whole(Opcode::Text, &text)], "in steps of {step}");
    }
}

#[test]
fn pings_are_answered_between_the_frames_of_a_message() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    ws.client.send(&[Sent::raw(0x02, &[1; 20_000]), Sent::ping(b"1"), Sent::raw(0x00, &[2; 20_000])].concat());
    ws.client.send(&[Sent::pong(b"unasked"), Sent::ping(b"2"), Sent::raw(0x80, &[3])].concat());
    stage.settle();
    let message = [vec![1; 20_000], vec![2; 20_000], vec![3]].concat();
    assert_eq!(ws.all_frames(), [pong("1"), pong("2"), whole(Opcode::Binary, message)]);
}

#[test]
fn the_stats_count_what_happened() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    ws.send("one");
    ws.send("two");
    stage.pass(Duration::from_secs(1));
    assert_eq!(ws.all_frames(), texts(&["one", "two"]));
    let stats = stage.on.stats();
    assert_eq!((stats.connections, stats.accepted, stats.web_sockets), (1, 1, 1));
    assert_eq!((stats.messages_in, stats.messages_out, stats.requests), (2, 2, 1));
    assert_eq!(stats.bytes_in, (upgrade("/").len() + 2 * (6 + 3)) as u64);
}
