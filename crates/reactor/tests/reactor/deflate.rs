//! permessage-deflate on the loop (RFC 7692): what is agreed on, who keeps which window, and what it costs.

use std::time::Duration;

use longwire_reactor::frame::{Context, Deflater, Event, Header, Inflater, Limits as Frames, Message, Opcode, Rsv};
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::handshake::{ClientWindow, WindowBits};
use longwire_reactor::{CloseCode, Closed, Deflate, DeflateOffer, FieldValue, Limits, Opening, Piece, Reply, Server};

use crate::live::Live;
use crate::stage::*;

/// Neither side forgets its window.
const KEEPING: Deflate =
    Deflate { server_no_context_takeover: false, client_no_context_takeover: false, ..Deflate::DEFAULT };
const OFFER: &str = "permessage-deflate; client_max_window_bits";

fn stage(terms: Deflate, app: App) -> Stage {
    with(Limits::default(), terms, app)
}

fn with(limits: Limits, terms: Deflate, app: App) -> Stage {
    Stage::built(Server::default().deflate(terms).limits(limits), app)
}

/// Every connection listens to everything, and what it says is for everybody; but `own …` is for itself.
fn room() -> App {
    App::new()
        .on_request(|peer, request, _| {
            peer.subscribe("room");
            if request.path() == "/events" { Reply::events() } else { Reply::web_socket() }
        })
        .on_message(|peer, message| match message {
            Message::Text(text) if text.starts_with("own") => peer.send(text),
            message => peer.publish("room", message),
        })
}

/// Text that becomes much shorter.
fn wordy(name: &str) -> String {
    (0..400).map(|number| format!("{name} says {number}, and once more {number}; ")).collect()
}

/// Bytes that do not.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A client that compresses, as agreed.
struct Squeezed {
    client: longwire_reactor::sys::sim::Client,
    unread: Vec<u8>,
    deflater: Deflater,
    inflater: Inflater,
}

/// A frame as it came: whether it was compressed, its length on the wire, and what is in it.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Came {
    deflated: bool,
    wire: Vec<u8>,
    frame: Frame,
}

impl Squeezed {
    /// Opens a WebSocket with this offer, and returns what was answered to it.
    fn open(stage: &mut Stage, path: &str, offer: &str) -> (Self, String) {
        let head = upgrade(path).replace("\r\n\r\n", &format!("\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n"));
        let (client, answer) = stage.ask(head);
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        let field = answer.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
        let answer = field.unwrap_or_default().to_owned();
        let context = |word| if answer.contains(word) { Context::Fresh } else { Context::TakenOver };
        let limits = Frames { message: 64 << 20, ..Frames::default() };
        let deflater = Deflater::new(context("client_no_context_takeover"), 15).expect("15 bits");
        let inflater = Inflater::new(context("server_no_context_takeover"), limits);
        (Self { client, unread: Vec::new(), deflater, inflater }, answer)
    }

    fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        let mut payload = Vec::new();
        self.deflater.message(message, &mut payload);
        payload
    }

    /// Sends a message, compressed, in one frame.
    fn send(&mut self, text: &str) {
        let payload = self.compress(text.as_bytes());
        self.client.send(&Sent::raw(0xc1, &payload));
    }

    /// All whole frames that have come.
    fn frames(&mut self) -> Vec<Came> {
        self.unread.extend_from_slice(&self.client.receive());
        let mut frames = Vec::new();
        while let Some((header, length)) = Header::parse(&self.unread).expect("a header") {
            let end = length + header.len as usize;
            if end > self.unread.len() {
                break;
            }
            let wire: Vec<u8> = self.unread.drain(..end).skip(length).collect();
            let deflated = header.rsv == Rsv::RSV1;
            assert!(deflated || header.rsv.is_empty(), "{header}");
            let payload = if deflated { self.inflate(header.opcode, &wire) } else { wire.clone() };
            frames.push(Came { deflated, wire, frame: Frame { fin: header.fin, opcode: header.opcode, payload } });
        }
        frames
    }

    fn inflate(&mut self, opcode: Opcode, wire: &[u8]) -> Vec<u8> {
        let (mut at, mut message, mut out) = (0, Vec::new(), [0; 4_096]);
        loop {
            let step = self.inflater.inflate(opcode, &wire[at..], true, &mut out).expect("compressed as it should be");
            at += step.consumed;
            match step.event.expect("more to come") {
                Event::Text { carried, rest, end } => {
                    message.extend(carried.map(String::from).unwrap_or_default().bytes());
                    message.extend_from_slice(rest.as_bytes());
                    if end {
                        return message;
                    }
                }
                Event::Binary { bytes, end } => {
                    message.extend_from_slice(bytes);
                    if end {
                        return message;
                    }
                }
                event => panic!("{event:?}"),
            }
        }
    }

    /// What came as text, and whether each was compressed.
    fn texts(&mut self) -> Vec<(bool, String)> {
        let text = |came: Came| (came.deflated, String::from_utf8(came.frame.payload).expect("text"));
        self.frames().into_iter().map(text).collect()
    }
}

