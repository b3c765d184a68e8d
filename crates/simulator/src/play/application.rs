//! The application of a scenario: it does what its visitors tell it, and writes down what it is told.
//!
//! A visitor names itself and says what it wants in its request, `/ws/anna?opened=join+room`, and in its messages. What is no
//! command is echoed. Commands are words, and several are separated by `; `:
//!
//! | command | what is done |
//! |---|---|
//! | `join T`, `leave T` | subscribes to a topic, or does not any more |
//! | `publish T text`, `others T text` | publishes, to all or to all others |
//! | `say text`, `large N`, `event text` | sends a text, N bytes, an event |
//! | `piece text`, `last text` | sends a piece of a message |
//! | `to NAME text` | sends to somebody else |
//! | `answer NAME kind` | answers somebody's later request |
//! | `wake N` | asks for the timer in N milliseconds |
//! | `close N`, `ping text`, `panic` | what they say |
//! | `on CALLBACK commands` | from now on, does them in that callback (a message of its own) |

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::time::Duration;

use longwire_reactor::{
    CloseCode, Closed, Dropped, Event, Handler, Hub, Message, Out, Peer, PeerId, Piece, Reply, Request,
};

use super::shown::{pattern, shown};
use crate::ladder::Ladder;

/// See the top of this file.
pub(crate) struct Application {
    /// What each visitor's callbacks were, in order.
    pub(crate) told: BTreeMap<String, Vec<String>>,
    /// The latest request of each visitor.
    peers: BTreeMap<String, PeerId>,
    /// What is open, or waits for its answer, and whose it is.
    open: BTreeMap<PeerId, String>,
    /// The first thing that was not as it must be.
    pub(crate) violation: Option<String>,
    ladder: Ladder,
}

/// What the application keeps with a peer.
#[derive(Default)]
pub(crate) struct Seat {
    name: String,
    /// What to do in which callback.
    wishes: Vec<(&'static str, String)>,
    /// What has come of a message in pieces.
    pieces: Vec<u8>,
}

/// Callbacks for which a request may leave commands.
const CALLBACKS: [&str; 6] = ["opened", "piece", "drained", "dropped", "timer", "closed"];

impl Application {
    pub(crate) const fn new(ladder: Ladder) -> Self {
        Self { told: BTreeMap::new(), peers: BTreeMap::new(), open: BTreeMap::new(), violation: None, ladder }
    }

    /// Who is called so.
    pub(crate) fn peer(&self, name: &str) -> Option<PeerId> {
        self.peers.get(name).copied()
    }

    /// Who is open, or waits for an answer.
    pub(crate) fn open(&self) -> impl Iterator<Item = &String> {
        self.open.values()
    }

    fn note(&mut self, name: &str, what: String) {
        self.ladder.application(format_args!("{name}: {what}"));
        self.told.entry(name.to_owned()).or_default().push(what);
    }

    fn violate(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// A callback about a peer that must be open, or wait, and that must be this one.
    fn called(&mut self, peer: &mut Peer<'_, Seat>, callback: &'static str, what: String) {
        let id = peer.id();
        if self.open.get(&id) != Some(&peer.user.name) {
            self.violate(format!("{callback} of {id}, which came with the value of {:?}", peer.user.name));
        }
        self.note(&peer.user.name, what);
        let wish = peer.user.wishes.iter().find(|(when, _)| *when == callback);
        if let Some(commands) = wish.map(|(_, commands)| commands.clone()) {
            self.obey_all(&mut peer.out, &commands);
        }
    }

    /// A message is a command, or is echoed.
    fn hear(&mut self, peer: &mut Peer<'_, Seat>, message: Message<'_>) {
        match message {
            Message::Text(text) if text.starts_with("on ") => {
                let (callback, commands) = text["on ".len()..].split_once(' ').unwrap_or_default();
                let callback = CALLBACKS.into_iter().find(|known| *known == callback);
                peer.user.wishes.extend(callback.map(|callback| (callback, commands.to_owned())));
            }
            Message::Text(text) if self.obey_all(&mut peer.out, text) => {}
            message => peer.send(message),
        }
    }

    /// `false` if the first word is no command.
    fn obey_all(&mut self, out: &mut Out<'_>, commands: &str) -> bool {
        commands.split("; ").all(|command| self.obey(out, command))
    }

    fn obey(&mut self, out: &mut Out<'_>, command: &str) -> bool {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let number = || first.parse::<u64>().unwrap_or_default();
        match verb {
            "join" => out.subscribe(first),
            "leave" => out.unsubscribe(first),
            "publish" => out.publish(first, text),
            "others" => out.publish_to_others(first, text),
            "say" => out.send(rest),
            "event" => out.send(Event::data(rest)),
            "large" => out.send(&pattern(number() as usize)),
            "piece" => out.piece(rest, false),
            "last" => out.piece(rest, true),
            "ping" => out.ping(rest.as_bytes()),
            "wake" => out.wake_after(Duration::from_millis(number())),
            "close" => out.close(CloseCode::new(number() as u16).unwrap_or(CloseCode::NORMAL), "as you say"),
            "to" => {
                if let Some(id) = self.peer(first) {
                    out.send_to(id, text);
                }
            }
            "answer" => {
                if let Some(id) = self.peer(first) {
                    out.answer_to(id, reply(text));
                }
            }
            // Past the hook, which would print it.
            "panic" => resume_unwind(Box::new(())),
            _ => return false,
        }
        true
    }
}

/// What a kind of request is answered with.
pub(crate) fn reply(kind: &str) -> Reply {
    let (kind, size) = kind.split_once('-').unwrap_or((kind, ""));
    match kind {
        "ws" if size == "dropping" => Reply::web_socket().dropping(),
        "ws" => Reply::web_socket(),
        "pieces" => Reply::web_socket().pieces(),
        "events" if size == "dropping" => Reply::events().dropping(),
        "events" => Reply::events(),
        "later" => Reply::later(),
        "page" if !size.is_empty() => Reply::page("text/plain", pattern(size.parse().unwrap_or_default())),
        "page" => Reply::page("text/plain", "a page".as_bytes()),
        _ => Reply::status(404),
    }
}

impl Handler for Application {
    type User = Seat;

