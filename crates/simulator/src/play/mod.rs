//! A scenario under way: the real loop on the imaginary machine, an application that does what it is told, visitors who say what the
//! script says, and a notebook of what is not as the script promises.
//!
//! A promise is kept in bounded time or broken; it is void only where a fault has ended the visitor whom it was made to, or one
//! whom that visitor [needs](Play::needs).

mod application;
mod promises;
mod shown;
mod visitor;

use std::net::SocketAddr;
use std::time::Duration;

use longwire_reactor::handshake::FieldValue;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::sys::sim::{Client, Sim, World};
use longwire_reactor::{Hub, Limits, Loop, Opening, PeerId, Remote, Server, Turn};

use crate::ladder::{Glimpse, Ladder};
use application::Application;
pub(crate) use application::reply;
pub(crate) use shown::{pattern, shown};
use visitor::Visitor;

/// One of the visitors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Who(usize);

/// So many turns bring everything to rest.
const PATIENCE: u32 = 3_000;

/// See the top of this file.
pub(crate) struct Play {
    pub(crate) world: World,
    on: Loop<Application, Sim>,
    pub(crate) remote: Remote,
    visitors: Vec<Visitor>,
    ladder: Ladder,
    ended: bool,
    /// One call fails: then promises may be void.
    fails: bool,
    /// The first promise that was broken.
    violation: Option<String>,
}

impl Play {
    pub(crate) fn new(limits: Limits, world: World, ladder: Ladder, fails: bool) -> Self {
        let server = Server::default().limits(limits);
        let remote = server.remote();
        let on = server.build_on(world.machine(), Application::new(ladder.clone()));
        Self { world, on, remote, visitors: Vec::new(), ladder, ended: false, fails, violation: None }
    }

    // What visitors do.

    /// Somebody connects.
    pub(crate) fn comes(&mut self, name: &str) -> Who {
        let wire = self.world.connect();
        self.enter(name, Some(wire), false)
    }

    /// The same, from an address.
    pub(crate) fn comes_from(&mut self, name: &str, address: &str) -> Who {
        let wire = self.world.connect_from(address.parse().expect("an address of the script"));
        self.enter(name, Some(wire), false)
    }

    fn enter(&mut self, name: &str, wire: Option<Client>, is_host: bool) -> Who {
        self.ladder.set_time(self.world.now());
        self.ladder.outside(format_args!("{name} {}", if is_host { "is called" } else { "connects" }));
        self.visitors.push(Visitor::new(name, wire, is_host));
        Who(self.visitors.len() - 1)
    }

    /// What is promised to `who` needs `whom`, too: where a fault ends that one, the promises are void.
    pub(crate) fn needs(&mut self, who: Who, whom: Who) {
        self.visitors[who.0].needs.push(whom.0);
    }

    pub(crate) fn sends(&mut self, who: Who, bytes: impl AsRef<[u8]>) {
        let (visitor, bytes) = (&self.visitors[who.0], bytes.as_ref());
        self.ladder.outside(format_args!("{} → {} bytes: {}", visitor.name, bytes.len(), Glimpse(bytes)));
        visitor.send(bytes);
    }

    /// A plain request.
    pub(crate) fn gets(&mut self, who: Who, target: &str) {
        self.sends(who, get(target));
    }

    /// An opening handshake.
    pub(crate) fn upgrades(&mut self, who: Who, target: &str) {
        self.sends(who, upgrade(target));
    }

    /// A text message.
    pub(crate) fn says(&mut self, who: Who, text: &str) {
        self.frame(who, 0x81, text.as_bytes());
    }

    pub(crate) fn frame(&mut self, who: Who, first: u8, payload: &[u8]) {
        let bytes = self.visitors[who.0].frame(first, payload);
        self.sends(who, bytes);
    }

    /// The bytes of a frame, for those who send them in another way.
    pub(crate) fn bytes_of(&self, who: Who, first: u8, payload: &[u8]) -> Vec<u8> {
        self.visitors[who.0].frame(first, payload)
    }

    /// A Close with this code.
    pub(crate) fn closes(&mut self, who: Who, code: u16) {
        self.frame(who, 0x88, &code.to_be_bytes());
    }

    /// Does something to the visitor's end of the connection.
    fn wire(&mut self, who: Who, what: &str, act: impl FnOnce(&Client)) {
        let visitor = &self.visitors[who.0];
        self.ladder.outside(format_args!("{} {what}", visitor.name));
        if let Some(wire) = &visitor.wire {
            act(wire);
        }
    }

    pub(crate) fn finishes(&mut self, who: Who) {
        self.wire(who, "finishes", Client::finish);
    }

    pub(crate) fn resets(&mut self, who: Who) {
        self.wire(who, "resets", Client::reset);
    }

