//! What every test stands on: the real loop on the imaginary machine, an application made of closures that writes down what
//! it is told, and clients that look at each frame.

use std::time::Duration;

use longwire_reactor::frame::{
    Close, CloseCode, Connection, Decoder, Header, Limits as Frames, Mask, Message, Opcode, Role,
};
use longwire_reactor::sys::sim::{Calls, Client, Sim, World};
use longwire_reactor::{
    Closed, Dropped, Handler, Hub, Limits, Loop, Peer, PeerId, Piece, Reply, Request, Server, Turn,
};

type OnRequest = dyn FnMut(&mut Peer<'_, String>, &Request<'_>, &[u8]) -> Reply + Send;
type OnPeer = dyn FnMut(&mut Peer<'_, String>) + Send;
type OnMessage = dyn FnMut(&mut Peer<'_, String>, Message<'_>) + Send;
type OnPiece = dyn FnMut(&mut Peer<'_, String>, Piece<'_>) + Send;
type OnDropped = dyn FnMut(&mut Peer<'_, String>, Dropped) + Send;
type OnClosed = dyn FnMut(&mut Hub<'_>, PeerId, String, Closed) + Send;
type OnTick = dyn FnMut(&mut Hub<'_>) + Send;

/// An application made of closures. Without any it echoes; whatever happens is written down first.
#[derive(Default)]
pub(crate) struct App {
    pub(crate) opened: Vec<PeerId>,
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) drained: Vec<PeerId>,
    pub(crate) dropped: Vec<(PeerId, u32)>,
    pub(crate) closed: Vec<(PeerId, Closed)>,
    pub(crate) timers: usize,
    on_request: Option<Box<OnRequest>>,
    on_opened: Option<Box<OnPeer>>,
    on_message: Option<Box<OnMessage>>,
    on_piece: Option<Box<OnPiece>>,
    on_drained: Option<Box<OnPeer>>,
    on_dropped: Option<Box<OnDropped>>,
    on_timer: Option<Box<OnPeer>>,
    on_closed: Option<Box<OnClosed>>,
    on_tick: Option<Box<OnTick>>,
}

/// One builder method for each callback.
macro_rules! builders {
    ($($name:ident: ($($argument:ty),*) $(-> $result:ty)?;)*) => {
        $(#[must_use]
        pub(crate) fn $name(mut self, call: impl FnMut($($argument),*) $(-> $result)? + Send + 'static) -> Self {
            self.$name = Some(Box::new(call));
            self
        })*
    };
}

impl App {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    builders! {
        on_request: (&mut Peer<'_, String>, &Request<'_>, &[u8]) -> Reply;
        on_opened: (&mut Peer<'_, String>);
        on_message: (&mut Peer<'_, String>, Message<'_>);
        on_piece: (&mut Peer<'_, String>, Piece<'_>);
        on_drained: (&mut Peer<'_, String>);
        on_dropped: (&mut Peer<'_, String>, Dropped);
        on_timer: (&mut Peer<'_, String>);
        on_closed: (&mut Hub<'_>, PeerId, String, Closed);
        on_tick: (&mut Hub<'_>);
    }

    /// Why peers were closed, in order.
    pub(crate) fn whys(&self) -> Vec<Closed> {
        self.closed.iter().map(|(_, why)| *why).collect()
    }
}

impl Handler for App {
    type User = String;

    fn request(&mut self, peer: &mut Peer<'_, String>, request: &Request<'_>, body: &[u8]) -> Reply {
        self.on_request.as_mut().map_or_else(Reply::web_socket, |call| call(peer, request, body))
    }

    fn opened(&mut self, peer: &mut Peer<'_, String>) {
        self.opened.push(peer.id());
        if let Some(call) = &mut self.on_opened {
            call(peer);
        }
    }

    fn message(&mut self, peer: &mut Peer<'_, String>, message: Message<'_>) {
        self.messages.push(message.as_bytes().to_vec());
        match &mut self.on_message {
            Some(call) => call(peer, message),
            None => peer.send(message),
        }
    }

    fn piece(&mut self, peer: &mut Peer<'_, String>, piece: Piece<'_>) {
        if let Some(call) = &mut self.on_piece {
            call(peer, piece);
        }
    }

    fn drained(&mut self, peer: &mut Peer<'_, String>) {
        self.drained.push(peer.id());
        if let Some(call) = &mut self.on_drained {
            call(peer);
        }
    }

    fn dropped(&mut self, peer: &mut Peer<'_, String>, what: Dropped) {
        self.dropped.push((peer.id(), what.count));
        if let Some(call) = &mut self.on_dropped {
            call(peer, what);
        }
    }

    fn timer(&mut self, peer: &mut Peer<'_, String>) {
        self.timers += 1;
        if let Some(call) = &mut self.on_timer {
            call(peer);
        }
    }

    fn closed(&mut self, hub: &mut Hub<'_>, id: PeerId, user: String, why: Closed) {
        self.closed.push((id, why));
        if let Some(call) = &mut self.on_closed {
            call(hub, id, user, why);
        }
    }

    fn tick(&mut self, hub: &mut Hub<'_>) {
        if let Some(call) = &mut self.on_tick {
            call(hub);
        }
    }
}

/// A loop on the imaginary machine.
pub(crate) struct Stage<H: Handler = App> {
    pub(crate) world: World,
    pub(crate) on: Loop<H, Sim>,
    pub(crate) ended: bool,
}

impl<H: Handler> Stage<H> {
    pub(crate) fn new(handler: H) -> Self {
        Self::with(Limits::default(), handler)
    }

    pub(crate) fn with(limits: Limits, handler: H) -> Self {
        Self::built(Server::default().limits(limits), handler)
    }

    pub(crate) fn built(server: Server, handler: H) -> Self {
        Self::in_world(World::new(7), server, handler)
    }

    pub(crate) fn in_world(world: World, server: Server, handler: H) -> Self {
        let on = server.build_on(world.machine(), handler);
        Self { world, on, ended: false }
    }

    /// One turn that does not wait.
    pub(crate) fn turn(&mut self) {
        self.ended |= self.on.turn(Some(Duration::ZERO)).expect("an imaginary poll does not fail") == Turn::Ended;
        self.on.audit().expect("what must always be true");
    }

    /// Turns until nothing happens any more. Returns the calls that the machine got.
    pub(crate) fn settle(&mut self) -> Calls {
        let before = self.world.calls();
        let mut quiet = 0;
        for _ in 0..100_000 {
            let (calls, inflated) = (self.world.calls(), self.on.stats().inflated);
            self.turn();
            let now = self.world.calls();
            let idle = now.work() == calls.work() && self.on.stats().inflated == inflated;
            quiet = if idle { quiet + 1 } else { 0 };
            if quiet == 3 || self.ended {
                return now - before;
            }
        }
        panic!("it does not come to rest");
    }

    /// Time passes, and what it brings happens.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.world.pass(time);
        self.settle();
    }

    pub(crate) fn app(&mut self) -> &mut H {
        self.on.handler()
    }

    /// A client that has sent nothing yet.
    pub(crate) fn connect(&self) -> Client {
        self.world.connect()
    }

    /// Sends bytes on a connection of their own and returns it with what came back.
    pub(crate) fn ask(&mut self, bytes: impl AsRef<[u8]>) -> (Client, String) {
        let client = self.connect();
        let answer = self.ask_on(&client, bytes);
        (client, answer)
    }

    pub(crate) fn ask_on(&mut self, client: &Client, bytes: impl AsRef<[u8]>) -> String {
        client.send(bytes.as_ref());
        self.settle();
        String::from_utf8_lossy(&client.receive()).into_owned()
    }

    /// A WebSocket.
    pub(crate) fn web_socket(&mut self, path: &str) -> Ws {
        let (client, answer) = self.ask(upgrade(path));
        let (head, rest) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(rest.is_empty(), "{rest:?}");
        Ws::new(client)
    }

    /// A WebSocket on which something is sent as soon as it is open: that is returned, too.
    pub(crate) fn web_socket_and_frames(&mut self, path: &str) -> (Ws, Vec<Frame>) {
        let client = self.connect();
        client.send(upgrade(path).as_bytes());
        self.settle();
        let answer = client.receive();
        let at = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        let mut ws = Ws::new(client);
        ws.unread = answer[at..].to_vec();
        let frames = ws.frames();
        (ws, frames)
    }

    /// An event stream, with its head and what followed it.
    pub(crate) fn events(&mut self, path: &str) -> (Client, String) {
        let (client, answer) = self.ask(get(path));
        let (head, rest) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
        (client, rest.to_owned())
    }
}

/// A plain request.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The opening handshake of a client.
pub(crate) fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// What an event stream's client receives, as text.
pub(crate) fn text(client: &Client) -> String {
    String::from_utf8(client.receive()).expect("UTF-8")
}

/// One frame of the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    pub(crate) payload: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = String::from_utf8_lossy(&self.payload[..self.payload.len().min(40)]).into_owned();
        write!(f, "{}{:?}({} {shown:?})", if self.fin { "" } else { "~" }, self.opcode, self.payload.len())
    }
}

pub(crate) fn whole(opcode: Opcode, payload: impl AsRef<[u8]>) -> Frame {
    Frame { fin: true, opcode, payload: payload.as_ref().to_vec() }
}

pub(crate) fn part(opcode: Opcode, payload: impl AsRef<[u8]>) -> Frame {
    Frame { fin: false, opcode, payload: payload.as_ref().to_vec() }
}

pub(crate) fn texts(texts: &[&str]) -> Vec<Frame> {
    texts.iter().map(|text| whole(Opcode::Text, text)).collect()
}

pub(crate) fn pong(payload: &str) -> Frame {
    whole(Opcode::Pong, payload)
}

pub(crate) fn closes(code: CloseCode, reason: &str) -> Frame {
    let mut payload = code.get().to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    whole(Opcode::Close, payload)
}

/// The code of a Close.
pub(crate) fn code_of(frame: &Frame) -> Option<u16> {
    assert_eq!(frame.opcode, Opcode::Close, "{frame:?}");
    Some(u16::from_be_bytes([*frame.payload.first()?, *frame.payload.get(1)?]))
}

const KEY: Mask = Mask::new([0x37, 0xfa, 0x21, 0x3d]);

/// Bytes of a client's frames, made by the client's half of `longwire_frame`.
pub(crate) struct Sent;

impl Sent {
    pub(crate) fn message<'a>(message: impl Into<Message<'a>>) -> Vec<u8> {
        let message = message.into();
        let mut bytes = vec![0; message.len() + Header::MAX_LEN];
        let length = Connection::client(Frames::default()).message(message, KEY, &mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    }

    /// A message in as many frames as there are parts.
    pub(crate) fn parts(parts: &[Message<'_>]) -> Vec<u8> {
        let mut connection = Connection::client(Frames::default());
        let mut sent = Vec::new();
        for (number, message) in parts.iter().enumerate() {
            let mut bytes = vec![0; message.len() + Header::MAX_LEN];
            let length = connection.piece(*message, number + 1 == parts.len(), KEY, &mut bytes).unwrap();
            sent.extend_from_slice(&bytes[..length]);
        }
        sent
    }

    pub(crate) fn ping(payload: &[u8]) -> Vec<u8> {
        let mut bytes = [0; 131];
        let length = Connection::client(Frames::default()).ping(payload, KEY, &mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
        let mut bytes = [0; 131];
        let length = Connection::client(Frames::default()).pong(payload, KEY, &mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    pub(crate) fn close(close: Option<Close<'_>>) -> Vec<u8> {
        let mut bytes = [0; 131];
        let length = Connection::client(Frames::default()).close(close, KEY, &mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    /// Any frame at all, with the mask applied.
    pub(crate) fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            0..=125 => bytes.push(0x80 | payload.len() as u8),
            126..=0xffff => {
                bytes.push(0xfe);
                bytes.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0xff);
                bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&KEY.key());
        let start = bytes.len();
        bytes.extend_from_slice(payload);
        let mut key = KEY;
        key.apply(&mut bytes[start..]);
        bytes
    }
}

/// Takes frames apart and holds them against the rules that a client enforces.
pub(crate) struct Reader {
    decoder: Decoder,
    closed: bool,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { decoder: Decoder::new(Role::Client, Frames { message: u32::MAX >> 1, parts: 1 << 20 }), closed: false }
    }

    /// Takes all whole frames from the front of `bytes`.
    pub(crate) fn take(&mut self, bytes: &mut Vec<u8>) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut at = 0;
        while let Some((header, length)) = Header::parse(&bytes[at..]).expect("a header") {
            let end = at + length + header.len as usize;
            if end > bytes.len() {
                break;
            }
            assert!(!self.closed, "§5.5.1: nothing follows a Close, but {header} did");
            let payload = bytes[at + length..end].to_vec();
            while at < end {
                let step = self.decoder.decode(&mut bytes[at..end]).expect("a frame that a client accepts");
                assert!(step.consumed > 0, "a whole frame is decoded");
                at += step.consumed;
            }
            self.closed |= header.opcode == Opcode::Close;
            frames.push(Frame { fin: header.fin, opcode: header.opcode, payload });
        }
        bytes.drain(..at);
        frames
    }
}

/// The client's end of a WebSocket.
pub(crate) struct Ws {
    pub(crate) client: Client,
    unread: Vec<u8>,
    reader: Reader,
}

impl Ws {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, unread: Vec::new(), reader: Reader::new() }
    }

    pub(crate) fn send<'a>(&self, message: impl Into<Message<'a>>) {
        self.client.send(&Sent::message(message));
    }

    pub(crate) fn close(&self, code: CloseCode) {
        self.client.send(&Sent::close(Some(Close::new(code, ""))));
    }

    /// Takes the 101 that answers an upgrade, once it is there.
    pub(crate) fn skip_head(&mut self) -> bool {
        self.unread.extend_from_slice(&self.client.receive());
        let end = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let opened = end.filter(|_| self.unread.starts_with(b"HTTP/1.1 101 "));
        if let Some(end) = opened {
            self.unread.drain(..end + 4);
        }
        opened.is_some()
    }

    /// All whole frames that have come.
    pub(crate) fn frames(&mut self) -> Vec<Frame> {
        self.unread.extend_from_slice(&self.client.receive());
        self.reader.take(&mut self.unread)
    }

    /// As [`Ws::frames`], and nothing is left over.
    pub(crate) fn all_frames(&mut self) -> Vec<Frame> {
        let frames = self.frames();
        assert!(self.unread.is_empty(), "half a frame is left: {:02x?}", &self.unread[..self.unread.len().min(16)]);
        frames
    }
}
