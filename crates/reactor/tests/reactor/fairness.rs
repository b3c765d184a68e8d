//! No visit exceeds its budget, nobody starves, and no edge is lost.

use std::time::Duration;

use longwire_reactor::frame::Opcode;
use longwire_reactor::{Limits, Reply};

use crate::stage::*;

fn narrow() -> Limits {
    Limits { receive: 1_024, visit: 1_024, ..Limits::default() }
}

#[test]
fn a_fast_peer_does_not_starve_another() {
    let mut stage = Stage::with(narrow(), App::new());
    let (mut fast, mut slow) = (stage.web_socket("/"), stage.web_socket("/"));
    fast.client.send(&Sent::message("flood").repeat(10_000));
    slow.send("hello");
    stage.turn();
    stage.turn();
    assert_eq!(slow.all_frames(), texts(&["hello"]));
    assert!(fast.frames().len() < 1_000);
    stage.settle();
    assert!(fast.all_frames().len() > 9_000);
    assert_eq!(stage.app().messages.len(), 10_001);
}

#[test]
fn a_visit_reads_no_more_than_its_budget() {
    let mut stage = Stage::with(Limits { visit: 4_096, ..narrow() }, App::new());
    let ws = stage.web_socket("/");
    ws.client.send(&Sent::message("x").repeat(10_000));
    let before = stage.on.stats().bytes_in;
    stage.turn();
    assert_eq!(stage.on.stats().bytes_in - before, 4_096);
    stage.turn();
    assert_eq!(stage.on.stats().bytes_in - before, 8_192);
}

#[test]
fn a_fast_uploader_and_a_large_binary_message_keep_to_it_too() {
    let limits = Limits { direct: 512, body: 1 << 20, ..narrow() };
    let app = App::new().on_request(|_, request, _| match request.method() {
        "POST" => Reply::status(200),
        _ => Reply::web_socket(),
    });
    let mut stage = Stage::with(limits, app);
    let (large, mut slow) = (stage.web_socket("/"), stage.web_socket("/"));
    large.client.send(&Sent::message(&[0; 500_000]));
    let upload = stage.connect();
    upload.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n");
    upload.send(&[0; 500_000]);
    let before = stage.on.stats().bytes_in;
    for turn in 1..=10 {
        slow.send("hello");
        stage.turn();
        assert_eq!(slow.frames(), texts(&["hello"]), "in its own turn");
        // What is read into its place is a quarter of the work.
        assert!(stage.on.stats().bytes_in - before <= turn * (5 * 1_024 + 11));
    }
    stage.settle();
    assert!(text(&upload).starts_with("HTTP/1.1 200 "));
    assert_eq!(stage.app().messages.iter().filter(|message| message.len() == 500_000).count(), 1);
}

#[test]
fn a_fin_behind_more_than_a_budget_of_bytes_is_not_lost() {
    let mut stage = Stage::with(narrow(), App::new());
    let ws = stage.web_socket("/");
    ws.client.send(&Sent::message("x").repeat(5_000));
    ws.client.finish();
    stage.settle();
    assert_eq!(stage.app().messages.len(), 5_000);
    assert!(ws.client.is_closed());
}

#[test]
fn a_paused_peer_is_not_forgotten_when_its_edge_is_used_up() {
    let mut stage = Stage::with(Limits { send_queue: 2_000, ..narrow() }, App::new());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    ws.client.send(&Sent::message("a message of some bytes").repeat(2_000));
    stage.settle();
    let mut received = 0;
    for _ in 0..10_000 {
        ws.client.set_window(700);
        stage.turn();
        received += ws.frames().len();
    }
    assert_eq!(received, 2_000);
}

#[test]
fn accepting_goes_on_where_a_batch_ended() {
    let limits = Limits { accepts: 3, events: 2, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new());
    let clients: Vec<_> = (0..50).map(|_| stage.connect()).collect();
    for client in &clients {
        client.send(upgrade("/").as_bytes());
    }
    stage.settle();
    let mut sockets: Vec<Ws> = clients.into_iter().map(Ws::new).collect();
    for ws in &mut sockets {
        assert!(ws.client.receive().starts_with(b"HTTP/1.1 101 "));
        ws.send("hello");
    }
    stage.settle();
    for ws in &mut sockets {
        assert_eq!(ws.all_frames(), [whole(Opcode::Text, "hello")]);
    }
    assert_eq!(stage.on.stats().accepted, 50);
}

