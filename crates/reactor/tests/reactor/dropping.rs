//! Connections that drop at the bound of their queue instead of ending: nothing is torn, everybody is told how much.

use longwire_reactor::frame::Opcode;
use longwire_reactor::{CloseCode, Closed, Limits, Message, Reply};

use crate::stage::*;

const BOUND: usize = 10_000;

fn small_queue() -> Limits {
    Limits { send_queue: BOUND, ..Limits::default() }
}

fn app() -> App {
    App::new()
        .on_request(|peer, request, _| {
            peer.subscribe("all");
            match request.path() {
                "/events" => Reply::events().dropping(),
                _ => Reply::web_socket().dropping(),
            }
        })
        .on_message(|_, _| ())
}

fn publish(stage: &mut Stage, numbers: std::ops::Range<usize>) {
    for number in numbers {
        stage.on.with_hub(|hub| hub.publish("all", &format!("{number:>996}")));
    }
    stage.settle();
}

/// The numbers in the texts that came.
fn numbers(ws: &mut Ws) -> Vec<usize> {
    let number = |frame: &Frame| String::from_utf8_lossy(&frame.payload).trim().parse().expect("a number");
    ws.all_frames().iter().map(number).collect()
}

#[test]
fn a_web_socket_loses_what_does_not_fit_and_goes_on() {
    let mut stage = Stage::with(small_queue(), app());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    publish(&mut stage, 0..15);
    assert_eq!(stage.app().dropped.iter().map(|(_, count)| count).sum::<u32>(), 5);
    assert_eq!(stage.on.stats().dropped, 5);
    ws.client.set_window(usize::MAX);
    stage.settle();
    publish(&mut stage, 15..17);
    assert_eq!(numbers(&mut ws), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16]);
    assert!(stage.app().closed.is_empty());
    assert_eq!(stage.on.stats().pinned as usize, pinned_by_a_subscription());
}

/// What a connection pins that only listens.
fn pinned_by_a_subscription() -> usize {
    let mut stage = Stage::with(small_queue(), app());
    stage.web_socket("/");
    stage.on.stats().pinned as usize
}

#[test]
fn what_a_turn_drops_is_told_once_with_its_number() {
    let mut stage = Stage::with(small_queue(), app());
    let ws = stage.web_socket("/");
    ws.client.set_window(0);
    stage.on.with_hub(|hub| (0..25).for_each(|_| hub.publish("all", &"x".repeat(996))));
    stage.settle();
    let id = stage.app().opened[0];
    assert_eq!(stage.app().dropped, [(id, 15)]);
}

#[test]
fn a_stream_is_told_of_the_gap_where_it_is() {
    let mut stage = Stage::with(small_queue(), app());
    let (client, _) = stage.events("/events");
    client.set_window(0);
    publish(&mut stage, 0..25);
    let told: u32 = stage.app().dropped.iter().map(|(_, count)| count).sum();
    client.set_window(usize::MAX);
    stage.settle();
    publish(&mut stage, 25..26);
    let received = text(&client);
    let events: Vec<&str> = received.split_terminator("\n\n").collect();
    let gap = events.iter().position(|event| event.starts_with("event: gap\n")).expect("a gap");
    assert_eq!(events[gap], format!("event: gap\ndata: {told}"));
    assert_eq!(gap + told as usize, 25, "as many as were queued before it, and those that it counts");
    assert!(events[gap + 1].ends_with("25") && events.len() == gap + 2);
    assert!(stage.app().closed.is_empty());
}

#[test]
fn a_gap_stands_in_front_of_what_finds_room_again() {
    let mut stage = Stage::with(small_queue(), app());
    let (client, _) = stage.events("/events");
    client.set_window(0);
    publish(&mut stage, 0..20);
    // There is room for one more, but the queue is not empty.
    client.set_window(2_500);
    stage.settle();
    publish(&mut stage, 20..21);
    client.set_window(usize::MAX);
    stage.settle();
    let received = text(&client);
    let gap = received.find("event: gap\n").expect("a gap");
    let last = received.find(" 20\n").expect("the last one");
    assert!(received[..gap].ends_with("\n\n") && gap < last);
    assert_eq!(received.matches("event: gap").count(), 1);
}

