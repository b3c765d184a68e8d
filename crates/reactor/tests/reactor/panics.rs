//! A callback that panics ends one connection, leaves nothing half-made, and harms nobody else.

use std::time::Duration;

use longwire_reactor::frame::Opcode;
use longwire_reactor::{CloseCode, Closed, Limits, Reply, Server};

use crate::stage::*;

#[test]
fn before_the_head_is_answered_it_is_500_and_the_last() {
    let app = App::new().on_request(|peer, request, _| {
        peer.subscribe("all");
        peer.wake_after(Duration::ZERO);
        assert_ne!(request.path(), "/panic");
        Reply::status(200)
    });
    let mut stage = Stage::new(app);
    let (client, answer) = stage.ask([get("/"), get("/panic"), get("/never")].concat());
    let answers = crate::http::answers(&answer, false);
    assert_eq!(answers.iter().map(|answer| answer.0).collect::<Vec<_>>(), [200, 500]);
    assert!(answers[1].1.contains("Connection: close") && client.is_finished());
    assert!(stage.ask(get("/")).1.starts_with("HTTP/1.1 200 "));
    assert_eq!((stage.on.stats().panics, stage.app().closed.len()), (1, 0));
    stage.on.with_hub(|hub| assert_eq!(hub.subscribers("all"), 0));
}

#[test]
fn a_page_of_a_kind_that_is_no_field_value_is_500_too() {
    const BAD: &str = "text/plain\r\nX-Injected: yes";
    let app = App::new()
        .on_request(|peer, request, _| match request.path() {
            "/bad" => Reply::page(BAD, &b"x"[..]),
            "/later" => {
                peer.wake_after(Duration::from_secs(1));
                Reply::later()
            }
            _ => Reply::status(200),
        })
        .on_timer(|peer| peer.answer(Reply::page(BAD, &b"x"[..])));
    let mut stage = Stage::new(app);
    let (client, answer) = stage.ask(get("/bad"));
    assert!(answer.starts_with("HTTP/1.1 500 ") && !answer.contains("X-Injected"), "{answer}");
    assert!(client.is_finished());
    let (client, _) = stage.ask(get("/later"));
    stage.pass(Duration::from_secs(1));
    let answer = text(&client);
    assert!(answer.starts_with("HTTP/1.1 500 ") && !answer.contains("X-Injected"), "{answer}");
    assert!(stage.ask(get("/")).1.starts_with("HTTP/1.1 200 "));
    assert_eq!(stage.on.stats().panics, 2);
}

#[test]
fn after_it_the_close_code_is_1011_and_what_the_callback_sent_is_taken_back() {
    let app = App::new().on_message(|peer, message| {
        peer.send(message);
        peer.piece("half of ", false);
        assert_ne!(message.as_bytes(), b"panic");
        peer.piece("it", true);
    });
    let mut stage = Stage::new(app);
    let (mut ws, mut other) = (stage.web_socket("/"), stage.web_socket("/"));
    ws.client.send(&[Sent::message("good"), Sent::message("panic"), Sent::message("never")].concat());
    other.send("unharmed");
    stage.settle();
    let whole_message =
        |text| [texts(&[text]), vec![part(Opcode::Text, "half of "), whole(Opcode::Continuation, "it")]].concat();
    assert_eq!(ws.all_frames(), [whole_message("good"), vec![closes(CloseCode::INTERNAL, "internal error")]].concat());
    assert_eq!(other.all_frames(), whole_message("unharmed"));
    assert_eq!(stage.app().whys(), [Closed::Panicked]);
    assert!(ws.client.is_finished());
}

#[test]
fn what_was_large_enough_to_leave_at_once_is_followed_by_the_close() {
    for window in [usize::MAX, 500] {
        let app = App::new().on_message(|peer, _| {
            peer.send(&[1; 1_000]);
            peer.send("taken back");
            panic!("on purpose");
        });
        let mut stage = Stage::with(Limits { direct: 1_000, ..Limits::default() }, app);
        let mut ws = stage.web_socket("/");
        ws.client.set_window(window);
        ws.send("go");
        stage.settle();
        ws.client.set_window(usize::MAX);
        stage.settle();
        let frames = ws.all_frames();
        assert_eq!(frames[0], whole(Opcode::Binary, [1; 1_000]));
        assert_eq!(frames[1..], [closes(CloseCode::INTERNAL, "internal error")]);
    }
}

