//! Sixty-four masked messages that have come in one read, made into messages: by us, and by others in the same run. Everybody copies them
//! once, from where they lie into a buffer of its own, and counts what came out.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fastwebsockets::OpCode;
use futures_util::{FutureExt, StreamExt};
use longwire_frame::{Connection, Header, Limits, Mask, Message, Reply};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::protocol::{Role, WebSocketConfig};

const COUNT: usize = 64;
const KEY: Mask = Mask::new([0x37, 0xfa, 0x21, 0x3d]);

/// A socket on which the same bytes come again whenever it is wound back, from outside of whoever has it.
#[derive(Clone)]
struct Wire {
    bytes: Rc<[u8]>,
    at: Rc<Cell<usize>>,
}

impl Wire {
    fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), at: Rc::default() }
    }

    fn next(&mut self, most: usize) -> &[u8] {
        let from = self.at.get();
        let end = (from + most).min(self.bytes.len());
        self.at.set(end);
        &self.bytes[from..end]
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let came = self.next(buffer.len());
        buffer[..came.len()].copy_from_slice(came);
        if came.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(came.len()) }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let came = self.next(buffer.remaining());
        buffer.put_slice(came);
        if came.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(buffer.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn batch(size: usize) -> Vec<u8> {
    let client = Connection::client(Limits::default());
    let payload = vec![b'x'; size];
    let mut batch = vec![0; COUNT * (size + Header::MAX_LEN)];
    let mut length = 0;
    for _ in 0..COUNT {
        length += client.message(Message::Binary(&payload), KEY, &mut batch[length..]).expect("room");
    }
    batch.truncate(length);
    batch
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frames");
    for size in [20_usize, 1 << 10, 16 << 10] {
        let bytes = batch(size);
        let all = COUNT * size;
        group.throughput(Throughput::Elements(COUNT as u64));
        group.bench_function(BenchmarkId::new("longwire", size), |bencher| {
            let mut input = bytes.clone();
            let (mut server, mut reply) = (Connection::server(Limits::default()), Reply::new());
            bencher.iter(|| {
                input.copy_from_slice(&bytes);
                let (mut used, mut came) = (0, 0);
                while let Ok(Some((message, length))) = server.receive_whole(&mut input[used..], &mut reply, Mask::NONE)
                {
                    used += length;
                    came += message.len();
                }
                assert_eq!((came, used), (all, input.len()));
            });
        });
        let wire = Wire::new(&bytes);
        group.bench_function(BenchmarkId::new("tungstenite", size), |bencher| {
            let config = WebSocketConfig::default().read_buffer_size(16 << 10);
            let mut server = tungstenite::WebSocket::from_raw_socket(wire.clone(), Role::Server, Some(config));
            bencher.iter(|| {
                wire.at.set(0);
                let mut came = 0;
                while let Ok(message) = server.read() {
                    came += message.len();
                }
                assert_eq!(came, all);
            });
        });
        group.bench_function(BenchmarkId::new("fastwebsockets", size), |bencher| {
            let mut server = fastwebsockets::WebSocket::after_handshake(wire.clone(), fastwebsockets::Role::Server);
            bencher.iter(|| {
                wire.at.set(0);
                let mut came = 0;
                for _ in 0..COUNT {
                    let frame = server.read_frame().now_or_never().expect("it is there").expect("a frame");
                    assert_eq!(frame.opcode, OpCode::Binary);
                    came += frame.payload.len();
                }
                assert_eq!(came, all);
            });
        });
        group.bench_function(BenchmarkId::new("tokio-websockets", size), |bencher| {
            let mut server = tokio_websockets::ServerBuilder::new().serve(wire.clone());
            bencher.iter(|| {
                wire.at.set(0);
                let mut came = 0;
                while let Some(Some(Ok(message))) = server.next().now_or_never() {
                    came += message.as_payload().len();
                }
                assert_eq!(came, all);
            });
        });
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