    /// It takes nothing any more, and so many bytes fit between.
    pub(crate) fn stops_reading(&mut self, who: Who, window: usize) {
        self.visitors[who.0].deaf = true;
        self.wire(who, "stops reading", |wire| wire.set_window(window));
    }

    pub(crate) fn reads_again(&mut self, who: Who) {
        self.visitors[who.0].deaf = false;
        self.wire(who, "reads again", |wire| wire.set_window(usize::MAX));
    }

    /// A WebSocket, open.
    pub(crate) fn web_socket(&mut self, name: &str) -> Who {
        self.opens(name, &format!("/ws/{name}"), true)
    }

    /// An event stream, open.
    pub(crate) fn stream(&mut self, name: &str, topic: &str) -> Who {
        self.opens(name, &format!("/events/{name}?request=join+{topic}"), false)
    }

    /// Somebody connects, asks for something that opens, and gets it.
    pub(crate) fn opens(&mut self, name: &str, target: &str, is_web_socket: bool) -> Who {
        let who = self.comes(name);
        if is_web_socket {
            self.upgrades(who, target);
            self.hears(who, &["101"]);
        } else {
            self.gets(who, target);
            self.hears(who, &["200 stream"]);
        }
        who
    }

    // What the server is asked for.

    /// Calls something on the loop, as a callback would.
    pub(crate) fn on_hub<T>(&mut self, call: impl FnOnce(&mut Hub<'_>) -> T) -> T {
        self.on.with_hub(call)
    }

    /// The loop dials, and somebody is there to answer, or not: `None` where a fault keeps it from dialling.
    pub(crate) fn dials(&mut self) -> Who {
        let opening = Opening::new(FieldValue::literal("elsewhere"), OriginForm::literal("/"));
        let address = SocketAddr::from(([10, 0, 0, 1], 80));
        // What it says at once is the application's to deal with.
        let dialled = self.on.with_hub(|hub| hub.connect(address, opening)).is_ok();
        let wire = self.world.dialled();
        self.expects(!dialled || wire.is_some(), "a call was begun as the loop says");
        self.enter("host", wire.filter(|_| dialled), true)
    }

    /// Who was dialled picks up.
    pub(crate) fn picks_up(&mut self, who: Who) {
        self.wire(who, "picks up", Client::answer);
    }

    /// Who was dialled does not want to be.
    pub(crate) fn refuses(&mut self, who: Who) {
        self.wire(who, "refuses", |wire| wire.refuse(111));
    }

    /// The application's name for somebody.
    pub(crate) fn peer(&mut self, name: &str) -> Option<PeerId> {
        self.on.handler().peer(name)
    }

    // How time goes on.

    /// Turns until nothing happens any more.
    pub(crate) fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..PATIENCE {
            let before = self.world.calls().work();
            self.turn(Duration::ZERO);
            quiet = if self.world.calls().work() == before { quiet + 1 } else { 0 };
            if quiet == 3 || self.ended || self.violation.is_some() {
                return;
            }
        }
        self.breaks(format!("after {PATIENCE} turns there is still something to do"));
    }

    /// Time passes, and what it brings happens.
    pub(crate) fn waits(&mut self, time: Duration) {
        let end = self.world.now() + time;
        for _ in 0..PATIENCE {
            let left = end.saturating_sub(self.world.now());
            if left.is_zero() || self.ended || self.violation.is_some() {
                return self.settle();
            }
            self.turn(left);
        }
        self.breaks(format!("{PATIENCE} turns were not enough for {time:?}"));
    }

    /// One turn of the loop, and what must be true after it.
    fn turn(&mut self, wait: Duration) {
        if self.ended || self.violation.is_some() {
            return;
        }
        if let Err(what) = self.try_turn(wait) {
            self.breaks(what);
        }
    }

    fn try_turn(&mut self, wait: Duration) -> Result<(), String> {
        let turn = self.on.turn(Some(wait)).map_err(|error| format!("the loop gave up: {error}"))?;
        self.ended = turn == Turn::Ended;
        self.ladder.set_time(self.world.now());
        self.on.audit()?;
        if let Some(misuse) = self.world.misuse() {
            return Err(misuse.into());
        }
        let (connections, descriptors) = (self.on.stats().connections, self.world.descriptors() as u64);
        if connections != descriptors {
            return Err(format!("{connections} connections hold {descriptors} descriptors"));
        }
        if let Some(what) = self.on.handler().violation.take() {
            return Err(what);
        }
        for visitor in &mut self.visitors {
            let known = visitor.heard.len();
            visitor.listen().map_err(|what| format!("{}: {what}", visitor.name))?;
            for heard in &visitor.heard[known..] {
                self.ladder.outside(format_args!("{} ← {heard}", visitor.name));
            }
        }
        Ok(())
    }
}

/// A plain request.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: here\r\n\r\n")
}

/// A client's opening handshake.
pub(crate) fn upgrade(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}
