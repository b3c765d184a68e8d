//! The client: it says what it hears, and closes when a text says `close CODE REASON`.

use std::io;
use std::net::SocketAddr;

use longwire_reactor::handshake::Token;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::{Closed, DeflateOffer, FieldValue, Handler, Hub, Message, Opening, Peer, PeerId, Server};

use crate::serve::parting;

#[derive(Default)]
struct Visitor {
    ended: Option<Closed>,
}

impl Handler for Visitor {
    type User = ();

    fn opened(&mut self, _: &mut Peer) {
        println!("opened");
    }

    fn message(&mut self, peer: &mut Peer, message: Message) {
        let told = match message {
            Message::Text(text) => text.strip_prefix("close ").and_then(parting),
            Message::Binary(_) => None,
        };
        match told {
            Some((code, reason)) => peer.close(code, reason),
            None => peer.send(message),
        }
    }

    fn closed(&mut self, _: &mut Hub<'_>, _: PeerId, (): (), why: Closed) {
        self.ended = Some(why);
    }
}

pub(crate) fn run(address: &str, path: &str, protocols: &[&str]) -> io::Result<()> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let to: SocketAddr = address.parse().map_err(|_| invalid("no address"))?;
    let host = FieldValue::new(address).map_err(|_| invalid("no host"))?;
    let target = OriginForm::new(path).ok_or_else(|| invalid("no path"))?;
    let mut opening = Opening::new(host, target).deflate(DeflateOffer::DEFAULT);
    for protocol in protocols {
        // The words of the command line live as long as the process.
        let name: &'static str = protocol.to_string().leak();
        opening = opening.protocol(Token::new(name).ok_or_else(|| invalid("no subprotocol"))?);
    }
    let mut on = Server::default().limits(crate::limits()).build(Visitor::default())?;
    on.with_hub(|hub| hub.connect(to, opening))?;
    while on.stats().connections > 0 {
        let _ = on.turn(None)?;
    }
    println!("{}", told(on.handler().ended));
    Ok(())
}

fn told(ended: Option<Closed>) -> String {
    match ended {
        Some(Closed::ByPeer(Some(code))) => format!("closed by the peer: {}", code.get()),
        Some(why) => why.to_string(),
        None => "nothing was opened".to_owned(),
    }
}
