//! Properties over heads that nobody thought of: mutations of good ones, and bytes at random.

use longwire_handshake::client::{Opening, OriginForm, check_response};
use longwire_handshake::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::reading::scan;

/// Lines that have a meaning; a head is made of some of them.
const LINES: &[&str] = &[
    "Host: a:8080",
    "Host: a",
    "Upgrade: websocket",
    "Connection: Upgrade, keep-alive",
    "Connection: close",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\"1\\5\", x",
    "Origin: https://a:8080",
    "Content-Length: 5",
    "Transfer-Encoding: gzip, chunked",
    "Expect: 100-continue",
    "Cookie: a=b; c=d",
    "Last-Event-ID: 7",
    "X:",
];

const STARTS: &[&str] = &[
    "GET / HTTP/1.1",
    "\r\nGET /a?b HTTP/1.1",
    "POST http://a:8080/x HTTP/1.0",
    "OPTIONS * HTTP/1.1",
    "GET https://[::1]:443?q HTTP/1.2",
];

/// Bytes that decide something.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![proptest::sample::select(b"\r\n\t \0:,;=\"\\/?*[]@%1aZ".to_vec()), any::<u8>()]
}

fn mutated_head() -> impl Strategy<Value = Vec<u8>> {
    let lines = vec(proptest::sample::select(LINES), 1..12);
    let changes = vec((any::<proptest::sample::Index>(), 0..4_u8, byte()), 0..6);
    (proptest::sample::select(STARTS), lines, changes).prop_map(|(start, lines, changes)| {
        let mut head =
            format!("{start}\r\n{}\r\nmore", lines.iter().map(|line| format!("{line}\r\n")).collect::<String>());
        let mut head = std::mem::take(&mut head).into_bytes();
        for (at, kind, byte) in changes {
            let at = at.index(head.len() + 1);
            match kind {
                0 if at < head.len() => head[at] = byte,
                1 => head.insert(at, byte),
                2 if at < head.len() => drop(head.remove(at)),
                _ => head.truncate(at),
            }
        }
        head
    })
}

