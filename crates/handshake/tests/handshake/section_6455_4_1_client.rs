//! RFC 6455 §4.1: the opening handshake, as a client gives it.

use longwire_handshake::client::{Fault, Opening, OriginForm, check_response};
use longwire_handshake::*;

const OPENING: Opening<'static> = Opening {
    host: FieldValue::literal("server.example.com"),
    target: OriginForm::literal("/chat"),
    key: *b"the sample nonce",
    protocols: &[Token::literal("chat"), Token::literal("superchat")],
    origin: Some(FieldValue::literal("http://example.com")),
    deflate: None,
    fields: &[],
};

fn written(opening: &Opening<'_>) -> String {
    let mut out = vec![0; opening.encoded_len()];
    assert_eq!(opening.encode(&mut out), Ok(out.len()));
    for short in 0..out.len() {
        assert_eq!(opening.encode(&mut vec![0; short]), Err(Full));
    }
    String::from_utf8(out).expect("UTF-8")
}

fn answered(lines: &str) -> Result<Opened, Fault> {
    let head = format!("{lines}\r\n");
    check_response(head.as_bytes(), &OPENING).map(|opened| opened.protocol)
}

type Opened = Option<&'static str>;

const STATUS: &str = "HTTP/1.1 101 Switching Protocols\r\n";
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

#[test]
fn the_request_of_the_rfc_is_written() {
    assert_eq!(
        written(&OPENING),
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.com\r\n\r\n"
    );
}

#[test]
fn fields_of_the_caller_are_written_but_not_those_of_the_handshake() {
    let name = FieldName::literal;
    let one = FieldValue::literal("1");
    let fields = [
        (name("Cookie"), one),
        (name("HOST"), one),
        (name("upgrade"), one),
        (name("connection"), one),
        (name("origin"), one),
        (name("sec-websocket-key"), one),
        (name("Sec-WebSocket-Extensions"), one),
        (name("Content-Length"), one),
        (name("Transfer-Encoding"), one),
        (name("Sec-WebSocke"), one),
    ];
    let opening = Opening { protocols: &[], origin: None, fields: &fields, ..OPENING };
    let text = written(&opening);
    assert!(text.ends_with("Sec-WebSocket-Version: 13\r\nCookie: 1\r\nSec-WebSocke: 1\r\n\r\n"), "{text}");
}

#[test]
fn a_subprotocol_that_is_named_twice_is_written_once() {
    let name = Token::literal;
    let protocols = [name("a"), name("b"), name("a"), name("A"), name("b")];
    let text = written(&Opening { protocols: &protocols, ..OPENING });
    assert!(text.contains("Sec-WebSocket-Protocol: a, b, A\r\n"), "{text}");
}

#[test]
fn a_target_that_could_forge_a_line_cannot_be_built() {
    for target in ["/", "/a?b=c&d=%20"] {
        assert_eq!(OriginForm::new(target).map(OriginForm::as_str), Some(target));
    }
    for target in ["", "a", "?q", "*", "http://a/", "/a b", "/a\r\nX: y", "/\u{e9}", "/a#b"] {
        assert_eq!(OriginForm::new(target), None, "{target:?}");
    }
}

#[test]
fn the_101_of_the_rfc_is_accepted() {
    assert_eq!(answered(&format!("{STATUS}{UPGRADE}{ACCEPT}")), Ok(None));
    assert_eq!(answered(&format!("{STATUS}{UPGRADE}{ACCEPT}Sec-WebSocket-Protocol: chat\r\n")), Ok(Some("chat")));
    let other_case = "uPGRADE: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\n";
    assert_eq!(answered(&format!("HTTP/1.1 101\r\n{other_case}{ACCEPT}")), Ok(None));
    // An empty list accepts nothing.
    assert_eq!(answered(&format!("{STATUS}{UPGRADE}{ACCEPT}Sec-WebSocket-Extensions:\r\n")), Ok(None));
}

#[test]
fn another_status_is_told() {
    assert_eq!(
        answered("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n"),
        Err(Fault::NotSwitching(Status::FORBIDDEN))
    );
    assert_eq!(answered("HTTP/1.0 200 OK\r\n"), Err(Fault::NotSwitching(Status::OK)));
    assert_eq!(Fault::NotSwitching(Status::FORBIDDEN).to_string(), "the server answered 403 Forbidden");
}

#[test]
fn our_own_server_is_understood() {
    let head = written(&OPENING);
    let mut slots = FieldSlots::new();
    let request = Request::parse(head.as_bytes(), &mut slots).expect("a request");
    let upgrade = Upgrade::from_request(&request).expect("an upgrade");
    let agreed = negotiate(&request, &Origins::Any, &["superchat"]).expect("agreement");
    let accept = upgrade.accept();
    let response = Response {
        status: Status::SWITCHING_PROTOCOLS,
        fields: &[
            (FieldName::UPGRADE, FieldValue::WEBSOCKET),
            (FieldName::SEC_WEBSOCKET_ACCEPT, accept.value()),
            (
                FieldName::SEC_WEBSOCKET_PROTOCOL,
                FieldValue::new(agreed.protocol.expect("one in common")).expect("a token"),
            ),
        ],
        body: Body::None,
        connection: Connection::Upgrade,
    };
    let mut out = [0; 512];
    let len = response.encode(&Date::from_unix(0), &mut out).expect("room");
    assert_eq!(check_response(&out[..len], &OPENING).expect("a 101").protocol, Some("superchat"));
}
