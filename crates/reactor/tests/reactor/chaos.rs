//! Many clients that do anything at all: whatever they do, frames stay whole and in order, everybody is told the end once,
//! and nothing is left over.

use std::collections::HashMap;
use std::time::Duration;

use longwire_reactor::frame::{Close, Message, Opcode};
use longwire_reactor::{CloseCode, Limits, PeerId, Piece, Reply, Server};

use crate::stage::*;

/// SplitMix64: one seed is one history.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}

fn app() -> App {
    App::new()
        .on_request(|peer, request, body| match request.path() {
            "/socket" => {
                peer.subscribe("all");
                Reply::web_socket()
            }
            "/pieces" => Reply::web_socket().pieces(),
            "/events" => {
                peer.subscribe("all");
                Reply::events()
            }
            "/later" => {
                peer.wake_after(Duration::from_millis(700));
                Reply::later()
            }
            "/big" => Reply::page("text/plain", vec![b'b'; 30_000]),
            "/panic" => panic!("on purpose"),
            _ => Reply::page("text/plain", body.to_vec()),
        })
        .on_message(|peer, message| match message {
            Message::Text("all") => peer.publish("all", "published"),
            Message::Text("others") => peer.publish_to_others("all", "published"),
            Message::Text("leave") => peer.unsubscribe("all"),
            Message::Text("begin") => peer.piece(&b"begin"[..], false),
            Message::Text("end") => peer.piece(&b"end"[..], true),
            Message::Text("close") => peer.close(CloseCode::NORMAL, ""),
            Message::Text("panic") => panic!("on purpose"),
            message => peer.send(message),
        })
        .on_piece(|peer, piece| match piece {
            Piece::Text { rest, end, .. } => peer.piece(rest, end),
            Piece::Binary { bytes, end } => peer.piece(bytes, end),
        })
        .on_timer(|peer| peer.answer(Reply::status(200)))
}

/// One client: its bytes go out in steps of any size.
struct Guest {
    ws: Ws,
    to_send: Vec<u8>,
    path: &'static str,
    sent: u32,
    echoed: u32,
    left: bool,
    opened: bool,
}

impl Guest {
    fn say(&mut self, dice: &mut Dice) {
        let words = ["all", "others", "leave", "begin", "end", "close", "panic"];
        match dice.roll(30) {
            number @ 0..4 => self.to_send.extend(Sent::message(words[number])),
            4 if dice.roll(4) == 0 => self.to_send.extend(Sent::message(words[3 + dice.roll(4)])),
            5 => self.to_send.extend(Sent::ping(b"ping")),
            6 if dice.roll(10) == 0 => self.to_send.extend(Sent::close(Some(Close::new(CloseCode::NORMAL, "")))),
            7 if dice.roll(20) == 0 => self.to_send.extend((0..20).map(|_| dice.roll(256) as u8)),
            8..12 => {
                let (size, parts) = (dice.roll(6_000), 1 + dice.roll(4));
                let numbered = self.numbered(size);
                let parts: Vec<Message<'_>> =
                    numbered.chunks(numbered.len().div_ceil(parts)).map(Message::Binary).collect();
                self.to_send.extend(Sent::parts(&parts));
            }
            _ => {
                let size = dice.roll(40);
                let numbered = self.numbered(size);
                self.to_send.extend(Sent::message(&numbered));
            }
        }
    }

    /// A message that says which one it is.
    fn numbered(&mut self, size: usize) -> Vec<u8> {
        self.sent += 1;
        [&self.sent.to_be_bytes()[..], &vec![7; size]].concat()
    }

    /// Takes what has come and holds it against what was sent.
    fn look(&mut self, seed: u64) {
        if !self.opened || self.path == "/pieces" {
            if self.opened {
                self.ws.frames();
            }
            return;
        }
        for frame in self.ws.frames() {
            if frame.opcode == Opcode::Binary && frame.fin && frame.payload != b"end" {
                let number = u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
                assert_eq!(number, self.echoed + 1, "seed {seed}: echoes come in order, and none is missing");
                assert!(number <= self.sent);
                self.echoed = number;
            }
        }
    }
}

