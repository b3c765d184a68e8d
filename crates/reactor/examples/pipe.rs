//! Every line of standard input goes out to everybody: `tail -f some.log | cargo run --example pipe`. Who reads too slowly misses lines
//! and is told how many; whoever asks is written down.
use std::time::Duration;

use longwire_reactor::{Access, Dropped, Handler, Peer, Record, Remote, Reply, Request, Server};

struct Pipe;

impl Handler for Pipe {
    /// How many lines this peer has missed.
    type User = u32;

    fn request(&mut self, peer: &mut Peer<u32>, _: &Request, _: &[u8]) -> Reply {
        peer.subscribe("lines");
        Reply::web_socket().dropping()
    }

    fn dropped(&mut self, peer: &mut Peer<u32>, what: Dropped) {
        *peer.user += what.count;
    }

    fn drained(&mut self, peer: &mut Peer<u32>) {
        let missed = std::mem::take(peer.user);
        if missed > 0 {
            peer.send(&format!("({missed} lines were missed)"));
        }
    }

    fn access(&mut self, access: Access) {
        if let Record::Answered { request: Some(request), status, .. } = access.record {
            eprintln!("{:?} {} {} {status}", access.address(), request.method(), request.target());
        }
    }
}

/// Runs on a thread of its own, for to read is to wait. When the loop has too much to do, the next line waits, too.
fn read(remote: &Remote) {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        while remote.publish("lines", &line).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn main() -> std::io::Result<()> {
    let server = Server::bind("127.0.0.1:9001")?;
    let remote = server.remote();
    std::thread::spawn(move || read(&remote));
    server.run(Pipe)
}
