//! Every limit below, at and above its bound. Where a limit has a file of its own (bodies, messages, queues, budgets), it is
//! there; docs/limits.md says where.

use std::net::TcpStream;
use std::time::Duration;

use longwire_reactor::sys::sim::Client;
use longwire_reactor::sys::{Listener, Mio, Sys};
use longwire_reactor::{CloseCode, Limits, Reply, Server};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::live::BOUND;
use crate::stage::*;

const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Limits whose times are all a day: the one that a test sets is the one that acts.
fn patient() -> Limits {
    Limits {
        head_deadline: DAY,
        body_deadline: DAY,
        later: DAY,
        keep_alive: DAY,
        message_deadline: DAY,
        write_stall: DAY,
        ping: DAY,
        pong: DAY,
        heartbeat: DAY,
        max_age: None,
        close: DAY,
        linger_idle: DAY,
        linger: DAY,
        drain: DAY,
        ..Limits::default()
    }
}

/// `/page`, `/later` and `/events`; anything else is a WebSocket, which is closed by its first message.
fn app() -> App {
    App::new()
        .on_request(|_, request, _| match request.path() {
            "/page" => Reply::status(200),
            "/later" => Reply::later(),
            "/events" => Reply::events(),
            _ => Reply::web_socket(),
        })
        .on_message(|peer, _| peer.close(CloseCode::NORMAL, ""))
}

/// One deadline: how it is set, what makes its clock run, and what shows that it has passed.
struct Case {
    name: &'static str,
    set: fn(&mut Limits, Duration),
    begin: fn(&mut Stage) -> Client,
    passed: fn(&mut Stage, &Client) -> bool,
}

fn is_answered(_: &mut Stage, client: &Client) -> bool {
    !client.receive().is_empty()
}

fn is_closed(_: &mut Stage, client: &Client) -> bool {
    client.is_closed()
}

/// Sends something and takes what comes back at once.
fn after(stage: &mut Stage, bytes: impl AsRef<[u8]>) -> Client {
    stage.ask(bytes).0
}

const DEADLINES: &[Case] = &[
    Case {
        name: "the first head, of which nothing came",
        set: |limits, time| limits.head_deadline = time,
        begin: |stage| after(stage, ""),
        passed: is_closed,
    },
    Case {
        name: "a head that has begun",
        set: |limits, time| limits.head_deadline = time,
        begin: |stage| after(stage, "GET"),
        passed: is_answered,
    },
    Case {
        name: "a body",
        set: |limits, time| limits.body_deadline = time,
        begin: |stage| after(stage, "POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"),
        passed: is_answered,
    },
    Case {
        name: "a later answer",
        set: |limits, time| limits.later = time,
        begin: |stage| after(stage, get("/later")),
        passed: is_answered,
    },
    Case {
        name: "between two requests",
        set: |limits, time| limits.keep_alive = time,
        begin: |stage| after(stage, get("/page")),
        passed: is_closed,
    },
    Case {
        name: "a message",
        set: |limits, time| limits.message_deadline = time,
        begin: |stage| {
            let ws = stage.web_socket("/");
            ws.client.send(&Sent::raw(0x01, b"begun"));
            stage.settle();
            ws.client
        },
        passed: is_answered,
    },
    Case {
        name: "a peer that takes nothing",
        set: |limits, time| limits.write_stall = time,
        begin: |stage| {
            let ws = stage.web_socket("/");
            ws.client.set_window(0);
            ws.client.send(&Sent::ping(b""));
            stage.settle();
            ws.client
        },
        passed: is_closed,
    },
    Case {
        name: "silence, which is pinged",
        set: |limits, time| limits.ping = time,
        begin: |stage| stage.web_socket("/").client,
        passed: is_answered,
    },
    Case {
        name: "a pong",
        set: |limits, time| (limits.ping, limits.pong) = (MILLISECOND, time),
        begin: |stage| {
            let ws = stage.web_socket("/");
            stage.pass(MILLISECOND);
            ws.client
        },
        passed: is_closed,
    },
    Case {
        name: "a silent stream, which gets a comment",
        set: |limits, time| limits.heartbeat = time,
        begin: |stage| stage.events("/events").0,
        passed: is_answered,
    },
    Case {
        name: "the age of a WebSocket",
        set: |limits, time| limits.max_age = Some(time),
        begin: |stage| stage.web_socket("/").client,
        passed: is_answered,
    },
    Case {
        name: "the age of a stream",
        set: |limits, time| limits.max_age = Some(time),
        begin: |stage| stage.events("/events").0,
        passed: |_, client| client.is_finished(),
    },
    Case {
        name: "the peer's Close",
        set: |limits, time| limits.close = time,
        begin: |stage| {
            let ws = stage.web_socket("/");
            ws.send("close");
            stage.settle();
            ws.client
        },
        passed: is_closed,
    },
    Case {
        name: "the peer's FIN, in silence",
        set: |limits, time| limits.linger_idle = time,
        begin: |stage| after(stage, "nonsense\r\n\r\n"),
        passed: is_closed,
    },
    Case {
        name: "the peer's FIN, in all",
        set: |limits, time| limits.linger = time,
        begin: |stage| after(stage, "nonsense\r\n\r\n"),
        passed: |_, client| {
            client.send(b"still talking");
            client.is_closed()
        },
    },
];

