//! The opening handshake on this loop: what is refused ends the connection, what is behind it is never answered, and what is
//! behind a 101 is frames.

use longwire_reactor::{FieldValue, Origins, Reply, Server};

use crate::http::{answers, pages};
use crate::stage::*;

#[test]
fn the_101_has_what_it_must_have_and_nothing_else() {
    let (_, answer) = Stage::new(App::new()).ask(upgrade("/"));
    assert_eq!(
        answer,
        "HTTP/1.1 101 Switching Protocols\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
}

#[test]
fn frames_behind_an_accepted_upgrade_are_read() {
    let mut stage = Stage::new(App::new());
    let client = stage.connect();
    client.send(&[upgrade("/").into_bytes(), Sent::message("early"), Sent::ping(b"bird")].concat());
    let calls = stage.settle();
    assert_eq!((calls.reads, calls.writes), (1, 1));
    let mut received = client.receive();
    let head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    received.drain(..head);
    assert_eq!(Reader::new().take(&mut received), [texts(&["early"])[0].clone(), pong("bird")]);
}

#[test]
fn what_is_pipelined_behind_a_refused_upgrade_is_never_answered() {
    let refused = [
        (upgrade("/").replace("Version: 13", "Version: 99"), 426),
        (upgrade("/").replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400),
        (upgrade("/").replace("bXBsZ", "bX"), 400),
        (upgrade("/").replace("Connection: Upgrade", "Connection: keep-alive"), 400),
        (upgrade("/").replace("GET", "POST"), 405),
        (upgrade("/").replace("\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n"), 403),
        (upgrade("/").replace("\r\n\r\n", "\r\nOrigin: null\r\n\r\n"), 403),
        (upgrade("/").replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc"), 400),
    ];
    for (request, status) in refused {
        for split in [false, true] {
            let mut stage = Stage::new(App::new());
            let client = stage.connect();
            let mut answer = String::new();
            if split {
                answer += &stage.ask_on(&client, &request);
                answer += &stage.ask_on(&client, get("/secret"));
            } else {
                answer += &stage.ask_on(&client, [&*request, &get("/secret")].concat());
            }
            let answers = answers(&answer, false);
            assert_eq!((answers.len(), answers[0].0), (1, status), "{request}");
            assert!(answers[0].1.contains("close"), "{}", answers[0].1);
            assert!(client.is_finished());
        }
    }
}

#[test]
fn a_426_says_what_is_wanted() {
    let (_, answer) = Stage::new(App::new()).ask(upgrade("/").replace("Version: 13", "Version: 8"));
    for field in ["Upgrade: websocket", "Connection: Upgrade, close", "Sec-WebSocket-Version: 13"] {
        assert!(answer.contains(&format!("\r\n{field}\r\n")), "{answer}");
    }
}

#[test]
fn upgrade_named_on_a_plain_route_is_answered_and_is_the_last() {
    let mut stage = Stage::new(pages());
    let (client, answer) = stage.ask([upgrade("/page"), get("/never")].concat());
    let answers = answers(&answer, false);
    assert_eq!((answers.len(), answers[0].0), (1, 200));
    assert!(answers[0].1.contains("Connection: close"));
    assert!(client.is_finished());
    // Another protocol's name is nobody's concern.
    let (client, answer) = stage.ask(upgrade("/page").replace("websocket", "h2c"));
    assert!(answer.starts_with("HTTP/1.1 200 ") && !client.is_finished());
}

#[test]
fn a_request_without_upgrade_on_a_web_socket_route_is_refused() {
    let (_, answer) = Stage::new(App::new()).ask(get("/"));
    assert!(answer.starts_with("HTTP/1.1 426 ") || answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

fn with_origin(origin: &str) -> String {
    upgrade("/").replace("\r\n\r\n", &format!("\r\nOrigin: {origin}\r\n\r\n"))
}

#[test]
fn origins_are_the_same_listed_or_any() {
    let listed = Origins::Listed(vec!["https://good.example".into()]);
    for (origins, origin, status) in [
        (Origins::Same, "http://localhost", 101),
        (Origins::Same, "http://localhost:80", 101),
        (Origins::Same, "http://localhost:81", 403),
        (Origins::Same, "http://localhost.evil.example", 403),
        (listed.clone(), "https://good.example", 101),
        (listed.clone(), "https://good.example.evil.example", 403),
        (listed.clone(), "http://good.example", 403),
        (listed, "null", 403),
        (Origins::Any, "https://evil.example", 101),
        (Origins::Any, "null", 101),
    ] {
        let mut stage = Stage::built(Server::default().origins(origins.clone()), App::new());
        let (_, answer) = stage.ask(with_origin(origin));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{origins:?} {origin}: {answer}");
    }
}

#[test]
fn the_subprotocol_is_the_clients_first_choice_among_ours() {
    let app = || {
        App::new().on_request(|_, _, _| {
            Reply::web_socket().protocol("chat").protocol("super").field("X-More", FieldValue::literal("yes"))
        })
    };
    let wants =
        |protocols: &str| upgrade("/").replace("\r\n\r\n", &format!("\r\nSec-WebSocket-Protocol: {protocols}\r\n\r\n"));
    for (wanted, given) in [("super, chat", Some("super")), ("other, chat", Some("chat")), ("other", None)] {
        let (_, answer) = Stage::new(app()).ask(wants(wanted));
        let line = answer.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
        assert_eq!(line, given, "{answer}");
        assert!(answer.contains("\r\nX-More: yes\r\n"));
    }
    let (_, answer) = Stage::new(app()).ask(wants("chat\rX-Injected: 1"));
    assert!(answer.starts_with("HTTP/1.1 400 "));
}

#[test]
fn every_request_has_a_fresh_user_value() {
    let app = App::new()
        .on_request(|peer, request, _| {
            assert!(peer.user.is_empty());
            *peer.user = request.path().to_owned();
            match request.path() {
                "/socket" => Reply::web_socket(),
                _ => Reply::status(200),
            }
        })
        .on_message(|peer, _| peer.out.send(&*peer.user));
    let mut stage = Stage::new(app);
    let (client, _) = stage.ask([get("/one"), get("/two")].concat());
    let answer = stage.ask_on(&client, upgrade("/socket"));
    assert!(answer.starts_with("HTTP/1.1 101 "));
    let mut ws = Ws::new(client);
    ws.send("who am I");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["/socket"]));
}