#[test]
fn what_the_server_wants_and_what_the_client_offers_is_answered() {
    let smaller = Deflate { server_max_window_bits: WindowBits::new(10), ..KEEPING };
    for (terms, offer, answer) in [
        (Deflate::DEFAULT, OFFER, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        (KEEPING, "permessage-deflate", "permessage-deflate"),
        (KEEPING, "permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"),
        (KEEPING, "permessage-deflate; server_max_window_bits=8", ""),
        (KEEPING, "permessage-deflate; what=ever", ""),
        (KEEPING, "x-webkit-deflate-frame", ""),
        (smaller, "permessage-deflate", "permessage-deflate; server_max_window_bits=10"),
        (KEEPING, "permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
    ] {
        let mut stage = stage(terms, App::new());
        let (mut client, answered) = Squeezed::open(&mut stage, "/", offer);
        assert_eq!(answered, answer, "{offer}");
        client.client.send(&Sent::message(&*wordy("plain")));
        stage.settle();
        assert_eq!(client.texts(), [(!answer.is_empty(), wordy("plain"))], "{offer}");
    }
    let mut plain = Stage::new(App::new());
    assert_eq!(Squeezed::open(&mut plain, "/", OFFER).1, "", "nobody has asked for it");
}

#[test]
fn what_was_not_agreed_on_is_no_compression() {
    let mut stage = stage(Deflate::DEFAULT, App::new());
    let mut ws = stage.web_socket("/");
    ws.client.send(&Sent::raw(0xc1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
    stage.settle();
    assert_eq!(code_of(&ws.all_frames()[0]), Some(1002));
}

#[test]
fn messages_are_compressed_from_a_size_on_unless_they_are_noise() {
    let limits = Limits { deflate_from: 100, ..Limits::default() };
    let mut stage = with(limits, Deflate::DEFAULT, App::new());
    let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
    let (short, enough, noise) = ("x".repeat(99), "x".repeat(100), noise(5_000));
    for message in [Message::Text(&short), Message::Text(&enough), Message::Binary(&noise), Message::Text("")] {
        client.client.send(&Sent::message(message));
    }
    stage.settle();
    let frames = client.frames();
    let deflated: Vec<bool> = frames.iter().map(|came| came.deflated).collect();
    assert_eq!(deflated, [false, true, false, false]);
    assert!(frames[1].wire.len() < 20, "{}", frames[1].wire.len());
    let payloads: Vec<&[u8]> = frames.iter().map(|came| &came.frame.payload[..]).collect();
    assert_eq!(payloads, [short.as_bytes(), enough.as_bytes(), &noise, b""]);
}

#[test]
fn large_messages_go_out_at_once_and_come_in_whole() {
    let mut stage = with(
        Limits { message: Frames { message: 4 << 20, ..Frames::default() }, send_queue: 8 << 20, ..Limits::default() },
        Deflate::DEFAULT,
        App::new(),
    );
    let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
    let text: String = (0..40).map(|number| wordy(&number.to_string())).collect();
    let mixed = [text.as_bytes(), &noise(1_000_000), text.as_bytes()].concat();
    client.send(&text);
    let payload = client.compress(&mixed);
    client.client.send(&Sent::raw(0xc2, &payload));
    stage.settle();
    assert!(stage.app().whys().is_empty(), "{:?}", stage.app().whys());
    let frames = client.frames();
    assert!(frames.iter().all(|came| came.deflated));
    assert_eq!(frames[0].frame, whole(Opcode::Text, &text));
    assert!(frames[1].frame.payload == mixed);
    assert_eq!(stage.on.stats().pinned, 0, "nothing is kept");
}

/// As where nothing is compressed: only the last one has nothing behind it that will be answered with it.
#[test]
fn answers_to_what_has_come_together_leave_together() {
    let answer = App::new().on_message(|peer, _| peer.send(&noise(1_000)));
    let mut stage = with(Limits { direct: 1_000, ..Limits::default() }, Deflate::DEFAULT, answer);
    let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
    let questions = ["one", "two", "three"].map(|text| Sent::raw(0xc1, &client.compress(text.as_bytes())));
    client.client.send(&questions.concat());
    assert_eq!(stage.settle().writes, 1);
    let frames: Vec<Frame> = client.frames().into_iter().map(|came| came.frame).collect();
    assert_eq!(frames, vec![whole(Opcode::Binary, noise(1_000)); 3]);
}

#[test]
fn messages_in_pieces_of_several_connections_do_not_meet() {
    for limits in [Limits::default(), Limits { receive: 64, visit: 16, cork: 1, direct: 1, ..Limits::default() }] {
        let mut stage = with(limits, Deflate::DEFAULT, App::new());
        let mut clients: Vec<Squeezed> = (0..4).map(|_| Squeezed::open(&mut stage, "/", OFFER).0).collect();
        let payloads: Vec<Vec<u8>> = clients
            .iter_mut()
            .zip("abcd".chars())
            .map(|(c, name)| c.compress(wordy(&name.to_string()).as_bytes()))
            .collect();
        let most = payloads.iter().map(Vec::len).max().expect("four");
        // Frames of a few bytes, in turns, with a ping between them; the last one is empty.
        for at in (0..most).step_by(97) {
            for (client, payload) in clients.iter().zip(&payloads) {
                let first = if at == 0 { 0x41 } else { 0x00 };
                let part = payload.get(at..payload.len().min(at + 97)).unwrap_or_default();
                client.client.send(&Sent::raw(first, part));
                client.client.send(&Sent::ping(b"?"));
            }
            stage.turn();
        }
        for client in &clients {
            client.client.send(&Sent::raw(0x80, b""));
        }
        stage.settle();
        for (client, name) in clients.iter_mut().zip("abcd".chars()) {
            let frames = client.frames();
            let (pongs, echo) = frames.split_at(frames.len() - 1);
            assert!(pongs.iter().all(|came| came.frame == pong("?")) && !pongs.is_empty());
            assert_eq!(echo[0].frame, whole(Opcode::Text, wordy(&name.to_string())));
        }
        assert_eq!(stage.on.stats().pinned, 0, "who is amid nothing holds nothing");
    }
}

#[test]
fn who_keeps_windows_refers_to_what_was_said_before() {
    let mut stage = stage(KEEPING, App::new());
    let (mut client, answer) = Squeezed::open(&mut stage, "/", OFFER);
    assert_eq!(answer, "permessage-deflate");
    let secret = String::from_utf8(noise(1_500).iter().map(|byte| b'a' + byte % 26).collect()).expect("letters");
    let mut wire = Vec::new();
    for _ in 0..3 {
        client.send(&secret);
        stage.settle();
        let frames = client.frames();
        assert_eq!(frames[0].frame, whole(Opcode::Text, &secret));
        wire.push(frames[0].wire.len());
    }
    assert!(wire[0] > 900 && wire[1] < 40 && wire[2] < 40, "{wire:?}");
    // Its own compressor and decompressor, and all of that is booked.
    let pinned = stage.on.stats().pinned;
    assert!((266_000..360_000).contains(&pinned), "{pinned}");
    client.client.finish();
    stage.settle();
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn own_broadcast_own() {
    let mut stage = stage(KEEPING, room());
    let (mut keeping, _) = Squeezed::open(&mut stage, "/", OFFER);
    let (mut sharing, answer) = Squeezed::open(&mut stage, "/", "permessage-deflate; server_no_context_takeover");
    assert_eq!(answer, "permessage-deflate; server_no_context_takeover");
    let own = format!("own {}", wordy("a"));
    let broadcast = wordy("a");
    for round in 0..3 {
        keeping.send(&own);
        stage.settle();
        sharing.send(&broadcast);
        stage.settle();
        keeping.send(&own);
        stage.settle();
        let (first, others) = ((true, own.clone()), [(false, broadcast.clone()), (true, own.clone())]);
        assert_eq!(keeping.texts(), [&[first][..], &others].concat(), "round {round}");
        assert_eq!(sharing.texts(), [(true, broadcast.clone())], "round {round}");
    }
}

#[test]
fn a_publication_is_compressed_once_for_each_window() {
    let mut stage = stage(Deflate::DEFAULT, room());
    let mut wide: Vec<Squeezed> = (0..3).map(|_| Squeezed::open(&mut stage, "/", OFFER).0).collect();
    let narrow = "permessage-deflate; server_max_window_bits=9";
    let mut narrow: Vec<Squeezed> = (0..3).map(|_| Squeezed::open(&mut stage, "/", narrow).0).collect();
    let (mut plain, (events, _)) = (stage.web_socket("/"), stage.events("/events"));
    // What comes again after a thousand bytes is within one window and beyond the other.
    let text =
        String::from_utf8(noise(1_000).iter().map(|byte| b'a' + byte % 26).collect()).expect("letters").repeat(2);
    for message in ["short", &text, "short again"] {
        plain.send(message);
    }
    stage.settle();
    let mut wires = Vec::new();
    for class in [&mut wide, &mut narrow] {
        let came: Vec<Vec<Came>> = class.iter_mut().map(Squeezed::frames).collect();
        assert!(came.iter().all(|frames| *frames == came[0]), "they share the bytes");
        let all: Vec<(bool, &[u8])> = came[0].iter().map(|came| (came.deflated, &came.frame.payload[..])).collect();
        assert_eq!(all, [(false, &b"short"[..]), (true, text.as_bytes()), (false, b"short again")]);
        wires.push(came[0][1].wire.len());
    }
    assert!(wires[0] + 500 < wires[1], "{wires:?}");
    assert_eq!(plain.all_frames(), texts(&["short", &text, "short again"]));
    assert_eq!(super::stage::text(&events), format!("data: short\n\ndata: {text}\n\ndata: short again\n\n"));
}

#[test]
fn what_is_inflated_ends_at_the_limit_and_one_byte_more_is_1009() {
    let limits = Limits { message: Frames { message: 100_000, ..Frames::default() }, ..Limits::default() };
    for (extra, whys) in [(0, vec![]), (1, vec![Closed::Fault(longwire_reactor::frame::Error::MessageTooBig)])] {
        let mut stage = with(limits.clone(), Deflate::DEFAULT, App::new());
        let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
        client.send(&"x".repeat(100_000 + extra));
        stage.settle();
        assert_eq!(stage.app().whys(), whys);
        assert_eq!(stage.app().messages.len(), 1 - extra);
        let last = client.frames().pop().expect("something");
        assert_eq!(last.frame.opcode == Opcode::Close, extra == 1);
        if extra == 1 {
            assert_eq!(code_of(&last.frame), Some(1009));
        }
    }
}

#[test]
fn what_cannot_be_inflated_and_what_is_no_text_is_1007() {
    // A stored block of 5,000 bytes, the last of which is no text.
    let large = [&[0x00, 0x88, 0x13, 0x77, 0xec][..], &[b'x'; 4_999], &[0xff]].concat();
    for (name, payload, first) in [
        ("no block", &[0xff_u8, 0xff, 0xff][..], 0xc2),
        ("a block that has not ended", &[0xf2, 0x48], 0xc2),
        ("not UTF-8, though its message goes on", &large, 0x41),
        ("not UTF-8, in a short message", &[0x00, 0x01, 0x00, 0xfe, 0xff, 0xff], 0xc1),
    ] {
        let mut stage = stage(Deflate::DEFAULT, App::new());
        let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
        client.client.send(&Sent::raw(first, payload));
        client.client.send(&Sent::message("not looked at any more"));
        stage.settle();
        let frames = client.frames();
        assert_eq!((frames.len(), code_of(&frames[0].frame)), (1, Some(1007)), "{name}");
        assert!(stage.app().messages.is_empty(), "{name}");
        // Whose message was damaged has left nothing in the machine that everybody uses.
        let (mut next, _) = Squeezed::open(&mut stage, "/", OFFER);
        next.send("undamaged");
        stage.settle();
        assert_eq!(next.texts(), [(false, "undamaged".into())], "{name}");
    }
}

#[test]
fn who_begins_a_compressed_message_pins_what_it_has_sent() {
    let mut stage = stage(Deflate::DEFAULT, App::new());
    let mut clients: Vec<Squeezed> = (0..10).map(|_| Squeezed::open(&mut stage, "/", OFFER).0).collect();
    let text = wordy("a");
    for client in &mut clients {
        let payload = client.compress(text.as_bytes());
        client.client.send(&Sent::raw(0x41, &payload[..1]));
    }
    stage.settle();
    let pinned = stage.on.stats().pinned;
    assert!(pinned < 10 * 500, "{pinned}");
    // Nothing decompresses for any of them before its message is there, however it comes.
    for client in &mut clients {
        let payload = client.compress(text.as_bytes());
        for byte in payload[1..payload.len() - 1].chunks(1) {
            client.client.send(&Sent::raw(0x00, byte));
        }
        stage.settle();
        client.client.send(&Sent::raw(0x80, &payload[payload.len() - 1..]));
        stage.settle();
        assert_eq!(client.frames()[0].frame, whole(Opcode::Text, &text));
    }
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn what_is_being_inflated_goes_on_however_small_its_frames_become() {
    let mut stage = stage(Deflate::DEFAULT, App::new());
    let message = noise(12_000);
    let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
    let payload = client.compress(&message);
    for large in [4_095, 4_096, 9_000] {
        client.client.send(&Sent::raw(0x42, &payload[..large]));
        stage.settle();
        for frame in payload[large..].chunks(97) {
            client.client.send(&Sent::raw(0x00, frame));
        }
        client.client.send(&Sent::raw(0x80, b""));
        stage.settle();
        assert_eq!(client.frames()[0].frame, whole(Opcode::Binary, &message), "{large}");
    }
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn a_visit_inflates_no_more_than_its_budget_and_nobody_starves() {
    let limits = Limits {
        message: Frames { message: 8 << 20, ..Frames::default() },
        visit: 4_096,
        receive: 4_096,
        ..Limits::default()
    };
    let mut stage = with(
        limits,
        Deflate::DEFAULT,
        App::new().on_message(|peer, message| {
            peer.send(&message.len().to_string());
        }),
    );
    let ((mut bomb, _), mut good) = (Squeezed::open(&mut stage, "/", OFFER), stage.web_socket("/"));
    bomb.send(&"x".repeat(4 << 20));
    bomb.client.send(&Sent::message("behind it"));
    let (mut turns, mut came) = (0, Vec::new());
    while came.is_empty() {
        turns += 1;
        good.send("hello");
        stage.turn();
        assert_eq!(good.all_frames(), texts(&["5"]), "in its own turn");
        assert!(turns < 5_000, "it comes to an end");
        came = bomb.texts();
    }
    // Four mebibytes are a thousand visits.
    assert!((1_000..1_100).contains(&turns), "{turns}");
    stage.settle();
    came.extend(bomb.texts());
    assert_eq!(came, [(false, (4 << 20).to_string()), (false, "9".into())]);
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn bytes_of_which_nothing_comes_are_work_and_nobody_starves() {
    let mut stage = with(Limits::default(), Deflate::DEFAULT, App::new());
    let ((silent, _), mut good) = (Squeezed::open(&mut stage, "/", OFFER), stage.web_socket("/"));
    // Empty blocks that are not final; the last one is left out, as that of every message (RFC 7692 §7.2.1).
    let blocks = [0, 0, 0, 0xff, 0xff].repeat(20_000);
    silent.client.send(&Sent::raw(0xc1, &blocks[..blocks.len() - 4]));
    let mut turns = 0;
    while stage.app().messages.is_empty() || stage.app().messages.iter().all(|message| !message.is_empty()) {
        turns += 1;
        good.send("hello");
        stage.turn();
        assert_eq!(good.all_frames(), texts(&["hello"]), "in its own turn");
        assert!(turns < 100, "it comes to an end");
    }
    // A hundred thousand bytes, of which each visit takes four thousand.
    assert!((24..=27).contains(&turns), "{turns}");
}

#[test]
fn whoever_waits_for_us_is_not_taken_for_dead() {
    let mut stage = with(Limits::default(), Deflate::DEFAULT, App::new());
    let (slow, _) = Squeezed::open(&mut stage, "/", OFFER);
    let blocks = [0, 0, 0, 0xff, 0xff].repeat(45_000);
    slow.client.send(&Sent::raw(0xc1, &blocks[..blocks.len() - 4]));
    // All of it was read in the first of them; a ping and its pong have 50 seconds.
    for _ in 0..54 {
        stage.world.pass(Duration::from_secs(1));
        stage.turn();
    }
    assert_eq!((stage.app().whys(), stage.app().messages.len()), (vec![], 0));
    stage.settle();
    assert_eq!(stage.app().messages, [b""]);
}

#[test]
fn what_is_compressed_for_peers_is_work_and_a_turn_ends_by_it() {
    what_is_compressed_is_work(App::new());
}

#[test]
fn what_is_compressed_for_listeners_is_work_and_a_turn_ends_by_it() {
    what_is_compressed_is_work(room());
}

fn what_is_compressed_is_work(app: App) {
    let mut stage = with(Limits { visit: 1_000, ..Limits::default() }, Deflate::DEFAULT, app);
    let text = wordy("a");
    let mut clients: Vec<Squeezed> = (0..10).map(|_| Squeezed::open(&mut stage, "/", OFFER).0).collect();
    let frames: Vec<Vec<u8>> =
        clients.iter_mut().map(|client| Sent::raw(0xc1, &client.compress(text.as_bytes()))).collect();
    for (client, frame) in clients.iter().zip(&frames) {
        client.client.send(&frame[..frame.len() - 1]);
    }
    stage.settle();
    assert!(stage.app().messages.is_empty());
    // A byte for each, and an answer of twelve kilobytes to be compressed: a turn has time for two.
    for (client, frame) in clients.iter().zip(&frames) {
        client.client.send(&frame[frame.len() - 1..]);
    }
    for turn in 1..=5 {
        stage.turn();
        assert!(stage.app().messages.len() <= 2 * turn, "{} after {turn}", stage.app().messages.len());
    }
    stage.settle();
    assert_eq!(stage.app().messages.len(), 10);
    for client in &mut clients {
        assert_eq!(client.frames()[0].frame, whole(Opcode::Text, &text));
    }
}

#[test]
fn what_was_read_at_once_waits_where_its_answers_are_work() {
    let answer = wordy("b");
    let app = App::new().on_message(move |peer, _| peer.send(answer.as_str()));
    let mut stage = with(Limits { visit: 1_000, receive: 64 << 10, ..Limits::default() }, Deflate::DEFAULT, app);
    let mut client = Squeezed::open(&mut stage, "/", OFFER).0;
    // One packet, and to each question in it an answer of twelve kilobytes to be compressed.
    client.client.send(&Sent::message("?").repeat(20));
    for turn in 1..=5 {
        stage.turn();
        assert_eq!(stage.app().messages.len(), turn, "however much one read may bring");
    }
    stage.settle();
    assert_eq!(client.frames().len(), 20);
}

#[test]
fn final_blocks_are_work_although_nothing_comes_out_of_them() {
    let limits = Limits { visit: 64 << 10, ..Limits::default() };
    let (mut stage, mut turns) = (with(limits, Deflate::DEFAULT, App::new()), 0);
    let (bomb, mut good) = (Squeezed::open(&mut stage, "/", OFFER).0, stage.web_socket("/"));
    // RFC 7692 §7.2.3.4: blocks that end a stream and are empty.
    bomb.client.send(&Sent::raw(0xc2, &[3, 0].repeat(4_000)));
    while stage.app().messages.iter().all(|message| !message.is_empty()) {
        turns += 1;
        good.send("hello");
        stage.turn();
        assert_eq!(good.all_frames(), texts(&["hello"]), "in its own turn");
        assert!(turns < 1_000, "it comes to an end");
    }
    assert!(turns >= 4_000 / 128, "{turns}");
}

#[test]
fn pieces_are_handed_on_as_they_are_inflated_and_wait_while_the_peer_does_not_read() {
    let limits = Limits { send_queue: 64 << 10, receive: 4_096, visit: 4_096, ..Limits::default() };
    let app = App::new().on_request(|_, _, _| Reply::web_socket().pieces()).on_piece(|peer, piece| {
        let (text, end) = match piece {
            Piece::Text { carried, rest, end } => (carried.map(String::from).unwrap_or_default() + rest, end),
            Piece::Binary { .. } => panic!("it was text"),
        };
        peer.send(&text);
        if end {
            peer.send("end");
        }
    });
    let mut stage = with(limits, Deflate::DEFAULT, app);
    let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
    client.client.set_window(0);
    let text: String = (0..60).map(|number| wordy(&number.to_string())).collect();
    client.send(&text);
    client.send("and another");
    for _ in 0..2_000 {
        stage.turn();
        assert!(stage.on.stats().pinned < 200_000, "{}", stage.on.stats().pinned);
    }
    client.client.set_window(usize::MAX);
    stage.settle();
    let all: Vec<String> = client.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(all.concat(), format!("{text}endand anotherend"));
}

#[test]
fn an_idle_connection_gives_its_compressor_back_and_goes_on() {
    let mut stage = stage(KEEPING, App::new());
    let (mut client, _) = Squeezed::open(&mut stage, "/", OFFER);
    let text = wordy("a");
    client.send(&text);
    stage.settle();
    let busy = stage.on.stats().pinned;
    stage.pass(Duration::from_secs(31));
    let idle = stage.on.stats().pinned;
    assert!(busy - idle > 260_000 && idle < 100_000, "{busy} {idle}");
    client.client.send(&Sent::pong(b""));
    client.send(&text);
    stage.settle();
    let came = client.frames();
    let opcodes: Vec<Opcode> = came.iter().map(|came| came.frame.opcode).collect();
    assert_eq!(opcodes, [Opcode::Text, Opcode::Ping, Opcode::Text]);
    assert_eq!(came[2].frame, whole(Opcode::Text, &text));
    assert_eq!(stage.on.stats().pinned, busy);
}

#[test]
fn without_room_for_a_compressor_everything_goes_plain_and_nobody_goes_for_it() {
    let limits = Limits { budget: 600 << 10, ..Limits::default() };
    let mut stage = with(limits, KEEPING, App::new());
    let mut clients: Vec<Squeezed> =
        (0..4).map(|_| Squeezed::open(&mut stage, "/", "permessage-deflate; client_no_context_takeover").0).collect();
    let text = wordy("a");
    let mut deflated = Vec::new();
    for client in &mut clients {
        client.send(&text);
        stage.settle();
        let came = client.frames();
        assert_eq!(came[0].frame, whole(Opcode::Text, &text));
        deflated.push(came[0].deflated);
    }
    assert_eq!(deflated, [true, true, false, false]);
    // Somebody who needs the room for more than that gets it.
    let uploads: Vec<u8> = noise(100_000);
    clients[3].client.send(&Sent::raw(0x02, &uploads));
    stage.settle();
    assert!(stage.app().whys().is_empty(), "{:?}", stage.app().whys());
    for client in &mut clients[..3] {
        client.send(&text);
        stage.settle();
        assert_eq!(client.frames()[0].frame, whole(Opcode::Text, &text));
    }
}

#[test]
fn a_panic_in_mid_message_ends_that_connection_alone() {
    let app = App::new().on_request(|_, _, _| Reply::web_socket().pieces()).on_piece(|peer, piece| match piece {
        Piece::Text { rest, .. } if rest.starts_with("panic") => panic!("as it was told to"),
        Piece::Text { end, .. } => peer.send(if end { "end" } else { "more" }),
        Piece::Binary { .. } => peer.send("binary"),
    });
    // What the first one's message has left in the machine that both use would be the beginning of the second one's.
    let mut stage = with(Limits { receive: 1_000, ..Limits::default() }, Deflate::DEFAULT, app);
    let (mut one, mut two) = (Squeezed::open(&mut stage, "/", OFFER).0, Squeezed::open(&mut stage, "/", OFFER).0);
    one.send(&format!("panic {}", wordy("one")));
    stage.settle();
    two.send("two");
    stage.settle();
    assert_eq!(code_of(&one.frames()[0].frame), Some(CloseCode::INTERNAL.get()));
    assert_eq!(two.texts(), [(false, "end".into())]);
}

#[test]
fn our_client_and_our_server_agree_in_every_form() {
    let any = DeflateOffer::DEFAULT;
    let own = DeflateOffer { server_no_context_takeover: true, ..any };
    let small = DeflateOffer { client_max_window_bits: ClientWindow::AtMost(WindowBits::MIN), ..any };
    for terms in [Deflate::DEFAULT, KEEPING, Deflate { client_max_window_bits: WindowBits::new(9), ..KEEPING }] {
        for offer in [any, own, small] {
            let live = Live::with(1, |server| server.deflate(terms), |_| App::new());
            let app = App::new().on_opened(|peer| {
                for _ in 0..3 {
                    peer.send(&wordy("a"));
                    peer.send(&noise(3_000));
                }
                peer.send("end");
            });
            let mut on =
                Server::default().limits(Limits { deflate_from: 100, ..Limits::default() }).build(app).unwrap();
            let opening = Opening::new(FieldValue::literal("localhost"), OriginForm::literal("/")).deflate(offer);
            on.with_hub(|hub| hub.connect(live.address, opening)).unwrap();
            while on.handler().messages.len() < 7 {
                assert!(
                    on.turn(Some(crate::live::BOUND)).is_ok() && on.handler().closed.is_empty(),
                    "{terms:?} {offer:?}: {:?}",
                    on.handler().closed
                );
            }
            let one = [wordy("a").into_bytes(), noise(3_000)];
            let all = [&one[..], &one, &one, &[b"end".to_vec()]].concat();
            // Both sides echo, so the first may have come round once more by now.
            assert!(on.handler().messages[..7] == all, "{terms:?} {offer:?}");
        }
    }
}
