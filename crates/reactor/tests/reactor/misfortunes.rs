//! Single misfortunes that the simulator has met once and the loop must survive.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longwire_reactor::handshake::FieldValue;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::sys::sim::Fault;
use longwire_reactor::{Closed, Limits, Opening, Reply, Server};

use crate::stage::*;

const ALWAYS: u16 = u16::MAX;

fn somewhere() -> (SocketAddr, Opening) {
    let opening = Opening::new(FieldValue::literal("elsewhere"), OriginForm::literal("/"));
    (SocketAddr::from(([10, 0, 0, 1], 80)), opening)
}

#[test]
fn an_answer_behind_a_fin_leaves_after_a_signal_too() {
    let mut stage = Stage::new(App::new().on_request(|_, _, _| Reply::status(200)));
    let client = stage.connect();
    stage.settle();
    client.send(get("/").as_bytes());
    client.finish();
    stage.world.set_fault(Fault::WriteInterrupted, ALWAYS);
    stage.turn();
    assert!(client.receive().is_empty());
    stage.world.calm();
    stage.settle();
    assert!(client.receive().starts_with(b"HTTP/1.1 200 "));
    assert!(client.is_closed() && !client.was_reset());
}

#[test]
fn a_connection_of_ours_that_cannot_be_registered_keeps_no_descriptor() {
    let mut stage = Stage::new(App::new());
    stage.world.set_fault(Fault::RegisterFailed, ALWAYS);
    let (address, opening) = somewhere();
    assert!(stage.on.with_hub(|hub| hub.connect(address, opening)).is_err());
    assert_eq!((stage.world.descriptors(), stage.on.stats().connections), (0, 0));
    stage.settle();
}

#[test]
fn nobody_is_called_while_the_server_is_stopping() {
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(
        server,
        App::new().on_closed(|hub, _, _, _| {
            let (address, opening) = somewhere();
            assert!(hub.connect(address, opening).is_err(), "the server is stopping");
        }),
    );
    let _silent = stage.web_socket("/");
    remote.drain();
    stage.settle();
    stage.pass(Duration::from_secs(10));
    assert_eq!(stage.app().closed.len(), 1);
    assert_eq!((stage.on.stats().panics, stage.world.descriptors()), (0, 0));
    assert!(stage.ended);
}

#[test]
fn a_body_behind_an_answer_that_waits_is_nobody_elses() {
    let app = App::new()
        .on_request(|peer, request, body| match request.path() {
            "/later" => {
                peer.wake_after(Duration::from_millis(1));
                Reply::later()
            }
            _ => Reply::page("text/plain", body.to_vec()),
        })
        .on_timer(|peer| peer.answer(Reply::page("text/plain", vec![b'x'; 600])));
    let mut stage = Stage::with(Limits { send_queue: 500, ..Limits::default() }, app);
    let client = stage.connect();
    client.set_window(10);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n";
    client.send(format!("{}{post}the ", get("/later")).as_bytes());
    stage.settle();
    stage.pass(Duration::from_millis(1));
    client.send(format!("body{}", get("/")).as_bytes());
    stage.settle();
    client.set_window(usize::MAX);
    stage.settle();
    let answers = text(&client);
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 3, "{answers}");
    assert!(answers.contains("\r\n\r\nthe bodyHTTP/1.1"), "{answers}");
}

#[test]
fn a_later_answer_for_which_there_is_no_room_ends_with_its_connection() {
    let limits = Limits { budget: 700, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new().on_request(|_, _, _| Reply::later()));
    let client = stage.connect();
    client.send(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(600)).as_bytes());
    stage.settle();
    assert_eq!(stage.app().whys(), [Closed::NoRoom]);
    client.finish();
    stage.settle();
    assert!(client.is_closed());
}

#[test]
fn half_a_head_for_which_there_is_no_room_is_answered_and_not_forgotten() {
    let mut stage = Stage::with(Limits { budget: 700, ..Limits::default() }, App::new());
    let client = stage.connect();
    client.send(format!("GET /{}", "x".repeat(600)).as_bytes());
    stage.settle();
    client.send(b" HTTP/1.1\r\nHost: a\r\n\r\n");
    stage.settle();
    assert!(text(&client).starts_with("HTTP/1.1 503 "));
    assert!(client.is_finished());
}

