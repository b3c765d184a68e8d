//! RFC 6455 §10.2: which pages may connect; and which hosts are meant by requests that come over loopback.

use longwire_handshake::{Origins, loopback_host};

use crate::reading::{HOST, read};
use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 6455 §10.2"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}

fn allows(origins: &Origins<'_>, origin: &[u8]) -> bool {
    let head = [HOST.as_bytes(), b"Origin: ", origin, b"\r\n\r\n"].concat();
    read(&head, |request| origins.allow(request)).expect("a valid request")
}

#[test]
fn a_listed_origin_is_compared_byte_by_byte() {
    let listed = ["https://good.example", "http://localhost:3000"];
    let origins = Origins::Listed(&listed);
    for origin in listed {
        assert!(allows(&origins, origin.as_bytes()), "{origin}");
    }
    for origin in [
        "https://good.example.evil.example",
        "https://evil.good.example",
        "https://good.exampl",
        "http://good.example",
        "https://good.example:443",
        "https://good.example/",
        "https://GOOD.example",
        "https://good.example https://evil.example",
        "http://localhost:3001",
        "http://a",
        "null",
        "",
        "*",
    ] {
        assert!(!allows(&origins, origin.as_bytes()), "{origin}");
    }
    assert!(!allows(&origins, b"https://good.example\xff"));
    assert!(!allows(&Origins::Listed(&[]), b"http://a"));
}

#[test]
fn no_origin_is_allowed_whatever_the_list() {
    let head = format!("{HOST}\r\n");
    for origins in [Origins::Same, Origins::Listed(&[]), Origins::Any] {
        assert!(read(head.as_bytes(), |request| origins.allow(request)).expect("a valid request"));
    }
}

#[test]
fn any_origin_is_any_even_null() {
    for origin in [&b"null"[..], b"", b"\xff", b"https://evil.example"] {
        assert!(allows(&Origins::Any, origin));
    }
}

#[test]
fn over_loopback_the_host_is_ours_or_allowed() {
    const NONE: &[&str] = &[];
    for host in ["localhost", "LOCALHOST", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535"] {
        assert!(loopback_host(host, NONE), "{host}");
    }
    for host in
        ["", "a", "localhost.evil.example", "evil-localhost", "localhost.", "127.0.0.2", "::1", "[::2]", "localhost@a"]
    {
        assert!(!loopback_host(host, NONE), "{host}");
        assert!(loopback_host(host, &["*"]), "{host}");
    }
    let allowed = ["www.example".to_owned(), "[2001:db8::1]:80".to_owned(), String::new()];
    for host in ["www.example", "WWW.example:8080", "[2001:db8::1]"] {
        assert!(loopback_host(host, &allowed), "{host}");
    }
    for host in ["example", "xwww.example", "www.example.evil.example", ""] {
        assert!(!loopback_host(host, &allowed), "{host}");
    }
}