#[test]
fn every_deadline_passes_in_its_millisecond_and_not_before() {
    for Case { name, set, begin, passed } in DEADLINES {
        for time in [MILLISECOND, Duration::from_millis(1_234), Duration::from_secs(3_600)] {
            let mut limits = patient();
            set(&mut limits, time);
            let mut stage = Stage::with(limits, app());
            let client = begin(&mut stage);
            stage.pass(time - MILLISECOND);
            assert!(!passed(&mut stage, &client), "{name}: below {time:?}");
            stage.pass(MILLISECOND);
            assert!(passed(&mut stage, &client), "{name}: at {time:?}");
        }
    }
}

#[test]
fn a_drained_server_waits_to_the_millisecond() {
    let wait = Duration::from_millis(1_234);
    let server = Server::default().limits(Limits { drain: wait, ..patient() });
    let remote = server.remote();
    let mut stage = Stage::built(server, app());
    let _stays = stage.web_socket("/");
    remote.drain();
    stage.settle();
    stage.pass(wait - MILLISECOND);
    assert!(!stage.ended);
    stage.pass(MILLISECOND);
    assert!(stage.ended);
}

#[test]
fn as_many_connections_as_there_may_be() {
    let mut stage = Stage::with(Limits { connections: 3, ..Limits::default() }, app());
    let clients: Vec<Client> = (0..4).map(|_| stage.connect()).collect();
    stage.settle();
    assert_eq!(clients.iter().map(Client::is_closed).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!((stage.on.stats().connections, stage.on.stats().refused), (3, 1));
}

#[test]
fn as_many_connections_as_one_address_may_have() {
    let mut stage = Stage::with(Limits { per_address: 2, ..Limits::default() }, app());
    let addresses = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8::2]:1"];
    let mut clients: Vec<Client> =
        addresses.iter().map(|address| stage.world.connect_from(address.parse().unwrap())).collect();
    stage.settle();
    let closed = |clients: &[Client]| clients.iter().map(Client::is_closed).collect::<Vec<_>>();
    assert_eq!(closed(&clients), [false, false, true, false, false, false]);
    // Another of the same network, and one in the place of one who leaves.
    clients.push(stage.world.connect_from("[2001:db8::3]:1".parse().unwrap()));
    clients[0].finish();
    stage.settle();
    clients.push(stage.world.connect_from("192.0.2.1:4".parse().unwrap()));
    stage.settle();
    assert_eq!(closed(&clients[6..]), [true, false]);
    assert_eq!(stage.on.stats().refused, 2);
}

#[test]
fn one_turn_takes_so_many_events_and_connections() {
    let mut stage = Stage::with(Limits { events: 2, accepts: 3, ..Limits::default() }, App::new());
    let clients: Vec<Client> = (0..7).map(|_| stage.connect()).collect();
    for accepted in [3, 6, 7] {
        stage.turn();
        assert_eq!(stage.on.stats().accepted, accepted);
    }
    clients.iter().for_each(|client| client.send(upgrade("/").as_bytes()));
    stage.settle();
    clients.iter().for_each(|client| client.send(&Sent::message("x")));
    for messages in [2, 4, 6, 7] {
        stage.turn();
        assert_eq!(stage.app().messages.len(), messages);
    }
}

#[test]
fn one_read_and_one_visit_bring_so_much() {
    for (receive, visit, reads) in [(999, 4_000, 5), (1_000, 4_000, 4), (1_001, 4_000, 4), (1_000, 3_999, 4)] {
        let mut stage = Stage::with(Limits { receive, visit, ..Limits::default() }, App::new().on_message(|_, _| ()));
        let ws = stage.web_socket("/");
        // 100 bytes each, in no more than a read of 1,000.
        ws.client.send(&Sent::message("x".repeat(94).as_str()).repeat(100));
        let (calls, before) = (stage.world.calls(), stage.on.stats().bytes_in);
        stage.turn();
        assert_eq!(stage.world.calls().reads - calls.reads, reads, "{receive} {visit}");
        let read = stage.on.stats().bytes_in - before;
        assert_eq!(read, reads * receive as u64, "{receive} {visit}");
        assert!(
            read >= visit as u64 && read < (visit + receive) as u64,
            "a visit ends behind the read that reaches it"
        );
    }
    // No loop could go on with less than 64 bytes.
    let mut stage = Stage::with(Limits { receive: 1, visit: 1, ..Limits::default() }, App::new());
    let ws = stage.web_socket("/");
    ws.client.send(&Sent::message("x".repeat(94).as_str()));
    let before = stage.on.stats().bytes_in;
    stage.turn();
    assert_eq!(stage.on.stats().bytes_in - before, 64);
}

