//! The end of what was open: `closed` is called exactly once, whatever ends it, and our last bytes arrive.

use std::time::Duration;

use longwire_reactor::frame::{Close, Error};
use longwire_reactor::{CloseCode, Closed, Deadline, Limits, Reply, Server};

use crate::stage::*;

/// `close` closes, `panic` panics, anything else is echoed.
fn obedient() -> App {
    App::new().on_message(|peer, message| match message.as_bytes() {
        b"close" => peer.close(CloseCode::new(4_000).unwrap(), "as you wish"),
        b"panic" => panic!("as you wish"),
        _ => peer.send(message),
    })
}

#[test]
fn the_peer_closes_and_gets_its_code_back() {
    for (close, why, echo) in [
        (Some(Close::new(CloseCode::NORMAL, "bye")), Some(CloseCode::NORMAL), closes(CloseCode::NORMAL, "")),
        (Some(Close::new(CloseCode::GOING_AWAY, "")), Some(CloseCode::GOING_AWAY), closes(CloseCode::GOING_AWAY, "")),
        (None, None, whole(longwire_reactor::frame::Opcode::Close, "")),
    ] {
        let mut stage = Stage::new(obedient());
        let mut ws = stage.web_socket("/");
        ws.client.send(&[Sent::message("last"), Sent::close(close), Sent::message("too late")].concat());
        stage.settle();
        assert_eq!(ws.all_frames(), [texts(&["last"])[0].clone(), echo]);
        assert_eq!(stage.app().whys(), [Closed::ByPeer(why)]);
        // §7.1.1: the server closes first, and waits for the peer's FIN.
        assert!(ws.client.is_finished() && !ws.client.is_closed());
        ws.client.finish();
        stage.settle();
        assert!(ws.client.is_closed() && !ws.client.was_reset());
        assert_eq!(stage.app().closed.len(), 1);
    }
}

#[test]
fn we_close_and_go_on_reading_for_the_peers_close() {
    let mut stage = Stage::new(obedient());
    let mut ws = stage.web_socket("/");
    ws.send("close");
    stage.settle();
    assert_eq!(ws.all_frames(), [closes(CloseCode::new(4_000).unwrap(), "as you wish")]);
    assert!(stage.app().closed.is_empty() && !ws.client.is_finished());
    // What the peer sends before its own Close is still delivered; the answer is not sent.
    ws.send("meanwhile");
    ws.client.send(&Sent::ping(b"?"));
    stage.settle();
    assert_eq!(stage.app().messages.last().unwrap(), b"meanwhile");
    assert_eq!(ws.all_frames(), []);
    ws.client.send(&Sent::close(Some(Close::new(CloseCode::new(4_000).unwrap(), ""))));
    stage.settle();
    assert_eq!(ws.all_frames(), []);
    assert_eq!(stage.app().whys(), [Closed::ByUs]);
    assert!(ws.client.is_finished());
}

#[test]
fn closes_that_cross_are_one_close_each() {
    let mut stage = Stage::new(obedient());
    let mut ws = stage.web_socket("/");
    ws.client.send(&[Sent::message("close"), Sent::close(None)].concat());
    stage.settle();
    assert_eq!(ws.all_frames().len(), 1);
    assert_eq!(stage.app().whys(), [Closed::ByUs]);
}

/// Everything that can end a WebSocket, with what the application is told.
#[test]
fn closed_is_called_exactly_once_whatever_ends_a_web_socket() {
    type Act = fn(&mut Stage, &mut Ws);
    let cases: Vec<(&str, Act, Closed)> = vec![
        ("the peer's Close", |_, ws| ws.close(CloseCode::NORMAL), Closed::ByPeer(Some(CloseCode::NORMAL))),
        ("ours", |_, ws| ws.client.send(&[Sent::message("close"), Sent::close(None)].concat()), Closed::ByUs),
        ("a FIN", |_, ws| ws.client.finish(), Closed::Gone),
        ("a FIN behind a message", |_, ws| (ws.send("x"), ws.client.finish()).1, Closed::Gone),
        ("a FIN in mid-frame", |_, ws| (ws.client.send(&[0x81]), ws.client.finish()).1, Closed::Gone),
        ("a FIN in mid-message", |_, ws| (ws.client.send(&Sent::raw(1, b"x")), ws.client.finish()).1, Closed::Gone),
        ("a RST", |_, ws| ws.client.reset(), Closed::Gone),
        ("a RST behind a message", |_, ws| (ws.send("x"), ws.client.reset()).1, Closed::Gone),
        ("a fault", |_, ws| ws.client.send(&[0xff, 0xff]), Closed::Fault(Error::ReservedBits)),
        ("a panic", |_, ws| ws.send("panic"), Closed::Panicked),
        (
            "no answer to our Close",
            |stage, ws| {
                ws.send("close");
                stage.settle();
                stage.pass(Duration::from_millis(5_000));
            },
            Closed::Late(Deadline::Close),
        ),
        (
            "no answer to our ping",
            |stage, _| {
                stage.pass(Duration::from_secs(30));
                stage.pass(Duration::from_secs(20));
            },
            Closed::Late(Deadline::Pong),
        ),
        (
            "a window that stays shut",
            |stage, ws| {
                ws.client.set_window(0);
                ws.send("x");
                stage.settle();
                stage.pass(Duration::from_secs(30));
            },
            Closed::Late(Deadline::WriteStall),
        ),
        (
            "a RST while its queue waits",
            |stage, ws| {
                ws.client.set_window(0);
                ws.send("x");
                stage.settle();
                ws.client.reset();
            },
            Closed::Gone,
        ),
    ];
    for (name, act, why) in cases {
        let mut stage = Stage::new(obedient());
        let mut ws = stage.web_socket("/");
        act(&mut stage, &mut ws);
        stage.settle();
        assert_eq!(stage.app().whys(), [why], "{name}");
        // Whatever the peer does after it, and however long it takes.
        ws.client.send(b"more");
        stage.settle();
        ws.client.finish();
        stage.settle();
        stage.pass(Duration::from_secs(40));
        assert_eq!(stage.app().whys(), [why], "{name}, at last");
        let opened = stage.app().opened[0];
        assert_eq!(stage.app().closed[0].0, opened, "{name}");
        assert!(ws.client.is_closed(), "{name}");
        assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0), "{name}");
    }
}

