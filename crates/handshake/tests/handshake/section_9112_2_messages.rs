//! RFC 9112 §2: messages, line ends and versions; and RFC 9110 §5.5 and §15.6.6, which say the rest about them.

use longwire_handshake::{FieldSlots, Head, Limits, Refusal, Request};

use crate::reading::{HOST, scan_every_way};
use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §2", "RFC 9110 §5.5", "RFC 9110 §15.6.6"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}

#[test]
fn a_head_without_an_end_needs_more() {
    for end in 0..HOST.len() {
        assert_eq!(scan_every_way(&HOST.as_bytes()[..end], Limits::default()), Ok(None));
    }
}

#[test]
fn a_scan_that_has_ended_says_the_same_again() {
    let head = format!("{HOST}\r\n");
    let mut scan = Head::new(Limits::default());
    for _ in 0..3 {
        assert_eq!(scan.scan(head.as_bytes()), Ok(Some(head.len())));
    }
    let mut scan = Head::new(Limits::default());
    for _ in 0..3 {
        assert_eq!(scan.scan(b"GET /\n"), Err(Refusal::BareLineEnd));
    }
}

#[test]
fn a_head_that_was_cut_is_no_request() {
    let head = format!("{HOST}\r\n");
    for end in 0..head.len() {
        let cut = &head.as_bytes()[..end];
        assert_eq!(Request::parse(cut, &mut FieldSlots::new()).err(), Some(Refusal::HeadIncomplete), "{end}");
    }
}

/// Whoever parses without a scan meets the same rules.
#[test]
fn parsing_alone_is_as_strict() {
    for head in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
        "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert!(Request::parse(head.as_bytes(), &mut FieldSlots::new()).is_err(), "{head:?}");
    }
}
