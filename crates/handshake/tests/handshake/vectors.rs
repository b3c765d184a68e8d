//! docs/vectors/handshakes.json: the table, and how a module runs the part that belongs to its section.

use longwire_handshake::{
    Content, Deflate, Extension, Limits, Origins, Refusal, Request, Target, Upgrade, Version, negotiate,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::reading::{read, scan_every_way};

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
    bytes: Bytes,
    rest: Option<String>,
    refused: Option<Refused>,
    request: Option<Map<String, Value>>,
    #[serde(default)]
    ours: Vec<String>,
    origins: Option<Vec<String>>,
    upgrade: Option<Outcome>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Bytes {
    Text(String),
    Times(String, usize),
    Hex { hex: String },
    List(Vec<Bytes>),
}

impl Bytes {
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Times(text, times) => text.repeat(*times).into_bytes(),
            Self::Hex { hex } => hex
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
                .collect(),
            Self::List(parts) => parts.iter().flat_map(Self::to_vec).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Refused {
    by: String,
    status: u16,
}

impl Refused {
    pub(crate) fn check(&self, id: &str, refusal: Refusal) {
        assert_eq!(format!("{refusal:?}"), self.by, "{id}");
        assert_eq!(refusal.status().code(), self.status, "{id}");
    }
}

impl Vector {
    fn check(&self, refused: &Refused, refusal: Refusal) {
        refused.check(&self.id, refusal);
        assert_eq!(refusal.section(), self.section, "{}", self.id);
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Outcome {
    Refused { refused: Refused },
    Facts(Map<String, Value>),
}

fn table() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/handshakes.json");
    let text = std::fs::read_to_string(path).expect("docs/vectors/handshakes.json is there");
    let table: Table = serde_json::from_str(&text).expect("docs/vectors/handshakes.json is a table of vectors");
    table.vectors
}

/// Runs every vector of the sections, whole, byte by byte and at every split.
pub(crate) fn run(sections: &[&str]) {
    for section in sections {
        let vectors: Vec<_> = table().into_iter().filter(|vector| belongs(&vector.section, section)).collect();
        assert!(!vectors.is_empty(), "no vector belongs to {section}");
        vectors.iter().for_each(run_one);
    }
}

/// `RFC 9112 §3.2` belongs to `RFC 9112 §3`, and to itself.
fn belongs(section: &str, to: &str) -> bool {
    section.strip_prefix(to).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn run_one(vector: &Vector) {
    println!("{}", vector.id);
    let head = vector.bytes.to_vec();
    let rest = vector.rest.as_deref().unwrap_or_default();
    let bytes = [&head, rest.as_bytes()].concat();
    if let Ok(end) = scan_every_way(&bytes, Limits::default()) {
        assert_eq!(end, Some(head.len()), "{}", vector.id);
    }
    let seen = read(&bytes, |request| {
        assert!(vector.refused.is_none(), "{} is refused", vector.id);
        compare(vector, vector.request.as_ref(), &facts(request));
        match (&vector.upgrade, upgrade(request, vector)) {
            (None, _) => {}
            (Some(Outcome::Facts(expected)), Ok(facts)) => compare(vector, Some(expected), &facts),
            (Some(Outcome::Refused { refused }), Err(refusal)) => vector.check(refused, refusal),
            (Some(_), seen) => panic!("{}: {seen:?}", vector.id),
        }
    });
    if let Err(refusal) = seen {
        let expected = vector.refused.as_ref();
        vector.check(expected.unwrap_or_else(|| panic!("{}: {refusal:?}", vector.id)), refusal);
    }
}

/// What is expected is among what was seen. An expected `accept` of null is anything.
fn compare(vector: &Vector, expected: Option<&Map<String, Value>>, seen: &Value) {
    for (name, fact) in expected.into_iter().flatten() {
        match (name.as_str(), fact) {
            ("accept", Value::Null) => {}
            ("cookies", Value::Object(cookies)) => {
                for (cookie, value) in cookies {
                    let head = vector.bytes.to_vec();
                    let seen = read(&head, |request| json!(request.cookie(cookie)));
                    assert_eq!(seen.as_ref(), Ok(value), "{}: cookie {cookie}", vector.id);
                }
            }
            _ => assert_eq!(&seen[name], fact, "{}: {name}", vector.id),
        }
    }
}

fn facts(request: &Request<'_, '_>) -> Value {
    json!({
        "method": request.method(),
        "target": match request.target() {
            Target::Origin => "origin",
            Target::Absolute { .. } => "absolute",
            Target::Asterisk => "asterisk",
        },
        "path": request.path(),
        "query": request.query(),
        "version": match request.version() {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
        },
        "host": request.host(),
        "fields": request.fields().map(|field| (field.name, String::from_utf8_lossy(field.value))).collect::<Vec<_>>(),
        "content": match request.content() {
            Content::None => Value::Null,
            Content::Length(length) => length.into(),
            Content::Chunked => "chunked".into(),
        },
        "keep_alive": request.keep_alive(),
        "names_websocket": request.names_websocket(),
        "expects_continue": request.expects_continue(),
        "last_event_id": request.last_event_id(),
        "origin": request.origin(),
    })
}

fn upgrade(request: &Request<'_, '_>, vector: &Vector) -> Result<Value, Refusal> {
    let upgrade = Upgrade::from_request(request)?;
    let ours: Vec<_> = vector.ours.iter().map(String::as_str).collect();
    let listed: Vec<_> = vector.origins.iter().flatten().map(String::as_str).collect();
    let origins = if vector.origins.is_some() { Origins::Listed(&listed) } else { Origins::Same };
    let negotiated = negotiate(request, &origins, &ours)?;
    Ok(json!({
        "accept": upgrade.accept().as_str(),
        "protocols": upgrade.protocols().collect::<Vec<_>>(),
        "extensions": upgrade.extensions().map(|extension| written(&extension)).collect::<Vec<_>>(),
        "protocol": negotiated.protocol,
        "deflate": Deflate::DEFAULT
            .answer(upgrade.extensions())
            .map(|agreed| agreed.value(&mut [0; Deflate::MAX_LEN]).as_str().to_owned()),
    }))
}

/// An extension without quotes and superfluous blanks.
fn written(extension: &Extension<'_>) -> String {
    extension.params().fold(extension.name().to_owned(), |text, (name, value)| match value {
        Some(value) => format!("{text}; {name}={value}"),
        None => format!("{text}; {name}"),
    })
}

#[test]
fn every_vector_belongs_to_a_module_has_its_own_id_and_expects_something() {
    let modules = [
        crate::limits::SECTIONS,
        crate::section_6455_10_2_origin::SECTIONS,
        crate::section_6455_4_2_server::SECTIONS,
        crate::section_7692_7_deflate::SECTIONS,
        crate::section_9112_2_messages::SECTIONS,
        crate::section_9112_3_request_line::SECTIONS,
        crate::section_9112_5_fields::SECTIONS,
        crate::section_9112_6_content::SECTIONS,
        crate::section_9112_9_connection::SECTIONS,
    ];
    let mut ids = std::collections::BTreeSet::new();
    for vector in table() {
        let homes = modules.iter().flat_map(|sections| sections.iter());
        assert_eq!(homes.filter(|home| belongs(&vector.section, home)).count(), 1, "{}: {}", vector.id, vector.section);
        assert!(ids.insert(vector.id.clone()), "{} stands there twice", vector.id);
        assert!(!vector.reason.is_empty(), "{} has no reason", vector.id);
        assert_ne!(vector.refused.is_some(), vector.request.is_some() || vector.upgrade.is_some(), "{}", vector.id);
    }
}

/// The others are for whoever reads on: the end of the stream, bodies, the clock, and who came over loopback.
#[test]
fn every_refusal_of_a_head_has_a_vector() {
    let given: std::collections::BTreeSet<_> = table()
        .into_iter()
        .filter_map(|vector| match (vector.refused, vector.upgrade) {
            (Some(refused), _) | (_, Some(Outcome::Refused { refused })) => Some(refused.by),
            _ => None,
        })
        .collect();
    let missing: Vec<_> = Refusal::ALL.iter().filter(|refusal| !given.contains(&format!("{refusal:?}"))).collect();
    assert_eq!(
        missing,
        [
            &Refusal::HeadIncomplete,
            &Refusal::HostNotAllowed,
            &Refusal::BadChunk,
            &Refusal::BodyTooLarge,
            &Refusal::RequestTimeout
        ]
    );
}
