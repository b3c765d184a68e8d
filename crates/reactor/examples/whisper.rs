//! Whispering by name, and telling the others who left: the first message is the name, later ones are `name message`.
use std::collections::HashMap;

use longwire_reactor::{Closed, Handler, Hub, Message, Peer, PeerId, Server};

#[derive(Default)]
struct Whisper {
    peers: HashMap<String, PeerId>,
}

impl Handler for Whisper {
    /// The name.
    type User = String;

    fn message(&mut self, peer: &mut Peer<String>, message: Message) {
        let Message::Text(text) = message else { return };
        if peer.user.is_empty() {
            *peer.user = text.to_owned();
            self.peers.insert(text.to_owned(), peer.id());
            return peer.subscribe("all");
        }
        let (name, words) = text.split_once(' ').unwrap_or((text, ""));
        match self.peers.get(name) {
            Some(id) => peer.send_to(*id, &format!("{} whispers: {words}", peer.user)),
            None => peer.send(&format!("there is no {name}")),
        }
    }

    fn closed(&mut self, hub: &mut Hub, id: PeerId, name: String, _: Closed) {
        if self.peers.get(&name) == Some(&id) {
            self.peers.remove(&name);
            hub.publish("all", &format!("{name} left"));
        }
    }
}

fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:9001")?.run(Whisper::default())
}
