//! WebSockets that we open ourselves, on the same loop.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use longwire_reactor::frame::{Error, Header, Message, Opcode};
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::handshake::{Accept, FieldName, FieldValue, Token};
use longwire_reactor::{CloseCode, Closed, Handler, Hub, Limits, Loop, Opening, PeerId, Reply, Server, Turn};

use crate::live::*;
use crate::stage::*;

fn opening() -> Opening {
    Opening::new(FieldValue::literal("localhost"), OriginForm::literal("/there?x=y"))
}

/// A loop with this application, turned until `done`.
fn turn_until<H: Handler>(on: &mut Loop<H>, mut done: impl FnMut(&mut H) -> bool) {
    for _ in 0..10_000 {
        if done(on.handler()) {
            return;
        }
        assert_eq!(on.turn(Some(BOUND)).unwrap(), Turn::Goes);
    }
    panic!("it does not come to that");
}

fn client(app: App) -> Loop<App> {
    Server::default().build(app).unwrap()
}

/// A server of one connection, spoken by hand: sends `answer` for the request's head, then what the test says. Who does not
/// take the connection closes it.
fn by_hand<B: AsRef<[u8]>>(
    answer: impl FnOnce(&str) -> B + Send + 'static,
) -> (SocketAddr, Receiver<(String, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (give, given) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        stream.write_all(answer(&head).as_ref()).unwrap();
        let _ = give.send((head, stream));
    });
    (address, given)
}

fn accept(head: &str) -> String {
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        Accept::for_key(key).as_str()
    )
}

#[test]
fn it_opens_speaks_and_closes_with_our_own_server() {
    let live = Live::start(|_| App::new());
    let mut on = client(
        App::new()
            .on_opened(|peer| {
                peer.send("hello");
                peer.send(&vec![7; 100_000]);
                peer.piece("in ", false);
                peer.piece("pieces", true);
            })
            .on_message(|peer, message| {
                if message == Message::Text("in pieces") {
                    peer.close(CloseCode::NORMAL, "done");
                }
            }),
    );
    let id = on.with_hub(|hub| hub.connect(live.address, opening())).unwrap();
    turn_until(&mut on, |app| !app.closed.is_empty());
    assert_eq!(on.handler().opened, [id]);
    assert_eq!(on.handler().messages, [b"hello".to_vec(), vec![7; 100_000], b"in pieces".to_vec()]);
    assert_eq!(on.handler().closed, [(id, Closed::ByUs)]);
    for _ in 0..1_000 {
        if on.stats().connections == 0 {
            break;
        }
        let _ = on.turn(Some(BOUND)).unwrap();
    }
    assert_eq!((on.stats().connections, on.stats().pinned), (0, 0));
}

#[test]
fn client_and_server_may_live_on_one_loop() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.addresses()[0];
    let mut on = server
        .build(App::new().on_message(|peer, message| match message {
            Message::Text("ping") => peer.send("pong"),
            _ => peer.close(CloseCode::NORMAL, ""),
        }))
        .unwrap();
    let id = on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| app.opened.len() == 2);
    on.with_hub(|hub| hub.send_to(id, "ping"));
    turn_until(&mut on, |app| app.closed.len() == 2);
    assert_eq!(on.handler().messages, [b"ping", b"pong"]);
}

#[test]
fn a_client_comes_from_the_address_that_it_names() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.addresses()[0];
    let (tell, told) = channel();
    let app = App::new().on_message(move |peer, _| {
        tell.send(peer.address().unwrap().ip()).unwrap();
        peer.close(CloseCode::NORMAL, "");
    });
    let mut on = server.build(app).unwrap();
    let source = IpAddr::from([127, 0, 0, 7]);
    let id = on.with_hub(|hub| hub.connect(address, opening().source(source))).unwrap();
    turn_until(&mut on, |app| app.opened.len() == 2);
    on.with_hub(|hub| hub.send_to(id, "where from?"));
    turn_until(&mut on, |app| app.closed.len() == 2);
    assert_eq!(told.try_recv(), Ok(source));
    // One that is not ours is said at once, and nothing is left of the attempt.
    let elsewhere = opening().source(IpAddr::from([192, 0, 2, 1]));
    let before = on.stats();
    let error = on.with_hub(|hub| hub.connect(address, elsewhere)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    assert_eq!((on.stats().connections, on.stats().pinned), (before.connections, before.pinned));
}

