//! Peers that do not read: their queue has a bound, they are not read themselves, and at the bound the policy decides.

use longwire_reactor::frame::Opcode;
use longwire_reactor::{CloseCode, Closed, Limits};

use crate::stage::*;

fn small_queue() -> Limits {
    Limits { send_queue: 10_000, ..Limits::default() }
}

#[test]
fn reading_pauses_at_half_the_bound_and_resumes_when_the_queue_is_empty() {
    let mut stage = Stage::with(small_queue(), App::new());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    let messages: Vec<String> = (0..20).map(|number| format!("{number:>996}")).collect();
    ws.client.send(&messages.iter().flat_map(Sent::message).collect::<Vec<u8>>());
    stage.settle();
    // 1,000 bytes a frame: the sixth is the first beyond 5,000.
    assert_eq!(stage.app().messages.len(), 6);
    let calls = stage.settle();
    assert_eq!((calls.reads, calls.writes), (0, 0), "a blocked peer costs nothing");
    ws.client.set_window(2_500);
    stage.settle();
    assert_eq!(stage.app().messages.len(), 6, "not before the queue is empty");
    assert!(stage.app().drained.is_empty());
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(stage.app().messages.len(), 20);
    let opened = stage.app().opened.clone();
    assert_eq!(stage.app().drained, opened);
    let expected: Vec<Frame> = messages.iter().map(|message| whole(Opcode::Text, message)).collect();
    assert_eq!(ws.all_frames(), expected);
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn a_short_write_is_not_tried_again_before_its_edge() {
    let limits = Limits { direct: 1_000, ..small_queue() };
    for size in [500, 1_500] {
        let mut stage = Stage::with(limits.clone(), listener());
        let mut ws = stage.web_socket("/");
        ws.client.set_window(100);
        ws.send(&vec![1; size]);
        assert_eq!(stage.settle().writes, 1, "an answer of {size} bytes");
        ws.client.set_window(50);
        assert_eq!(stage.settle().writes, 1, "a queue");
        ws.client.set_window(usize::MAX);
        assert_eq!(stage.settle().writes, 1, "the rest");
        ws.client.set_window(100);
        assert_eq!(stage.settle().writes, 0, "an edge, and nothing to write");
        stage.on.with_hub(|hub| hub.publish("all", &vec![2; size]));
        assert_eq!(stage.settle().writes, 0, "a publication, written when it was made");
        ws.client.set_window(usize::MAX);
        stage.settle();
        let expected = [1, 2].map(|byte| whole(Opcode::Binary, vec![byte; size]));
        assert_eq!(ws.all_frames(), expected);
    }
}

#[test]
fn whatever_the_window_gives_nothing_is_lost_or_turned_round() {
    for window in [1, 7, 100, 999, 4_096] {
        let mut stage = Stage::with(small_queue(), App::new());
        let mut ws = stage.web_socket("/");
        ws.client.set_window(0);
        let messages: Vec<String> = (0..30).map(|number| format!("{number:>300}")).collect();
        let mut received = Vec::new();
        for message in &messages {
            ws.send(message);
        }
        for _ in 0..12_000 {
            stage.turn();
            received.extend(ws.frames());
            ws.client.set_window(window);
            if received.len() == messages.len() {
                break;
            }
        }
        let expected: Vec<Frame> = messages.iter().map(|message| whole(Opcode::Text, message)).collect();
        assert_eq!(received, expected, "window {window}");
    }
}

#[test]
fn a_source_can_wait_for_drained() {
    let app = App::new().on_opened(|peer| (0..4).for_each(|_| peer.send(&[0; 1_000]))).on_drained(|peer| {
        assert_eq!(peer.queued(), 0);
        peer.user.push('x');
        if peer.user.len() < 3 {
            (0..4).for_each(|_| peer.send(&[0; 1_000]));
        }
    });
    let mut stage = Stage::with(small_queue(), app);
    let client = stage.connect();
    client.send(upgrade("/").as_bytes());
    for _ in 0..20 {
        client.set_window(1_000);
        stage.settle();
    }
    assert_eq!(stage.app().drained.len(), 3);
    assert!(stage.app().closed.is_empty());
}

fn listener() -> App {
    App::new()
        .on_request(|_, request, _| match request.path() {
            "/events" => longwire_reactor::Reply::events(),
            _ => longwire_reactor::Reply::web_socket(),
        })
        .on_opened(|peer| peer.subscribe("all"))
}

#[test]
fn at_the_bound_a_publication_closes_a_web_socket_with_1008() {
    let mut stage = Stage::with(small_queue(), listener());
    let (mut slow, mut quick) = (stage.web_socket("/"), stage.web_socket("/"));
    slow.client.set_window(0);
    let message = "x".repeat(996);
    for round in 1..=20 {
        stage.on.with_hub(|hub| hub.publish("all", &message));
        stage.settle();
        // A message is admitted whole while its queue is below the bound.
        assert_eq!(stage.app().closed.len(), usize::from(round > 10), "round {round}");
    }
    assert_eq!(stage.app().whys(), [Closed::Overflow]);
    assert!(stage.on.stats().pinned < 2_000, "what it did not read is not kept for it: {}", stage.on.stats().pinned);
    slow.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(slow.all_frames(), [closes(CloseCode::POLICY, "reads too slowly")]);
    assert!(slow.client.is_finished());
    assert_eq!(quick.all_frames().len(), 20);
    assert_eq!(stage.on.stats().dropped, 11, "ten that were queued and the one that found no room");
}

#[test]
fn at_the_bound_a_frame_that_has_begun_is_finished_before_the_close() {
    let mut stage = Stage::with(small_queue(), listener());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(137);
    for _ in 0..20 {
        stage.on.with_hub(|hub| hub.publish("all", "y".repeat(996).as_str()));
    }
    ws.client.set_window(usize::MAX);
    stage.settle();
    let frames = ws.all_frames();
    assert_eq!(frames, [whole(Opcode::Text, "y".repeat(996)), closes(CloseCode::POLICY, "reads too slowly")]);
}

#[test]
fn at_the_bound_an_event_stream_ends_behind_whole_events() {
    let mut stage = Stage::with(small_queue(), listener());
    let (client, _) = stage.events("/events");
    client.set_window(0);
    for _ in 0..20 {
        stage.on.with_hub(|hub| hub.publish("all", "z".repeat(994).as_str()));
        stage.settle();
    }
    assert_eq!(stage.app().whys(), [Closed::Overflow]);
    client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(text(&client), "", "nothing had begun");
    assert!(client.is_finished());
}

/// What can be taken at once, more than the shared buffer holds, and from how much on it is delivered in mid-turn.
const BURSTS: [(usize, usize); 3] = [(30, 64 << 10), (200, 64 << 10), (200, 5_000)];

/// Windows that end between frames, in a header and in a payload.
const WINDOWS: [usize; 6] = [0, 1, 137, 1_000, 1_002, 9_999];

#[test]
fn a_turns_burst_meets_the_bound_and_ends_with_whole_frames_and_a_close() {
    let message = "x".repeat(996);
    for (count, cork) in BURSTS {
        for window in WINDOWS {
            let mut stage = Stage::with(Limits { cork, ..small_queue() }, listener());
            let (mut slow, mut quick) = (stage.web_socket("/"), stage.web_socket("/"));
            slow.client.set_window(window);
            stage.on.with_hub(|hub| (0..count).for_each(|_| hub.publish("all", &message)));
            assert_eq!(stage.app().whys(), [Closed::Overflow], "{count} {cork} {window}");
            slow.client.set_window(usize::MAX);
            stage.settle();
            let frames = slow.all_frames();
            let (close, messages) = frames.split_last().unwrap();
            assert_eq!(*close, closes(CloseCode::POLICY, "reads too slowly"));
            assert!(messages.iter().all(|frame| *frame == whole(Opcode::Text, &message)));
            // What has begun is finished, and nothing else follows.
            assert_eq!(messages.len(), window.div_ceil(1_000), "{count} {cork} {window}");
            assert!(slow.client.is_finished());
            assert_eq!(quick.all_frames().len(), count);
        }
    }
}

#[test]
fn who_reads_while_a_turn_speaks_is_not_ended_by_what_it_says() {
    let message = "x".repeat(996);
    let mut stage = Stage::with(Limits { cork: 2_000, ..small_queue() }, listener());
    let mut ws = stage.web_socket("/");
    stage.on.with_hub(|hub| {
        ws.client.set_window(700);
        for round in 1..=50 {
            hub.publish("all", &message);
            if round % 10 == 0 {
                // The loop hears of it with its next poll.
                ws.client.set_window(10_000);
            }
        }
    });
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(stage.app().whys(), []);
    assert_eq!(ws.all_frames(), vec![whole(Opcode::Text, &message); 50]);
}

#[test]
fn at_the_bound_a_write_is_tried_once_for_what_is_dropped() {
    let app = listener().on_request(|_, _, _| longwire_reactor::Reply::web_socket().dropping());
    let mut stage = Stage::with(small_queue(), app);
    let ws = stage.web_socket("/");
    ws.client.set_window(0);
    let message = "x".repeat(996);
    let publish = |stage: &mut Stage, count| {
        stage.on.with_hub(|hub| (0..count).for_each(|_| hub.publish("all", &message)));
        stage.settle();
    };
    publish(&mut stage, 10);
    let before = stage.world.calls().writes;
    publish(&mut stage, 100);
    assert_eq!(stage.world.calls().writes - before, 1);
    assert_eq!(stage.on.stats().dropped, 100);
}

#[test]
fn a_turns_burst_ends_an_event_stream_behind_whole_events() {
    let event = format!("data: {}\n\n", "z".repeat(992));
    for (count, cork) in BURSTS {
        for window in WINDOWS {
            let mut stage = Stage::with(Limits { cork, ..small_queue() }, listener());
            let (client, _) = stage.events("/events");
            client.set_window(window);
            stage.on.with_hub(|hub| (0..count).for_each(|_| hub.publish("all", &"z".repeat(992))));
            assert_eq!(stage.app().whys(), [Closed::Overflow], "{count} {cork} {window}");
            client.set_window(usize::MAX);
            stage.settle();
            let received = text(&client);
            assert_eq!(received, event.repeat(window.div_ceil(1_000)), "{count} {cork} {window}");
            assert!(client.is_finished());
        }
    }
}

#[test]
fn a_publisher_that_does_not_read_meets_the_bound_with_its_own_burst() {
    for (count, cork) in BURSTS {
        let app = listener().on_message(move |peer, _| {
            (0..count).for_each(|_| peer.publish("all", &"y".repeat(996)));
        });
        let mut stage = Stage::with(Limits { cork, ..small_queue() }, app);
        let mut ws = stage.web_socket("/");
        ws.client.set_window(0);
        ws.send("go");
        stage.settle();
        assert_eq!(stage.app().whys(), [Closed::Overflow], "{count} {cork}");
        ws.client.set_window(usize::MAX);
        stage.settle();
        assert_eq!(ws.all_frames(), [closes(CloseCode::POLICY, "reads too slowly")], "{count} {cork}");
    }
}

#[test]
fn own_messages_meet_the_same_bound() {
    let app = App::new().on_message(|peer, _| {
        for _ in 0..20 {
            peer.send("w".repeat(996).as_str());
        }
        assert!(peer.queued() < 12_000);
    });
    let mut stage = Stage::with(small_queue(), app);
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    ws.send("go");
    stage.settle();
    assert_eq!(stage.app().whys(), [Closed::Overflow]);
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(ws.all_frames(), [closes(CloseCode::POLICY, "reads too slowly")]);
}

#[test]
fn a_peer_that_reads_may_be_sent_more_than_the_bound_in_one_callback() {
    let app = App::new().on_message(|peer, _| (0..20).for_each(|_| peer.send("w".repeat(996).as_str())));
    let mut stage = Stage::with(small_queue(), app);
    let mut ws = stage.web_socket("/");
    ws.send("go");
    stage.settle();
    assert_eq!(ws.all_frames().len(), 20);
    assert!(stage.app().closed.is_empty());
}

#[test]
fn pongs_are_all_sent_while_the_peer_reads() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    ws.client.send(&names.iter().flat_map(|name| Sent::ping(name.as_bytes())).collect::<Vec<u8>>());
    stage.settle();
    assert_eq!(ws.all_frames(), names.iter().map(|name| pong(name)).collect::<Vec<_>>());
}

