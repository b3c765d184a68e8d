//! The ledger beside the allocator: what connections pin is never more than what is booked for them, and not much less; and
//! when they have gone it is all given back. On real sockets, for they have no memory in this process.

use std::alloc::System;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap::Cap;
use longwire_reactor::frame::{Connection, Header, Limits as Frames, Mask, Message};
use longwire_reactor::{Handler, Limits, Loop, Peer, PeerId, Reply, Request, Server};
use socket2::{Domain, Socket, Type};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// One test at a time: the allocator counts for all.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Echoes; `/later` waits, `/soon` only until the callback has returned, `/topics/…` listens to many topics, and `begin` begins a message that never ends.
#[derive(Default)]
struct App {
    /// How much more was allocated behind a message than before it, at most.
    allocated: usize,
    /// Those who are spoken to in turns.
    two: Vec<PeerId>,
}

impl Handler for App {
    type User = ();

    fn request(&mut self, peer: &mut Peer, request: &Request, _: &[u8]) -> Reply {
        if let Some(name) = request.path().strip_prefix("/topics/") {
            (0..100).for_each(|number| peer.subscribe(&format!("{name} has a long name for its topic {number}")));
        }
        match request.path() {
            "/later" => Reply::later(),
            "/soon" => {
                peer.answer(Reply::status(204));
                Reply::later()
            }
            "/all" => {
                peer.subscribe("all");
                Reply::web_socket()
            }
            _ => Reply::web_socket(),
        }
    }

    fn message(&mut self, peer: &mut Peer, message: Message) {
        match message {
            Message::Text("begin") => peer.piece("begun", false),
            Message::Text("you two") => self.two.push(peer.id()),
            Message::Text("in turns") => {
                let before = ALLOCATOR.allocated();
                (0..200_000).for_each(|number| peer.send_to(self.two[number % 2], ""));
                self.allocated = ALLOCATOR.allocated().saturating_sub(before);
            }
            message => {
                let before = ALLOCATOR.allocated();
                peer.send(message);
                self.allocated = self.allocated.max(ALLOCATOR.allocated().saturating_sub(before));
            }
        }
    }
}

/// A loop on loopback, turned by hand, and its clients.
struct Stage {
    on: Loop<App>,
    address: SocketAddr,
}

impl Stage {
    fn new(limits: Limits) -> Self {
        let server = Server::bind("127.0.0.1:0").expect("loopback").limits(limits);
        let address = server.addresses()[0];
        Self { on: server.build(App::default()).expect("a loop"), address }
    }

    /// Turns until nothing has come for a while.
    fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 3 {
            let before = self.on.stats();
            let _ = self.on.turn(Some(Duration::from_millis(5))).expect("a turn");
            quiet = if self.on.stats() == before { quiet + 1 } else { 0 };
        }
    }

    fn until_all_are_gone(&mut self) {
        for _ in 0..100 {
            if self.on.stats().connections == 0 {
                return;
            }
            let _ = self.on.turn(Some(Duration::from_millis(100))).expect("a turn");
        }
        panic!("{:?}", self.on.stats());
    }

    /// A client whose kernel holds little for it.
    fn connect(&mut self) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
        socket.connect(&self.address.into()).expect("it listens");
        let stream: TcpStream = socket.into();
        stream.set_nonblocking(true).expect("non-blocking");
        stream
    }

    /// Sends all of it, turning the loop as often as that needs, as far as the server takes it.
    fn send(&mut self, stream: &mut TcpStream, mut bytes: &[u8]) {
        let mut refused = 0;
        while !bytes.is_empty() && refused < 20 {
            match stream.write(bytes) {
                Ok(taken) => (bytes, refused) = (&bytes[taken..], 0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => refused += 1,
                Err(_) => return,
            }
            let _ = self.on.turn(Some(Duration::from_millis(u64::from(refused > 0)))).expect("a turn");
        }
    }

    fn web_socket(&mut self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        self.send(&mut stream, upgrade(path).as_bytes());
        self.settle();
        let mut head = [0; 4_096];
        let length = stream.read(&mut head).expect("a head");
        assert!(head[..length].starts_with(b"HTTP/1.1 101 "));
        stream
    }
}

fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

const KEY: Mask = Mask::new([1, 2, 3, 4]);

fn frame(message: Message<'_>) -> Vec<u8> {
    let mut bytes = vec![0; message.len() + Header::MAX_LEN];
    let length = Connection::client(Frames::default()).message(message, KEY, &mut bytes).expect("room");
    bytes.truncate(length);
    bytes
}

