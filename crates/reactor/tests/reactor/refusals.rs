//! Pipelines that somebody has tampered with: where one request was refused, nobody knows where the next one begins, so nothing
//! behind it is ever answered (RFC 9112 §6.3, §9.3.2 and §11.2).
//!
//! Drawn at random; `PROPTEST_CASES` says how many (docs/testing.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use longwire_reactor::Reply;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::stage::*;

/// What is pipelined: every way to say how long a body is, and bodies that look like requests.
const REQUESTS: &[&str] = &[
    "GET /one HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /two?b HTTP/1.1\r\nHost: a:80\r\nConnection: keep-alive\r\n\r\n",
    "POST /three HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /",
    "POST /four HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
    "POST /five HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x=\"y\"\r\nz\r\n00\r\nX: y\r\n\r\n",
    "PUT /six HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\nGET /inner HTTP/1.1\r\nHost: evil\r\n\r\n\r\n",
    "GET http://a/seven HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /eight HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
];

/// What is put in between: what confuses servers in a chain about where a message ends.
const LINES: &[&str] = &[
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length : 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding:\x0bchunked\r\n",
    "Host: b\r\n",
    "Connection: close\r\n",
    "Upgrade: websocket\r\n",
    "Expect: 100-continue\r\n",
    " folded\r\n",
    "X: y\n",
    "X: y\r",
    "\r\n",
    "\n",
    "0\r\n\r\n",
    "HTTP/1.1",
    " ",
];

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![select(b"\r\n\t \0:,;=/0159afHx".to_vec()), any::<u8>()]
}

/// Requests that were good, and up to five changes to their bytes.
fn tampered() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<Index>(), 0..6_u8, byte(), select(LINES)), 0..6);
    (prop::collection::vec(select(REQUESTS), 2..6), changes).prop_map(|(requests, changes)| {
        let mut bytes = requests.concat().into_bytes();
        for (at, kind, byte, line) in changes {
            let at = at.index(bytes.len());
            // Behind the end of a line a line is at its place.
            let line_at = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(at, |end| at + end + 1);
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                3 => drop(bytes.splice(at..at, line.bytes())),
                _ => drop(bytes.splice(line_at..line_at, line.bytes())),
            }
        }
        bytes
    })
}

/// The statuses of all answers; whatever is no whole answer of ours is a failure of the test.
fn statuses(received: &[u8]) -> Vec<u16> {
    let mut rest = std::str::from_utf8(received).expect("every answer is UTF-8");
    let mut statuses = Vec::new();
    while !rest.is_empty() {
        let (head, behind) = rest.split_once("\r\n\r\n").expect("a whole head");
        let status =
            head.strip_prefix("HTTP/1.1 ").expect("an answer begins where the last one ended")[..3].parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        // The answer to HEAD has the length of a body that is not there.
        let length = length.map_or(0, |length| length.parse().unwrap());
        rest = &behind[behind.len().min(length)..];
        if status == 100 {
            continue;
        }
        statuses.push(status);
        if status != 200 {
            assert!(
                head.contains("\r\nConnection: close") || head.contains("\r\nConnection: Upgrade, close"),
                "{head}"
            );
            assert_eq!(rest, "", "nothing follows a refusal");
        }
    }
    statuses
}

/// Everything that is answered to these bytes, cut so; and whether the connection was ended. Afterwards somebody asks once more.
fn answered(bytes: &[u8], cuts: &[usize]) -> (Vec<u16>, bool) {
    let asked = Arc::new(AtomicUsize::new(0));
    let app = App::new().on_request({
        let asked = asked.clone();
        move |_, request, _| {
            asked.fetch_add(1, Ordering::Relaxed);
            Reply::page("text/plain", if request.method() == "HEAD" { &b""[..] } else { b"fine" }.to_vec())
        }
    });
    let mut stage = Stage::new(app);
    let client = stage.connect();
    let mut from = 0;
    for &to in cuts.iter().chain([&bytes.len()]) {
        client.send(&bytes[from..to]);
        stage.turn();
        from = to;
    }
    stage.settle();
    let mut received = client.receive();
    let before = statuses(&received);
    let refused = before.last().is_some_and(|status| *status != 200);
    assert!(!refused || client.is_finished(), "whoever is refused hears the end, too");
    client.send(get("/late").as_bytes());
    stage.pass(Duration::from_secs(120));
    let late = client.receive();
    assert!(!refused || late.is_empty(), "{}", String::from_utf8_lossy(&late));
    received.extend(late);
    let after = statuses(&received);
    let fine = after.iter().filter(|status| **status == 200).count();
    assert_eq!(asked.load(Ordering::Relaxed), fine, "the application is asked what is answered, and nothing else");
    (before, refused)
}

#[test]
fn the_pipelines_are_good_before_they_are_tampered_with() {
    for request in REQUESTS {
        assert_eq!(answered(request.as_bytes(), &[]), (vec![200], false), "{request}");
    }
    assert_eq!(answered(REQUESTS.concat().as_bytes(), &[]).0, [200; 8]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_answered_behind_a_refusal(bytes in tampered(), cuts in prop::collection::vec(any::<Index>(), 0..4)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(answered(&bytes, &cuts), answered(&bytes, &[]), "however it arrives");
    }
}
