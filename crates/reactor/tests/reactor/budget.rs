//! What the process may pin: at the budget the greediest end, the others go on, and room comes back.

use std::net::SocketAddr;
use std::time::Duration;

use longwire_reactor::sys::sim::Client;
use longwire_reactor::{CloseCode, Closed, Limits, Reply};

use crate::stage::*;

/// A loop borrows in steps of 1 MiB: with four in all, there is no room from the fourth on.
const BUDGET: usize = 4 << 20;

/// Enough connections for three budgets.
const MANY: usize = 20;

fn narrow() -> Limits {
    Limits { budget: BUDGET, ..Limits::default() }
}

/// Echoes; a POST is answered with a page.
fn echo() -> App {
    App::new().on_request(|_, request, _| match request.method() {
        "POST" => Reply::status(200),
        _ => Reply::web_socket(),
    })
}

/// Turns until nothing happens. Who grows asks first, so the budget is never exceeded.
fn settle_within_the_budget(stage: &mut Stage) {
    for _ in 0..400 {
        stage.turn();
        let pinned = stage.on.stats().pinned as usize;
        assert!(pinned <= BUDGET, "{pinned}");
    }
    stage.settle();
}

fn no_room() -> Frame {
    closes(CloseCode::TRY_AGAIN, "the server has no room")
}

#[test]
fn unfinished_messages_that_grow_end_with_1013() {
    let mut stage = Stage::with(narrow(), echo());
    let mut quiet = stage.web_socket("/");
    let growing: Vec<Ws> = (0..MANY).map(|_| stage.web_socket("/")).collect();
    for ws in &growing {
        ws.client.send(&Sent::raw(0x02, &[0; 600_000]));
    }
    settle_within_the_budget(&mut stage);
    quiet.send("hello");
    stage.settle();
    assert_eq!(quiet.all_frames(), texts(&["hello"]), "who does not grow goes on");
    let (ended, left): (Vec<Ws>, Vec<Ws>) = growing.into_iter().partition(|ws| ws.client.is_finished());
    assert!((MANY / 2..MANY).contains(&ended.len()), "{}", ended.len());
    assert_eq!(stage.app().whys(), vec![Closed::NoRoom; ended.len()]);
    for mut ws in ended {
        assert_eq!(ws.all_frames(), [no_room()]);
    }
    // Who was let finish, is answered; and then there is room.
    for mut ws in left {
        ws.client.send(&Sent::raw(0x80, b""));
        stage.settle();
        assert_eq!(ws.all_frames()[0].payload.len(), 600_000);
    }
    stage.web_socket("/");
}

#[test]
fn bodies_that_grow_end() {
    let mut stage = Stage::with(narrow(), echo());
    let growing: Vec<_> = (0..MANY).map(|_| stage.connect()).collect();
    for client in &growing {
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 600001\r\n\r\n");
        client.send(&[0; 600_000]);
    }
    settle_within_the_budget(&mut stage);
    let ended = growing.iter().filter(|client| client.is_finished()).count();
    assert!((MANY / 2..MANY).contains(&ended), "{ended}");
    for client in growing.iter().filter(|client| !client.is_finished()) {
        assert!(stage.ask_on(client, "x").starts_with("HTTP/1.1 200 "));
    }
    assert!(stage.app().closed.is_empty(), "no request was ever handed over");
    stage.web_socket("/");
}

#[test]
fn unread_echoes_end_with_1013_and_give_their_memory_back_at_once() {
    let mut stage = Stage::with(narrow(), echo());
    let mut quiet = stage.web_socket("/");
    let mut growing: Vec<Ws> = (0..MANY).map(|_| stage.web_socket("/")).collect();
    for ws in &growing {
        ws.client.set_window(0);
        ws.client.send(&Sent::message(&[0; 50_000]).repeat(10));
    }
    settle_within_the_budget(&mut stage);
    let ended = stage.app().closed.len();
    assert!((1..=MANY).contains(&ended), "{ended}");
    assert_eq!(stage.app().whys(), vec![Closed::NoRoom; ended]);
    quiet.send("hello");
    stage.settle();
    assert_eq!(quiet.all_frames(), texts(&["hello"]));
    stage.web_socket("/");
    let mut told = 0;
    for ws in &mut growing {
        ws.client.set_window(usize::MAX);
        stage.settle();
        let frames = ws.all_frames();
        let (last, messages) = frames.split_last().unwrap();
        told += usize::from(*last == no_room());
        assert!(messages.iter().all(|frame| frame.payload.len() == 50_000));
    }
    assert_eq!(told, ended);
}

