//! Event streams: their head, their blocks, and the comments that break a silence.

use std::time::Duration;

use longwire_reactor::{CloseCode, Event, FieldValue, Id, Line, Reply, Server};

use crate::http::answers;
use crate::stage::*;

fn streams() -> App {
    App::new().on_request(|peer, request, _| {
        peer.subscribe("all");
        if let Some(id) = request.last_event_id() {
            *peer.user = id.to_owned();
        }
        Reply::events().retry(Duration::from_millis(2_500)).field("X-More", FieldValue::literal("yes"))
    })
}

#[test]
fn the_head_of_a_stream_has_no_length_and_ends_with_the_connection() {
    let (client, answer) = Stage::new(streams()).ask(get("/"));
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\nX-More: yes\r\n\
         Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\nretry: 2500\n\n"
    );
    assert!(!client.is_finished());
}

#[test]
fn http_1_0_gets_the_same_stream() {
    let mut stage = Stage::new(streams());
    let (client, answer) = stage.ask("GET / HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("retry: 2500\n\n"));
    stage.on.with_hub(|hub| hub.publish("all", "x"));
    assert_eq!(text(&client), "data: x\n\n");
}

#[test]
fn head_of_a_stream_opens_none() {
    let mut stage = Stage::new(streams());
    let (client, answer) = stage.ask(get("/").replace("GET", "HEAD"));
    assert!(answer.contains("text/event-stream") && answer.ends_with("\r\n\r\n"));
    assert!(client.is_finished());
    assert!(stage.app().opened.is_empty() && stage.app().closed.is_empty());
    stage.on.with_hub(|hub| assert_eq!(hub.subscribers("all"), 0));
}

#[test]
fn events_have_names_ids_and_times() {
    let mut stage = Stage::new(streams());
    let (client, _) = stage.events("/");
    let id = stage.app().opened[0];
    stage.on.with_hub(|hub| {
        let event = Event::data("one\ntwo\r\nthree\rfour").id(Id::new("7").unwrap()).name(Line::literal("news"));
        hub.send_to(id, event);
        hub.send_to(id, Event::id_only(Id::new("8").unwrap()));
        hub.send_to(id, Event::retry_only(Duration::from_secs(1)));
        hub.send_to(id, "");
    });
    assert_eq!(
        text(&client),
        "id: 7\nevent: news\ndata: one\ndata: two\ndata: three\ndata: four\n\nid: 8\n\nretry: 1000\n\ndata:\n\n"
    );
}

#[test]
fn last_event_id_reaches_the_application() {
    let app = streams().on_opened(|peer| peer.out.send(&*peer.user));
    let mut stage = Stage::new(app);
    let (_, answer) = stage.ask("GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 41 \u{e4}\r\n\r\n");
    assert!(answer.ends_with("data: 41 \u{e4}\n\n"), "{answer}");
}

#[test]
fn a_silence_of_fifteen_seconds_is_broken_by_a_comment() {
    let mut stage = Stage::new(streams());
    let (client, _) = stage.events("/");
    stage.pass(Duration::from_millis(14_999));
    assert_eq!(text(&client), "");
    stage.pass(Duration::from_millis(1));
    assert_eq!(text(&client), ":\n\n");
    stage.pass(Duration::from_secs(10));
    stage.on.with_hub(|hub| hub.publish("all", "x"));
    stage.pass(Duration::from_millis(14_999));
    assert_eq!(text(&client), "data: x\n\n");
    stage.pass(Duration::from_millis(1));
    assert_eq!(text(&client), ":\n\n");
    // A stream whose bytes wait is not silent.
    client.set_window(0);
    stage.on.with_hub(|hub| hub.publish("all", "y"));
    stage.pass(Duration::from_secs(16));
    client.set_window(usize::MAX);
    stage.settle();
    assert!(text(&client).starts_with("data: y\n\n"));
}

#[test]
fn what_the_client_sends_on_a_stream_is_read_away() {
    let mut stage = Stage::new(streams());
    let (client, _) = stage.events("/");
    client.send([get("/"), upgrade("/")].concat().as_bytes());
    stage.settle();
    assert_eq!(text(&client), "");
    let id = stage.app().opened[0];
    stage.on.with_hub(|hub| hub.close(id, CloseCode::NORMAL, ""));
    stage.settle();
    client.finish();
    stage.settle();
    assert!(client.is_closed() && !client.was_reset());
    assert_eq!(stage.on.stats().requests, 1);
}

#[test]
fn requests_pipelined_before_a_stream_are_answered_first() {
    let app = App::new().on_request(|_, request, _| match request.path() {
        "/events" => Reply::events(),
        _ => Reply::status(200),
    });
    let mut stage = Stage::new(app);
    let (_, answer) = stage.ask([get("/"), get("/events"), get("/never")].concat());
    assert_eq!(answers(&answer, false).len(), 2);
}

#[test]
fn a_tick_is_the_servers_own_clock() {
    let server = Server::default().tick(Duration::from_secs(1));
    let app = streams().on_tick(|hub| {
        let time = hub.unix_time().to_string();
        hub.publish("all", Event::data(&time).id(Id::new(&time).unwrap()));
    });
    let mut stage = Stage::built(server, app);
    let (client, _) = stage.events("/");
    for _ in 0..4 {
        stage.pass(Duration::from_millis(500));
    }
    assert_eq!(text(&client), "id: 1767225601\ndata: 1767225601\n\nid: 1767225602\ndata: 1767225602\n\n");
    stage.pass(Duration::from_secs(60));
    assert_eq!(text(&client).matches("id:").count(), 1, "after a stall one tick stands for those that were missed");
    stage.pass(Duration::from_secs(1));
    assert_eq!(text(&client).matches("id:").count(), 1);
}
