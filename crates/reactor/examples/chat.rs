//! A chat room: the first message is the name, every later one is for everybody.
use longwire_reactor::{CloseCode, Handler, Message, Peer, Server};

struct Chat;

impl Handler for Chat {
    /// The name.
    type User = String;

    fn message(&mut self, peer: &mut Peer<String>, message: Message) {
        let Message::Text(text) = message else { return peer.close(CloseCode::UNSUPPORTED, "text only") };
        if peer.user.is_empty() {
            *peer.user = text.to_owned();
            peer.subscribe("room");
            peer.publish("room", &format!("{text} came in"));
        } else {
            peer.publish("room", &format!("{}: {text}", peer.user));
        }
    }
}

fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:9001")?.run(Chat)
}
