//! Longwire: its reactor, as in its own examples.

use longwire_peers::{LONGEST, Task, task};
use longwire_reactor::{Handler, Limits, Message, Peer, Server};

struct Echo;

impl Handler for Echo {
    type User = ();

    fn message(&mut self, peer: &mut Peer, message: Message) {
        peer.send(message);
    }
}

struct Room;

impl Handler for Room {
    type User = ();

    fn opened(&mut self, peer: &mut Peer) {
        peer.subscribe("room");
    }

    fn message(&mut self, peer: &mut Peer, message: Message) {
        peer.publish("room", message);
    }
}

fn main() -> std::io::Result<()> {
    // What the kernel may hold, unsent and unread, is bounded here alone: by as much as it lets the others have, and from the beginning.
    let (kernel_unsent, kernel_unread) = (4 << 20, 4 << 20);
    let mut limits = Limits { connections: 20_000, budget: 4 << 30, kernel_unsent, kernel_unread, ..Limits::default() };
    limits.message.message = LONGEST as u32;
    let server = Server::from_listener(longwire_peers::listener()).limits(limits);
    match task() {
        Task::Echo => server.run(Echo),
        Task::FanOut => server.run(Room),
    }
}
