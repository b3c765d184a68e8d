//! The same acts give the same bytes: again, with tiny buffers, and however the input is cut.

use proptest::prelude::*;

use longwire_reactor::frame::{Close, Message};
use longwire_reactor::sys::sim::{Client, World};
use longwire_reactor::{CloseCode, Limits, Reply, Server};

use crate::stage::*;

/// One of everything: pages, bodies, streams, later answers, WebSockets in whole messages and in pieces.
fn mixed() -> App {
    App::new()
        .on_request(|peer, request, body| match request.path() {
            "/events" => {
                peer.subscribe("all");
                Reply::events()
            }
            "/socket" => {
                peer.subscribe("all");
                Reply::web_socket()
            }
            "/big" => Reply::page("text/plain", vec![b'b'; 3_000]),
            "/later" => {
                peer.wake_after(std::time::Duration::ZERO);
                Reply::later()
            }
            _ => Reply::page("text/plain", body.to_vec()),
        })
        .on_timer(|peer| peer.answer(Reply::page("text/plain", &b"later"[..])))
        .on_message(|peer, message| {
            peer.send(message);
            if message.as_bytes().starts_with(b"tell ") {
                peer.publish("all", message);
            }
            if message.as_bytes().starts_with(b"chop ") {
                for part in message.as_bytes().chunks(7) {
                    peer.piece(part, false);
                }
                peer.piece(&b""[..], true);
            }
        })
}

/// What is sent: on which of three connections, and what. Between two of them everything comes to rest.
fn script() -> Vec<(usize, Vec<u8>)> {
    let binary: Vec<u8> = (0..2_500u32).map(|number| number as u8).collect();
    let text = "\u{e9}\u{1f600} ".repeat(300);
    vec![
        (0, get("/events").into()),
        (1, [get("/big"), get("/"), get("/later"), get("/big")].concat().into()),
        (1, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello there".to_vec()),
        (
            1,
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
                .to_vec(),
        ),
        (2, upgrade("/socket").into()),
        (1, [upgrade("/socket").into_bytes(), Sent::message("behind the handshake")].concat()),
        (1, Sent::message(&binary)),
        (2, Sent::message(&text)),
        (2, Sent::parts(&[Message::Binary(&binary), Message::Binary(b"and"), Message::Binary(&binary)])),
        (1, Sent::parts(&[Message::Text("tell "), Message::Text(&text), Message::Text("")])),
        (2, [Sent::ping(b"1"), Sent::message("tell all")].concat()),
        (1, [Sent::ping(b"2"), Sent::message("tell them"), Sent::raw(0x01, b"un")].concat()),
        (1, Sent::raw(0x80, b"finished")),
        (1, Sent::message("chop chop chop chop chop")),
        (2, Sent::close(Some(Close::new(CloseCode::NORMAL, "bye")))),
        (1, Sent::raw(0x83, b"a fault")),
    ]
}

/// Runs the script; `cut` says into how many bytes each step's input is cut. Returns what each client received.
fn run(limits: Limits, mut cut: impl FnMut() -> usize) -> [Vec<u8>; 3] {
    let mut stage = Stage::in_world(World::new(3), Server::default().limits(limits), mixed());
    let clients: [Client; 3] = std::array::from_fn(|_| stage.connect());
    stage.settle();
    for (client, bytes) in script() {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cut().clamp(1, rest.len()));
            clients[client].send(now);
            stage.turn();
            rest = later;
        }
        stage.settle();
    }
    for client in &clients {
        client.finish();
    }
    stage.settle();
    assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0));
    clients.map(|client| client.receive())
}

/// Limits as small as they go.
fn tiny() -> Limits {
    Limits { receive: 64, visit: 64, direct: 64, cork: 64, events: 1, accepts: 1, ..Limits::default() }
}

#[test]
fn the_same_acts_give_the_same_bytes() {
    let all = run(Limits::default(), || usize::MAX);
    assert_eq!(all, run(Limits::default(), || usize::MAX));
    assert!(all.iter().all(|received| received.len() > 500));
}

#[test]
fn tiny_buffers_give_the_same_bytes() {
    let all = run(Limits::default(), || usize::MAX);
    let small = run(tiny(), || usize::MAX);
    for (number, (one, other)) in all.iter().zip(&small).enumerate() {
        assert!(one == other, "client {number}");
    }
}

#[test]
fn byte_by_byte_gives_the_same_bytes() {
    assert!(run(Limits::default(), || 1) == run(Limits::default(), || usize::MAX));
    assert!(run(tiny(), || 1) == run(Limits::default(), || usize::MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_buffers_and_any_cuts_give_the_same_bytes(
        sizes in [64usize..600, 64..600, 1..600, 1..600, 1..5, 1..5],
        cuts in proptest::collection::vec(1usize..700, 1..40),
    ) {
        let [receive, visit, direct, cork, events, accepts] = sizes;
        let limits = Limits { receive, visit, direct, cork, events, accepts, ..Limits::default() };
        let mut cuts = cuts.iter().copied().cycle();
        let received = run(limits, || cuts.next().unwrap());
        prop_assert!(received == run(Limits::default(), || usize::MAX));
    }
}
