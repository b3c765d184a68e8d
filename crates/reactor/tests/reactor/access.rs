//! What an access log is told: one record for every answer and one for every connection.

use std::time::Duration;

use longwire_reactor::{Access, Closed, Deadline, Handler, Limits, Peer, Record, Reply, Request, Server};

use crate::stage::*;

/// Answers by path, and keeps the records as lines.
#[derive(Default)]
struct Logged {
    lines: Vec<String>,
    panics: bool,
}

impl Handler for Logged {
    type User = ();

    fn request(&mut self, peer: &mut Peer<'_>, request: &Request<'_>, body: &[u8]) -> Reply {
        match request.path() {
            "/socket" => Reply::web_socket(),
            "/events" => Reply::events(),
            "/later" => {
                peer.wake_after(Duration::from_secs(2));
                Reply::later()
            }
            "/panic" => panic!("on purpose"),
            "/missing" => Reply::status(404),
            _ => Reply::page("text/plain", body.to_vec()),
        }
    }

    fn timer(&mut self, peer: &mut Peer<'_>) {
        peer.answer(Reply::page("text/plain", &b"at last"[..]));
    }

    fn access(&mut self, access: Access<'_>) {
        let from = access.address().map_or("-".into(), |address| address.to_string());
        self.lines.push(match access.record {
            Record::Answered { request, status, body, took } => {
                let request = request.map_or("?".into(), |request| format!("{request:?}"));
                format!("{from} {request}: {status}, {body} bytes, {took:?}")
            }
            Record::Closed { why, age } => format!("{from} {why:?}, {age:?}"),
        });
        assert!(!self.panics, "on purpose");
    }
}

fn lines(stage: &mut Stage<Logged>) -> Vec<String> {
    std::mem::take(&mut stage.app().lines)
}

#[test]
fn every_answer_and_every_connection_is_told_once() {
    let mut stage = Stage::new(Logged::default());
    let client = stage.world.connect_from("192.0.2.7:5".parse().unwrap());
    let asked = [
        get("/page?x=1"),
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".into(),
        "HEAD /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".into(),
        get("/missing"),
        "nonsense\r\n\r\n".into(),
    ];
    let answers = stage.ask_on(&client, asked.concat());
    let refusal = answers.rsplit("\r\n\r\n").next().unwrap().len();
    client.finish();
    stage.settle();
    assert_eq!(
        lines(&mut stage),
        [
            "192.0.2.7:5 GET /page: 200, 0 bytes, 0ns",
            "192.0.2.7:5 POST /echo: 200, 3 bytes, 0ns",
            "192.0.2.7:5 HEAD /echo: 200, 0 bytes, 0ns",
            "192.0.2.7:5 GET /missing: 404, 14 bytes, 0ns",
            &format!("192.0.2.7:5 ?: 400, {refusal} bytes, 0ns"),
            "192.0.2.7:5 Answered, 0ns",
        ]
    );
}

#[test]
fn sockets_streams_and_later_answers_are_told_when_they_begin_and_when_they_end() {
    let mut stage = Stage::new(Logged::default());
    let (ws, (stream, _)) = (stage.web_socket("/socket"), stage.events("/events"));
    let (later, _) = stage.ask(get("/later"));
    assert_eq!(lines(&mut stage), ["- GET /socket: 101, 0 bytes, 0ns", "- GET /events: 200, 0 bytes, 0ns"]);
    stage.pass(Duration::from_secs(2));
    assert!(text(&later).ends_with("at last"));
    assert_eq!(lines(&mut stage), ["- GET /later: 200, 7 bytes, 2s"]);
    ws.close(longwire_reactor::CloseCode::NORMAL);
    stage.settle();
    ws.client.finish();
    stream.finish();
    later.finish();
    stage.settle();
    let mut ended = lines(&mut stage);
    ended.sort();
    assert_eq!(ended[0], "- ByPeer(Some(CloseCode(1000))), 2s");
    assert_eq!(ended[1..], ["- Gone, 2s", "- Gone, 2s"]);
}