#[test]
fn an_event_stream_ends_with_the_peers_fin_or_reset_or_our_close() {
    let app = || App::new().on_request(|_, _, _| Reply::events());
    let mut stage = Stage::new(app());
    let (first, _) = stage.events("/");
    let (second, _) = stage.events("/");
    let (third, _) = stage.events("/");
    first.finish();
    stage.settle();
    second.reset();
    stage.settle();
    let id = stage.app().opened[2];
    stage.on.with_hub(|hub| {
        hub.send_to(id, "last");
        hub.close(id, CloseCode::NORMAL, "no such thing on a stream");
        hub.send_to(id, "never");
    });
    stage.settle();
    assert_eq!(text(&third), "data: last\n\n");
    assert!(third.is_finished());
    assert_eq!(stage.app().whys(), [Closed::Gone, Closed::Gone, Closed::ByUs]);
    third.finish();
    stage.settle();
    assert_eq!(stage.on.stats().connections, 0);
    assert_eq!(stage.app().closed.len(), 3);
}

#[test]
fn nothing_published_follows_a_close() {
    let app = App::new().on_opened(|peer| peer.subscribe("all")).on_message(|peer, _| {
        peer.publish("all", "before");
        peer.close(CloseCode::NORMAL, "");
        peer.publish("all", "behind");
    });
    let mut stage = Stage::new(app);
    let (mut closing, mut other) = (stage.web_socket("/"), stage.web_socket("/"));
    closing.send("go");
    stage.settle();
    stage.on.with_hub(|hub| hub.publish("all", "later"));
    stage.settle();
    let frames = closing.all_frames();
    assert_eq!(frames.last(), Some(&closes(CloseCode::NORMAL, "")));
    assert_eq!(other.all_frames(), texts(&["before", "behind", "later"]));
}

#[test]
fn lingering_ends_after_two_seconds_of_silence_and_five_in_all() {
    let refused = |stage: &mut Stage| {
        let (client, answer) = stage.ask("nonsense\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 400 "));
        assert!(client.is_finished() && !client.is_closed());
        client
    };
    let mut stage = Stage::new(App::new());
    let client = refused(&mut stage);
    stage.pass(Duration::from_millis(1_999));
    assert!(!client.is_closed());
    stage.pass(Duration::from_millis(1));
    assert!(client.is_closed());

    let client = refused(&mut stage);
    for _ in 0..4 {
        stage.pass(Duration::from_millis(1_200));
        client.send(b"still talking");
        stage.settle();
        assert!(!client.is_closed());
    }
    stage.pass(Duration::from_millis(200));
    assert!(client.is_closed() && !client.was_reset());
}

#[test]
fn who_was_silent_before_the_last_answer_has_time_to_read_it_too() {
    let mut stage = Stage::new(App::new());
    let (client, _) = stage.ask("GET / HT");
    stage.pass(Duration::from_secs(10));
    assert!(text(&client).starts_with("HTTP/1.1 408 ") && client.is_finished());
    client.send(b"TP/1.1");
    stage.settle();
    assert!(!client.is_closed());
    stage.pass(Duration::from_secs(2));
    assert!(client.is_closed() && !client.was_reset());
}

