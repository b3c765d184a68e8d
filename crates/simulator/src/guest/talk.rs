//! What a guest says: requests, frames, and things that nobody should say.

use longwire_reactor::frame::Mask;
use longwire_reactor::sys::sim::Random;

use super::{Awaits, Errand, Guest};
use crate::app::Route;
use crate::coverage::Met;
use crate::ladder::Ladder;
use crate::model::Model;
use crate::plan::Plan;
use crate::words::{Kind, Word};

/// What a request says that asks for a WebSocket.
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// What it may offer besides.
const OFFERS: &[&str] = &[
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n",
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n",
];

impl Guest {
    /// Says one thing more, to be sent when the dice say so.
    pub(super) fn say(&mut self, random: &mut Random, model: &mut Model, plan: &Plan, ladder: &Ladder) {
        // It says nothing more where much is unsent, or where its last word was said.
        if self.outbox.len() > 6_000 || self.last || self.farewell || self.frames.is_closing() {
            return;
        }
        if self.hostile && !self.spoilt && random.one_in(6) {
            return self.misbehave(random, ladder);
        }
        match self.awaits {
            Awaits::Frames(_) => self.say_frames(random, model, plan),
            // Frames may lie right behind the request, for if it gets its 101 they are frames.
            Awaits::Head | Awaits::Body(..) if self.errand_asked && self.errand == Errand::WebSocket => {
                model.meet(Met::Optimist);
                self.say_frames(random, model, plan);
            }
            Awaits::Head | Awaits::Body(..) if !self.errand_asked && self.asked < 12 => self.ask(random, model, plan),
            _ => {}
        }
    }

    /// A request: what it came for, or a page before that.
    fn ask(&mut self, random: &mut Random, model: &mut Model, plan: &Plan) {
        self.asked += 1;
        let route = if random.one_in(2) { self.route(random) } else { Route::Page };
        self.errand_asked |= route != Route::Page;
        let later = if random.one_in(5) { "later-" } else { "" };
        let most = if random.one_in(6) { 4_000 } else { 200 };
        let path = format!("/{later}{}/{}/{}/{}", route.name(), self.index, self.asked, random.below(most));
        let out = &mut self.outbox;
        if route.upgrades() {
            let offer = if random.one_in(3) { "" } else { *random.pick(OFFERS) };
            out.extend_from_slice(format!("GET {path} HTTP/1.1\r\nHost: here\r\n{UPGRADE}{offer}\r\n").as_bytes());
            return;
        }
        let mut body = String::new();
        Word::new(Kind::Body, self.index as u32, self.asked).write(random.below(300), &mut body);
        // Whom the limits forbid to speak at length does not speak.
        let kind = if body.len() > plan.limits.body as usize { 0 } else { random.below(6) };
        let method = match (kind, route) {
            (2.., _) => "POST",
            (1, Route::Page) => "HEAD",
            _ => "GET",
        };
        out.extend_from_slice(format!("{method} {path} HTTP/1.1\r\nHost: here\r\n").as_bytes());
        if method == "HEAD" {
            model.meet(Met::Headless);
            self.headless |= 1 << self.asked;
        }
        if route == Route::Page && random.one_in(12) {
            model.meet(Met::Farewell);
            self.farewell = true;
            out.extend_from_slice(b"Connection: close\r\n");
        }
        if kind > 1 && random.one_in(4) {
            out.extend_from_slice(b"Expect: 100-continue\r\n");
        }
        match kind {
            0 | 1 => out.extend_from_slice(b"\r\n"),
            2 | 3 => out.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()),
            _ => {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.as_bytes().chunks(random.between(1, body.len())) {
                    out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n\r\n");
            }
        }
    }

    /// A message in one frame or in several, a ping, or our Close.
    fn say_frames(&mut self, random: &mut Random, model: &mut Model, plan: &Plan) {
        match random.below(12) {
            0 => self.frame(0x89, b"ping", random),
            1 => self.frame(0x8a, b"pong", random),
            2 if random.one_in(4) => {
                model.meet(Met::Close);
                self.frames.close_sent = true;
                self.frame(0x88, &[0x03, 0xe8], random);
            }
            _ => {
                let most = plan.limits.message.message as usize;
                let scale = if random.one_in(4) { most } else { most.min(120) };
                let word = Word::new(Kind::Message, self.index as u32, self.said + 1);
                let mut text = String::new();
                word.write(random.between(1, scale), &mut text);
                if text.len() > most {
                    return;
                }
                self.said += 1;
                let parts = if random.one_in(3) { random.between(1, 4) } else { 1 };
                let mut first = if word.number % 2 == 1 { 1 } else { 2 };
                let mut payload = text.into_bytes();
                if let Some(squeeze) = self.frames.squeeze.as_mut().filter(|_| random.one_in(2)) {
                    model.meet(Met::Inflated);
                    payload = squeeze.compress(&payload);
                    first |= 0x40;
                }
                let length = payload.len().div_ceil(parts);
                let count = payload.len().div_ceil(length);
                for (number, part) in payload.chunks(length).enumerate() {
                    let fin = if number + 1 == count { 0x80 } else { 0 };
                    self.frame(fin | if number == 0 { first } else { 0 }, part, random);
                }
            }
        }
    }

    /// Appends a frame, masked unless it is a server's.
    pub(super) fn frame(&mut self, first: u8, payload: &[u8], random: &mut Random) {
        let masked = self.errand != Errand::Host;
        let bit = if masked { 0x80 } else { 0 };
        self.outbox.push(first);
        match payload.len() {
            length @ 0..=125 => self.outbox.push(bit | length as u8),
            length => {
                self.outbox.push(bit | 126);
                self.outbox.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        let key = (random.draw() as u32).to_be_bytes();
        if masked {
            self.outbox.extend_from_slice(&key);
        }
        let start = self.outbox.len();
        self.outbox.extend_from_slice(payload);
        if masked {
            Mask::new(key).apply(&mut self.outbox[start..]);
        }
    }

    /// Breaks a rule.
    fn misbehave(&mut self, random: &mut Random, ladder: &Ladder) {
        self.spoilt = true;
        ladder.outside(format_args!("{} misbehaves", self.index));
        match random.below(9) {
            8 if self.frames.squeeze.is_some() => self.frame(0xc1, b"\xff no block begins so", random),
            0 => {
                let mut garbage: Vec<u8> = (0..random.between(1, 60)).map(|_| random.draw() as u8).collect();
                // Neither a request nor a frame begins like this.
                garbage[0] |= 0xf0;
                self.outbox.extend_from_slice(&garbage);
            }
            1 => self.outbox.extend_from_slice(&[b'x'; 3_000]),
            2 => self.outbox.extend_from_slice(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"),
            3 => self.outbox.extend_from_slice(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
            4 => self.frame(0x83, b"a reserved opcode", random),
            5 => self.frame(0x80, b"a continuation of nothing", random),
            6 => self.frame(0x81, b"\xff\xfe", random),
            _ => self.outbox.extend_from_slice(&[0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
        }
    }
}
