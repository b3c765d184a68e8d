//! The whole loop on the imaginary machine: what a message costs between the kernel's two ends.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longwire_reactor::frame::{Connection, Limits, Mask};
use longwire_reactor::sys::sim::{Client, Sim, World};
use longwire_reactor::{Handler, Loop, Message, Peer, Server};

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Text comes back; bytes go to everybody.
struct Echo;

impl Handler for Echo {
    type User = ();

    fn opened(&mut self, peer: &mut Peer) {
        peer.subscribe("all");
    }

    fn message(&mut self, peer: &mut Peer, message: Message) {
        match message {
            Message::Text(_) => peer.send(message),
            Message::Binary(_) => peer.publish("all", message),
        }
    }
}

fn turn(server: &mut Loop<Echo, Sim>) {
    let _ = server.turn(Some(Duration::ZERO)).expect("the imaginary machine does not fail");
}

fn open(world: &World, server: &mut Loop<Echo, Sim>) -> Client {
    let client = world.connect();
    client.send(UPGRADE);
    turn(server);
    turn(server);
    assert!(client.receive().starts_with(b"HTTP/1.1 101"));
    client
}

fn frames(message: Message<'_>, count: usize) -> Vec<u8> {
    let client = Connection::client(Limits::default());
    let mut bytes = vec![0; count * (message.len() + 14)];
    let mut length = 0;
    for _ in 0..count {
        length += client.message(message, Mask::new([1, 2, 3, 4]), &mut bytes[length..]).expect("room");
    }
    bytes.truncate(length);
    bytes
}

fn echo(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("echo");
    for (size, depth) in [(20, 1), (20, 16), (1 << 10, 1), (1 << 10, 16), (16 << 10, 1)] {
        let world = World::new(1);
        let mut server = Server::default().build_on(world.machine(), Echo);
        let client = open(&world, &mut server);
        let input = frames(Message::Text(&"x".repeat(size)), depth);
        group.throughput(Throughput::Elements(depth as u64));
        group.bench_function(BenchmarkId::new(format!("{size} B"), depth), |bencher| {
            bencher.iter(|| {
                client.send(&input);
                turn(&mut server);
                // Unmasked, an echo is four bytes shorter than what was sent.
                assert_eq!(client.receive().len(), input.len() - 4 * depth);
            });
        });
    }
}

fn publish(criterion: &mut Criterion) {
    const SUBSCRIBERS: usize = 1_000;
    let world = World::new(1);
    let mut server = Server::default().build_on(world.machine(), Echo);
    let clients: Vec<Client> = (0..SUBSCRIBERS).map(|_| open(&world, &mut server)).collect();
    let input = frames(Message::Binary(&[0x5a; 64]), 1);
    let mut group = criterion.benchmark_group("publish");
    group.throughput(Throughput::Elements(SUBSCRIBERS as u64));
    group.bench_function(BenchmarkId::new("64 B", SUBSCRIBERS), |bencher| {
        bencher.iter(|| {
            clients[0].send(&input);
            turn(&mut server);
            for client in &clients {
                assert_eq!(client.receive().len(), 66);
            }
        });
    });
}

criterion_group!(benches, echo, publish);
criterion_main!(benches);