#[test]
fn the_request_says_what_the_opening_asks_for() {
    let (address, given) = by_hand(accept);
    let opening = opening()
        .protocol(Token::literal("chat"))
        .origin(FieldValue::literal("https://page.example"))
        .field(FieldName::literal("X-More"), FieldValue::literal("yes"));
    let mut on = client(App::new());
    on.with_hub(|hub| hub.connect(address, opening)).unwrap();
    turn_until(&mut on, |app| !app.opened.is_empty());
    let (head, _) = given.recv_timeout(BOUND).unwrap();
    assert!(head.starts_with("GET /there?x=y HTTP/1.1\r\n"), "{head}");
    for field in ["Host: localhost", "Sec-WebSocket-Protocol: chat", "Origin: https://page.example", "X-More: yes"] {
        assert!(head.contains(&format!("\r\n{field}\r\n")), "{head}");
    }
}

#[test]
fn every_opening_has_a_nonce_of_its_own() {
    let mut on = client(App::new());
    let mut nonces: Vec<String> = (0..8)
        .map(|count| {
            let (address, given) = by_hand(accept);
            on.with_hub(|hub| hub.connect(address, opening())).unwrap();
            turn_until(&mut on, |app| app.opened.len() > count);
            let (head, _) = given.recv_timeout(BOUND).unwrap();
            let nonce = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
            assert!(nonce.len() == 24 && nonce.ends_with("=="), "16 bytes in base64: {nonce}");
            nonce.to_owned()
        })
        .collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 8);
}

#[test]
fn every_frame_of_a_client_is_masked_with_a_key_of_its_own() {
    let (address, given) = by_hand(accept);
    let mut on = client(App::new().on_opened(|peer| {
        peer.subscribe("all");
        for _ in 0..100 {
            peer.send("same");
        }
        peer.ping(b"same");
        peer.publish("all", "same");
        peer.piece("begun", false);
        peer.publish("all", "held");
        peer.piece("ended", true);
    }));
    on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.opened.is_empty());
    let id = on.handler().opened[0];
    on.with_hub(|hub| hub.close(id, CloseCode::NORMAL, ""));
    let (_, mut stream) = given.recv_timeout(BOUND).unwrap();
    let (mut bytes, mut at) = (Vec::new(), 0);
    let mut keys = Vec::new();
    let mut payloads = Vec::new();
    while payloads.len() < 106 {
        let Some((header, length)) = Header::parse(&bytes[at..])
            .unwrap()
            .filter(|(header, length)| bytes.len() >= at + length + header.len as usize)
        else {
            let mut buffer = [0; 4_096];
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "{payloads:?}");
            bytes.extend_from_slice(&buffer[..read]);
            continue;
        };
        let end = at + length + header.len as usize;
        let mut mask = header.mask.expect("§5.1: a client masks");
        keys.push(mask.key());
        mask.apply(&mut bytes[at + length..end]);
        payloads.push(String::from_utf8_lossy(&bytes[at + length..end]).into_owned());
        at = end;
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 106, "§10.3: a fresh key for every frame");
    assert_eq!(payloads.iter().filter(|payload| *payload == "same").count(), 102);
    assert_eq!(payloads.iter().filter(|payload| *payload == "held").count(), 1);
}

#[test]
fn a_port_where_nobody_listens_is_refused() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut on = client(App::new());
    let id = on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.closed.is_empty());
    assert_eq!(on.handler().closed, [(id, Closed::Refused)]);
    assert!(on.handler().opened.is_empty());
    assert_eq!((on.stats().connections, on.stats().pinned), (0, 0));
}

#[test]
fn an_answer_that_is_no_101_is_refused() {
    let answers: [fn(&str) -> String; 4] = [
        |_| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into(),
        |head| accept(head).replace("Accept: ", "Accept: x"),
        |head| accept(head).replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: unasked\r\n\r\n"),
        |_| "nonsense\n\n".into(),
    ];
    for answer in answers {
        let (address, given) = by_hand(answer);
        let mut on = client(App::new());
        let id = on.with_hub(|hub| hub.connect(address, opening())).unwrap();
        turn_until(&mut on, |app| !app.closed.is_empty());
        assert_eq!(on.handler().closed, [(id, Closed::Refused)]);
        assert!(on.handler().opened.is_empty());
        drop(given.recv_timeout(BOUND).unwrap());
    }
}

#[test]
fn a_server_that_leaves_before_its_answer_ends_it_once() {
    let (address, given) = by_hand(|_| "HTTP/1.1 101 ");
    drop(given);
    let mut on = client(App::new());
    let id = on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.closed.is_empty());
    assert!(matches!(on.handler().closed[..], [(closed, Closed::Gone | Closed::Refused)] if closed == id));
    assert_eq!(on.stats().connections, 0);
}