#[test]
fn refusals_panics_and_deadlines_are_told_with_their_request_if_there_was_one() {
    let body = |length| format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n";
    for (asked, wait, answered, closed) in [
        (get("/panic"), 0, "GET /panic: 500, BODY bytes, 0ns", "Answered, 2s"),
        (body(1 << 30), 0, "POST /echo: 413, BODY bytes, 0ns", "Answered, 2s"),
        (chunked.into(), 0, "POST /echo: 400, BODY bytes, 0ns", "Answered, 2s"),
        (body(3), 30, "POST /echo: 408, BODY bytes, 30s", "Answered, 32s"),
        ("GET / HT".into(), 10, "?: 408, BODY bytes, 10s", "Answered, 12s"),
        (upgrade("/socket").replace(": 13", ": 12"), 0, "GET /socket: 426, BODY bytes, 0ns", "Answered, 2s"),
    ] {
        let mut stage = Stage::new(Logged::default());
        let (client, answer) = stage.ask(&asked);
        stage.pass(Duration::from_secs(wait));
        let answer = answer + &text(&client);
        let answered = answered.replace("BODY", &answer.rsplit("\r\n\r\n").next().unwrap().len().to_string());
        assert!(client.is_finished(), "{asked}");
        stage.pass(Duration::from_secs(2));
        assert_eq!(lines(&mut stage), [format!("- {answered}"), format!("- {closed}")], "{asked}");
    }
}

#[test]
fn a_connection_without_a_request_is_told_when_it_ends() {
    let mut stage = Stage::new(Logged::default());
    let gone = stage.connect();
    stage.settle();
    gone.finish();
    stage.settle();
    assert_eq!(lines(&mut stage), ["- Gone, 0ns"]);
    let silent = stage.connect();
    stage.settle();
    stage.pass(Duration::from_secs(10));
    assert!(silent.is_closed());
    assert_eq!(lines(&mut stage), [format!("- {:?}, 10s", Closed::Late(Deadline::Idle))]);
    let thinks = stage.ask(get("/")).0;
    stage.pass(Duration::from_secs(75));
    assert!(thinks.is_closed());
    assert_eq!(lines(&mut stage)[1..], [format!("- {:?}, 75s", Closed::Late(Deadline::Idle))]);
}

#[test]
fn what_ends_with_the_server_is_told_too() {
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(server, Logged::default());
    let ws = stage.web_socket("/socket");
    let idle = stage.ask(get("/")).0;
    remote.drain();
    stage.settle();
    assert!(idle.is_finished());
    ws.client.finish();
    idle.finish();
    stage.settle();
    assert!(stage.ended);
    let lines = lines(&mut stage);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("Drained")).count(), 1, "{lines:?}");
}

#[test]
fn behind_a_proxy_each_record_has_the_address_of_its_request() {
    let trusting = Server::default().trust("10.0.0.0/8".parse().unwrap());
    let mut stage = Stage::built(trusting, Logged::default());
    let proxy = stage.world.connect_from("10.0.0.1:5".parse().unwrap());
    let with = |request: String, field: &str| request.replace("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"));
    for asked in [
        with(get("/"), "X-Forwarded-For: 192.0.2.1"),
        with(get("/"), "Forwarded: for=192.0.2.2"),
        get("/"),
        with(upgrade("/socket").replace(": 13", ": 12"), "X-Forwarded-For: 192.0.2.3"),
    ] {
        stage.ask_on(&proxy, asked);
    }
    let lines = lines(&mut stage);
    let from: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(from, ["192.0.2.1:0", "192.0.2.2:0", "10.0.0.1:5", "192.0.2.3:0"]);

    // The end is the last client's who used it, as long as no other has begun to.
    let proxy = stage.world.connect_from("10.0.0.1:6".parse().unwrap());
    stage.ask_on(&proxy, with(get("/"), "X-Forwarded-For: 192.0.2.4"));
    proxy.finish();
    stage.settle();
    let lines = self::lines(&mut stage);
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("192.0.2.4:0 ")), "{lines:?}");
}

#[test]
fn a_panic_there_harms_nobody() {
    let mut stage = Stage::with(Limits::default(), Logged { panics: true, ..Logged::default() });
    let mut ws = stage.web_socket("/socket");
    let (client, answer) = stage.ask([get("/"), get("/")].concat());
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2);
    client.finish();
    ws.client.send(&Sent::ping(b"?"));
    stage.settle();
    assert_eq!(ws.all_frames(), [pong("?")]);
    assert_eq!(stage.on.stats().panics, 4);
    assert!(client.is_closed());
}

#[test]
fn the_address_is_known_to_the_end_of_a_connection_that_is_long_gone() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.addresses()[0];
    let mut on = server.build(Logged::default()).unwrap();
    let client = std::thread::spawn(move || {
        let mut tcp = crate::live::Tcp::connect(address);
        let own = tcp.stream.local_addr().unwrap();
        tcp.send(get("/").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes());
        tcp.rest();
        own
    });
    while on.handler().lines.len() < 2 {
        let _ = on.turn(Some(Duration::from_secs(20))).unwrap();
    }
    let own = client.join().unwrap();
    assert!(on.handler().lines.iter().all(|line| line.starts_with(&own.to_string())), "{:?}", on.handler().lines);
}