#[test]
fn after_an_error_with_more_input_pending_the_peer_sees_fin_and_not_rst() {
    for (name, bytes) in [
        ("a bad head", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_vec()),
        ("too long a body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n".to_vec()),
        ("a refused upgrade", upgrade("/").replace("13", "99").into_bytes()),
        ("a bad frame", [upgrade("/").into_bytes(), vec![0x81, 0x00]].concat()),
    ] {
        let mut stage = Stage::new(App::new());
        let client = stage.connect();
        client.send(&bytes);
        client.send(&vec![b'x'; 300_000]);
        stage.settle();
        assert!(client.is_finished() && !client.is_closed(), "{name}");
        client.send(&vec![b'x'; 300_000]);
        stage.settle();
        client.finish();
        stage.settle();
        assert!(client.is_closed() && !client.was_reset(), "{name}");
    }
}

#[test]
fn the_last_answer_is_not_cut_by_a_shut_window() {
    let mut stage = Stage::new(App::new());
    let client = stage.connect();
    client.set_window(10);
    client.send(b"nonsense\r\n\r\n");
    stage.settle();
    assert!(!client.is_finished());
    stage.pass(Duration::from_secs(20));
    client.set_window(usize::MAX);
    stage.settle();
    assert!(text(&client).ends_with("(RFC 9112 §3)\n"));
    assert!(client.is_finished());
}

#[test]
fn a_server_of_one_connection_admits_the_next_when_it_is_gone() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let mut stage = Stage::built(Server::default().limits(limits), App::new());
    let ws = stage.web_socket("/");
    let surplus = stage.connect();
    stage.settle();
    assert!(surplus.is_closed(), "closed without words");
    assert!(surplus.receive().is_empty());
    assert_eq!(stage.on.stats().refused, 1);
    ws.client.finish();
    stage.settle();
    let _next = stage.web_socket("/");
    assert_eq!(stage.on.stats().connections, 1);
}

#[test]
fn ends_are_told_in_their_order_and_of_several_reasons_the_first() {
    let mut stage = Stage::new(App::new().on_request(|_, _, _| Reply::events()));
    let streams: Vec<_> = (0..3).map(|_| stage.events("/").0).collect();
    let opened = stage.app().opened.clone();
    stage.on.with_hub(|hub| opened.iter().for_each(|id| hub.close(*id, CloseCode::NORMAL, "")));
    let told: Vec<_> = stage.app().closed.iter().map(|(id, _)| *id).collect();
    assert_eq!(told, opened);
    drop(streams);

    let app = App::new().on_message(|peer, _| {
        peer.send("on its way");
        panic!("on purpose");
    });
    let mut stage = Stage::new(app);
    let ws = stage.web_socket("/");
    ws.send("go");
    stage.turn();
    ws.client.reset();
    stage.settle();
    assert_eq!(stage.app().whys(), [Closed::Panicked]);
}

#[test]
fn what_stands_before_a_close_arrives_however_long_the_peer_takes_to_read_it() {
    let app = App::new()
        .on_request(|_, request, _| if request.path() == "/events" { Reply::events() } else { Reply::web_socket() })
        .on_opened(|peer| {
            (0..90).for_each(|number| peer.send(&format!("{number:>10000}")));
            peer.close(CloseCode::NORMAL, "bye");
        });
    let mut stage = Stage::new(app);
    for (path, request) in [("/socket", upgrade("/socket")), ("/events", get("/events"))] {
        let client = stage.connect();
        client.set_window(0);
        client.send(request.as_bytes());
        stage.settle();
        let mut heard = Vec::new();
        while !client.is_closed() && !client.is_finished() && heard.len() < 1_000_000 {
            // 100 KB a second: nine seconds for all of it, of which the close deadline is none.
            client.set_window(10_000);
            stage.pass(Duration::from_millis(100));
            heard.extend(client.receive());
            if path == "/socket" && heard.ends_with(b"\x88\x05\x03\xe8bye") {
                break;
            }
        }
        assert!(heard.len() > 900_000, "{path}: {}", heard.len());
        let end: &[u8] = if path == "/socket" { b"\x88\x05\x03\xe8bye" } else { b"\n\n" };
        assert!(heard.ends_with(end), "{path}");
        if path == "/socket" {
            // From there on it has its time to answer.
            stage.pass(Duration::from_millis(4_800));
            assert!(!client.is_finished());
            stage.pass(Duration::from_millis(300));
            assert!(client.is_finished());
        }
    }
}

#[test]
fn a_steady_reader_hears_all_of_it_when_the_server_stops() {
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(server, obedient());
    let ws = stage.web_socket("/");
    ws.client.set_window(0);
    ws.send(&[1; 900_000]);
    stage.settle();
    remote.drain();
    let mut heard = Vec::new();
    for _ in 0..92 {
        ws.client.set_window(10_000);
        stage.pass(Duration::from_millis(100));
        heard.extend(ws.client.receive());
    }
    let (said, close) = heard.split_at(heard.iter().rposition(|byte| *byte == 1).unwrap() + 1);
    assert!(said.len() > 900_000, "{}", said.len());
    // Behind the last byte of the message: a Close with 1001.
    assert_eq!((close[0], &close[2..4]), (0x88, &[0x03, 0xE9][..]));
}