/// Asks a request everything.
fn look(request: &Request<'_, '_>) {
    let (path, target) = (request.path(), request.target());
    assert_eq!(path == "*", target == Target::Asterisk);
    assert!(path == "*" || path.starts_with('/'));
    assert!(
        request.version() == Version::Http10 || request.fields().any(|field| field.name.eq_ignore_ascii_case("host"))
    );
    for field in request.fields() {
        assert!(Token::new(field.name).is_some());
        assert!(!field.value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t'));
        if let Some(value) = request.field(field.name) {
            assert!(FieldValue::new(value).is_ok());
        }
    }
    assert_eq!(request.keep_alive(), request.connection() != Connection::Close);
    let _ = (request.cookie("a"), request.last_event_id(), request.expects_continue(), format!("{request:?}"));
    let _ = loopback_host(request.host(), &["a"]);
    if let Ok(upgrade) = Upgrade::from_request(request) {
        assert!(request.method() == "GET" && !request.keep_alive());
        assert_eq!(upgrade.accept().as_str().len(), 28);
        assert!(upgrade.protocols().all(|protocol| Token::new(protocol).is_some()));
        for extension in upgrade.extensions() {
            assert!(Token::new(extension.name()).is_some());
            for (name, value) in extension.params() {
                assert!(Token::new(name).is_some());
                assert!(value.is_none_or(|value| Token::new(&value.to_string()).is_some()));
            }
        }
        assert!(negotiate(request, &Origins::Any, &["chat"]).is_ok());
    }
    if negotiate(request, &Origins::Same, &["chat"]).is_ok() {
        assert!(Origins::Same.allow(request));
    }
}

/// A request that parses is one that the scan lets pass, and ends where it says.
fn one_reading(bytes: &[u8]) {
    let unlimited = Limits { head: u32::MAX, fields: u16::MAX, target: u32::MAX };
    let end = scan(bytes, unlimited, []);
    let mut slots = FieldSlots::new();
    match Request::parse(bytes, &mut slots) {
        Ok(request) => {
            assert!(matches!(end, Ok(Some(_))), "{end:?}");
            look(&request);
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
}

proptest! {
    #[test]
    fn a_scan_does_not_care_how_bytes_are_cut(
        bytes in mutated_head(),
        mut cuts in vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let limits = Limits { head: 300, fields: 8, target: 12 };
        cuts.sort_by_key(|cut| cut.index(bytes.len() + 1));
        let cuts = cuts.iter().map(|cut| cut.index(bytes.len() + 1));
        prop_assert_eq!(scan(&bytes, limits, cuts), scan(&bytes, limits, []));
        prop_assert_eq!(scan(&bytes, limits, 0..bytes.len()), scan(&bytes, limits, []));
    }

    #[test]
    fn a_mutated_head_has_one_reading(bytes in mutated_head()) {
        one_reading(&bytes);
    }

    #[test]
    fn bytes_at_random_have_one_reading(bytes in vec(byte(), 0..200)) {
        one_reading(&bytes);
        let opening = Opening {
            host: FieldValue::literal("a"),
            target: OriginForm::literal("/"),
            key: [0; 16],
            protocols: &[],
            origin: None,
            deflate: None,
            fields: &[],
        };
        prop_assert!(check_response(&bytes, &opening).is_err());
    }

    #[test]
    fn an_extension_field_never_panics(value in vec(proptest::sample::select(b"ab;,=\"\\ \t".to_vec()), 0..40)) {
        let lines = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: ";
        one_reading(&[lines.as_bytes(), &value, b"\r\n\r\n"].concat());
    }

    #[test]
    fn what_is_written_is_read_back(
        code in 200..600_u16,
        fields in vec(("X-[!#-'*+.^-z|~-]{1,8}", "\\PC{0,12}"), 0..6),
        body in vec(any::<u8>(), 0..20),
    ) {
        let fields: Vec<_> = fields
            .iter()
            .filter_map(|(name, value)| Some((FieldName::new(name)?, FieldValue::new(value).ok()?)))
            .collect();
        let status = Status::new(code).expect("in range");
        let response = Response { status, fields: &fields, body: Body::Bytes(&body), connection: Connection::Close };
        let mut out = vec![0; response.encoded_len()];
        prop_assert_eq!(response.encode(&Date::from_unix(1), &mut out), Ok(out.len()));
        let end = Head::new(Limits::default()).scan(&out).expect("a good head").expect("a whole head");
        prop_assert_eq!(end, response.encoded_head_len());
        let head = String::from_utf8_lossy(&out[..end]).into_owned();
        let seen: Vec<_> = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':')).collect();
        for (name, value) in &fields {
            let line = (name.as_str(), format!(" {value}"));
            let written = seen.iter().any(|(seen, text)| *seen == line.0 && text.trim_end() == line.1.trim_end());
            prop_assert!(written, "{:?} in {:?}", line, head);
        }
        prop_assert_eq!(&out[end..], if [204, 205, 304].contains(&code) { &[][..] } else { &body[..] });
    }

    #[test]
    fn an_opening_of_ours_is_understood(
        key in any::<[u8; 16]>(),
        protocols in vec("[a-b]|[a-z]{1,6}", 0..5),
        target in "/[a-z/?&=%.]{0,20}",
    ) {
        let protocols: Vec<_> = protocols.iter().filter_map(|text| Token::new(text)).collect();
        let opening = Opening {
            host: FieldValue::literal("localhost:8080"),
            target: OriginForm::new(&target).expect("a path"),
            key,
            protocols: &protocols,
            origin: None,
            deflate: None,
            fields: &[],
        };
        let mut out = vec![0; opening.encoded_len()];
        prop_assert_eq!(opening.encode(&mut out), Ok(out.len()));
        let mut slots = FieldSlots::new();
        let request = Request::parse(&out, &mut slots).expect("a request");
        let upgrade = Upgrade::from_request(&request).expect("an upgrade");
        // §4.1 item 10: what is named twice is written once, where it stood first.
        let mut names: Vec<_> = protocols.iter().map(|token| token.as_str()).collect();
        let mut said = std::collections::BTreeSet::new();
        names.retain(|name| said.insert(*name));
        prop_assert!(upgrade.protocols().eq(names));
        let accept = upgrade.accept();
        let response = Response {
            status: Status::SWITCHING_PROTOCOLS,
            fields: &[(FieldName::UPGRADE, FieldValue::WEBSOCKET), (FieldName::SEC_WEBSOCKET_ACCEPT, accept.value())],
            body: Body::None,
            connection: Connection::Upgrade,
        };
        let mut answer = [0; 256];
        let len = response.encode(&Date::from_unix(1), &mut answer).expect("room");
        prop_assert!(check_response(&answer[..len], &opening).is_ok());
    }
}
