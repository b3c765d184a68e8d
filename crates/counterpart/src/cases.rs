//! The client that Autobahn's fuzzing server wants: it asks how many cases there are, has each of them done to it, echoing
//! whatever comes, and asks for the report.

use std::io;
use std::net::SocketAddr;

use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::{DeflateOffer, FieldValue, Handler, Message, Opening, Peer, Server};

/// Who we say we are.
const AGENT: &str = "longwire";

/// Echoes, and remembers the last text.
struct Echo {
    echoes: bool,
    last: String,
}

impl Handler for Echo {
    type User = ();

    fn message(&mut self, peer: &mut Peer, message: Message) {
        if self.echoes {
            return peer.send(message);
        }
        if let Message::Text(text) = message {
            text.clone_into(&mut self.last);
        }
    }
}

/// Runs all cases that the server has. A client that says that it does not keep its window is let into more of them, and one
/// that keeps it shows more.
pub(crate) fn run(address: &str, keeps_window: bool) -> io::Result<()> {
    let offer = DeflateOffer { client_no_context_takeover: !keeps_window, ..DeflateOffer::DEFAULT };
    let count = connect(address, "/getCaseCount", offer, false)?;
    let count: u32 = count.parse().map_err(|_| invalid("the server has not said how many cases it has"))?;
    for case in 1..=count {
        connect(address, &format!("/runCase?case={case}&agent={AGENT}"), offer, true)?;
    }
    connect(address, &format!("/updateReports?agent={AGENT}"), offer, false)?;
    println!("{count} cases");
    Ok(())
}

/// One connection, from its opening to its end; returns the last text that came, if it does not echo.
fn connect(address: &str, target: &str, offer: DeflateOffer, echoes: bool) -> io::Result<String> {
    let to: SocketAddr = address.parse().map_err(|_| invalid("no address"))?;
    let host = FieldValue::new(address).map_err(|_| invalid("no host"))?;
    let target = OriginForm::new(target).ok_or_else(|| invalid("no path"))?;
    let mut on = Server::default().limits(crate::limits()).build(Echo { echoes, last: String::new() })?;
    on.with_hub(|hub| hub.connect(to, Opening::new(host, target).deflate(offer)))?;
    while on.stats().connections > 0 {
        let _ = on.turn(None)?;
    }
    Ok(std::mem::take(&mut on.handler().last))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
