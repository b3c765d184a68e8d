//! Properties of requests: `longwire-handshake` against a naive reader of heads.

use longwire_handshake::{
    Accept, Content, Extension, FieldSlots, Head, Limits, Origins, Refusal, Request, Upgrade, Version, negotiate,
};

use crate::choices;
use crate::naive::{extensions, head, opening, request};

/// A head is what a naive reader takes it for: it ends where it says, or is refused at the byte that it names and for something that
/// it finds there; the request says the same or is refused for one of its faults, and so is the opening handshake.
///
/// Choice: the limits.
pub fn naive_request(data: &[u8]) {
    let Some(([limits], bytes)) = choices(data) else { return };
    compare(
        bytes,
        match limits % 3 {
            0 => Limits::default(),
            1 => Limits { head: 300, fields: 5, target: 40 },
            _ => Limits { head: 48, fields: 2, target: 8 },
        },
    );
}

fn compare(bytes: &[u8], limits: Limits) {
    let mut scan = Head::new(limits);
    let first = (1..=bytes.len()).find_map(|len| match scan.scan(&bytes[..len]) {
        Ok(None) => None,
        verdict => Some((len, verdict)),
    });
    let len = match (head::end(bytes, limits), first) {
        (Ok(None), None) => return,
        (Ok(Some(end)), Some((bytes, Ok(Some(len))))) if end == len && bytes == len => len,
        (Err(wrong), Some((bytes, Err(refusal)))) if wrong.at + 1 == bytes && wrong.faults.contains(&refusal) => return,
        (naive, ours) => panic!("naively {naive:?}, by us {ours:?}"),
    };
    let head = &bytes[..len];
    let mut slots = FieldSlots::new();
    match (request::read(head), Request::parse(head, &mut slots)) {
        (Ok(naive), Ok(request)) => {
            requests(&naive, &request);
            openings(&naive, &request);
        }
        (Err(faults), Err(refusal)) if faults.contains(&refusal) => {}
        (naive, ours) => panic!("naively {naive:?}, by us {ours:?}"),
    }
}

fn requests(naive: &request::Request, request: &Request<'_, '_>) {
    assert_eq!(request.method(), naive.method);
    assert_eq!(request.target_as_sent(), naive.target);
    assert_eq!((request.path(), request.query()), (naive.path.as_str(), naive.query.as_deref()));
    assert_eq!((request.host(), request.version() == Version::Http10), (naive.host.as_str(), naive.is_http_1_0));
    let fields = request.fields().map(|field| (field.name.to_owned(), request::latin_1(field.value)));
    assert!(fields.eq(naive.fields.iter().cloned()));
    let body = match request.content() {
        Content::None => request::Body::None,
        Content::Length(length) => request::Body::Length(length),
        Content::Chunked => request::Body::Chunked,
    };
    assert_eq!(body, naive.body);
    assert_eq!(request.names_websocket(), naive.names_websocket());
    assert_eq!(request.keep_alive(), naive.keep_alive());
    assert_eq!(request.expects_continue(), !naive.is_http_1_0 && naive.lists("expect", "100-continue"));
    assert_eq!(request.cookie("a").map(str::to_owned), naive.cookie("a").and_then(text));
    assert!(request.x_forwarded_for().eq(naive.x_forwarded_for()));
    let of = |name: &str| naive.values(name).first().cloned().and_then(text);
    assert_eq!(request.origin().map(str::to_owned), of("origin"));
    assert_eq!(request.last_event_id().map(str::to_owned), of("last-event-id"));
}

/// What was read as Latin-1, read as UTF-8.
fn text(latin_1: String) -> Option<String> {
    String::from_utf8(latin_1.chars().map(|char| u8::try_from(char).expect("Latin-1")).collect()).ok()
}

fn openings(naive: &request::Request, request: &Request<'_, '_>) {
    let naive = opening::read(naive);
    match (&naive, Upgrade::from_request(request)) {
        (Ok(naive), Ok(upgrade)) => {
            assert_eq!(upgrade.accept(), Accept::for_key(&naive.key));
            assert!(upgrade.protocols().eq(naive.protocols.iter().map(String::as_str)));
            assert!(upgrade.extensions().map(owned).eq(naive.extensions.iter().cloned()));
            let chosen = naive.protocols.iter().find(|protocol| ["chat", "b"].contains(&protocol.as_str()));
            let negotiated = negotiate(request, &Origins::Any, &["b", "chat"]).expect("nothing is wrong");
            assert_eq!(negotiated.protocol, chosen.map(String::as_str), "the client's favourite");
        }
        (Err(faults), Err(refusal)) if faults.contains(&refusal) => {
            let negotiated = negotiate(request, &Origins::Any, &[]);
            let matter = [Refusal::VersionRepeated, Refusal::UpgradeRequired, Refusal::BadProtocols];
            match negotiated {
                Ok(negotiated) => {
                    assert!(negotiated.protocol.is_none() && !faults.iter().any(|it| matter.contains(it)))
                }
                Err(refusal) => assert!(faults.contains(&refusal)),
            }
        }
        (naive, ours) => panic!("naively {naive:?}, by us {ours:?}"),
    }
}

fn owned(extension: Extension<'_>) -> extensions::Extension {
    let parameters = extension.params().map(|(name, value)| (name.to_owned(), value.map(|value| value.to_string())));
    extensions::Extension { name: extension.name().to_owned(), parameters: parameters.collect() }
}

/// The fields of a handshake, and what a good one has there.
const FIELDS: [(&str, &str); 13] = [
    ("Host", "localhost:8080"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "chat, superchat"),
    ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
    ("Content-Length", "0"),
    ("Transfer-Encoding", ""),
    ("Cookie", "a=1; b=2"),
    ("X-Forwarded-For", "192.0.2.7"),
    ("Expect", ""),
    ("Origin", ""),
];

/// Each field on its own: an opening handshake in which one field is what the bytes say is what a naive reader takes it for.
///
/// Choice: which field. Each line of the rest, without its line end, is a value, or without any lines the field is missing.
pub fn fields(data: &[u8]) {
    let Some(([chosen], bytes)) = choices(data) else { return };
    let chosen = usize::from(chosen) % FIELDS.len();
    let mut head = b"GET / HTTP/1.1\r\n".to_vec();
    for (at, (name, value)) in FIELDS.into_iter().enumerate() {
        let good = [value.as_bytes()].into_iter().filter(|value| !value.is_empty()).collect();
        let values: Vec<&[u8]> = if at == chosen { bytes.split(|byte| *byte == b'\n').collect() } else { good };
        for value in values.into_iter().filter(|_| at != chosen || !bytes.is_empty()) {
            head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
    }
    head.extend_from_slice(b"\r\n");
    compare(&head, Limits::default());
}
