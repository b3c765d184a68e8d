//! RFC 6455 §4.2: the opening handshake, as a server takes it.

use longwire_handshake::{Origins, Refusal, Upgrade, negotiate};

use crate::reading::{HOST, UPGRADE, read};
use crate::section_9110_responses::answer;
use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 6455 §1.3", "RFC 6455 §4", "RFC 6455 §9.1", "RFC 6455 §11.3"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}

fn upgrade_refused(head: &str) -> Option<Refusal> {
    read(head.as_bytes(), |request| Upgrade::from_request(request).err()).expect("a valid request")
}

#[test]
fn a_405_says_which_method_is_allowed() {
    let refusal = upgrade_refused(&format!("{}\r\n", UPGRADE.replace("GET", "POST"))).expect("refused");
    let head = answer(refusal);
    assert!(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{head}");
    assert!(head.contains("\r\nAllow: GET\r\n") && head.contains("\r\nConnection: close\r\n"), "{head}");
}

#[test]
fn a_426_says_which_version_is_spoken_and_closes() {
    let refusal = upgrade_refused(&format!("{}\r\n", UPGRADE.replace("13", "8"))).expect("refused");
    let head = answer(refusal);
    assert!(head.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{head}");
    assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
    assert!(head.contains("\r\nConnection: Upgrade, close\r\n"), "{head}");
    assert!(head.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{head}");
}

/// RFC 8441 shares only `negotiate`: it judges the version, the origin and the subprotocols by itself.
#[test]
fn negotiation_needs_neither_key_nor_upgrade() {
    let ask = |lines: &str| {
        let head = format!("{HOST}{lines}\r\n");
        read(head.as_bytes(), |request| negotiate(request, &Origins::Same, &["chat"]).map(|agreed| agreed.protocol))
            .expect("a valid request")
    };
    assert_eq!(ask("Sec-WebSocket-Version: 13\r\n"), Ok(None));
    assert_eq!(ask("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, chat\r\n"), Ok(Some("chat")));
    assert_eq!(ask(""), Err(Refusal::UpgradeRequired));
    assert_eq!(ask("Sec-WebSocket-Version: 13\r\nOrigin: null\r\n"), Err(Refusal::OriginNotAllowed));
    assert_eq!(ask("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a b\r\n"), Err(Refusal::BadProtocols));
}

#[test]
fn what_a_value_says_is_told_without_quotes_and_backslashes() {
    let head = format!("{UPGRADE}Sec-WebSocket-Extensions: a; b=\"1\\0\"; c\r\n\r\n");
    read(head.as_bytes(), |request| {
        let upgrade = Upgrade::from_request(request).expect("an upgrade");
        let extension = upgrade.extensions().next().expect("one");
        let mut params = extension.params();
        let (name, value) = params.next().expect("two");
        let value = value.expect("a value");
        assert_eq!((extension.name(), name, value.to_string().as_str()), ("a", "b", "10"));
        assert!(value == "10" && value != "1\\0");
        assert_eq!(params.next(), Some(("c", None)));
        assert_eq!(params.next(), None);
    })
    .expect("a valid request");
}

/// §9.1: quoted or not, a value is the token that it says.
#[test]
fn two_values_are_equal_if_they_say_the_same() {
    let head = format!("{UPGRADE}Sec-WebSocket-Extensions: a; b=10; b=\"1\\0\"; b=1; b=100\r\n\r\n");
    read(head.as_bytes(), |request| {
        let upgrade = Upgrade::from_request(request).expect("an upgrade");
        let values: Vec<_> =
            upgrade.extensions().flat_map(|extension| extension.params()).flat_map(|(_, b)| b).collect();
        let equal: Vec<_> = values.iter().map(|value| *value == values[0]).collect();
        assert_eq!(equal, [true, true, false, false]);
    })
    .expect("a valid request");
}
