//! RFC 9112 §3: the request line and Host.

use longwire_handshake::Refusal;

use crate::reading::{read, refused};
use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §3", "RFC 9110 §9.3.6"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}

/// RFC 9112 §2.3: a digit, a dot, a digit; what else stands there is no version, rather than one that is not spoken.
#[test]
fn a_version_has_digits_on_both_sides() {
    for version in ["HTTP/1.a", "HTTP/1.:", "HTTP/1./", "HTTP/a.1", "HTTP/:.1", "HTTP/a.a"] {
        assert_eq!(refused(format!("GET / {version}\r\nHost: a\r\n\r\n")), Some(Refusal::BadVersion), "{version}");
    }
}

/// RFC 9112 §3.2: whatever its form, it is there as it was sent.
#[test]
fn a_target_is_told_as_it_was_sent() {
    for (method, target) in [("GET", "/a?b"), ("GET", "HTTP://a:80?b"), ("OPTIONS", "*")] {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(read(head.as_bytes(), |request| request.target_as_sent().to_owned()).as_deref(), Ok(target));
    }
}

/// RFC 9110 §9.1: methods have case; §9.3.2: an answer to HEAD, and to nothing else, has no body.
#[test]
fn only_head_is_head() {
    for (method, is_head) in [("HEAD", true), ("GET", false), ("head", false), ("HEADS", false)] {
        let head = format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(read(head.as_bytes(), |request| request.is_head()), Ok(is_head), "{method}");
    }
}
