//! Answers that come later: from a timer, from somebody else, from another thread; and what waits behind them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longwire_reactor::{CloseCode, Closed, Deadline, Limits, PeerId, Reply, Server};

use crate::http::answers;
use crate::stage::*;

type Ids = Arc<Mutex<Vec<PeerId>>>;

/// `/later…` waits, and its id is written down; `/now` is answered; `/give?to=0` answers that one.
fn desk(ids: &Ids) -> App {
    let ids = ids.clone();
    App::new().on_request(move |peer, request, body| {
        let mut ids = ids.lock().unwrap();
        if request.path() == "/give" {
            let to: usize = request.query("to").unwrap().parse().unwrap();
            peer.answer_to(ids[to], Reply::page("text/plain", body.to_vec()));
            return Reply::status(204);
        }
        if request.path() == "/now" {
            return Reply::page("text/plain", &b"now"[..]);
        }
        peer.subscribe("all");
        *peer.user = request.path().to_owned();
        ids.push(peer.id());
        Reply::later()
    })
}

#[test]
fn another_peer_gives_the_answer_and_what_is_pipelined_behind_follows() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (waiting, answer) = stage.ask([get("/later"), get("/now")].concat());
    assert_eq!(answer, "");
    waiting.send(get("/now").as_bytes());
    stage.settle();
    assert_eq!(text(&waiting), "");
    let (_, answer) = stage.ask("POST /give?to=0 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nnews");
    assert!(answer.starts_with("HTTP/1.1 204 "));
    let bodies: Vec<String> = answers(&text(&waiting), false).into_iter().map(|answer| answer.2).collect();
    assert_eq!(bodies, ["news", "now", "now"]);
    assert_eq!(stage.app().whys(), [Closed::Answered]);
    assert!(!waiting.is_finished());
}

#[test]
fn a_timer_gives_the_answer() {
    let app = App::new()
        .on_request(|peer, _, _| {
            peer.wake_after(Duration::from_secs(30));
            Reply::later()
        })
        .on_timer(|peer| peer.answer(Reply::status(204)));
    let mut stage = Stage::new(app);
    let (client, _) = stage.ask(get("/"));
    stage.pass(Duration::from_millis(29_999));
    assert_eq!(text(&client), "");
    stage.pass(Duration::from_millis(1));
    assert!(text(&client).starts_with("HTTP/1.1 204 "));
    assert_eq!(stage.app().whys(), [Closed::Answered]);
}

#[test]
fn the_request_itself_may_answer_at_once() {
    let app = App::new().on_request(|peer, _, _| {
        peer.answer(Reply::status(200));
        Reply::later()
    });
    let (_, answer) = Stage::new(app).ask(get("/"));
    assert!(answer.starts_with("HTTP/1.1 200 "));
}

#[test]
fn nobody_answers_and_after_a_minute_it_is_503() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask([get("/later"), get("/now")].concat());
    stage.pass(Duration::from_millis(59_999));
    assert_eq!(text(&client), "");
    stage.pass(Duration::from_millis(1));
    let statuses: Vec<u16> = answers(&text(&client), false).into_iter().map(|answer| answer.0).collect();
    assert_eq!(statuses, [503, 200]);
    assert!(
        matches!(stage.app().whys()[..], [Closed::Late(Deadline::Answer) | Closed::Answered]),
        "{:?}",
        stage.app().whys()
    );
}

#[test]
fn an_answer_that_comes_too_late_does_not_answer_the_next_request() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask(get("/later/one"));
    let first = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.answer_to(first, Reply::status(200)));
    stage.settle();
    assert!(text(&client).starts_with("HTTP/1.1 200 "));
    stage.ask_on(&client, get("/later/two"));
    stage.on.with_hub(|hub| hub.answer_to(first, Reply::page("text/plain", &b"for somebody else"[..])));
    stage.settle();
    assert_eq!(text(&client), "");
    let second = ids.lock().unwrap()[1];
    stage.on.with_hub(|hub| hub.answer_to(second, Reply::page("text/plain", &b"for you"[..])));
    stage.settle();
    assert!(text(&client).ends_with("for you"));
}