#[test]
fn what_was_answered_before_a_web_socket_that_overflows_is_not_dropped_with_it() {
    let app = App::new()
        .on_request(|peer, request, _| match request.path() {
            "/later" => {
                peer.wake_after(Duration::from_millis(1));
                Reply::later()
            }
            _ => Reply::web_socket(),
        })
        .on_timer(|peer| peer.answer(Reply::page("text/plain", &b"the answer"[..])))
        .on_opened(|peer| (0..9).for_each(|_| peer.send(&vec![7; 300])));
    let mut stage = Stage::with(Limits { send_queue: 1_000, ..Limits::default() }, app);
    let client = stage.connect();
    client.set_window(0);
    client.send([get("/later"), upgrade("/")].concat().as_bytes());
    stage.settle();
    stage.pass(Duration::from_millis(1));
    client.set_window(usize::MAX);
    stage.settle();
    let said = client.receive();
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert!(said.contains("the answerHTTP/1.1 101 "), "{said}");
    assert_eq!(stage.app().whys(), [Closed::Answered, Closed::Overflow]);
}

/// Two WebSockets on a server with little to spend: on what one says, the application sends to it until there is no room, and then
/// to the other. Both see whole frames, whatever is cut off.
fn a_greedy_one(budget: usize, window: usize, most: usize) {
    let for_you = "for you, ".repeat(50);
    let text = for_you.clone();
    let quiet = Arc::new(Mutex::new(None));
    let known = quiet.clone();
    let app = App::new().on_opened(move |peer| _ = known.lock().unwrap().get_or_insert(peer.id())).on_message(
        move |peer, _| {
            (0..most).for_each(|_| peer.send(&vec![7; 300]));
            peer.send("a short one");
            peer.send_to(quiet.lock().unwrap().expect("it came first"), &text);
        },
    );
    let limits = Limits { budget, direct: 100, cork: 1_000, ..Limits::default() };
    let mut stage = Stage::with(limits, app);
    let mut sockets = ["/quiet", "/loud"].map(|path| {
        let client = stage.connect();
        client.send(upgrade(path).as_bytes());
        stage.settle();
        Ws::new(client)
    });
    if !sockets.iter_mut().all(Ws::skip_head) {
        return;
    }
    sockets[1].client.set_window(window);
    sockets[1].send("go on");
    stage.settle();
    sockets[1].client.set_window(usize::MAX);
    stage.settle();
    sockets[1].frames();
    let heard = sockets[0].frames();
    assert!(heard == texts(&[&for_you]) || heard.len() == 1 && code_of(&heard[0]) == Some(1013), "{budget}: {heard:?}");
    assert_eq!(stage.on.stats().panics, 0, "{budget}");
}

#[test]
fn who_is_cut_off_while_it_sends_to_another_harms_no_frame() {
    for budget in (400..6_000).step_by(20) {
        for window in [0, 5, 700] {
            (0..9).for_each(|most| a_greedy_one(budget, window, most));
        }
    }
}

#[test]
fn nothing_follows_half_a_response_whose_rest_found_no_room() {
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n";
    for budget in (300..2_000).step_by(3) {
        for window in (90..160).step_by(3) {
            let app = App::new().on_request(|_, _, _| Reply::page("text/plain", &b"an answer of some length"[..]));
            let mut stage = Stage::with(Limits { budget, ..Limits::default() }, app);
            let client = stage.connect();
            client.set_window(window);
            client.send(format!("{}{post}{}", get("/"), "x".repeat(500)).as_bytes());
            stage.settle();
            client.set_window(usize::MAX);
            stage.settle();
            let said = text(&client);
            assert_eq!(said.matches("no room").count(), said.matches(" 503 ").count(), "{budget}, {window}: {said}");
        }
    }
}
