//! A long poll: GET waits for news, for 30 s at most; POST is the news.
use std::time::Duration;

use longwire_reactor::{Closed, Handler, Hub, Peer, PeerId, Reply, Request, Server};

#[derive(Default)]
struct Poll {
    waiting: Vec<PeerId>,
}

impl Handler for Poll {
    type User = ();

    fn request(&mut self, peer: &mut Peer, request: &Request, body: &[u8]) -> Reply {
        if request.method() == "POST" {
            for id in self.waiting.drain(..) {
                peer.answer_to(id, Reply::page("text/plain", body.to_vec()));
            }
            return Reply::status(204);
        }
        self.waiting.push(peer.id());
        peer.wake_after(Duration::from_secs(30));
        Reply::later()
    }

    fn timer(&mut self, peer: &mut Peer) {
        peer.answer(Reply::status(204));
    }

    fn closed(&mut self, _: &mut Hub, id: PeerId, (): (), _: Closed) {
        self.waiting.retain(|waiting| *waiting != id);
    }
}

fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:9001")?.run(Poll::default())
}
