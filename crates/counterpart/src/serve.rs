//! The server.
//!
//! | path | what is there |
//! |---|---|
//! | `/echo` | a WebSocket that says what it hears; its subprotocols are `echo` and `mirror` |
//! | `/close` | a WebSocket that closes as the message says: `CODE REASON` |
//! | `/` | a WebSocket for libwebsockets' test client: its two subprotocols are a counter and an echo |
//! | `/streams/NAME` | POST leaves a list of events there, GET has them sent and the stream ended |
//! | anything else | the request as we read it |

use std::collections::HashMap;
use std::io;
use std::thread;
use std::time::Duration;

use longwire_reactor::{CloseCode, Handler, Message, Peer, Remote, Reply, Request, Server};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use crate::reading::Reading;
use crate::streams::{self, Entry};

const COUNTER: &str = "dumb-increment-protocol";
const MIRROR: &str = "lws-mirror-protocol";

/// The counter's pace: 20 numbers a second.
const PACE: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Counterpart {
    streams: HashMap<String, Vec<Entry>>,
}

/// What a WebSocket or a stream is there for.
#[derive(Default)]
enum Purpose {
    #[default]
    Echo,
    Close,
    Counter(u32),
    Stream(String),
}

impl Handler for Counterpart {
    type User = Purpose;

    fn request(&mut self, peer: &mut Peer<Purpose>, request: &Request, body: &[u8]) -> Reply {
        let protocols = request.field("Sec-WebSocket-Protocol");
        match (request.field("Upgrade"), request.path()) {
            (Some(_), "/echo") => return Reply::web_socket().protocol("echo").protocol("mirror"),
            (Some(_), "/close") => {
                *peer.user = Purpose::Close;
                return Reply::web_socket();
            }
            (Some(_), "/") if protocols == Some(COUNTER) => {
                *peer.user = Purpose::Counter(0);
                return Reply::web_socket().protocol(COUNTER);
            }
            (Some(_), "/") if protocols == Some(MIRROR) => return Reply::web_socket().protocol(MIRROR),
            _ => {}
        }
        match request.path().strip_prefix("/streams/") {
            Some(name) if request.method() == "POST" => self.keep(name, body),
            Some(name) if self.streams.contains_key(name) => {
                *peer.user = Purpose::Stream(name.to_owned());
                Reply::events()
            }
            Some(_) => Reply::status(404),
            None => {
                let reading = serde_json::to_vec(&Reading::new(request, body)).expect("strings are JSON");
                Reply::page("application/json", reading)
            }
        }
    }

    fn opened(&mut self, peer: &mut Peer<Purpose>) {
        match peer.user {
            Purpose::Counter(_) => peer.wake_after(PACE),
            Purpose::Stream(name) => {
                for entry in self.streams.get(name).into_iter().flatten() {
                    peer.out.send(entry.event().expect("it was one when it came"));
                }
                peer.close(CloseCode::NORMAL, "");
            }
            Purpose::Echo | Purpose::Close => {}
        }
    }

    fn timer(&mut self, peer: &mut Peer<Purpose>) {
        if let Purpose::Counter(number) = peer.user {
            *number += 1;
            peer.out.send(&number.to_string());
            peer.wake_after(PACE);
        }
    }

    fn message(&mut self, peer: &mut Peer<Purpose>, message: Message) {
        match (&peer.user, message) {
            (Purpose::Close, Message::Text(text)) => {
                let (code, reason) = parting(text).expect("a code that can be sent, and a reason");
                peer.close(code, reason);
            }
            _ => peer.send(message),
        }
    }
}

impl Counterpart {
    fn keep(&mut self, name: &str, body: &[u8]) -> Reply {
        match streams::read(body) {
            Ok(entries) => {
                self.streams.insert(name.to_owned(), entries);
                Reply::status(204)
            }
            Err(fault) => Reply::page("text/plain; charset=utf-8", fault.into_bytes()).with_status(400),
        }
    }
}

/// `CODE REASON`, if there is such a code.
pub(crate) fn parting(text: &str) -> Option<(CloseCode, &str)> {
    let (code, reason) = text.split_once(' ').unwrap_or((text, ""));
    Some((CloseCode::new(code.parse().ok()?)?, reason))
}

pub(crate) fn run() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?.limits(crate::limits()).deflate(crate::KEEPING).host("*");
    drain_on_sigterm(server.remote())?;
    for address in server.addresses() {
        log::info!("listening on http://{address}");
    }
    server.run(Counterpart::default())
}

fn drain_on_sigterm(remote: Remote) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM])?;
    thread::Builder::new().name("signals".into()).spawn(move || signals.forever().for_each(|_| remote.drain()))?;
    Ok(())
}