#[test]
fn whatever_the_window_whole_frames_arrive_in_order() {
    for window in [1, 3, 137, 999, 1_000, 1_001, 5_000] {
        let mut stage = Stage::with(small_queue(), app());
        let mut ws = stage.web_socket("/");
        ws.client.set_window(window);
        let mut received = Vec::new();
        for number in 0..60 {
            publish(&mut stage, number..number + 1);
            ws.client.set_window(window);
            received.extend(ws.frames());
        }
        for _ in 0..12_000 {
            ws.client.set_window(window);
            stage.turn();
        }
        received.extend(ws.all_frames());
        let numbers: Vec<usize> =
            received.iter().map(|frame| String::from_utf8_lossy(&frame.payload).trim().parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{window}: {numbers:?}");
        let told: u32 = stage.app().dropped.iter().map(|(_, count)| count).sum();
        assert_eq!(numbers.len() + told as usize, 60, "{window}");
    }
}

/// Sends a message in three pieces when asked to, and whole ones otherwise.
fn pieces() -> App {
    app().on_message(|peer, message| match message {
        Message::Text("begin") => peer.piece(&[b'p'; 3_000][..], false),
        Message::Text("go on") => peer.piece(&[b'q'; 3_000][..], false),
        Message::Text("end") => peer.piece(&b"end"[..], true),
        message => peer.send(message),
    })
}

/// Its reader is paused at half the bound: what it asks for is asked for it by the hub here.
fn fill(stage: &mut Stage, count: usize) {
    stage.on.with_hub(|hub| (0..count).for_each(|_| hub.publish("all", &"f".repeat(996))));
    stage.settle();
}

#[test]
fn a_message_in_pieces_that_finds_no_room_is_dropped_whole() {
    let app = pieces().on_timer(|peer| {
        peer.piece("first", false);
        peer.piece("second", false);
        peer.piece("third", true);
        peer.piece("whole", true);
    });
    let app = app.on_opened(|peer| peer.wake_after(std::time::Duration::from_millis(50)));
    let mut stage = Stage::with(small_queue(), app);
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    fill(&mut stage, 11);
    stage.pass(std::time::Duration::from_millis(60));
    ws.client.set_window(usize::MAX);
    stage.settle();
    let frames = ws.all_frames();
    assert_eq!(frames, vec![whole(Opcode::Text, "f".repeat(996)); 10]);
    let told: u32 = stage.app().dropped.iter().map(|(_, count)| count).sum();
    assert_eq!(told, 3, "a publication and two messages");
    fill(&mut stage, 1);
    assert_eq!(ws.all_frames().len(), 1, "and it goes on");
}

#[test]
fn a_message_in_pieces_that_has_begun_ends_the_connection_at_the_bound() {
    let app = pieces().on_timer(|peer| {
        (0..8).for_each(|_| peer.piece(&[b'p'; 2_000][..], false));
    });
    let app = app.on_opened(|peer| peer.wake_after(std::time::Duration::from_millis(50)));
    let mut stage = Stage::with(small_queue(), app);
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    stage.pass(std::time::Duration::from_millis(60));
    assert_eq!(stage.app().whys(), [Closed::Overflow]);
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(ws.all_frames(), [closes(CloseCode::POLICY, "reads too slowly")]);
}

#[test]
fn who_sends_on_being_told_of_a_drop_does_not_keep_the_turn_going() {
    let app = app().on_dropped(|peer, _| peer.send("again"));
    let mut stage = Stage::with(small_queue(), app);
    let ws = stage.web_socket("/");
    ws.client.set_window(0);
    publish(&mut stage, 0..0);
    stage.on.with_hub(|hub| (0..12).for_each(|_| hub.publish("all", &"x".repeat(996))));
    for turn in 0..5 {
        stage.turn();
        assert!(stage.app().dropped.len() <= turn + 1);
    }
}

#[test]
fn only_what_is_open_can_drop() {
    for reply in [|| Reply::status(200), Reply::later] {
        assert!(std::panic::catch_unwind(|| reply().dropping()).is_err());
    }
}

#[test]
fn what_was_dropped_is_told_before_the_queue_is_said_to_be_empty() {
    let app = App::new()
        .on_request(|_, _, _| Reply::web_socket().dropping())
        .on_opened(|peer| peer.subscribe("all"))
        .on_dropped(|peer, what| *peer.user = what.count.to_string())
        .on_drained(|peer| {
            let missed = std::mem::take(peer.user);
            peer.send(&format!("you missed {missed}"));
        });
    let mut stage = Stage::with(Limits { send_queue: 1_000, ..Limits::default() }, app);
    let mut ws = stage.web_socket("/");
    ws.client.set_window(10);
    stage.on.with_hub(|hub| (0..5).for_each(|_| hub.publish("all", "x".repeat(600).as_str())));
    ws.client.set_window(usize::MAX);
    stage.settle();
    let frames = ws.frames();
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[2].payload, b"you missed 3");
}
