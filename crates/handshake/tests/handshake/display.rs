//! What a log says: values as they stand on the wire, faults with their reasons, and of memory only its size.

use longwire_handshake::client::Fault;
use longwire_handshake::*;

use crate::reading::{HOST, read};

#[test]
fn values_are_their_text() {
    let accept = Accept::for_key("dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(format!("{accept} {accept:?}"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo= s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let date = Date::from_unix(784_111_777);
    assert_eq!(format!("{date:>30} {date:?}"), " Sun, 06 Nov 1994 08:49:37 GMT Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!((WindowBits::MIN.to_string(), WindowBits::MAX.to_string()), ("8".to_owned(), "15".to_owned()));
    let (name, value) = (Token::literal("X-Name"), FieldValue::try_from("a value").unwrap());
    assert_eq!(format!("{name:8}{value:>8}"), "X-Name   a value", "padded as any text is");
    assert_eq!((name.as_ref(), value.as_ref(), FieldValue::from(name).as_str()), ("X-Name", "a value", "X-Name"));
    assert_eq!(FieldValue::try_from("two\nlines"), Err(NotOneLine));
    assert_eq!(Status::NOT_FOUND.to_string(), "404 Not Found");
}

#[test]
fn what_is_long_or_secret_is_not_told() {
    assert_eq!(format!("{:?}", FieldSlots::<20>::of_any_size()), "FieldSlots::<20>");
    let told = |head: &str| read(head.as_bytes(), |request| format!("{request:?}"));
    assert_eq!(told(&format!("{HOST}Cookie: secret=1\r\n\r\n")), Ok("GET /".to_owned()));
    assert_eq!(told("PUT /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n"), Ok("PUT /a?b=c".to_owned()));
}

#[test]
fn faults_say_what_was_wrong_and_where_the_rule_stands() {
    for (fault, section, text) in [
        (Fault::BadHead, "RFC 9112 §2.1", "the answer is no head of HTTP/1"),
        (Fault::NotSwitching(Status::NOT_FOUND), "RFC 6455 §4.1", "the server answered 404 Not Found"),
        (Fault::Upgrade, "RFC 6455 §4.1", "Upgrade does not name WebSocket"),
        (Fault::Connection, "RFC 6455 §4.1", "Connection does not name Upgrade"),
        (Fault::Accept, "RFC 6455 §4.1", "Sec-WebSocket-Accept is not the answer to our key"),
        (Fault::Extensions, "RFC 6455 §4.1", "an extension was accepted that was not offered so"),
        (Fault::Protocol, "RFC 6455 §4.1", "a subprotocol was chosen that was not offered"),
    ] {
        assert_eq!((fault.section(), fault.to_string().as_str()), (section, text));
    }
}

#[test]
fn mistakes_say_which_rule_was_broken() {
    assert_eq!(Full.to_string(), "the output is full");
    assert_eq!(NotOneLine.to_string(), "not one line: the text holds a control character, or a blank at an end");
}
