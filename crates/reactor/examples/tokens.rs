//! A stream of tokens to one client, as a language model answers: GET /?text=… comes back word by word.
use std::time::Duration;

use longwire_reactor::{CloseCode, Event, Handler, Line, Peer, Reply, Request, Server};

struct Tokens;

impl Handler for Tokens {
    /// The words that are still to be said, the next one last.
    type User = Vec<String>;

    fn request(&mut self, peer: &mut Peer<Vec<String>>, request: &Request, _: &[u8]) -> Reply {
        let text = request.query("text").unwrap_or_default();
        *peer.user = text.split_inclusive(' ').rev().map(String::from).collect();
        peer.wake_after(Duration::ZERO);
        Reply::events()
    }

    fn timer(&mut self, peer: &mut Peer<Vec<String>>) {
        if let Some(word) = peer.user.pop() {
            peer.send(Event::data(&word).name(Line::literal("token")));
            peer.wake_after(Duration::from_millis(40));
        } else {
            peer.send(Event::data("").name(Line::literal("done")));
            peer.close(CloseCode::NORMAL, "");
        }
    }
}

fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:9001")?.run(Tokens)
}
