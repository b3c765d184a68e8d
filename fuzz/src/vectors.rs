//! The vectors of docs/vectors as inputs of the properties: what libFuzzer begins with, beside the seeds.

use std::fs;
use std::path::Path;

use longwire_frame::Header;
use serde_json::Value;

/// What makes an input of a vector, if it is one.
type Input = fn(&Value) -> Option<Vec<u8>>;

/// The inputs that the vectors are to a property, each with its vector's name; none where no table has such bytes.
#[must_use]
pub fn inputs(property: &str) -> Vec<(String, Vec<u8>)> {
    let (name, input): (&str, Input) = match property {
        "head" => ("handshakes", |vector| Some([&[0, 7], &*text(&vector["bytes"]), &text(&vector["rest"])].concat())),
        "naive_request" => {
            ("handshakes", |vector| Some([&[0], &*text(&vector["bytes"]), &text(&vector["rest"])].concat()))
        }
        "upgrade" => {
            ("handshakes", |vector| vector["upgrade"].is_object().then(|| [&[0], &*text(&vector["bytes"])].concat()))
        }
        "client_response" => ("responses", |vector| {
            let offers = if vector["offer"].is_string() { 0x42 } else { 0x02 };
            Some([b"the sample nonce", &[offers][..], &text(&vector["bytes"])].concat())
        }),
        "frame_header" => ("frames", |vector| Some(hex(&vector["bytes"]))),
        "decoder" | "connection" => {
            ("frames", |vector| Some([&[machine(vector), 3], &*hex(&vector["bytes"])].concat()))
        }
        "naive_frames" | "tungstenite" => {
            ("frames", |vector| Some([&[machine(vector)], &*hex(&vector["bytes"])].concat()))
        }
        "utf8" => ("frames", |vector| (vector["section"] == "8.1").then(|| [&[3], &*payload(vector)].concat())),
        "inflate" => ("deflate", |vector| {
            let context = u8::from(vector["context"] == "taken-over") << 1;
            Some([&[context | 7 << 2 | 7 << 5, 3], &*payload(vector)].concat())
        }),
        "sse_parser" => ("streams", |vector| {
            let streams = vector["streams"].as_array()?.iter();
            let body = streams
                .flat_map(|stream| if stream["hex"].is_string() { hex(&stream["hex"]) } else { text(&stream["text"]) });
            Some([255, 5].into_iter().chain(body).collect())
        }),
        _ => return Vec::new(),
    };
    let name_of = |vector: &Value| vector["id"].as_str().expect("a name").to_owned();
    table(name).iter().filter_map(|vector| Some((name_of(vector), input(vector)?))).collect()
}

fn table(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/vectors").join(name).with_extension("json");
    let table: Value = serde_json::from_str(&fs::read_to_string(path).expect("a table")).expect("JSON");
    table["vectors"].as_array().expect("vectors").clone()
}

/// Text; or a list of text, `[text, how often]` and `{"hex": …}`.
fn text(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(text), Value::Number(times)] => {
                text.repeat(times.as_u64().and_then(|times| times.try_into().ok()).expect("a number")).into_bytes()
            }
            parts => parts.iter().flat_map(text).collect(),
        },
        Value::Object(one) => hex(&one["hex"]),
        _ => Vec::new(),
    }
}

/// `81 85`, and `61*125` for the byte 61 a hundred and twenty-five times.
fn hex(value: &Value) -> Vec<u8> {
    let words = value.as_str().unwrap_or_default().split_whitespace();
    words
        .flat_map(|word| {
            let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
            (0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>().repeat(times.parse().expect("a number"))
        })
        .collect()
}

/// The first byte of the decoder's input, for the role and the bits of a vector.
fn machine(vector: &Value) -> u8 {
    let negotiated = vector["negotiated"].as_array().into_iter().flatten();
    let bits =
        negotiated.fold(0, |all, bit| all | 1 << bit.as_str().and_then(|bit| bit[3..].parse().ok()).unwrap_or(0));
    u8::from(vector["role"] == "client") | bits | 0x10 | 7 << 5
}

/// What the frames of a vector carry, unmasked.
fn payload(vector: &Value) -> Vec<u8> {
    let (bytes, mut payload) = (hex(&vector["bytes"]), Vec::new());
    let mut rest = &bytes[..];
    while let Ok(Some((header, at))) = Header::parse(rest) {
        let end = usize::try_from(header.len).map_or(rest.len(), |len| rest.len().min(at.saturating_add(len)));
        let mut part = rest[at..end].to_vec();
        if let Some(mut mask) = header.mask {
            mask.apply(&mut part);
        }
        payload.extend(part);
        rest = &rest[end..];
    }
    payload
}
