//! What the process may pin: whoever grows while there is no room ends, the others go on, and room comes back.

use std::time::Duration;

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

/// Turns until nothing happens. Everybody may grow once before it is seen, and buffers grow to the double.
fn settle_within_the_budget(stage: &mut Stage) {
    for _ in 0..400 {
        stage.turn();
        let pinned = stage.on.stats().pinned as usize;
        assert!(pinned <= 2 * BUDGET, "{pinned}");
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
    assert_eq!(stage.app().whys(), vec![Closed::Overflow; ended.len()]);
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
fn unread_echoes_end_with_1013_and_newcomers_wait_until_there_is_room() {
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
    assert_eq!(stage.app().whys(), vec![Closed::Overflow; ended]);
    quiet.send("hello");
    stage.settle();
    assert_eq!(quiet.all_frames(), texts(&["hello"]));
    let refused = stage.connect();
    stage.settle();
    assert_eq!((refused.is_closed(), stage.on.stats().refused), (true, 1));
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
    stage.web_socket("/");
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
    let (client, answer) = stage.ask(upgrade("/"));
    assert!(client.is_closed() && answer.is_empty());
    stage.pass(Duration::from_secs(30));
    assert!(growing.iter().all(|ws| ws.client.is_closed()));
    assert_eq!(stage.on.stats().pinned, 0);
    stage.web_socket("/");
}
