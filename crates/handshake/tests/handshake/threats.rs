//! What has gone wrong in servers of this kind, at the handshake and in the head: each test is named for a fault that
//! happened, and most are a vector as well.

use longwire_handshake::*;

use crate::reading::{HOST, UPGRADE, read, refused};
use crate::section_9110_responses::answer;

/// A reader that is quadratic does not come back from so many bytes.
const MANY: usize = 1 << 20;

/// What a server would answer to an upgrade with these lines more.
fn upgrade(lines: &str) -> Result<(), Refusal> {
    let head = format!("{UPGRADE}{lines}\r\n");
    let mut slots = FieldSlots::new();
    let request = Request::parse(head.as_bytes(), &mut slots)?;
    let upgrade = Upgrade::from_request(&request)?;
    assert!(upgrade.extensions().flat_map(|extension| extension.params()).count() <= head.len());
    negotiate(&request, &Origins::Same, &["chat"]).map(|_| ())
}

/// tungstenite, CVE-2023-43669: a head in many packets was parsed anew with each.
#[test]
fn quadratic_head_parse() {
    let bytes = [HOST.as_bytes(), b"X: ", &[b'y'; MANY]].concat();
    let mut scan = Head::new(Limits { head: u32::MAX, ..Limits::default() });
    // Behind the scan the bytes are made such that looking at them again would be refused.
    let mut seen = Vec::new();
    for byte in bytes {
        seen.push(byte);
        if seen.len() % 64 == 0 {
            assert_eq!(scan.scan(&seen), Ok(None));
            let start = seen.len() - 64;
            seen[start..].fill(0);
        }
    }
    let endless = [HOST.as_bytes(), b"X: ", &[b'y'; MANY]].concat();
    assert_eq!(Head::new(Limits::default()).scan(&endless), Err(Refusal::HeadTooLarge));
}

/// ws, CVE-2024-37890: a valid upgrade behind 2,000 fields. And h2: more names than its map could hold.
#[test]
fn header_count_crash() {
    let lines: String = (0..2_000).map(|n| format!("X{n}: y\r\n")).collect();
    assert_eq!(upgrade(&lines), Err(Refusal::TooManyFields));
    assert_eq!(refused(format!("{UPGRADE}{lines}\r\n")), Some(Refusal::TooManyFields));
}

/// ws, CVE-2021-32640: one letter, 32,000 blanks, one letter.
#[test]
fn redos_in_subprotocol_split() {
    let blanks = " ".repeat(MANY);
    assert_eq!(upgrade(&format!("Sec-WebSocket-Protocol: b{blanks}x\r\n")), Err(Refusal::BadProtocols));
    assert_eq!(upgrade(&format!("Sec-WebSocket-Protocol: b{blanks},{blanks}x\r\n")), Ok(()));
    assert_eq!(upgrade(&format!("Sec-WebSocket-Protocol: {}chat\r\n", ",".repeat(MANY))), Ok(()));
    assert_eq!(upgrade(&format!("Sec-WebSocket-Protocol: {}chat\r\n", "a,".repeat(MANY / 2))), Ok(()));
}

/// websocket-extensions, CVE-2020-7662: a quoted string that never closes.
#[test]
fn redos_in_extension_parser() {
    let escapes = "\\c".repeat(MANY / 2);
    assert_eq!(upgrade(&format!("Sec-WebSocket-Extensions: a; b=\"{escapes}\r\n")), Err(Refusal::BadExtensions));
    assert_eq!(upgrade(&format!("Sec-WebSocket-Extensions: a; b=\"{escapes}\"\r\n")), Ok(()));
    for part in [";b=\"", ";b", ",a", ";b=\"c\"", ";b = c , d", "\\", " ", ";"] {
        let _ = upgrade(&format!("Sec-WebSocket-Extensions: a{}\r\n", part.repeat(MANY / 8)));
    }
}

/// ws 3.3.1: an extension with the name of a property that every object has.
#[test]
fn property_name_crash() {
    assert_eq!(upgrade("Sec-WebSocket-Extensions: constructor, __proto__; hasOwnProperty\r\n"), Ok(()));
}

/// undici, CVE-2026-2229 and others: parameters out of range must not throw. What they mean is not judged here.
#[test]
fn window_bits_out_of_range() {
    for bits in ["7", "16", "abc", "99999999999999999999"] {
        let lines = format!("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits={bits}\r\n");
        assert_eq!(upgrade(&lines), Ok(()));
    }
}

/// fastwebsockets and axum: an upgrade without one of its fields.
#[test]
fn missing_header_panic() {
    let lines: Vec<_> = UPGRADE.split_inclusive("\r\n").collect();
    for (lacking, refusal) in [
        ("Host", Refusal::HostMissing),
        ("Upgrade", Refusal::UpgradeMissing),
        ("Connection", Refusal::ConnectionLacksUpgrade),
        ("Sec-WebSocket-Key", Refusal::KeyMissing),
        ("Sec-WebSocket-Version", Refusal::UpgradeRequired),
    ] {
        let kept: String = lines.iter().copied().filter(|line| !line.starts_with(lacking)).collect();
        let head = format!("{kept}\r\n");
        let mut slots = FieldSlots::new();
        let outcome = Request::parse(head.as_bytes(), &mut slots).and_then(|request| Upgrade::from_request(&request));
        assert_eq!(outcome.err(), Some(refusal), "without {lacking}");
    }
}

