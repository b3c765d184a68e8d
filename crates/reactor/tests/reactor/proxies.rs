//! Behind proxies: whose word is believed, and how long an address stays.

use std::net::SocketAddr;

use longwire_reactor::sys::sim::Client;
use longwire_reactor::{Limits, Reply, Server};

use crate::stage::*;

const PROXY: &str = "10.0.0.1:4000";

fn server() -> Server {
    ["10.0.0.0/8", "2001:db8::/32"].iter().fold(Server::default(), |server, text| server.trust(text.parse().unwrap()))
}

/// Says where it is asked from: to a request, to a message, and with a later answer.
fn where_from() -> App {
    let here = |address: Option<SocketAddr>| address.map_or("nowhere".into(), |address| address.to_string());
    App::new()
        .on_request(move |peer, request, _| match request.path() {
            "/socket" => Reply::web_socket(),
            "/later" => {
                peer.wake_after(std::time::Duration::from_secs(1));
                Reply::later()
            }
            _ => Reply::page("text/plain", here(peer.address()).into_bytes()),
        })
        .on_message(move |peer, _| {
            let address = here(peer.address());
            peer.send(&address);
        })
        .on_timer(move |peer| {
            let address = here(peer.address());
            peer.answer(Reply::page("text/plain", address.into_bytes()));
        })
}

fn with(request: &str, field: &str) -> String {
    request.replace("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"))
}

fn from(stage: &Stage<App>, address: &str) -> Client {
    stage.world.connect_from(address.parse().unwrap())
}

fn body(answer: &str) -> &str {
    answer.rsplit("\r\n\r\n").next().unwrap()
}

#[test]
fn a_trusted_proxy_tells_for_each_request_whose_it_is() {
    let mut stage = Stage::built(server(), where_from());
    let proxy = from(&stage, PROXY);
    for (field, wanted) in [
        ("X-Forwarded-For: 192.0.2.7", "192.0.2.7:0"),
        ("X-Forwarded-For: 192.0.2.8:4711", "192.0.2.8:4711"),
        ("Accept: */*", PROXY),
        ("Forwarded: for=\"[2001:db9::7]:1\";proto=https", "[2001:db9::7]:1"),
        ("X-Forwarded-For: 6.6.6.6, 192.0.2.9, 10.9.9.9, 2001:db8::1", "192.0.2.9:0"),
        ("Forwarded: for=_hidden", PROXY),
        ("Forwarded: for=\"", PROXY),
        ("X-Forwarded-For: 6.6.6.6\r\nForwarded: for=192.0.2.7", PROXY),
    ] {
        let answer = stage.ask_on(&proxy, with(&get("/"), field));
        assert_eq!(body(&answer), wanted, "{field}");
    }
    // In one packet, and with a body that comes later.
    let pipelined = [with(&get("/"), "X-Forwarded-For: 192.0.2.1"), get("/")].concat();
    let answer = stage.ask_on(&proxy, pipelined);
    assert!(answer.contains("\r\n\r\n192.0.2.1:0HTTP/1.1 200 ") && answer.ends_with(PROXY), "{answer}");
    let head = with("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", "X-Forwarded-For: 192.0.2.2");
    assert_eq!(stage.ask_on(&proxy, head), "");
    assert_eq!(body(&stage.ask_on(&proxy, "ab")), "192.0.2.2:0");
}

#[test]
fn what_anybody_else_says_changes_nothing() {
    let mut stage = Stage::built(server(), where_from());
    for peer in ["192.0.2.1:5", "11.0.0.1:5", "[2001:db9::1]:5", "[::1]:5"] {
        let client = from(&stage, peer);
        for field in ["X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Forwarded-For: 10.0.0.1"] {
            assert_eq!(body(&stage.ask_on(&client, with(&get("/"), field))), peer, "{field}");
        }
        client.send(with(&upgrade("/socket"), "Forwarded: for=6.6.6.6").as_bytes());
        stage.settle();
        let mut ws = Ws::new(client);
        assert!(ws.skip_head());
        ws.send("where?");
        stage.settle();
        assert_eq!(ws.all_frames(), texts(&[peer]));
    }
    // Who has no address, as on a Unix socket, is trusted by that name alone.
    let asked = with(&get("/"), "X-Forwarded-For: 192.0.2.7");
    assert_eq!(body(&stage.ask(&asked).1), "nowhere");
    let mut stage = Stage::built(Server::default().trust("unix".parse().unwrap()), where_from());
    assert_eq!(body(&stage.ask(&asked).1), "192.0.2.7:0");
    let client = from(&stage, PROXY);
    assert_eq!(body(&stage.ask_on(&client, &asked)), PROXY);
}

#[test]
fn without_a_trusted_network_nobody_is_believed() {
    let mut stage = Stage::new(where_from());
    let client = from(&stage, PROXY);
    assert_eq!(body(&stage.ask_on(&client, with(&get("/"), "X-Forwarded-For: 6.6.6.6"))), PROXY);
}

#[test]
fn the_address_stays_with_what_the_request_opened() {
    let mut stage = Stage::built(server(), where_from());
    let client = from(&stage, PROXY);
    client.send(with(&upgrade("/socket"), "X-Forwarded-For: 192.0.2.7").as_bytes());
    stage.settle();
    let mut ws = Ws::new(client);
    assert!(ws.skip_head());
    // Somebody else meanwhile.
    let other = from(&stage, PROXY);
    assert_eq!(body(&stage.ask_on(&other, get("/"))), PROXY);
    ws.send("where?");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["192.0.2.7:0"]));

    other.send(with(&get("/later"), "X-Forwarded-For: 192.0.2.8").as_bytes());
    stage.settle();
    stage.pass(std::time::Duration::from_secs(1));
    assert_eq!(body(&text(&other)), "192.0.2.8:0");
    assert_eq!(body(&stage.ask_on(&other, get("/"))), PROXY);
}

#[test]
fn the_next_connection_in_the_same_slot_has_nothing_of_it() {
    let mut stage = Stage::built(server(), where_from());
    let client = from(&stage, PROXY);
    client.send(with(&upgrade("/socket"), "X-Forwarded-For: 192.0.2.7").as_bytes());
    stage.settle();
    client.reset();
    stage.settle();
    assert_eq!(stage.on.stats().connections, 0);
    let next = from(&stage, "10.0.0.2:5");
    next.send(upgrade("/socket").as_bytes());
    stage.settle();
    let mut ws = Ws::new(next);
    assert!(ws.skip_head());
    ws.send("where?");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["10.0.0.2:5"]));
}

#[test]
fn trusted_proxies_are_not_counted_by_their_address() {
    let one_each = Limits { per_address: 1, ..Limits::default() };
    let mut stage = Stage::built(server().limits(one_each), where_from());
    for peer in [PROXY, "[2001:db8::1]:5"] {
        for _ in 0..3 {
            let proxy = from(&stage, peer);
            assert_eq!(body(&stage.ask_on(&proxy, get("/"))), peer);
        }
    }
    let (first, second) = (from(&stage, "192.0.2.1:5"), from(&stage, "192.0.2.1:6"));
    stage.settle();
    assert!(!first.is_closed() && second.is_closed());
    assert_eq!(stage.on.stats().refused, 1);
}