#[test]
fn frames_behind_the_101_are_read_with_it() {
    let (address, given) = by_hand(|head| [accept(head).as_bytes(), b"\x81\x05early\x89\x00"].concat());
    let mut on = client(App::new().on_message(|_, _| ()));
    on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.messages.is_empty());
    assert_eq!(on.handler().messages, [b"early"]);
    drop(given);
}

#[test]
fn nothing_is_said_before_the_answer() {
    let (tell, told) = channel::<()>();
    let (address, given) = by_hand(move |head| {
        told.recv_timeout(BOUND).unwrap();
        accept(head)
    });
    let mut on = client(App::new().on_opened(|peer| peer.send("now")));
    let id = on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    for _ in 0..10 {
        let _ = on.turn(Some(Duration::from_millis(1))).unwrap();
        on.with_hub(|hub| hub.send_to(id, "too early"));
    }
    tell.send(()).unwrap();
    turn_until(&mut on, |app| !app.opened.is_empty());
    let (_, mut stream) = given.recv_timeout(BOUND).unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    let (header, length) = Header::parse(&frame).unwrap().unwrap();
    header.mask.expect("§5.1: a client masks").apply(&mut frame[length..]);
    assert_eq!(&frame[length..], b"now", "the first that is said");
}

#[test]
fn a_servers_masked_frame_is_a_fault_and_answered_with_a_masked_close() {
    let (address, given) = by_hand(|head| [accept(head).as_bytes(), &Sent::message("masked")].concat());
    let mut on = client(App::new());
    on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.closed.is_empty());
    assert_eq!(on.handler().whys(), [Closed::Fault(Error::Masked)]);
    let (_, mut stream) = given.recv_timeout(BOUND).unwrap();
    let mut frame = Vec::new();
    stream.read_to_end(&mut frame).unwrap();
    let (header, length) = Header::parse(&frame).unwrap().unwrap();
    assert_eq!(header.opcode, Opcode::Close);
    header.mask.expect("§5.1: a client masks").apply(&mut frame[length..]);
    assert_eq!(frame[length..length + 2], 1002u16.to_be_bytes());
}

#[test]
fn the_servers_fin_comes_first_if_it_comes() {
    for server_closes in [true, false] {
        let (address, given) = by_hand(|head| [accept(head).as_bytes(), b"\x88\x02\x03\xE8"].concat());
        let linger = if server_closes { 10 * BOUND } else { Duration::from_millis(50) };
        let limits = Limits { linger_idle: linger, linger, ..Limits::default() };
        let mut on = Server::default().limits(limits).build(App::new()).unwrap();
        on.with_hub(|hub| hub.connect(address, opening())).unwrap();
        turn_until(&mut on, |app| !app.closed.is_empty());
        let (_, mut stream) = given.recv_timeout(BOUND).unwrap();
        stream.read_exact(&mut [0; 8]).expect("our Close, masked");
        let begun = Instant::now();
        if server_closes {
            while begun.elapsed() < Duration::from_millis(100) {
                let _ = on.turn(Some(Duration::from_millis(10))).unwrap();
            }
            stream.set_nonblocking(true).unwrap();
            assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock, "no FIN yet");
            stream.set_nonblocking(false).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
        while on.stats().connections > 0 {
            assert!(begun.elapsed() < BOUND, "the connection stays");
            let _ = on.turn(Some(BOUND)).unwrap();
        }
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn what_a_request_wanted_to_hear_is_not_what_a_client_hears() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let own = server.addresses()[0];
    let mut on = server
        .build(App::new().on_request(|peer, _, _| {
            peer.subscribe("secret");
            Reply::status(200)
        }))
        .unwrap();
    let mut asking = Tcp::connect(own);
    asking.send(get("/").as_bytes());
    for _ in 0..1_000 {
        if on.stats().requests == 1 {
            break;
        }
        let _ = on.turn(Some(BOUND)).unwrap();
    }
    let (address, given) = by_hand(accept);
    on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.opened.is_empty());
    on.with_hub(|hub: &mut Hub<'_>| assert_eq!(hub.subscribers("secret"), 0));
    drop(given);
}

#[test]
fn an_opening_that_is_never_answered_ends_by_its_deadline() {
    use longwire_reactor::Deadline;
    let (address, given) = by_hand(|_| String::new());
    let limits = Limits { head_deadline: Duration::from_millis(30), ..Limits::default() };
    let mut on = Server::default().limits(limits).build(App::new()).unwrap();
    let id: PeerId = on.with_hub(|hub| hub.connect(address, opening())).unwrap();
    turn_until(&mut on, |app| !app.closed.is_empty());
    assert_eq!(on.handler().closed, [(id, Closed::Late(Deadline::Opening))]);
    drop(given);
}
