//! `drillground`: a server that does on demand what no program for people should do. The drills of `cargo xtask drill` need
//! handlers that panic, answers of a known size and speakers that never pause; the program `longwire` has none of them, and
//! shall have none. It listens on a free loopback port, with the library's default limits, and says where.
//!
//! | path | what is there |
//! |---|---|
//! | `/big` | a page of 200 KB; as a WebSocket, the same bytes as one message and a Close, after the first message |
//! | `/panic` | a WebSocket whose handler panics at every message |
//! | `/echo` | a WebSocket that says what it hears |
//! | `/news` | everything that comes in on `/editor`, as a WebSocket or an event stream |
//! | `/editor` | a WebSocket; its messages are the news |
//! | `/firehose` | a WebSocket on which we never stop sending |

#![forbid(unsafe_code)]

/// The program's own: how it keeps its log short is drilled, too.
#[path = "../../longwire/src/heap.rs"]
mod heap;
#[path = "../../longwire/src/panics.rs"]
mod panics;

use std::io;
use std::thread;
use std::time::Duration;

use longwire_reactor::{CloseCode, Handler, Message, Out, Peer, Remote, Reply, Request, Server};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

const BIG: &[u8] = &[b'b'; 200_000];
const DROP: &[u8] = &[b'd'; 1 << 16];
const NEWS: &str = "news";

struct Drillground;

/// What a WebSocket or a stream is there for.
#[derive(Clone, Copy, Default)]
enum Purpose {
    #[default]
    Echo,
    Big,
    Panic,
    News,
    Editor,
    Firehose,
}

impl Handler for Drillground {
    type User = Purpose;

    fn request(&mut self, peer: &mut Peer<Purpose>, request: &Request, _: &[u8]) -> Reply {
        let wants_web_socket = request.field("Upgrade").is_some();
        *peer.user = match request.path() {
            "/big" if !wants_web_socket => return Reply::page("application/octet-stream", BIG),
            "/big" => Purpose::Big,
            "/panic" => Purpose::Panic,
            "/echo" => Purpose::Echo,
            "/news" => Purpose::News,
            "/editor" => Purpose::Editor,
            "/firehose" => Purpose::Firehose,
            _ => return Reply::status(404),
        };
        if let Purpose::News = peer.user {
            peer.subscribe(NEWS);
        }
        if wants_web_socket { Reply::web_socket() } else { Reply::events() }
    }

    fn opened(&mut self, peer: &mut Peer<Purpose>) {
        if let Purpose::Firehose = peer.user {
            pour(&mut peer.out);
        }
    }

    fn message(&mut self, peer: &mut Peer<Purpose>, message: Message) {
        match peer.user {
            Purpose::Echo => peer.send(message),
            Purpose::Editor => peer.publish(NEWS, message),
            Purpose::Panic => panic!("as asked for"),
            Purpose::Big => {
                peer.send(BIG);
                peer.close(CloseCode::NORMAL, "");
            }
            Purpose::News | Purpose::Firehose => {}
        }
    }

    fn drained(&mut self, peer: &mut Peer<Purpose>) {
        self.opened(peer);
    }

    fn timer(&mut self, peer: &mut Peer<Purpose>) {
        self.opened(peer);
    }
}

/// Sends, and comes back: at once, or when the socket has taken what it did not take now.
fn pour(out: &mut Out) {
    out.send(DROP);
    if out.queued() == 0 {
        out.wake_after(Duration::ZERO);
    }
}

fn main() -> io::Result<()> {
    heap::settle();
    env_logger::Builder::new().filter_level(log::LevelFilter::Info).format_target(false).init();
    panics::log_panics();
    let server = Server::bind("127.0.0.1:0")?;
    drain_on_sigterm(server.remote())?;
    for address in server.addresses() {
        log::info!("listening on http://{address}");
    }
    server.run(Drillground)
}

fn drain_on_sigterm(remote: Remote) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM])?;
    thread::Builder::new().name("signals".into()).spawn(move || signals.forever().for_each(|_| remote.drain()))?;
    Ok(())
}