#[test]
fn one_burst_to_many_that_do_not_read_stays_within_the_budget() {
    let app = echo().on_opened(|peer| peer.subscribe("all"));
    let mut stage = Stage::with(narrow(), app);
    let mut quick = stage.web_socket("/");
    let slow: Vec<Ws> = (0..100).map(|_| stage.web_socket("/")).collect();
    slow.iter().for_each(|ws| ws.client.set_window(0));
    let message = "x".repeat(100_000);
    stage.on.with_hub(|hub| (0..10).for_each(|_| hub.publish("all", &message)));
    settle_within_the_budget(&mut stage);
    assert_eq!(quick.all_frames().len(), 10, "who reads gets it all");
    let ended = stage.app().closed.len();
    assert!((50..100).contains(&ended), "{ended}");
    assert_eq!(stage.app().whys(), vec![Closed::NoRoom; ended]);
}

#[test]
fn the_greediest_go_first() {
    let app = echo().on_opened(|peer| peer.subscribe("all"));
    let mut stage = Stage::with(Limits { send_queue: 2 << 20, budget: 3 << 20, ..narrow() }, app);
    let mut modest: Vec<Ws> = (0..8).map(|_| stage.web_socket("/")).collect();
    let mut greedy: Vec<Ws> = (0..2).map(|_| stage.web_socket("/")).collect();
    modest.iter().chain(&greedy).for_each(|ws| ws.client.set_window(0));
    stage.on.with_hub(|hub| hub.publish("all", &"m".repeat(30_000)));
    stage.settle();
    for ws in &greedy {
        for _ in 0..8 {
            ws.send(&[1; 100_000]);
            stage.settle();
        }
    }
    assert!(stage.app().closed.is_empty(), "{:?}", stage.app().whys());
    // Somebody new wants more than what is left.
    let growing = stage.web_socket("/");
    growing.client.send(&Sent::raw(0x02, &[0; 900_000]));
    settle_within_the_budget(&mut stage);
    assert_eq!(stage.app().whys(), [Closed::NoRoom]);
    let ended = stage.app().closed[0].0;
    assert!(stage.app().opened[8..10].contains(&ended), "one of the greedy");
    for ws in modest.iter_mut().chain(&mut greedy) {
        ws.client.set_window(usize::MAX);
    }
    stage.settle();
    for mut ws in modest {
        assert_eq!(ws.all_frames().len(), 1, "the modest have lost nothing");
    }
}

#[test]
fn nobody_goes_for_a_newcomer_whose_address_has_its_share() {
    let address = |number: u32| SocketAddr::from(([192, 0, (number >> 8) as u8, number as u8], 1));
    // A greedy one, and so many others, each with all the connections that its address may have.
    let begin = |budget, others| {
        let mut stage = Stage::with(Limits { budget, per_address: 1, ..narrow() }, echo());
        let greedy = stage.web_socket("/");
        greedy.client.set_window(0);
        for _ in 0..4 {
            greedy.send(&[1; 100_000]);
            stage.settle();
        }
        let others: Vec<Client> = (0..others).map(|number| stage.world.connect_from(address(number))).collect();
        settle_within_the_budget(&mut stage);
        (stage, greedy, others)
    };
    let budget = begin(BUDGET, 0).0.on.stats().pinned as usize + 200_000;
    let admitted = |others| begin(budget, others).0.app().closed.is_empty();
    // So many find room, and one more does not.
    let (mut full, mut too_many) = (0, 4_096);
    while too_many - full > 1 {
        let middle = (full + too_many) / 2;
        if admitted(middle) { full = middle } else { too_many = middle }
    }
    let (mut stage, _greedy, others) = begin(budget, full);
    let again = stage.world.connect_from(address(0));
    settle_within_the_budget(&mut stage);
    assert!(again.is_closed() && !others[0].is_closed());
    assert!(stage.app().closed.is_empty(), "{:?}", stage.app().whys());
    // For one from elsewhere the greedy one goes.
    let elsewhere = stage.world.connect_from(address(full));
    settle_within_the_budget(&mut stage);
    assert!(!elsewhere.is_closed());
    assert_eq!(stage.app().whys(), [Closed::NoRoom]);
}