#[test]
fn nor_does_one_that_is_given_in_the_turn_in_which_the_next_request_begins() {
    for giver_comes_first in [true, false] {
        let ids = Ids::default();
        let mut stage = Stage::new(desk(&ids));
        let clients = [stage.connect(), stage.connect()];
        let [giver, asker] = [&clients[usize::from(!giver_comes_first)], &clients[usize::from(giver_comes_first)]];
        stage.ask_on(asker, get("/later/one"));
        stage.on.with_hub(|hub| hub.answer_to(ids.lock().unwrap()[0], Reply::status(200)));
        assert!(text(asker).starts_with("HTTP/1.1 200 "));
        giver.send(b"POST /give?to=0 HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\nfor somebody else");
        asker.send(get("/later/two").as_bytes());
        stage.turn();
        assert_eq!(ids.lock().unwrap().len(), 2, "both in one turn");
        assert!(text(giver).starts_with("HTTP/1.1 204 "));
        stage.settle();
        assert_eq!(text(asker), "");
        stage.on.with_hub(|hub| hub.answer_to(ids.lock().unwrap()[1], Reply::page("text/plain", &b"for you"[..])));
        assert!(text(asker).ends_with("for you"));
    }
}

#[test]
fn only_the_first_answer_counts() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask(get("/later"));
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| {
        hub.answer_to(id, Reply::page("text/plain", &b"first"[..]));
        hub.answer_to(id, Reply::page("text/plain", &b"second"[..]));
    });
    stage.settle();
    let received = answers(&text(&client), false);
    assert_eq!((received.len(), received[0].2.as_str()), (1, "first"));
    assert_eq!(stage.app().closed.len(), 1);
}

#[test]
fn the_answer_may_open_a_web_socket_and_frames_behind_are_read() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids).on_message(|peer, _| peer.out.send(&*peer.user)));
    let client = stage.connect();
    client.send(&[upgrade("/later/socket").into_bytes(), Sent::message("early")].concat());
    stage.settle();
    client.send(&Sent::message("later"));
    stage.settle();
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| {
        assert_eq!(hub.subscribers("all"), 0);
        hub.answer_to(id, Reply::web_socket());
    });
    stage.settle();
    let mut received = client.receive();
    assert!(received.starts_with(b"HTTP/1.1 101 "));
    let head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    received.drain(..head);
    assert_eq!(Reader::new().take(&mut received), texts(&["/later/socket", "/later/socket"]));
    assert_eq!(stage.app().messages, [b"early", b"later"]);
    assert!(stage.app().closed.is_empty());
    assert_eq!(stage.app().opened, [id], "it keeps its name");
    stage.on.with_hub(|hub| assert_eq!(hub.subscribers("all"), 1));
    client.finish();
    stage.settle();
    assert_eq!(stage.app().closed, [(id, Closed::Gone)]);
}

#[test]
fn the_answer_may_open_a_stream() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask(get("/later"));
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::events()));
    stage.settle();
    stage.on.with_hub(|hub| hub.publish("all", "x"));
    let received = text(&client);
    assert!(received.contains("text/event-stream") && received.ends_with("\r\n\r\ndata: x\n\n"), "{received}");
    assert!(stage.app().closed.is_empty());
}

#[test]
fn a_refused_upgrade_is_an_answer_too() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask([get("/later"), get("/never")].concat());
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::web_socket()));
    stage.settle();
    let received = answers(&text(&client), false);
    assert_eq!(received.len(), 1);
    assert!(client.is_finished());
    assert_eq!(stage.app().whys(), [Closed::Answered]);
}

#[test]
fn topics_joined_while_it_waits_begin_with_the_answer() {
    let app = App::new()
        .on_request(|peer, _, _| {
            peer.wake_after(Duration::from_secs(1));
            Reply::later()
        })
        .on_timer(|peer| {
            peer.subscribe("late");
            peer.answer(Reply::events());
        });
    let mut stage = Stage::new(app);
    let (client, _) = stage.ask(get("/"));
    stage.pass(Duration::from_secs(1));
    assert!(text(&client).starts_with("HTTP/1.1 200 "));
    stage.on.with_hub(|hub| hub.publish("late", "x"));
    assert_eq!(text(&client), "data: x\n\n");
}

#[test]
fn later_may_be_answered_by_later_once_more() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask([get("/later"), get("/now")].concat());
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::later()));
    stage.settle();
    assert_eq!(text(&client), "");
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::page("text/plain", &b"at last"[..])));
    stage.settle();
    let bodies: Vec<String> = answers(&text(&client), false).into_iter().map(|answer| answer.2).collect();
    assert_eq!(bodies, ["at last", "now"]);
    assert_eq!(stage.app().closed.len(), 1);
}

#[test]
fn a_peer_that_half_closed_is_still_answered() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask(get("/later"));
    client.finish();
    stage.settle();
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::page("text/plain", &b"still"[..])));
    stage.settle();
    assert!(text(&client).ends_with("still"));
    assert!(client.is_closed());
    assert_eq!((stage.app().whys(), stage.on.stats().connections), (vec![Closed::Answered], 0));
}

