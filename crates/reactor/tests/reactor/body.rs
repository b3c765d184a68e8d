//! Request bodies: by length and in chunks, however they arrive, within their limit and their time.

use std::time::Duration;

use longwire_reactor::Limits;

use crate::http::{answers, pages};
use crate::stage::*;

fn post(length: usize, body: &str) -> String {
    format!("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn chunked(body: &str) -> String {
    format!("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn bodies_arrive_the_same_at_every_split() {
    let bytes = [
        post(5, "hello"),
        chunked("3\r\nabc\r\n2;ext=\"1\"\r\nde\r\n0\r\nTrailer: x\r\n\r\n"),
        post(0, ""),
        chunked("0\r\n\r\n"),
        get("/after"),
    ]
    .concat();
    let whole = Stage::new(pages()).ask(&bytes).1;
    let bodies: Vec<String> = answers(&whole, false).into_iter().map(|(_, _, body)| body).collect();
    assert_eq!(bodies, ["POST /up |hello", "POST /up |abcde", "POST /up |", "POST /up |", "GET /after |"]);
    for at in 1..bytes.len() {
        let mut stage = Stage::new(pages());
        let (client, first) = stage.ask(&bytes[..at]);
        assert_eq!(first + &stage.ask_on(&client, &bytes[at..]), whole, "split at {at}");
        assert_eq!(stage.on.stats().pinned, 0);
    }
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    let all: String = bytes.chars().map(|byte| stage.ask_on(&client, byte.to_string())).collect();
    assert_eq!(all, whole);
}

#[test]
fn the_limit_is_inclusive_and_beyond_it_is_413() {
    let limits = Limits { body: 1_000, ..Limits::default() };
    let ask = |bytes: String| Stage::with(limits.clone(), pages()).ask(bytes).1;
    assert!(ask(post(1_000, &"x".repeat(1_000))).starts_with("HTTP/1.1 200 "));
    assert!(ask(post(1_001, "")).starts_with("HTTP/1.1 413 "), "before a byte of it has come");
    assert!(ask(chunked(&format!("3e8\r\n{}\r\n0\r\n\r\n", "x".repeat(1_000)))).starts_with("HTTP/1.1 200 "));
    assert!(ask(chunked("3e9\r\n")).starts_with("HTTP/1.1 413 "));
    assert!(ask(chunked(&format!("3e8\r\n{}\r\n1\r\n", "x".repeat(1_000)))).starts_with("HTTP/1.1 413 "));
    assert!(ask(chunked("ffffffffffffffff\r\n")).starts_with("HTTP/1.1 413 "));
    assert!(ask(chunked("10000000000000000\r\n")).starts_with("HTTP/1.1 400 "), "2^64 is no size at all");
    assert!(ask(chunked("zz\r\n")).starts_with("HTTP/1.1 400 "));
}

#[test]
fn nothing_behind_a_refused_body_is_answered() {
    let limits = Limits { body: 10, ..Limits::default() };
    for bytes in [post(11, "xxxxxxxxxxx"), chunked("b\r\nxxxxxxxxxxx\r\n0\r\n\r\n"), chunked("x\r\n")] {
        let mut stage = Stage::with(limits.clone(), pages());
        let (client, answer) = stage.ask([bytes, get("/never")].concat());
        assert_eq!(answers(&answer, false).len(), 1);
        assert!(client.is_finished());
    }
}

#[test]
fn lengths_that_could_be_read_in_two_ways_are_refused() {
    for (fields, status) in [
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("Content-Length: 1\r\nContent-Length: 1", 400),
        ("Content-Length: +1", 400),
        ("Content-Length: 1, 1", 400),
        ("Content-Length: -1", 400),
        ("Transfer-Encoding: chunked, chunked", 400),
        ("Transfer-Encoding: chunked, identity", 400),
        ("Transfer-Encoding: gzip, chunked", 501),
    ] {
        let (_, answer) = Stage::new(pages()).ask(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{fields}: {answer}");
    }
}

#[test]
fn a_client_that_waits_for_leave_gets_it_once() {
    let expecting = |fields: &str| format!("POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{fields}\r\n\r\n");
    for (fields, body) in [("Content-Length: 4", "body"), ("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n")] {
        let mut stage = Stage::new(pages());
        let (client, answer) = stage.ask(expecting(fields));
        assert_eq!(answer, "HTTP/1.1 100 Continue\r\n\r\n");
        assert!(stage.ask_on(&client, &body[..2]).is_empty());
        assert!(stage.ask_on(&client, &body[2..]).ends_with("POST /up |body"));
    }
    let (_, answer) = Stage::new(pages()).ask(expecting("Content-Length: 4") + "body");
    assert!(answer.starts_with("HTTP/1.1 200 "), "one whose body is there needs none");
    let (_, answer) = Stage::new(pages()).ask(expecting("Content-Length: 99999999"));
    assert!(answer.starts_with("HTTP/1.1 413 "));
    let (_, answer) = Stage::new(pages()).ask(expecting("X: y"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "without a body there is nothing to wait for: {answer}");
    let (_, answer) = Stage::new(pages()).ask(expecting("Content-Length: 4").replace("HTTP/1.1", "HTTP/1.0"));
    assert!(answer.is_empty(), "HTTP/1.0 knows no 100: {answer}");
}

#[test]
fn a_body_too_slow_is_answered_with_408() {
    let mut stage = Stage::new(pages());
    let (client, _) = stage.ask(post(100, "x"));
    for _ in 0..29 {
        stage.pass(Duration::from_secs(1));
        client.send(b"x");
        stage.settle();
    }
    assert!(client.receive().is_empty());
    stage.pass(Duration::from_secs(1));
    assert!(text(&client).starts_with("HTTP/1.1 408 "));
    assert!(client.is_finished());
}

#[test]
fn half_a_body_never_will_be_one() {
    for half in [post(100, "x"), chunked("5\r\nhello\r\n")] {
        let mut stage = Stage::new(pages());
        let (client, answer) = stage.ask(half);
        client.finish();
        stage.settle();
        assert!(answer.is_empty() && client.receive().is_empty() && client.is_closed());
        assert_eq!(stage.on.stats().requests, 0, "nobody was asked");
    }
}

#[test]
fn a_large_body_in_steps_is_whole_and_gives_its_memory_back() {
    let body = "0123456789".repeat(100_000);
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    let mut received = String::new();
    for part in post(body.len(), &body).as_bytes().chunks(70_001) {
        received += &stage.ask_on(&client, part);
    }
    assert!(received.ends_with(&body));
    assert_eq!(stage.on.stats().pinned, 0);
}
