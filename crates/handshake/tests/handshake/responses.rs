//! Every vector of docs/vectors/responses.json: what a client makes of the answer to its opening handshake.

use longwire_handshake::client::{Fault, Opening, OriginForm, check_response};
use longwire_handshake::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::reading::{UPGRADE, read};

#[derive(Deserialize)]
struct Table {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    section: String,
    reason: String,
    offer: Option<String>,
    bytes: String,
    opened: Option<Value>,
    fault: Option<String>,
    status: Option<u16>,
}

fn table() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/responses.json");
    serde_json::from_str::<Table>(&std::fs::read_to_string(path).expect("the table")).expect("vectors").vectors
}

/// An offer, as it stands in a request.
fn offer(value: &str) -> DeflateOffer {
    let head = format!("{UPGRADE}Sec-WebSocket-Extensions: {value}\r\n\r\n");
    let offer = read(head.as_bytes(), |request| {
        Upgrade::from_request(request).expect("an upgrade").extensions().find_map(|one| DeflateOffer::parse(&one))
    });
    offer.expect("a request").expect("an offer")
}

fn run(vector: &Vector) {
    let opening = Opening {
        host: FieldValue::literal("a"),
        target: OriginForm::literal("/"),
        key: *b"the sample nonce",
        protocols: &[Token::literal("chat"), Token::literal("superchat")],
        origin: None,
        deflate: vector.offer.as_deref().map(offer),
        fields: &[],
    };
    let id = &vector.id;
    match check_response(vector.bytes.as_bytes(), &opening) {
        Ok(opened) => {
            let deflate = opened.deflate.map(|agreed| agreed.value(&mut [0; Deflate::MAX_LEN]).as_str().to_owned());
            let seen = json!({ "protocol": opened.protocol, "deflate": deflate });
            assert_eq!(Some(&seen), vector.opened.as_ref(), "{id}");
        }
        Err(Fault::NotSwitching(status)) => {
            assert_eq!((vector.fault.as_deref(), vector.status), (Some("NotSwitching"), Some(status.code())), "{id}");
        }
        Err(fault) => {
            assert_eq!(vector.fault, Some(format!("{fault:?}")), "{id}");
            assert!(fault.section().starts_with("RFC "), "{id}");
        }
    }
    // A head that has not come as a whole is none, wherever it ends.
    for cut in 0..vector.bytes.len() {
        assert_eq!(
            check_response(&vector.bytes.as_bytes()[..cut], &opening),
            Err(Fault::BadHead),
            "{id}: cut at {cut}"
        );
    }
}

#[test]
fn every_answer_is_opened_or_a_fault_and_none_that_is_cut_off_is_opened() {
    for vector in table() {
        assert!(vector.section.starts_with("RFC ") && !vector.reason.is_empty(), "{}", vector.id);
        assert_ne!(vector.opened.is_some(), vector.fault.is_some(), "{}", vector.id);
        run(&vector);
    }
}

#[test]
fn every_fault_has_a_vector() {
    let given: Vec<_> = table().into_iter().filter_map(|vector| vector.fault).collect();
    for fault in ["BadHead", "NotSwitching", "Upgrade", "Connection", "Accept", "Extensions", "Protocol"] {
        assert!(given.iter().any(|given| given == fault), "no vector for {fault}");
    }
}