#[test]
fn behind_a_message_that_was_read_into_its_place_little_is_read_at_first() {
    let limits = Limits { receive: 4_000, visit: 1_000, direct: 500, ..Limits::default() };
    for unix in [false, true] {
        let mut stage = Stage::with(limits.clone(), App::new().on_message(|_, _| ()));
        if unix {
            stage.world.listen_on_unix();
        }
        let ws = stage.web_socket("/");
        let mut first_read_of = |messages: &[u8]| {
            ws.client.send(messages);
            let before = stage.on.stats().bytes_in;
            stage.turn();
            let read = stage.on.stats().bytes_in - before;
            stage.settle();
            read
        };
        let (short, long) = (Sent::message("x".repeat(94).as_str()), Sent::message(&[1; 20_000]));
        assert_eq!(first_read_of(&short.repeat(100)), 4_000);
        first_read_of(&long);
        // Of the next one a packet comes first.
        assert_eq!(first_read_of(&long[..1_400]), 1_400);
        first_read_of(&long[1_400..]);
        assert_eq!(first_read_of(&short.repeat(100)), 2_000, "what it brings of a long message is copied");
        assert_eq!(first_read_of(&short.repeat(100)), 4_000, "it was none");
    }
}

#[test]
fn so_much_is_collected_before_it_is_written() {
    for (cork, writes) in [(99, 5), (100, 5), (101, 4)] {
        // Ten frames of 50 bytes.
        let app = App::new().on_message(|peer, _| (0..10).for_each(|_| peer.send(&[1; 48])));
        let mut stage = Stage::with(Limits { cork, ..Limits::default() }, app);
        let ws = stage.web_socket("/");
        ws.send("go");
        assert_eq!(stage.settle().writes, writes, "{cork}");
    }
}

#[test]
fn so_much_of_pages_is_collected_before_it_is_written() {
    for (cork, writes) in [(999, 5), (1_000, 5), (2_000, 3), (100_000, 1)] {
        let app = App::new().on_request(|_, _, _| Reply::page("text/plain", vec![b'x'; 400]));
        let mut stage = Stage::with(Limits { cork, ..Limits::default() }, app);
        let client = stage.connect();
        client.send(get("/").repeat(10).as_bytes());
        let calls = stage.settle().writes;
        let answers = client.receive();
        // Two are more than a thousand bytes, and four are more than two thousand.
        assert_eq!(answers.len() / 10 / 50, 10, "some 500 bytes each: {}", answers.len());
        assert_eq!(calls, writes, "{cork}");
    }
}

/// A listener of the real machine.
fn listener() -> (Listener, SockAddr) {
    let listener = Listener::tcp("127.0.0.1:0".parse().unwrap()).expect("loopback has a free port");
    let address = listener.address().expect("it is bound").into();
    (listener, address)
}

#[test]
fn connections_inherit_what_the_listener_was_told() {
    let (listener, address) = listener();
    let limits = Limits {
        kernel_unsent: 12_345,
        kernel_unread: 23_456,
        write_stall: Duration::from_secs(7),
        ..Limits::default()
    };
    let mut machine = Mio::new(vec![listener], &limits).expect("a machine");
    let _client = TcpStream::connect(address.as_socket().unwrap()).expect("it listens");
    let (until, mut waits) = (machine.now() + BOUND, false);
    while !waits {
        machine.poll(8, Some(until), |_| waits = true).expect("a poll");
    }
    let accepted = machine.accept(0).expect("one waits").socket;
    let socket = SockRef::from(&accepted);
    assert_eq!(socket.tcp_notsent_lowat().unwrap(), 12_345);
    assert_eq!(socket.recv_buffer_size().unwrap(), 2 * 23_456, "Linux doubles it for its own books");
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(14)), "twice the loop's own patience");
    assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
}

#[test]
fn so_many_wait_to_be_accepted() {
    for backlog in [1, 2, 5] {
        let (listener, address) = listener();
        let _machine = Mio::new(vec![listener], &Limits { backlog, ..Limits::default() }).expect("a machine");
        let clients = (0..10).map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // On loopback the kernel shakes hands within the call, if it does.
            let _ = socket.connect(&address);
            socket
        });
        let clients: Vec<Socket> = clients.collect();
        let connected = clients.iter().filter(|socket| socket.peer_addr().is_ok()).count();
        // Linux counts from 0.
        assert_eq!(connected, backlog as usize + 1);
    }
}