fn history(seed: u64) -> (u64, usize) {
    let mut dice = Dice(seed);
    let limits = Limits {
        receive: 64 + dice.roll(3_000),
        visit: 1 + dice.roll(5_000),
        direct: 1 + dice.roll(3_000),
        cork: 1 + dice.roll(3_000),
        events: 1 + dice.roll(8),
        accepts: 1 + dice.roll(4),
        send_queue: 500 + dice.roll(30_000),
        max_age: (dice.roll(4) == 0).then_some(Duration::from_secs(40)),
        ..Limits::default()
    };
    let server = Server::default().limits(limits);
    let remote = server.remote();
    let mut stage = Stage::in_world(longwire_reactor::sys::sim::World::new(seed), server, app());
    let mut guests: Vec<Guest> = Vec::new();
    for _ in 0..400 {
        match dice.roll(12) {
            0 if guests.len() < 24 => {
                let path =
                    ["/socket", "/socket", "/socket", "/pieces", "/events", "/later", "/big", "/panic"][dice.roll(8)];
                let ws = Ws::new(stage.connect());
                let mut to_send = Vec::new();
                if path == "/socket" || path == "/pieces" {
                    to_send.extend(upgrade(path).into_bytes());
                } else {
                    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
                    to_send.extend([get("/big"), post.into(), get(path), get("/")].concat().into_bytes());
                }
                guests.push(Guest { ws, to_send, path, sent: 0, echoed: 0, left: false, opened: false });
            }
            1 => stage.world.pass(Duration::from_millis(dice.roll(2_000) as u64)),
            2 if dice.roll(10) == 0 => stage.world.pass(Duration::from_secs(dice.roll(25) as u64)),
            3 => stage.on.with_hub(|hub| hub.publish("all", "from the hub")),
            _ if guests.is_empty() => {}
            act => {
                let number = dice.roll(guests.len());
                let guest = &mut guests[number];
                match act {
                    4 if !guest.left && dice.roll(15) == 0 => {
                        guest.left = true;
                        if dice.roll(2) == 0 { guest.ws.client.finish() } else { guest.ws.client.reset() }
                    }
                    5 => guest.ws.client.set_window(dice.roll(3_000)),
                    6 => guest.ws.client.set_window(usize::MAX),
                    _ if !guest.left => {
                        if guest.opened && guest.to_send.len() < 10_000 {
                            guest.say(&mut dice);
                        }
                        let step = 1 + dice.roll(guest.to_send.len().max(1));
                        let step = step.min(guest.to_send.len());
                        guest.ws.client.send(&guest.to_send[..step]);
                        guest.to_send.drain(..step);
                    }
                    _ => {}
                }
            }
        }
        stage.turn();
        for guest in &mut guests {
            if !guest.opened && (guest.path == "/socket" || guest.path == "/pieces") {
                // The head comes in one piece or not at all while the window is open.
                guest.opened = guest.ws.skip_head();
            }
            guest.look(seed);
        }
    }
    if dice.roll(2) == 0 {
        remote.drain();
    }
    for guest in &mut guests {
        guest.ws.client.set_window(usize::MAX);
    }
    stage.settle();
    guests.iter_mut().for_each(|guest| guest.look(seed));
    for guest in &mut guests {
        guest.ws.client.finish();
    }
    stage.settle();
    for _ in 0..20 {
        stage.pass(Duration::from_secs(10));
    }
    guests.iter_mut().for_each(|guest| guest.look(seed));
    let stats = stage.on.stats();
    assert_eq!((stats.connections, stats.pinned), (0, 0), "seed {seed}");
    let mut ends: HashMap<PeerId, usize> = HashMap::new();
    for (id, _) in &stage.app().closed {
        *ends.entry(*id).or_default() += 1;
    }
    assert!(ends.values().all(|times| *times == 1), "seed {seed}: {ends:?}");
    for id in &stage.app().opened {
        assert!(ends.contains_key(id), "seed {seed}: nobody was told that {id} is gone");
    }
    assert!(guests.iter().all(|guest| guest.ws.client.is_closed()), "seed {seed}");
    (stats.bytes_out, stage.app().messages.len())
}

#[test]
fn any_history_ends_well() {
    let mut messages = 0;
    for seed in 0..150 {
        messages += history(seed).1;
    }
    assert!(messages > 2_000, "the histories are worth their time: {messages} messages");
}

#[test]
fn a_history_repeats_itself() {
    for seed in 1_000..1_010 {
        assert_eq!(history(seed), history(seed));
    }
}