/// netty, CVE-2026-50020: control bytes were skipped before the request line.
#[test]
fn control_bytes_skipped_before_the_request_line() {
    for byte in (0..=31).chain([127]).filter(|byte| !b"\t\r\n".contains(byte)) {
        let head = [&[byte], HOST.as_bytes(), b"\r\n"].concat();
        assert_eq!(refused(head), Some(Refusal::ControlByte), "{byte:#04x}");
    }
    for blanks in ["\t", " ", "\r", "\n", "\r\n\r\n", "\r\n "] {
        assert!(refused(format!("{blanks}{HOST}\r\n")).is_some(), "{blanks:?}");
    }
}

/// libsoup, CVE-2025-14523.
#[test]
fn duplicate_host() {
    assert_eq!(refused(format!("{HOST}Host: b\r\n\r\n")), Some(Refusal::HostRepeated));
}

/// hyper, tiny_http, async-h1, actix-http: two ways to read one length.
#[test]
fn transfer_encoding_and_content_length_confusion() {
    for (lines, refusal) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Refusal::TwoLengths),
        ("Content-Length: +0\r\n", Refusal::BadContentLength),
        ("Content-Length: 5\r\nContent-Length: 0\r\n", Refusal::ContentLengthRepeated),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", Refusal::TransferEncodingRepeated),
        ("Transfer-Encoding: chunked, x\r\n", Refusal::ChunkedNotFinal),
        ("Content-Length: 18446744073709551616\r\n", Refusal::BadContentLength),
    ] {
        assert_eq!(refused(format!("{HOST}{lines}\r\n")), Some(refusal), "{lines}");
        assert!(answer(refusal).contains("\r\nConnection: close\r\n"));
    }
    assert_eq!(upgrade("Content-Length: 5\r\n"), Err(Refusal::UpgradeWithContent));
}

/// Varnish, Envoy, kemal: a proxy tunnels although the version was refused, and the tunnel carries a second request.
#[test]
fn websocket_smuggling_by_a_bad_version() {
    let head = format!("{}\r\n", UPGRADE.replace("13", "99"));
    read(head.as_bytes(), |request| {
        let refusal = Upgrade::from_request(request).expect_err("refused");
        assert!(
            answer(refusal).starts_with("HTTP/1.1 426 ") && answer(refusal).contains("Connection: Upgrade, close\r\n")
        );
        assert!(!request.keep_alive(), "nothing behind it is read as HTTP");
    })
    .expect("a valid request");
}

/// Any route may be asked for an upgrade; whatever it answers, the proxy may tunnel already.
#[test]
fn upgrade_asked_of_a_plain_route() {
    let head = format!("{}\r\n", UPGRADE.replace("GET /", "GET /healthz"));
    read(head.as_bytes(), |request| {
        assert!(request.names_websocket() && !request.keep_alive());
        assert_eq!(request.connection(), Connection::Close);
    })
    .expect("a valid request");
}

/// RFC 9113 has taken h2c back; it is as good as no upgrade.
#[test]
fn h2c_smuggling() {
    let lines = "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let kept = read(format!("{HOST}{lines}\r\n").as_bytes(), |request| {
        (request.keep_alive(), Upgrade::from_request(request).err())
    });
    assert_eq!(kept, Ok((true, Some(Refusal::UpgradeMissing))));
}

/// storybook, next.js, kemal: a foreign page opens a WebSocket with the visitor's cookies.
#[test]
fn cross_site_websocket_hijacking() {
    for origin in ["null", "http://evil.example", "http://a.evil.example", "http://a@evil.example", "\u{ff}", "http://"]
    {
        let refusal = upgrade(&format!("Origin: {origin}\r\n"));
        assert_eq!(refusal, Err(Refusal::OriginNotAllowed), "{origin}");
    }
    assert_eq!(Refusal::OriginNotAllowed.status(), Status::FORBIDDEN);
    assert_eq!(upgrade("Origin: http://a\r\n"), Ok(()));
}

/// tetsuo-pulse, undici: a subprotocol was echoed with what stood behind its CR.
#[test]
fn header_injection_through_an_echoed_subprotocol() {
    assert_eq!(
        refused(format!("{UPGRADE}Sec-WebSocket-Protocol: chat\rX-Injected: 1\r\n\r\n")),
        Some(Refusal::BareLineEnd)
    );
    assert_eq!(upgrade("Sec-WebSocket-Protocol: chat X-Injected:1\r\n"), Err(Refusal::BadProtocols));
    let head = format!("{UPGRADE}Sec-WebSocket-Protocol: evil, chat\r\n\r\n");
    let ours = String::from("chat");
    let chosen = read(head.as_bytes(), |request| {
        let agreed = negotiate(request, &Origins::Same, &[&ours]).expect("agreement");
        agreed.protocol.map(str::as_ptr)
    });
    assert_eq!(chosen, Ok(Some(ours.as_ptr())), "what is echoed comes from our own list");
}

/// Browsers that were led to 127.0.0.1 by a name of the attacker's.
#[test]
fn dns_rebinding() {
    let head = "GET / HTTP/1.1\r\nHost: rebound.example:8080\r\nOrigin: http://rebound.example:8080\r\n\r\n";
    let judged =
        read(head.as_bytes(), |request| (Origins::Same.allow(request), loopback_host(request.host(), &["localhost"])));
    assert_eq!(judged, Ok((true, false)), "of the same origin, and yet not meant for us");
}