#[test]
fn at_the_budget_nobody_new_is_admitted() {
    // What waits for the end of a message is small for each, so nobody is greedy.
    let app = echo().on_opened(|peer| peer.subscribe("all"));
    let mut stage = Stage::with(Limits { budget: 100_000, ..Limits::default() }, app);
    let mut there = Vec::new();
    while stage.on.stats().refused == 0 {
        let client = stage.connect();
        client.send(upgrade("/").as_bytes());
        stage.settle();
        there.push(client);
        assert!(there.len() < 1_000, "the slots themselves count");
    }
    let refused = there.pop().unwrap();
    assert!(refused.is_closed() && refused.receive().is_empty());
    assert!(stage.app().closed.is_empty(), "those who are there stay");
    there.drain(..there.len() / 2).for_each(|client| client.finish());
    stage.settle();
    stage.web_socket("/");
}

#[test]
fn a_request_whose_body_finds_no_room_is_answered_with_503() {
    let mut stage = Stage::with(Limits { budget: 300_000, ..Limits::default() }, echo());
    let (client, answer) =
        stage.ask([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n".as_slice(), &[0; 400_000]].concat());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("Connection: close"), "{answer}");
    client.finish();
    stage.settle();
    assert!(client.is_closed() && !client.was_reset());
}

#[test]
fn room_comes_back_when_those_who_held_it_are_gone() {
    let mut stage = Stage::with(narrow(), echo());
    let growing: Vec<Ws> = (0..MANY).map(|_| stage.web_socket("/")).collect();
    for ws in &growing {
        ws.client.set_window(0);
        ws.client.send(&Sent::message(&[0; 50_000]).repeat(10));
    }
    stage.settle();
    stage.pass(Duration::from_secs(30));
    assert!(growing.iter().all(|ws| ws.client.is_closed()));
    assert_eq!(stage.on.stats().pinned, 0);
    stage.web_socket("/");
}

#[test]
fn a_request_that_waits_is_answered_when_it_has_to_go() {
    let app = App::new().on_request(|_, request, _| match request.path() {
        "/later" => Reply::later(),
        _ => Reply::web_socket(),
    });
    let mut stage = Stage::with(Limits { budget: 30_000, ..Limits::default() }, app);
    let (waiting, nothing) = stage.ask(format!("GET /later HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "x".repeat(12_000)));
    assert_eq!(nothing, "");
    let mut growing = stage.web_socket("/");
    growing.client.send(&Sent::raw(0x02, &[0; 5_000]));
    stage.settle();
    growing.client.send(&Sent::raw(0x00, &[0; 10_000]));
    stage.settle();
    let answer = text(&waiting);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(growing.all_frames(), [no_room()]);
    assert_eq!(stage.app().whys(), [Closed::NoRoom; 2]);
}

#[test]
fn half_a_response_that_finds_no_room_is_followed_by_nothing() {
    for window in [0, 1, 50, 400] {
        let app = App::new().on_request(|_, _, _| Reply::page("text/plain", vec![b'x'; 10_000]));
        let mut stage = Stage::with(Limits { budget: 20_000, ..Limits::default() }, app);
        let client = stage.connect();
        client.set_window(window);
        client.send(get("/").repeat(5).as_bytes());
        stage.settle();
        client.set_window(usize::MAX);
        stage.settle();
        client.finish();
        stage.settle();
        let answer = text(&client);
        assert!(answer.matches("HTTP/1.1").count() <= 1 || !answer.contains("503"), "{window}: {answer:?}");
        assert!(client.is_closed());
        assert_eq!(stage.on.stats().pinned, 0);
    }
}

#[test]
fn who_holds_much_in_a_frame_that_has_begun_goes_before_those_who_hold_little() {
    let mut stage =
        Stage::with(Limits { budget: 1 << 20, direct: 1 << 20, receive: 64 << 10, ..Limits::default() }, echo());
    let attackers: Vec<Ws> = (0..7).map(|_| stage.web_socket("/")).collect();
    for ws in &attackers {
        ws.client.set_window(100);
        for _ in 0..2 {
            ws.send(&[7; 60_000]);
            stage.settle();
        }
    }
    let innocents: Vec<Ws> = (0..10).map(|_| stage.web_socket("/")).collect();
    for ws in &innocents {
        ws.client.send(&Sent::raw(0x02, &[1; 8_000]));
    }
    stage.settle();
    assert!(stage.app().closed.is_empty());
    let growing = stage.web_socket("/");
    growing.client.send(&Sent::raw(0x02, &[2; 100_000]));
    settle_within_the_budget(&mut stage);
    assert!(attackers.iter().any(|ws| ws.client.is_closed()), "at once, and not when what has begun has left");
    for mut ws in innocents {
        ws.client.send(&Sent::raw(0x80, b""));
        stage.settle();
        assert_eq!(ws.all_frames()[0].payload.len(), 8_000);
    }
}