    fn request(&mut self, peer: &mut Peer<'_, Seat>, request: &Request<'_>, body: &[u8]) -> Reply {
        let mut parts = request.path().split('/').skip(1);
        let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let id = peer.id();
        if !peer.user.name.is_empty() {
            self.violate(format!("the user value of {id} is not a fresh one, but that of {}", peer.user.name));
        }
        self.note(name, if body.is_empty() { "request".into() } else { format!("request {}", shown(body)) });
        peer.user.name = name.to_owned();
        peer.user.wishes = CALLBACKS
            .into_iter()
            .filter_map(|when| request.query(when).map(|commands| (when, commands.into_owned())))
            .collect();
        self.peers.insert(name.to_owned(), id);
        if let Some(commands) = request.query("request") {
            self.obey_all(&mut peer.out, &commands);
        }
        if kind == "later" {
            self.open.insert(id, name.to_owned());
        }
        reply(kind)
    }

    fn opened(&mut self, peer: &mut Peer<'_, Seat>) {
        let id = peer.id();
        if peer.user.name.is_empty() {
            // One of our own, which made no request.
            peer.user.name = format!("host {id}");
            self.peers.insert("host".into(), id);
        }
        self.open.insert(id, peer.user.name.clone());
        self.called(peer, "opened", "opened".into());
    }

    fn message(&mut self, peer: &mut Peer<'_, Seat>, message: Message<'_>) {
        self.called(peer, "message", format!("message {}", shown(message.as_bytes())));
        self.hear(peer, message);
    }

    fn piece(&mut self, peer: &mut Peer<'_, Seat>, piece: Piece<'_>) {
        let end = match piece {
            Piece::Text { carried, rest, end } => {
                peer.user.pieces.extend(carried.map(String::from).unwrap_or_default().bytes());
                peer.user.pieces.extend(rest.bytes());
                end
            }
            Piece::Binary { bytes, end } => {
                peer.user.pieces.extend(bytes);
                end
            }
        };
        if end {
            let whole = std::mem::take(&mut peer.user.pieces);
            self.called(peer, "piece", format!("pieces {}", shown(&whole)));
            peer.send(&whole);
        }
    }

    fn drained(&mut self, peer: &mut Peer<'_, Seat>) {
        self.called(peer, "drained", "drained".into());
    }

    fn dropped(&mut self, peer: &mut Peer<'_, Seat>, what: Dropped) {
        self.called(peer, "dropped", format!("dropped {}", what.count));
    }

    fn timer(&mut self, peer: &mut Peer<'_, Seat>) {
        self.called(peer, "timer", "timer".into());
    }

    fn closed(&mut self, hub: &mut Hub<'_>, id: PeerId, user: Seat, why: Closed) {
        let name = match self.open.remove(&id) {
            Some(name) => name,
            // One of our own that never opened.
            None if user.name.is_empty() && why != Closed::ByUs => "host".into(),
            None => return self.violate(format!("closed of {id} ({:?}), which is not open", user.name)),
        };
        if !user.name.is_empty() && name != user.name {
            self.violate(format!("closed of {id}, which is {name:?}, with the value of {:?}", user.name));
        }
        let why = match why {
            Closed::ByPeer(Some(code)) => format!("ByPeer({})", code.get()),
            why => format!("{why:?}"),
        };
        self.note(&name, format!("closed {why}"));
        match user.wishes.iter().find(|(when, _)| *when == "closed").map(|(_, command)| command.split_once(' ')) {
            Some(Some((topic, text))) => hub.publish(topic, text),
            Some(None) => resume_unwind(Box::new(())),
            None => {}
        }
    }
}