#[test]
fn pongs_coalesce_while_the_peer_does_not_read() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    for number in 0..1_000 {
        ws.client.send(&Sent::ping(format!("{number}").as_bytes()));
        stage.settle();
        assert!(stage.on.stats().pinned < 2_000);
    }
    ws.send("data");
    stage.settle();
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(ws.all_frames(), [pong("0"), whole(Opcode::Text, "data"), pong("999")]);
}

#[test]
fn a_ping_flood_in_one_read_is_bounded() {
    let mut stage = Stage::with(small_queue(), App::new());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    for _ in 0..50 {
        ws.client.send(&Sent::ping(&[b'p'; 125]).repeat(1_000));
        stage.settle();
        assert!(stage.on.stats().pinned < 200_000, "{}", stage.on.stats().pinned);
    }
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert!(ws.all_frames().iter().all(|frame| frame.opcode == Opcode::Pong));
}

#[test]
fn a_pong_stands_behind_all_that_waits_however_many_blocks_that_are() {
    for (count, length) in [(150, 100), (100, 300), (60, 1_000), (40, 20_000)] {
        let mut stage = Stage::with(Limits { direct: 1 << 20, ..Limits::default() }, App::new());
        let mut ws = stage.web_socket("/");
        ws.client.set_window(0);
        // One visit each, so that the queue grows in small steps.
        let message = "w".repeat(length);
        for _ in 0..count {
            ws.send(&*message);
            stage.settle();
        }
        ws.client.send(&Sent::ping(b"?"));
        stage.settle();
        ws.client.set_window(usize::MAX);
        stage.settle();
        let frames = ws.all_frames();
        let (messages, behind) = frames.split_at(count);
        assert!(messages.iter().all(|frame| *frame == whole(Opcode::Text, &message)), "{count} of {length}");
        assert_eq!(behind, [pong("?")]);
    }
}
