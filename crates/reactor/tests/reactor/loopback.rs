//! On real sockets: what the imaginary machine cannot know, and that it does not lie about the rest.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

use longwire_reactor::frame::{Limits as Frames, Opcode};
use longwire_reactor::{Closed, Limits, Reply, Server};

use crate::live::*;
use crate::stage::*;

fn page() -> App {
    App::new().on_request(|peer, request, body| match request.path() {
        "/socket" => Reply::web_socket(),
        "/events" => {
            peer.subscribe("all");
            Reply::events()
        }
        "/address" => Reply::page("text/plain", peer.address().unwrap().to_string().into_bytes()),
        _ => Reply::page("text/plain", body.to_vec()),
    })
}

#[test]
fn an_echo_of_any_size_comes_back() {
    let limits =
        Limits { message: Frames { message: 16 << 20, parts: 1_000 }, send_queue: 32 << 20, ..Limits::default() };
    let live = Live::with(1, |server| server.limits(limits), |_| App::new());
    let mut tcp = live.web_socket("/");
    for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 12_345_678] {
        let message: Vec<u8> = (0..size).map(|number| (number * 31 % 253) as u8).collect();
        let bytes = Sent::message(&message);
        let mut writing = tcp.stream.try_clone().unwrap();
        let writer = std::thread::spawn(move || writing.write_all(&bytes).unwrap());
        assert!(tcp.frames(1) == [whole(Opcode::Binary, &message)], "{size} bytes");
        writer.join().unwrap();
    }
    tcp.leave();
    live.stop();
}

#[test]
fn byte_by_byte_and_pipelined_frames_come_back() {
    let live = Live::start(|_| App::new());
    let mut tcp = live.connect();
    for byte in upgrade("/").bytes().chain(Sent::message("hello")) {
        tcp.send(&[byte]);
    }
    assert!(tcp.head().starts_with("HTTP/1.1 101 "));
    assert_eq!(tcp.frames(1), texts(&["hello"]));
    tcp.send(&Sent::message("x").repeat(5_000));
    assert_eq!(tcp.frames(5_000), texts(&["x"; 5_000]));
    tcp.leave();
}

#[test]
fn keep_alive_and_pipelining_on_the_same_port() {
    let live = Live::start(|_| page());
    let mut tcp = live.connect();
    for _ in 0..3 {
        tcp.send(get("/").repeat(10).as_bytes());
        for _ in 0..10 {
            assert!(tcp.head().ends_with("Content-Length: 0\r\n\r\n"));
        }
    }
    tcp.send(get("/address").as_bytes());
    let own = tcp.stream.local_addr().unwrap().to_string();
    assert!(tcp.until(own.as_bytes()).contains("200 OK"));
    tcp.send(upgrade("/socket").as_bytes());
    assert!(tcp.head().starts_with("HTTP/1.1 101 "));
    tcp.say("on the same connection");
    assert_eq!(tcp.frames(1), texts(&["on the same connection"]));
    tcp.leave();
}

