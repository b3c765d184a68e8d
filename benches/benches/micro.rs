//! The protocol crates: latency at small sizes, throughput at large ones. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longwire_frame::{Connection, Event, Header, Limits, Mask, Message, Reply, Utf8};
use longwire_handshake::{Accept, Body, Connection as Persistence, Date, FieldSlots, Head, Request, Response, Status};
use longwire_sse::{Event as SseEvent, Id, Line, Parser};

const SIZES: [usize; 4] = [20, 125, 1 << 10, 64 << 10];
const KEY: Mask = Mask::new([0x37, 0xfa, 0x21, 0x3d]);

fn mask(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let mut payload = vec![0x5a; size];
        let (mut fast, mut naive) = (payload.clone(), payload.clone());
        let (mut one, mut other) = (KEY, KEY);
        one.apply(&mut fast);
        other.apply_naive(&mut naive);
        assert_eq!(fast, naive);
        group.bench_function(BenchmarkId::new("apply", size), |bencher| {
            bencher.iter(|| {
                let mut mask = black_box(KEY);
                mask.apply(black_box(&mut payload));
            });
        });
        group.bench_function(BenchmarkId::new("apply_naive", size), |bencher| {
            bencher.iter(|| {
                let mut mask = black_box(KEY);
                mask.apply_naive(black_box(&mut payload));
            });
        });
        group.bench_function(BenchmarkId::new("fastwebsockets", size), |bencher| {
            bencher.iter(|| fastwebsockets::unmask(black_box(&mut payload), black_box(KEY.key())));
        });
    }
}

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
        let client = Connection::client(Limits::default());
        let text = "x".repeat(size);
        let mut batch = vec![0; COUNT * (size + Header::MAX_LEN)];
        let mut length = 0;
        for _ in 0..COUNT {
            length += client.message(Message::Text(&text), KEY, &mut batch[length..]).expect("room");
        }
        batch.truncate(length);
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
                    messages += usize::from(matches!(step.event, Some(Event::Text { end: true, .. })));
                }
                assert_eq!(messages, COUNT);
            });
        });
    }
}

fn utf8(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("utf8");
    for (name, piece) in [("ascii", "wire"), ("two-byte", "дрот"), ("mixed", "wire дрот 線 🪢")] {
        for size in [20, 1 << 10, 64 << 10] {
            let text = piece.repeat(size / piece.len());
            assert_eq!(Utf8::new().push(text.as_bytes()), Ok((None, text.as_str())));
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| Utf8::new().push(black_box(text.as_bytes())).map(|(_, text)| text.len()));
            });
            group.bench_function(BenchmarkId::new(format!("{name}, std"), size), |bencher| {
                bencher.iter(|| str::from_utf8(black_box(text.as_bytes())).map(str::len));
            });
        }
    }
}

fn handshake(criterion: &mut Criterion) {
    let head = b"GET /chat?room=1 HTTP/1.1\r\nHost: www.example.org\r\nConnection: keep-alive, Upgrade\r\n\
        Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n\
        Upgrade: websocket\r\nOrigin: https://www.example.org\r\nSec-WebSocket-Version: 13\r\n\
        Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    let mut group = criterion.benchmark_group("handshake");
    assert_eq!(Accept::for_key("dGhlIHNhbXBsZSBub25jZQ==").as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    group.bench_function("accept", |bencher| {
        bencher.iter(|| Accept::for_key(black_box("dGhlIHNhbXBsZSBub25jZQ==")));
    });
    group.bench_function("head", |bencher| {
        bencher.iter(|| {
            let end = Head::new(longwire_handshake::Limits::default()).scan(black_box(head));
            assert_eq!(end, Ok(Some(head.len())));
            let mut slots = FieldSlots::new();
            let request = Request::parse(head, &mut slots).expect("valid");
            assert_eq!(request.path(), "/chat");
        });
    });
    let response =
        Response { status: Status::OK, fields: &[], body: Body::Bytes(b"ok\n"), connection: Persistence::KeepAlive };
    let (date, mut out) = (Date::from_unix(1_767_225_600), [0; 256]);
    group.bench_function("response", |bencher| bencher.iter(|| black_box(&response).encode(&date, &mut out)));
}

fn sse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sse");
    for size in [20_usize, 1 << 10, 64 << 10] {
        let text = "a line of forty bytes, its end included\n".repeat(size.div_ceil(40));
        let event =
            SseEvent::data(&text[..size]).id(Id::new("1767225600").expect("an id")).name(Line::literal("token"));
        let mut bytes = vec![0; event.encoded_len()];
        event.encode(&mut bytes).expect("room");
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("encode", size), |bencher| {
            bencher.iter(|| black_box(event).encode(&mut bytes));
        });
        let mut parser = Parser::new(vec![0; 1 << 20]);
        group.bench_function(BenchmarkId::new("parse", size), |bencher| {
            bencher.iter(|| {
                let step = parser.parse(black_box(&bytes)).expect("room");
                assert!(step.event.is_some_and(|event| event.name == "token"));
            });
        });
    }
}

criterion_group!(benches, mask, header, receive, utf8, handshake, sse);
criterion_main!(benches);