#[test]
fn a_peer_that_resets_is_noticed_at_once() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask([get("/later"), get("/never")].concat());
    client.reset();
    stage.turn();
    let id = ids.lock().unwrap()[0];
    assert_eq!(stage.app().closed, [(id, Closed::Gone)]);
    assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0));
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::status(200)));
    stage.settle();
    assert_eq!(stage.app().closed.len(), 1);
}

#[test]
fn a_reset_that_comes_with_the_request_is_noticed_too() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let client = stage.connect();
    client.send(get("/later").as_bytes());
    client.reset();
    stage.settle();
    let id = ids.lock().unwrap()[0];
    assert_eq!(stage.app().closed, [(id, Closed::Gone)]);
    assert_eq!(stage.on.stats().connections, 0);
}

#[test]
fn an_answer_from_elsewhere_comes_through_the_mailbox() {
    let ids = Ids::default();
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(server, desk(&ids));
    let (client, _) = stage.ask(get("/later"));
    let id = ids.lock().unwrap()[0];
    std::thread::spawn(move || remote.answer(id, Reply::page("text/plain", &b"from a thread"[..])).unwrap())
        .join()
        .unwrap();
    stage.settle();
    assert!(text(&client).ends_with("from a thread"));
}

#[test]
fn a_body_is_not_kept_while_its_answer_is_awaited() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let body = "x".repeat(500_000);
    stage.ask(format!("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    assert_eq!(ids.lock().unwrap().len(), 1);
    assert!(stage.on.stats().pinned < 4_096, "{}", stage.on.stats().pinned);
}

#[test]
fn whoever_closes_it_ends_it_without_an_answer() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask([get("/later"), get("/never")].concat());
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.close(id, CloseCode::NORMAL, ""));
    stage.settle();
    assert_eq!(text(&client), "");
    assert!(client.is_finished());
    assert_eq!(stage.app().closed, [(id, Closed::ByUs)]);
    client.finish();
    stage.settle();
    assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0));
}

#[test]
fn a_flood_behind_a_later_answer_is_not_read() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask(get("/later"));
    for _ in 0..20 {
        client.send(get("/now").repeat(2_000).as_bytes());
        stage.settle();
    }
    assert!(stage.on.stats().pinned < 200_000, "{}", stage.on.stats().pinned);
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| hub.answer_to(id, Reply::status(200)));
    stage.settle();
    assert_eq!(answers(&text(&client), false).len(), 40_001);
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn the_answer_to_a_last_request_is_the_last() {
    for fields in ["Connection: close", "Upgrade: websocket\r\nConnection: Upgrade"] {
        let ids = Ids::default();
        let mut stage = Stage::new(desk(&ids));
        let request = get("/later").replace("\r\n\r\n", &format!("\r\n{fields}\r\n\r\n"));
        let (client, _) = stage.ask([request, get("/now")].concat());
        let id = ids.lock().unwrap()[0];
        stage.on.with_hub(|hub| hub.answer_to(id, Reply::status(200)));
        stage.settle();
        let received = answers(&text(&client), false);
        assert_eq!(received.len(), 1, "{fields}");
        assert!(received[0].1.contains("Connection: close") && client.is_finished(), "{fields}");
    }
}

#[test]
fn an_answer_that_is_later_again_wins_no_time() {
    let app = App::new().on_request(|peer, _, _| {
        peer.wake_after(Duration::from_secs(8));
        Reply::later()
    });
    let app = app.on_timer(|peer| {
        peer.wake_after(Duration::from_secs(8));
        peer.answer(Reply::later());
    });
    let mut stage = Stage::with(Limits { later: Duration::from_secs(20), ..Limits::default() }, app);
    let (client, nothing) = stage.ask(get("/"));
    assert_eq!(nothing, "");
    for _ in 0..19 {
        stage.pass(Duration::from_secs(1));
    }
    assert_eq!((stage.app().timers, text(&client).as_str()), (2, ""));
    stage.pass(Duration::from_secs(1));
    assert!(text(&client).starts_with("HTTP/1.1 503 "));
}

#[test]
fn an_answer_that_was_given_arrives_though_its_peer_is_closed_behind_it() {
    let ids = Ids::default();
    let mut stage = Stage::new(desk(&ids));
    let (client, _) = stage.ask(get("/later"));
    let id = ids.lock().unwrap()[0];
    stage.on.with_hub(|hub| {
        hub.answer_to(id, Reply::text("the answer"));
        hub.close(id, CloseCode::NORMAL, "");
    });
    stage.settle();
    assert!(text(&client).ends_with("\r\n\r\nthe answer"));
}
