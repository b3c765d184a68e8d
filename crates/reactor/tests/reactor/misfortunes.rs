//! Single misfortunes that the simulator has met once and the loop must survive.

use std::net::SocketAddr;
use std::time::Duration;

use longwire_reactor::handshake::FieldValue;
use longwire_reactor::handshake::client::OriginForm;
use longwire_reactor::sys::sim::Fault;
use longwire_reactor::{Opening, Server};

use crate::stage::*;

const ALWAYS: u16 = u16::MAX;

fn somewhere() -> (SocketAddr, Opening) {
    let opening = Opening::new(FieldValue::literal("elsewhere"), OriginForm::literal("/"));
    (SocketAddr::from(([10, 0, 0, 1], 80)), opening)
}

#[test]
fn an_answer_behind_a_fin_leaves_after_a_signal_too() {
    let mut stage = Stage::new(App::new().on_request(|_, _, _| longwire_reactor::Reply::status(200)));
    let client = stage.connect();
    stage.settle();
    client.send(get("/").as_bytes());
    client.finish();
    stage.world.set_fault(Fault::WriteInterrupted, ALWAYS);
    stage.turn();
    assert!(client.receive().is_empty());
    stage.world.calm();
    stage.settle();
    assert!(client.receive().starts_with(b"HTTP/1.1 200 "));
    assert!(client.is_closed() && !client.was_reset());
}

#[test]
fn a_connection_of_ours_that_cannot_be_registered_keeps_no_descriptor() {
    let mut stage = Stage::new(App::new());
    stage.world.set_fault(Fault::RegisterFailed, ALWAYS);
    let (address, opening) = somewhere();
    assert!(stage.on.with_hub(|hub| hub.connect(address, opening)).is_err());
    assert_eq!((stage.world.descriptors(), stage.on.stats().connections), (0, 0));
    stage.settle();
}

#[test]
fn nobody_is_called_while_the_server_is_stopping() {
    let server = Server::on_machine();
    let remote = server.remote();
    let mut stage = Stage::built(
        server,
        App::new().on_closed(|hub, _, _, _| {
            let (address, opening) = somewhere();
            assert!(hub.connect(address, opening).is_err(), "the server is stopping");
        }),
    );
    let _silent = stage.web_socket("/");
    remote.drain();
    stage.settle();
    stage.pass(Duration::from_secs(10));
    assert_eq!(stage.app().closed.len(), 1);
    assert_eq!((stage.on.stats().panics, stage.world.descriptors()), (0, 0));
    assert!(stage.ended);
}
