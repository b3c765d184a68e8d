//! The site: which path is served by whom. Every loop has one of its own.

use longwire_reactor::{Access, Closed, Dropped, FieldValue, Handler, Hub, Message, Peer, PeerId, Reply, Request};

use crate::access::Log;
use crate::routes::{chat, clock, page, tokens};

/// The application of the program.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) log: Option<Log>,
    pub(crate) room: chat::Room,
}

/// What is kept with whoever stays.
#[derive(Debug, Default)]
pub(crate) enum Visitor {
    /// A request that is answered at once, or one that was not looked at yet.
    #[default]
    Passing,
    Echo,
    Chat(chat::Guest),
    Clock(clock::Listener),
    Tokens(tokens::Speech),
}

impl Handler for Site {
    type User = Visitor;

    fn request(&mut self, peer: &mut Peer<Visitor>, request: &Request, _: &[u8]) -> Reply {
        let is_read = matches!(request.method(), "GET" | "HEAD");
        let (visitor, reply) = match request.path() {
            "/echo" => (Visitor::Echo, Reply::web_socket()),
            "/chat" => (Visitor::Chat(chat::Guest::default()), Reply::web_socket().dropping()),
            "/clock" => {
                let (listener, reply) = clock::request(request);
                (Visitor::Clock(listener), reply)
            }
            "/tokens" => match tokens::request(request) {
                Ok(speech) => (Visitor::Tokens(speech), Reply::events()),
                Err(reply) => (Visitor::Passing, reply),
            },
            "/healthz" => (Visitor::Passing, Reply::text("ok\n")),
            path => match page::find(path) {
                Some(page) => (Visitor::Passing, page),
                None => return Reply::status(404),
            },
        };
        if !is_read {
            return Reply::status(405).field("Allow", FieldValue::literal("GET, HEAD"));
        }
        *peer.user = visitor;
        reply
    }

    fn opened(&mut self, peer: &mut Peer<Visitor>) {
        match peer.user {
            Visitor::Clock(listener) => listener.catch_up(&mut peer.out),
            Visitor::Tokens(speech) => speech.go_on(&mut peer.out),
            Visitor::Passing | Visitor::Echo | Visitor::Chat(_) => {}
        }
    }

    fn message(&mut self, peer: &mut Peer<Visitor>, message: Message) {
        match peer.user {
            Visitor::Chat(guest) => guest.says(&mut self.room, &mut peer.out, message),
            _ => peer.send(message),
        }
    }

    fn drained(&mut self, peer: &mut Peer<Visitor>) {
        match peer.user {
            Visitor::Tokens(speech) => speech.go_on(&mut peer.out),
            Visitor::Chat(guest) => guest.has_read(&mut peer.out),
            Visitor::Passing | Visitor::Echo | Visitor::Clock(_) => {}
        }
    }

    fn dropped(&mut self, peer: &mut Peer<Visitor>, what: Dropped) {
        if let Visitor::Chat(guest) = peer.user {
            guest.misses(what.count);
        }
    }

    fn timer(&mut self, peer: &mut Peer<Visitor>) {
        match peer.user {
            // Who does not read is not spoken to; when it has read, `drained` goes on.
            Visitor::Tokens(_) if peer.out.queued() > 0 => {}
            _ => self.opened(peer),
        }
    }

    fn closed(&mut self, hub: &mut Hub, id: PeerId, visitor: Visitor, why: Closed) {
        log::debug!("{id} is gone: {why}");
        if let Visitor::Chat(guest) = visitor {
            guest.leaves(&mut self.room, hub);
        }
    }

    fn access(&mut self, access: Access) {
        if let Some(log) = &mut self.log {
            log.write(access);
        }
    }
}
