//! Stopping: nobody new, everybody told in the words of its transport, and an end in time.

use std::time::Duration;

use longwire_reactor::frame::Close;
use longwire_reactor::{CloseCode, Closed, Deadline, Remote, Reply, Server};

use crate::stage::*;

fn stage() -> (Stage, Remote) {
    let server = Server::default();
    let remote = server.remote();
    let app = App::new().on_request(|peer, request, _| match request.path() {
        "/events" => Reply::events(),
        "/later" => {
            peer.wake_after(Duration::from_secs(2));
            Reply::later()
        }
        "/page" => Reply::status(200),
        "/slow" => Reply::page("text/plain", vec![0; 100_000]),
        _ => Reply::web_socket(),
    });
    let app = app.on_timer(|peer| peer.answer(Reply::page("text/plain", &b"later"[..])));
    (Stage::built(server, app), remote)
}

#[test]
fn an_idle_server_ends_at_once() {
    let (mut stage, remote) = stage();
    stage.settle();
    assert!(!stage.ended);
    remote.drain();
    stage.settle();
    assert!(stage.ended);
}

#[test]
fn web_sockets_are_told_1001_and_streams_when_to_come_back() {
    let (mut stage, remote) = stage();
    let mut ws = stage.web_socket("/");
    let (streams, answers): (Vec<_>, Vec<_>) = (0..20).map(|_| stage.events("/events")).unzip();
    assert!(answers.iter().all(String::is_empty));
    remote.drain();
    stage.settle();
    assert_eq!(ws.all_frames(), [closes(CloseCode::GOING_AWAY, "server is stopping")]);
    let mut waits: Vec<u64> = Vec::new();
    for stream in &streams {
        let block = text(stream);
        waits.push(block.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap().parse().unwrap());
        assert!(stream.is_finished());
        stream.finish();
    }
    assert!(waits.iter().all(|wait| (1_000..5_000).contains(wait)));
    waits.dedup();
    assert!(waits.len() > 10, "not everybody comes back at the same moment: {waits:?}");
    stage.settle();
    assert!(!stage.ended);
    ws.client.send(&Sent::close(Some(Close::new(CloseCode::GOING_AWAY, ""))));
    stage.settle();
    ws.client.finish();
    stage.settle();
    assert!(stage.ended);
    assert_eq!(stage.app().whys(), [Closed::Drained; 21]);
}

#[test]
fn nobody_new_is_admitted() {
    let (mut stage, remote) = stage();
    let _ws = stage.web_socket("/");
    let waiting = stage.connect();
    remote.drain();
    stage.settle();
    assert!(waiting.is_finished(), "who waited in the queue is accepted and closed, not reset with the listener");
    let late = stage.connect();
    late.send(get("/page").as_bytes());
    stage.settle();
    assert!(late.receive().is_empty());
}

#[test]
fn requests_under_way_are_answered_and_the_answer_is_the_last() {
    let (mut stage, remote) = stage();
    let (later, _) = stage.ask(get("/later"));
    let (half, _) = stage.ask(&get("/page")[..10]);
    let (idle, _) = stage.ask(get("/page"));
    let slow = stage.connect();
    slow.set_window(1_000);
    slow.send(get("/slow").as_bytes());
    stage.settle();
    remote.drain();
    stage.settle();
    assert!(idle.is_finished() && !later.is_finished() && !half.is_finished() && !stage.ended);
    let answer = stage.ask_on(&half, &get("/page")[10..]);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("Connection: close"), "{answer}");
    assert!(half.is_finished());
    stage.pass(Duration::from_secs(2));
    let answer = text(&later);
    assert!(answer.ends_with("later") && answer.contains("Connection: close"), "{answer}");
    assert_eq!(stage.app().whys(), [Closed::Answered]);
    slow.set_window(usize::MAX);
    stage.settle();
    assert!(slow.receive().len() > 100_000, "a page under way leaves whole");
    assert!(slow.is_finished());
    for client in [later, half, idle, slow] {
        client.finish();
    }
    stage.settle();
    assert!(stage.ended);
}

#[test]
fn what_is_opened_while_draining_does_not_stay() {
    let (mut stage, remote) = stage();
    let (half, _) = stage.ask(&upgrade("/")[..20]);
    let (stream, _) = stage.ask(&get("/events")[..12]);
    remote.drain();
    stage.settle();
    half.send(&upgrade("/").as_bytes()[20..]);
    stream.send(&get("/events").as_bytes()[12..]);
    stage.settle();
    half.send(&Sent::close(Some(Close::new(CloseCode::GOING_AWAY, ""))));
    stage.pass(Duration::from_secs(1));
    assert!(half.is_finished(), "{}", String::from_utf8_lossy(&half.receive()));
    assert!(stream.is_finished(), "{}", text(&stream));
    assert_eq!(stage.app().opened.len(), stage.app().closed.len());
}

#[test]
fn after_ten_seconds_it_ends_whoever_is_left() {
    let (mut stage, remote) = stage();
    let ws = stage.web_socket("/");
    let (half, _) = stage.ask("GET ");
    remote.drain();
    stage.settle();
    stage.pass(Duration::from_secs(4));
    assert!(!stage.ended && !ws.client.is_closed());
    stage.pass(Duration::from_secs(6));
    assert!(stage.ended && ws.client.is_closed() && half.is_closed());
    assert_eq!(stage.app().closed.len(), 1);
    assert!(matches!(stage.app().whys()[0], Closed::Late(Deadline::Close) | Closed::Drained));
    assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0));
}

#[test]
fn a_second_drain_ends_at_once() {
    let (mut stage, remote) = stage();
    let ws = stage.web_socket("/");
    let (later, _) = stage.ask(get("/later"));
    remote.drain();
    stage.settle();
    assert!(!stage.ended);
    remote.drain();
    stage.settle();
    assert!(stage.ended && ws.client.is_closed() && later.is_closed());
    assert_eq!(stage.app().whys(), [Closed::Drained; 2]);
}
