//! A clock as Server-Sent Events: one event a second, to everybody who listens.
use longwire_reactor::{Event, Handler, Hub, Peer, Reply, Request, Server};

struct Clock;

impl Handler for Clock {
    type User = ();

    fn request(&mut self, peer: &mut Peer, _: &Request, _: &[u8]) -> Reply {
        peer.subscribe("clock");
        Reply::events()
    }

    fn tick(&mut self, hub: &mut Hub) {
        let seconds = hub.unix_time().to_string();
        hub.publish("clock", Event::data(&seconds));
    }
}

fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:9001")?.tick(std::time::Duration::from_secs(1)).run(Clock)
}
