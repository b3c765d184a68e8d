//! Frames and messages (RFC 6455 §5): headers, and a server's reading of what a client has sent, beside other libraries on the same
//! stream in memory, from which each reads as much as it likes to. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_core::Stream;
use longwire_frame::{Assembly, Connection, Header, Limits, Mask, Message, Reply};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::protocol::{Role, WebSocketConfig};

const KEY: Mask = Mask::new([0x37, 0xfa, 0x21, 0x3d]);

/// What the reactor reads at a time.
const READ: usize = 64 << 10;

fn header(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("header");
    for size in [20_usize, 1 << 10, 1 << 20] {
        let connection = Connection::client(Limits::default());
        let text = "x".repeat(size);
        let header = connection.message_header(Message::Text(&text), KEY).expect("nothing is open");
        let mut bytes = [0; Header::MAX_LEN];
        let length = header.encode(&mut bytes).expect("room");
        assert_eq!(Header::parse(&bytes[..length]), Ok(Some((header, length))));
        group.bench_function(BenchmarkId::new("parse", size), |bencher| {
            bencher.iter(|| Header::parse(black_box(&bytes[..length])));
        });
        group.bench_function(BenchmarkId::new("encode", size), |bencher| {
            bencher.iter(|| black_box(header).encode(&mut bytes));
        });
    }
}

/// Sixty-four masked messages in one read, as a pipelining client sends them.
fn receive(criterion: &mut Criterion) {
    const COUNT: usize = 64;
    let mut group = criterion.benchmark_group("receive");
    for size in [20_usize, 125, 1 << 10] {
        let batch = frames(Message::Text(&"x".repeat(size)), COUNT);
        group.throughput(Throughput::Elements(COUNT as u64));
        group.bench_function(BenchmarkId::new("batch", size), |bencher| {
            let mut input = batch.clone();
            let (mut server, mut reply) = (Connection::server(Limits::default()), Reply::new());
            bencher.iter(|| {
                input.copy_from_slice(&batch);
                let (mut used, mut messages) = (0, 0);
                while used < input.len() {
                    let step = server.receive(&mut input[used..], &mut reply, Mask::NONE).expect("valid");
                    used += step.consumed;
                    messages += usize::from(step.event.is_some());
                }
                assert_eq!(messages, COUNT);
            });
        });
    }
}

/// A message as a client sends it, again and again.
fn frames(message: Message, count: usize) -> Vec<u8> {
    let client = Connection::client(Limits::default());
    let mut frame = vec![0; message.len() + Header::MAX_LEN];
    let length = client.message(message, KEY, &mut frame).expect("room");
    frame.truncate(length);
    frame.repeat(count)
}

/// A stream that never ends, of the same frames, always ready.
struct Wire {
    frames: Vec<u8>,
    at: usize,
}

impl Wire {
    /// What comes next, as much of it as there is room for.
    fn next(&mut self, room: usize) -> &[u8] {
        let from = self.at % self.frames.len();
        self.at = (from + room).min(self.frames.len());
        &self.frames[from..self.at]
    }
}

impl io::Read for Wire {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(out.len());
        out[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context, out: &mut ReadBuf) -> Poll<io::Result<()>> {
        out.put_slice(self.next(out.remaining()));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the stream is always ready"),
    }
}

/// A receive buffer and the machines behind it, as a loop has them for all of its connections.
struct Ours {
    wire: Wire,
    memory: Vec<u8>,
    /// What has been read and not decoded yet.
    there: std::ops::Range<usize>,
    server: Connection,
    assembly: Assembly,
    reply: Reply,
}

impl Ours {
    fn new(wire: Wire) -> Self {
        let (server, assembly, reply) = (Connection::server(Limits::default()), Assembly::new(), Reply::new());
        Self { wire, memory: vec![0; READ], there: 0..0, server, assembly, reply }
    }

    /// Bytes of the next so many messages together.
    fn messages(&mut self, count: usize) -> usize {
        let (mut seen, mut bytes) = (0, 0);
        while seen < count {
            let mut input = &mut self.memory[self.there.clone()];
            if let Some(whole) = self.server.whole() {
                while seen < count
                    && let Some(message) = whole.next(&mut input).expect("valid")
                {
                    (seen, bytes) = (seen + 1, bytes + black_box(message).len());
                }
                self.there.start = self.there.end - input.len();
                if seen == count {
                    break;
                }
            }
            let step = self.server.receive(input, &mut self.reply, Mask::NONE).expect("valid");
            self.there.start += step.consumed;
            if let Some(event) = step.event {
                if let Some(message) = self.assembly.push(event) {
                    (seen, bytes) = (seen + 1, bytes + black_box(message).len());
                    self.assembly.clear();
                }
            } else if step.consumed == 0 {
                self.memory.copy_within(self.there.clone(), 0);
                self.there = 0..self.there.len();
                let read = io::Read::read(&mut self.wire, &mut self.memory[self.there.end..]);
                self.there.end += read.expect("it does not fail");
            }
        }
        bytes
    }
}

/// From a stream to messages: what is between the kernel and the application, and nothing of either.
fn messages(criterion: &mut Criterion) {
    let (short, long, longer) = ([0xA5; 20], [0xA5; 1 << 10], [0xA5; 16 << 10]);
    let text = "wire дрот 線 🪢 ".repeat(36);
    for (name, message, count) in [
        ("20-bytes", Message::Binary(&short), 1000),
        ("1-KiB", Message::Binary(&long), 256),
        ("1-KiB-text", Message::Text(&text), 256),
        ("16-KiB", Message::Binary(&longer), 16),
    ] {
        let wire = || Wire { frames: frames(message, count), at: 0 };
        let bytes = message.len() * count;
        let mut group = criterion.benchmark_group(format!("messages/{name}"));
        group.throughput(Throughput::Elements(count as u64));

        let mut ours = Ours::new(wire());
        group.bench_function("longwire", |bencher| bencher.iter(|| assert_eq!(ours.messages(count), bytes)));

        // By default it reads, and zeroes before, 128 KiB at a time.
        let config = WebSocketConfig::default().read_buffer_size(16 << 10);
        let mut theirs = tungstenite::WebSocket::from_raw_socket(wire(), Role::Server, Some(config));
        group.bench_function("tungstenite", |bencher| {
            bencher.iter(|| {
                let messages = (0..count).map(|_| black_box(theirs.read().expect("valid")).len());
                assert_eq!(messages.sum::<usize>(), bytes);
            });
        });

        let mut context = Context::from_waker(Waker::noop());
        let mut theirs = fastwebsockets::WebSocket::after_handshake(wire(), fastwebsockets::Role::Server);
        group.bench_function("fastwebsockets", |bencher| {
            bencher.iter(|| {
                let frames = (0..count).map(|_| {
                    let frame = ready(pin!(theirs.read_frame()).poll(&mut context)).expect("valid");
                    black_box(frame).payload.len()
                });
                assert_eq!(frames.sum::<usize>(), bytes);
            });
        });

        let mut theirs = tokio_websockets::ServerBuilder::new().serve(wire());
        group.bench_function("tokio-websockets", |bencher| {
            bencher.iter(|| {
                let messages = (0..count).map(|_| {
                    let message = ready(Pin::new(&mut theirs).poll_next(&mut context));
                    black_box(message.expect("it never ends").expect("valid")).as_payload().len()
                });
                assert_eq!(messages.sum::<usize>(), bytes);
            });
        });
    }
}

criterion_group!(benches, header, receive, messages);
criterion_main!(benches);