#[test]
fn only_local_names_are_served_over_loopback() {
    let asks = |host: &str, request: &str| request.replace("Host: localhost", &format!("Host: {host}"));
    let live = Live::with(1, |server| server.host("box.example"), |_| page());
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("127.0.0.1", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:9001", 200),
        ("box.example", 200),
        ("Box.Example:80", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.2", 403),
        ("", 403),
    ] {
        let mut tcp = live.connect();
        tcp.send(asks(host, &get("/")).as_bytes());
        assert!(tcp.head().starts_with(&format!("HTTP/1.1 {status} ")), "{host:?}");
    }
    for path in ["/socket", "/page"] {
        let mut tcp = live.connect();
        tcp.send(asks("evil.example", &upgrade(path)).as_bytes());
        tcp.send(get("/never").as_bytes());
        let answer = String::from_utf8(tcp.rest()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("allow-host"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1);
    }
    let open = Live::with(1, |server| server.host("*"), |_| page());
    let mut tcp = open.connect();
    tcp.send(asks("evil.example", &get("/")).as_bytes());
    assert!(tcp.head().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_refused_host_is_not_asked_for_its_body() {
    let live = Live::start(|_| page());
    for fields in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
        for expectation in ["", "Expect: 100-continue\r\n"] {
            let mut tcp = live.connect();
            let head = format!("POST / HTTP/1.1\r\nHost: evil.example\r\n{expectation}{fields}\r\n\r\n");
            tcp.send(head.as_bytes());
            let answer = String::from_utf8(tcp.rest()).unwrap();
            assert!(answer.starts_with("HTTP/1.1 403 "), "{fields} {expectation}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
    }
}

#[test]
fn a_page_of_another_site_may_not_open_a_web_socket() {
    let live = Live::start(|_| page());
    let own = format!("http://{}", live.address);
    for (origin, status) in [(&*own, 101), ("http://localhost:1", 403), ("null", 403), ("https://evil.example", 403)] {
        let mut tcp = live.connect();
        let fields = format!("Host: {}\r\nOrigin: {origin}", live.address);
        tcp.send(upgrade("/socket").replace("Host: localhost", &fields).as_bytes());
        assert!(tcp.head().starts_with(&format!("HTTP/1.1 {status} ")), "{origin}");
    }
}

#[test]
fn an_error_with_a_megabyte_behind_it_is_still_read_and_ends_with_fin() {
    let live = Live::start(|_| page());
    for bytes in [b"nonsense\r\n\r\n".to_vec(), [upgrade("/socket").into_bytes(), Sent::raw(0xff, b"")].concat()] {
        let mut tcp = live.connect();
        tcp.send(&bytes);
        tcp.send(&vec![b'x'; 1 << 20]);
        let rest = tcp.rest();
        assert!(rest.starts_with(b"HTTP/1.1 400 ") || rest.windows(2).any(|bytes| bytes == [0x03, 0xea]));
    }
}

#[test]
fn a_client_that_does_not_read_is_not_read_either() {
    let limits = Limits { send_queue: 64 << 10, ..Limits::default() };
    let live = Live::with(1, |server| server.limits(limits), |_| App::new());
    let mut tcp = live.web_socket("/");
    tcp.stream.set_nonblocking(true).unwrap();
    let message = Sent::message(&vec![7; 10_000]);
    let mut sent = 0;
    // Until the kernel's buffers and ours are full: far less than everything.
    let stuck = loop {
        match tcp.stream.write(&message[sent % message.len()..]) {
            Ok(written) => sent += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break sent,
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 256 << 20, "it is read without end");
    };
    tcp.stream.set_nonblocking(false).unwrap();
    let whole_messages = sent.div_ceil(message.len());
    let missing = whole_messages * message.len() - stuck;
    let mut writing = tcp.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || writing.write_all(&message[message.len() - missing..]).unwrap());
    let frames = tcp.frames(whole_messages);
    assert!(frames.iter().all(|frame| *frame == whole(Opcode::Binary, [7; 10_000])));
    writer.join().unwrap();
    tcp.leave();
}

#[test]
fn a_reset_is_noticed_while_a_request_waits_for_its_answer() {
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let live = Live::start(move |_| {
        let waits = tell.lock().unwrap().clone();
        let ends = waits.clone();
        App::new()
            .on_request(move |_, request, _| match request.path() {
                "/later" => {
                    waits.send(None).unwrap();
                    Reply::later()
                }
                _ => Reply::status(200),
            })
            .on_closed(move |_, _, _, why| ends.send(Some(why)).unwrap())
    });
    let mut tcp = live.connect();
    tcp.send([get("/page"), get("/later")].concat().as_bytes());
    assert_eq!(told.recv_timeout(BOUND), Ok(None));
    // Whoever goes with an answer unread resets.
    tcp.stream.peek(&mut [0]).unwrap();
    drop(tcp);
    assert_eq!(told.recv_timeout(BOUND), Ok(Some(Closed::Gone)));
}

#[test]
fn a_publication_reaches_sockets_and_streams() {
    let app =
        || page().on_opened(|peer| peer.subscribe("all")).on_message(|peer, message| peer.publish("all", message));
    let live = Live::start(move |_| app());
    let mut stream = live.connect();
    stream.send(get("/events").as_bytes());
    stream.head();
    let (mut one, mut two) = (live.web_socket("/socket"), live.web_socket("/socket"));
    one.say("hello");
    for tcp in [&mut one, &mut two] {
        assert_eq!(tcp.frames(1), texts(&["hello"]));
    }
    assert_eq!(stream.until(b"\n\n"), "data: hello\n\n");
    live.remote.drain();
    assert!(stream.until(b"\n\n").starts_with("retry: "));
    assert!(stream.rest().is_empty());
    for mut tcp in [one, two] {
        assert_eq!(code_of(&tcp.frames(1)[0]), Some(1001));
        tcp.send(&Sent::close(None));
        assert!(tcp.rest().is_empty());
    }
    live.stop();
}

#[test]
fn one_server_may_listen_on_several_addresses() {
    let server = Server::bind("127.0.0.1:0").unwrap().also("127.0.0.2:0").unwrap();
    let (addresses, remote) = (server.addresses(), server.remote());
    assert_eq!(addresses.len(), 2);
    let thread = std::thread::spawn(move || server.run(page()));
    for address in addresses {
        let mut tcp = Tcp::connect(address);
        tcp.send(get("/").as_bytes());
        assert!(tcp.head().starts_with("HTTP/1.1 200 "));
    }
    remote.drain();
    remote.drain();
    thread.join().unwrap().unwrap();
}

#[test]
fn a_listener_may_come_from_elsewhere_and_a_taken_port_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(Server::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
    let server = Server::from_listener(listener);
    let remote = server.remote();
    let thread = std::thread::spawn(move || server.run(page()));
    let mut tcp = Tcp::connect(address);
    tcp.send(get("/").as_bytes());
    assert!(tcp.head().starts_with("HTTP/1.1 200 "));
    assert_eq!(Server::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
    remote.drain();
    remote.drain();
    thread.join().unwrap().unwrap();
}

#[test]
fn a_unix_socket_serves_any_host() {
    let path = std::env::temp_dir().join(format!("longwire-{}-{:?}", std::process::id(), std::thread::current().id()));
    let server = Server::unix(&path).unwrap();
    let remote = server.remote();
    let app = App::new().on_request(|peer, _, _| {
        assert_eq!(peer.address(), None);
        Reply::status(200)
    });
    let thread = std::thread::spawn(move || server.run(app));
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream
        .write_all(
            get("/")
                .replace("localhost", "any.example")
                .replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    remote.drain();
    remote.drain();
    thread.join().unwrap().unwrap();
    assert!(!path.exists());
}

#[test]
fn who_owns_the_thread_turns_the_loop() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (address, remote) = (server.addresses()[0], server.remote());
    let mut on = server.build(App::new()).unwrap();
    let client = std::thread::spawn(move || {
        let mut tcp = Tcp::connect(address);
        tcp.send(upgrade("/").as_bytes());
        tcp.head();
        tcp.say("hello");
        let frames = tcp.frames(1);
        tcp.leave();
        remote.drain();
        frames
    });
    while on.turn(Some(BOUND)).unwrap() == longwire_reactor::Turn::Goes {}
    assert_eq!(client.join().unwrap(), texts(&["hello"]));
    assert_eq!((on.stats().messages_in, on.stats().connections, on.stats().pinned), (1, 0, 0));
}

#[test]
fn who_connects_before_several_loops_run_is_served_by_them() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (address, remote) = (server.addresses()[0], server.remote());
    let mut early: Vec<Tcp> = (0..20).map(|_| Tcp::connect(address)).collect();
    let thread = std::thread::spawn(move || server.run_threads(3, |_| App::new()));
    for tcp in &mut early {
        tcp.send(upgrade("/").as_bytes());
        assert!(tcp.head().starts_with("HTTP/1.1 101 "));
    }
    assert!(Server::bind(address).is_err(), "a second instance still finds it taken");
    early.into_iter().for_each(Tcp::leave);
    remote.drain();
    thread.join().unwrap().unwrap();
}