fn unfinished(message: Message<'_>) -> Vec<u8> {
    let mut bytes = vec![0; message.len() + Header::MAX_LEN];
    let length = Connection::client(Frames::default()).piece(message, false, KEY, &mut bytes).expect("room");
    bytes.truncate(length);
    bytes
}

type Act = fn(&mut Stage, &mut TcpStream);

/// What can pin memory: its name, the path of its connection (none: no request yet), what is done, and how much of what is booked
/// is really there at least, in percent.
const PINNERS: &[(&str, Option<&str>, Act, usize)] = &[
    (
        "unread echoes",
        Some("/"),
        |stage, stream| {
            for _ in 0..40 {
                stage.send(stream, &frame(Message::Binary(&[7; 50_000])));
            }
        },
        90,
    ),
    (
        "a long unread echo",
        Some("/"),
        |stage, stream| {
            stage.send(stream, &frame(Message::Binary(&[7; 800_000])));
        },
        90,
    ),
    (
        "small unread echoes",
        Some("/"),
        |stage, stream| {
            stage.send(stream, &frame(Message::Text("hello")).repeat(100_000));
        },
        90,
    ),
    (
        "binary in pieces",
        Some("/"),
        |stage, stream| {
            stage.send(stream, &unfinished(Message::Binary(&[7; 300_000])));
        },
        90,
    ),
    (
        "text in pieces",
        Some("/"),
        |stage, stream| {
            stage.send(stream, &unfinished(Message::Text(&"é".repeat(150_000))));
        },
        90,
    ),
    (
        "a body",
        None,
        |stage, stream| {
            let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n";
            stage.send(stream, &[head.as_slice(), &[b'x'; 400_000]].concat());
        },
        90,
    ),
    (
        "half a head",
        None,
        |stage, stream| {
            stage.send(stream, format!("GET /{} HTTP/1.1\r\n", "x".repeat(8_000)).as_bytes());
        },
        90,
    ),
    (
        "a later answer",
        None,
        |stage, stream| {
            stage.send(
                stream,
                format!("GET /later HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n", "x".repeat(8_000)).as_bytes(),
            );
        },
        90,
    ),
    (
        "publications held behind a fragment",
        Some("/all"),
        |stage, stream| {
            stage.send(stream, &frame(Message::Text("begin")));
            stage.on.with_hub(|hub| hub.publish("all", &"p".repeat(50_000)));
        },
        40,
    ),
    // Each subscription is charged its topic as if nobody else listened to it.
    ("topics of its own", Some("/topics/"), |_, _| {}, 25),
];

#[test]
fn what_is_booked_is_what_is_there() {
    const MANY: usize = 8;
    let _alone = alone();
    for (name, path, act, least) in PINNERS {
        // Who waits for an answer stays until its time is over.
        let limits = Limits { send_queue: 2 << 20, later: Duration::from_secs(2), ..Limits::default() };
        let mut stage = Stage::new(limits);
        // The first one brings up what the loop keeps for all.
        let pin = |stage: &mut Stage, number: usize| {
            let mut stream = match path {
                Some(path) if path.ends_with("s/") => stage.web_socket(&format!("{path}{number}")),
                Some(path) => stage.web_socket(path),
                None => stage.connect(),
            };
            act(stage, &mut stream);
            stage.settle();
            stream
        };
        let mut streams = Vec::with_capacity(MANY + 1);
        streams.push(pin(&mut stage, MANY));
        let before = (ALLOCATOR.allocated(), stage.on.stats().pinned as usize);
        for number in 0..MANY {
            streams.push(pin(&mut stage, number));
        }
        let there = ALLOCATOR.allocated() - before.0;
        let booked = stage.on.stats().pinned as usize - before.1;
        assert!(booked > MANY * 4_000, "{name} pins something: {booked}");
        assert!(there <= booked, "{name}: {there} bytes are there, {booked} are booked");
        assert!(there * 100 >= booked * least, "{name}: only {there} bytes are there, {booked} are booked");
        drop(streams);
        stage.until_all_are_gone();
        assert_eq!(stage.on.stats().pinned, 0, "{name}");
        let left = ALLOCATOR.allocated().saturating_sub(before.0);
        assert!(left < 100_000, "{name}: {left} bytes are left");
    }
}

#[test]
fn what_the_process_allocates_stays_within_the_budget() {
    const BUDGET: usize = 8 << 20;
    let _alone = alone();
    let mut stage = Stage::new(Limits { budget: BUDGET, ..Limits::default() });
    let mut streams: Vec<TcpStream> = (0..40).map(|_| stage.web_socket("/")).collect();
    let attack = [frame(Message::Binary(&[7; 60_000])).repeat(12), unfinished(Message::Binary(&[7; 200_000]))].concat();
    let start = ALLOCATOR.allocated();
    for stream in &mut streams {
        stage.send(stream, &attack);
        let there = ALLOCATOR.allocated() - start;
        // Beside the budget: the pool of buffers for messages in pieces.
        assert!(there <= BUDGET + (4 << 20), "{there}");
    }
    assert!(stage.on.stats().connections < 41, "somebody had to go");
}

