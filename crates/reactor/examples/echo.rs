//! A WebSocket echo server: every message goes back to its sender.
use longwire_reactor::{Handler, Message, Peer, Server};

struct Echo;

impl Handler for Echo {
    type User = ();

    fn message(&mut self, peer: &mut Peer, message: Message) {
        peer.send(message);
    }
}

fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:9001")?.run(Echo)
}