#[test]
fn many_come_and_go_and_nothing_stays() {
    let mut stage = Stage::new(App::new());
    for round in 0..5 {
        let mut sockets: Vec<Ws> = (0..600).map(|_| Ws::new(stage.connect())).collect();
        for ws in &sockets {
            ws.client.send(&[upgrade("/").into_bytes(), Sent::message("hello")].concat());
        }
        stage.settle();
        assert_eq!(stage.on.stats().connections, 600);
        for (number, ws) in sockets.iter_mut().enumerate() {
            if number % 2 == round % 2 { ws.client.finish() } else { ws.client.reset() }
        }
        stage.settle();
        assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0));
    }
    assert_eq!(stage.app().closed.len(), 3_000);
}

#[test]
fn a_turn_has_an_end_however_many_have_much_to_say() {
    let limits = Limits { visit: 1_000, receive: 1_000, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new().on_message(|_, _| ()));
    let all: Vec<Ws> = (0..200).map(|_| stage.web_socket("/")).collect();
    for ws in &all {
        ws.client.send(&Sent::message(&[0; 100]).repeat(100));
    }
    let before = stage.on.stats().bytes_in;
    stage.turn();
    let read = stage.on.stats().bytes_in - before;
    assert!((60_000..=65_000).contains(&read), "{read}");
    stage.settle();
    assert_eq!(stage.app().messages.len(), 200 * 100, "whom it had no time for kept its place");
}

#[test]
fn nor_is_more_read_at_a_deadline_however_many_have_one() {
    let day = Duration::from_secs(24 * 3_600);
    let limits = Limits { visit: 1_000, receive: 1_000, ping: day, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new().on_message(|_, _| ()));
    let all: Vec<Ws> = (0..200).map(|_| stage.web_socket("/")).collect();
    all.iter().for_each(|ws| ws.client.send(&Sent::raw(0x01, b"begun")));
    stage.settle();
    stage.pass(Limits::default().message_deadline - Duration::from_secs(1));
    all.iter().for_each(|ws| ws.client.send(&Sent::raw(0x80, &[b'x'; 900])));
    stage.world.pass(Duration::from_secs(1));
    let before = stage.on.stats().bytes_in;
    stage.turn();
    let read = stage.on.stats().bytes_in - before;
    assert!((100_000..=130_000).contains(&read), "as much for those who are ready, and for those who are late: {read}");
    stage.settle();
    assert_eq!(stage.app().messages.len(), 200, "who was late had said it in time");
}

#[test]
fn what_was_read_before_is_work_too() {
    let limits = Limits { visit: 1_000, receive: 50_000, send_queue: 4_000, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new());
    let mut all: Vec<Ws> = (0..200).map(|_| stage.web_socket("/")).collect();
    for ws in &all {
        ws.client.set_window(0);
        ws.client.send(&Sent::message(&[0; 100]).repeat(300));
    }
    stage.settle();
    let (before, heard) = (stage.on.stats().bytes_in, stage.app().messages.len());
    all.iter().for_each(|ws| ws.client.set_window(1 << 20));
    stage.turn();
    assert_eq!(stage.on.stats().bytes_in, before, "all that they had to say was read when they could not be answered");
    let told = stage.app().messages.len() - heard;
    // Two thousand bytes that left a queue, and as many that were looked at, are 2,600 of 64,000, and twenty messages.
    assert!((450..550).contains(&told), "{told}");
    stage.settle();
    assert!(all.iter_mut().all(|ws| ws.all_frames().len() == 300), "whom it had no time for kept its place");
}

#[test]
fn what_leaves_queues_is_work_too() {
    let limits = Limits { visit: 1_000, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new());
    let mut all: Vec<Ws> = (0..100).map(|_| stage.web_socket("/")).collect();
    for ws in &all {
        ws.client.set_window(0);
        ws.client.send(&Sent::message(&[0; 10_000]));
    }
    stage.settle();
    all.iter().for_each(|ws| ws.client.set_window(1 << 20));
    let before = stage.on.stats().bytes_out;
    stage.turn();
    let written = stage.on.stats().bytes_out - before;
    assert!((250_000..300_000).contains(&written), "four times 64,000, for they are only copied: {written}");
    stage.settle();
    assert!(all.iter_mut().all(|ws| ws.all_frames().len() == 1), "whom it had no time for kept its place");
}
