//! Echoes on the imaginary machine, counted: `turn BYTES IN_FLIGHT MESSAGES`. For whoever counts instructions.

#![forbid(unsafe_code)]

use std::time::Duration;

use longwire_reactor::frame::{Encoder, Mask, Role};
use longwire_reactor::sys::sim::World;
use longwire_reactor::{Handler, Message, Peer, Server};

struct Echo;

impl Handler for Echo {
    type User = ();

    fn message(&mut self, peer: &mut Peer, message: Message) {
        peer.send(message);
    }
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse().expect("a number"));
    let mut number = || numbers.next().expect("BYTES IN_FLIGHT MESSAGES");
    let (bytes, in_flight, messages): (usize, usize, usize) = (number(), number(), number());
    let world = World::new(1);
    let mut server = Server::default().build_on(world.machine(), Echo);
    let mut turn = || _ = server.turn(Some(Duration::ZERO)).expect("the imaginary machine does not fail");
    let client = world.connect();
    client.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    turn();
    turn();
    assert!(client.receive().starts_with(b"HTTP/1.1 101"));
    let mut frame = vec![0; bytes + 14];
    let payload = vec![b'x'; bytes];
    let length = Encoder::new(Role::Client).message(Message::Binary(&payload), Mask::new([1, 2, 3, 4]), &mut frame);
    frame.truncate(length.expect("room"));
    let said = frame.repeat(in_flight);
    for _ in 0..messages / in_flight {
        client.send(&said);
        turn();
        assert_eq!(client.receive().len(), said.len() - 4 * in_flight);
    }
}
