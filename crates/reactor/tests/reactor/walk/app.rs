//! The application of docs/one-connection.md: an echo, and a poem of which a line is said every second.
use std::time::Duration;

use longwire_reactor::{CloseCode, Event, Handler, Id, Message, Peer, Reply, Request};

const POEM: [&str; 4] = [
    "Who has seen the wind?",
    "Neither I nor you:",
    "But when the leaves hang trembling,",
    "The wind is passing through.",
];
const PACE: Duration = Duration::from_secs(1);

pub(crate) struct Walk;

impl Handler for Walk {
    /// How many lines this peer has heard.
    type User = usize;

    fn request(&mut self, peer: &mut Peer<usize>, request: &Request, _: &[u8]) -> Reply {
        if request.path() == "/echo" {
            return Reply::web_socket();
        }
        *peer.user = request.last_event_id().and_then(|id| id.parse().ok()).unwrap_or(0);
        if *peer.user >= POEM.len() {
            return Reply::status(204);
        }
        peer.wake_after(PACE);
        Reply::events().retry(PACE)
    }

    fn message(&mut self, peer: &mut Peer<usize>, message: Message) {
        peer.send(message);
    }

    fn timer(&mut self, peer: &mut Peer<usize>) {
        let line = POEM[*peer.user];
        *peer.user += 1;
        let id = peer.user.to_string();
        peer.send(Event::data(line).id(Id::new(&id).expect("digits are an id")));
        if *peer.user < POEM.len() { peer.wake_after(PACE) } else { peer.close(CloseCode::NORMAL, "") }
    }
}