#[test]
fn an_idle_connection_is_booked_with_its_slot() {
    // So many connections fill three pages of slots.
    const MANY: usize = 384;
    let _alone = alone();
    let slot = 160 + size_of::<Option<std::os::fd::OwnedFd>>() + size_of::<Option<()>>();
    let mut stage = Stage::new(Limits { budget: 512 * slot, ..Limits::default() });
    let mut streams = Vec::with_capacity(MANY);
    // The first round brings up the lists that the loop keeps for all.
    for round in 0..2 {
        let before = ALLOCATOR.allocated();
        for _ in 0..MANY {
            let mut stream = stage.connect();
            stage.send(&mut stream, upgrade("/").as_bytes());
            streams.push(stream);
        }
        stage.settle();
        assert_eq!((stage.on.stats().connections, stage.on.stats().refused), (MANY as u64, 0));
        let each = ALLOCATOR.allocated().saturating_sub(before) / MANY;
        assert!(round == 0 || each <= 160, "{each} bytes for an idle WebSocket");
        streams.clear();
        stage.until_all_are_gone();
    }
}

#[test]
fn what_a_socket_does_not_take_of_a_long_echo_is_not_copied() {
    const LENGTH: usize = 900_000;
    let _alone = alone();
    let mut stage = Stage::new(Limits { kernel_unsent: 16 << 10, ..Limits::default() });
    let mut client = stage.web_socket("/");
    stage.send(&mut client, &frame(Message::Binary(&[1; LENGTH])));
    stage.settle();
    let pinned = stage.on.stats().pinned as usize;
    assert!((LENGTH..LENGTH + LENGTH / 2).contains(&pinned), "{pinned}");
    assert!(stage.on.handler().allocated < 4_096, "{}", stage.on.handler().allocated);
}

#[test]
fn what_was_read_ahead_is_not_copied_anew_for_each_answer() {
    let _alone = alone();
    let mut stage = Stage::new(Limits::default());
    let mut stream = stage.connect();
    const REQUESTS: usize = 5_000;
    let before = ALLOCATOR.total_allocated();
    stage.send(&mut stream, &b"GET /soon HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(REQUESTS));
    let mut answers = [0; 4_096];
    let mut answered = 0;
    while answered < REQUESTS {
        let _ = stage.on.turn(Some(Duration::from_millis(5))).expect("a turn");
        match stream.read(&mut answers) {
            Ok(length) => answered += answers[..length].windows(5).filter(|bytes| bytes == b"HTTP/").count(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    // What waits behind an answer was 100,000 bytes on the average.
    let each = (ALLOCATOR.total_allocated() - before) / REQUESTS;
    assert!(each < 2_000, "{each} bytes were allocated for each of them");
}

#[test]
fn who_is_spoken_to_in_turns_is_looked_at_once() {
    let _alone = alone();
    let mut stage = Stage::new(Limits::default());
    let mut all: Vec<TcpStream> = (0..3).map(|_| stage.web_socket("/")).collect();
    all[..2].iter_mut().for_each(|stream| stage.send(stream, &frame(Message::Text("you two"))));
    stage.settle();
    stage.send(&mut all[2], &frame(Message::Text("in turns")));
    stage.settle();
    // Their queues hold two bytes for each message; a note of each would be eight more.
    let allocated = stage.on.handler().allocated;
    assert!((400_000..1_000_000).contains(&allocated), "{allocated}");
}

#[test]
fn where_nobody_holds_much_it_is_not_looked_for_anew_for_each_newcomer() {
    let _alone = alone();
    let mut stage = Stage::new(Limits { budget: 200_000, ..Limits::default() });
    let mut there = Vec::new();
    while there.len() < 5_000 && stage.on.stats().refused == 0 {
        there.push(stage.connect());
        let _ = stage.on.turn(Some(Duration::ZERO)).expect("a turn");
    }
    let connections = stage.on.stats().connections;
    assert!((500..5_000).contains(&connections), "{connections} have room");
    let newcomers: Vec<TcpStream> = (0..100).map(|_| stage.connect()).collect();
    let before = ALLOCATOR.total_allocated();
    stage.settle();
    let each = (ALLOCATOR.total_allocated() - before) as u64 / newcomers.len() as u64;
    // To look for it is to make a list of all, of eight bytes each.
    assert!(each < 4 * connections, "{each} bytes for each of them");
}