#[test]
fn a_panic_behind_an_own_close_still_ends_with_a_close() {
    let app = App::new().on_message(|peer, _| {
        peer.close(CloseCode::NORMAL, "");
        panic!("on purpose");
    });
    let mut stage = Stage::new(app);
    let mut ws = stage.web_socket("/");
    ws.send("go");
    stage.settle();
    let frames = ws.all_frames();
    assert!(matches!(frames.iter().map(code_of).collect::<Vec<_>>()[..], [Some(1000 | 1011)]), "{frames:?}");
    assert_eq!(stage.app().closed.len(), 1);
}

#[test]
fn any_callback_about_a_peer_may_panic() {
    let app = || {
        App::new().on_request(|peer, request, _| {
            peer.wake_after(Duration::from_secs(1));
            match request.path() {
                "/pieces" => Reply::web_socket().pieces(),
                "/events" => Reply::events(),
                "/later" => Reply::later(),
                _ => Reply::web_socket(),
            }
        })
    };
    let internal = [closes(CloseCode::INTERNAL, "internal error")];

    let mut stage = Stage::new(app().on_opened(|_| panic!("on purpose")));
    let (mut ws, frames) = stage.web_socket_and_frames("/");
    assert_eq!(frames, internal);
    let (stream, answer) = stage.ask(get("/events"));
    assert!(answer.starts_with("HTTP/1.1 200 ") && stream.is_finished());
    assert_eq!(stage.app().whys(), [Closed::Panicked; 2]);
    assert_eq!(ws.all_frames(), []);

    let mut stage = Stage::new(app().on_piece(|_, _| panic!("on purpose")));
    let mut ws = stage.web_socket("/pieces");
    ws.send("go");
    stage.settle();
    assert_eq!(ws.all_frames(), internal);

    let mut stage = Stage::new(app().on_timer(|_| panic!("on purpose")));
    let mut ws = stage.web_socket("/");
    let (later, _) = stage.ask(get("/later"));
    let (stream, _) = stage.events("/events");
    stage.pass(Duration::from_secs(1));
    assert_eq!(ws.all_frames(), internal);
    assert!(stream.is_finished());
    assert!(text(&later).starts_with("HTTP/1.1 500 "));
    assert_eq!(stage.app().closed.len(), 3);
    assert!(stage.app().whys().iter().filter(|why| **why == Closed::Panicked).count() >= 2);

    let mut stage = Stage::new(app().on_drained(|_| panic!("on purpose")));
    let mut ws = stage.web_socket("/");
    ws.client.set_window(1);
    ws.send("go");
    stage.settle();
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(ws.all_frames(), [texts(&["go"]), internal.to_vec()].concat());
}

#[test]
fn closed_and_tick_may_panic_and_the_loop_goes_on() {
    let app = App::new().on_closed(|_, _, _, _| panic!("on purpose")).on_tick(|_| panic!("on purpose"));
    let mut stage = Stage::built(Server::default().tick(Duration::from_secs(1)), app);
    let (ws, mut other) = (stage.web_socket("/"), stage.web_socket("/"));
    ws.client.finish();
    stage.pass(Duration::from_secs(1));
    stage.pass(Duration::from_secs(1));
    other.send("still here");
    stage.settle();
    assert_eq!(other.all_frames(), texts(&["still here"]));
    assert_eq!((stage.on.stats().panics, stage.on.stats().connections), (3, 1));
    assert_eq!(stage.app().whys(), [Closed::Gone]);
}

#[test]
fn what_is_run_from_elsewhere_may_panic() {
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(server, App::new());
    let mut ws = stage.web_socket("/");
    let id = stage.app().opened[0];
    remote.run(id, |_| panic!("on purpose")).unwrap();
    remote.send(id, "still here").unwrap();
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["still here"]));
    assert_eq!(stage.on.stats().panics, 1);
}

#[test]
fn what_was_published_and_sent_to_others_is_whole_or_not_there() {
    let app = App::new().on_opened(|peer| peer.subscribe("all")).on_message(|peer, _| {
        peer.publish("all", "published");
        panic!("on purpose");
    });
    let mut stage = Stage::new(app);
    let (ws, mut other) = (stage.web_socket("/"), stage.web_socket("/"));
    ws.send("go");
    stage.settle();
    let frames = other.all_frames();
    assert!(frames.is_empty() || frames == texts(&["published"]));
}
