//! What a handshake costs: the head, its key, the answer; beside httparse alone and tungstenite's key. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use longwire_handshake::{Accept, Body, Connection, Date, FieldSlots, Head, Limits, Request, Response, Status};

/// A browser's.
const HEAD: &[u8] = b"GET /chat?room=1 HTTP/1.1\r\nHost: www.example.org\r\nConnection: keep-alive, Upgrade\r\n\
    Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n\
    Upgrade: websocket\r\nOrigin: https://www.example.org\r\nSec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn accept(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("accept");
    assert_eq!(Accept::for_key(KEY).as_str(), ACCEPT);
    group.bench_function("longwire", |bencher| bencher.iter(|| Accept::for_key(black_box(KEY))));
    let theirs = tungstenite::handshake::derive_accept_key;
    assert_eq!(theirs(KEY.as_bytes()), ACCEPT);
    group.bench_function("tungstenite", |bencher| bencher.iter(|| theirs(black_box(KEY.as_bytes()))));
}

/// Says whether a head is what it should be.
type Judge = fn(&[u8]) -> bool;

fn scanned(head: &[u8]) -> bool {
    Head::new(Limits::default()).scan(head) == Ok(Some(head.len()))
}

fn parsed(head: &[u8]) -> bool {
    let mut slots = FieldSlots::new();
    Request::parse(head, &mut slots).is_ok_and(|request| request.path() == "/chat")
}

/// Nothing but the lines: no rule about hosts, lengths or what may stand twice.
fn split(head: &[u8]) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(head) == Ok(httparse::Status::Complete(head.len())) && request.path == Some("/chat?room=1")
}

fn head(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    group.throughput(Throughput::Bytes(HEAD.len() as u64));
    let judges: [(&str, Judge); 4] = [
        ("longwire-scan", scanned),
        ("longwire-parse", parsed),
        ("longwire", |head| scanned(head) && parsed(head)),
        ("httparse", split),
    ];
    for (name, judge) in judges {
        assert!(judge(HEAD));
        group.bench_function(name, |bencher| bencher.iter(|| assert!(judge(black_box(HEAD)))));
    }
}

fn response(criterion: &mut Criterion) {
    let response =
        Response { status: Status::OK, fields: &[], body: Body::Bytes(b"ok\n"), connection: Connection::KeepAlive };
    let (date, mut out) = (Date::from_unix(1_767_225_600), [0; 256]);
    let len = response.encode(&date, &mut out).expect("room");
    assert!(out[..len].starts_with(b"HTTP/1.1 200 ") && out[..len].ends_with(b"\r\n\r\nok\n"));
    criterion.bench_function("response", |bencher| bencher.iter(|| black_box(&response).encode(&date, &mut out)));
}

criterion_group!(benches, accept, head, response);
criterion_main!(benches);
