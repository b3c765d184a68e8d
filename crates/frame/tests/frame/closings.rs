//! Every vector of docs/vectors/closings.json: closing handshakes step by step, what the peer says whole, byte by byte and in pieces of every other size.

use longwire_frame::{Close, CloseCode, Connection, Limits, Mask, Message, Reply, State, Unsent};
use serde::Deserialize;
use serde_json::Value;

use crate::KEY;
use crate::vectors::{Whole, bytes, expected, keep};

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
    role: String,
    steps: Vec<Step>,
    state: String,
    error: Option<String>,
    close: Option<u16>,
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    Ours { we: Value, bytes: Option<String> },
    Theirs { peer: String, events: Vec<Value>, replies: Option<String> },
}

fn table() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/closings.json");
    serde_json::from_str::<Table>(&std::fs::read_to_string(path).unwrap()).unwrap().vectors
}

/// What the application asks for, and what is sent for it.
fn ask(connection: &mut Connection, what: &Value) -> Result<Vec<u8>, Unsent> {
    let mut out = [0; 256];
    let key = Mask::new(KEY);
    let text = |name: &str| what[name].as_str().unwrap_or_default();
    let (kind, _) = what.as_object().unwrap().iter().find(|(name, _)| *name != "reason" && *name != "end").unwrap();
    let written = match kind.as_str() {
        "text" => connection.message(Message::Text(text("text")), key, &mut out),
        "piece" => connection.piece(Message::Text(text("piece")), what["end"].as_bool().unwrap(), key, &mut out),
        "ping" => connection.ping(&bytes(text("ping")), key, &mut out),
        "close" => {
            let code = what["close"].as_u64().map(|code| CloseCode::new(u16::try_from(code).unwrap()).unwrap());
            connection.close(code.map(|code| Close::new(code, text("reason"))), key, &mut out)
        }
        other => panic!("{other} is nothing to ask for"),
    };
    written.map(|len| out[..len].to_vec())
}

/// What the peer says in pieces of `step` bytes: events, replies, and the fault.
fn hear(connection: &mut Connection, said: &[u8], step: usize) -> (Vec<Whole>, Vec<u8>, Option<longwire_frame::Error>) {
    let (mut reply, mut kept, mut payload) = (Reply::new(), Vec::new(), Vec::new());
    let (mut whole, mut replies, mut fault) = (Vec::new(), Vec::new(), None);
    for piece in said.chunks(step.max(1)) {
        kept.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let ended = match connection.receive(&mut kept[at..], &mut reply, Mask::new(KEY)) {
                Ok(step) => {
                    at += step.consumed;
                    let ended = step.consumed == 0 && step.event.is_none();
                    if let Some(event) = step.event {
                        keep(event, &mut payload, &mut whole);
                    }
                    ended
                }
                Err(error) => {
                    assert!(fault.replace(error).is_none(), "a connection fails once");
                    false
                }
            };
            replies.extend_from_slice(reply.as_bytes());
            if ended {
                break;
            }
        }
        kept.drain(..at);
    }
    (whole, replies, fault)
}

fn run(vector: &Vector, step: usize) {
    let id = &vector.id;
    let mut connection = match vector.role.as_str() {
        "server" => Connection::server(Limits::DEFAULT),
        "client" => Connection::client(Limits::DEFAULT),
        other => panic!("{other} is no role"),
    };
    let (mut fault, mut unsent) = (None, None);
    for one in &vector.steps {
        assert!(unsent.is_none(), "{id}: only the last step is refused");
        match one {
            Step::Ours { we, bytes: sent } => match ask(&mut connection, we) {
                Ok(written) => assert_eq!(written, bytes(sent.as_deref().expect(id)), "{id}: {we}"),
                Err(error) => unsent = Some(format!("{error:?}")),
            },
            Step::Theirs { peer, events, replies } => {
                let (whole, sent, found) = hear(&mut connection, &bytes(peer), step);
                assert_eq!(whole, events.iter().map(expected).collect::<Vec<_>>(), "{id}: what is received");
                match (found, replies) {
                    (None, replies) => assert_eq!(sent, bytes(replies.as_deref().expect(id)), "{id}: the replies"),
                    (Some(_), Some(replies)) => assert_eq!(sent, bytes(replies), "{id}: the replies"),
                    (Some(error), None) => {
                        let code = error.close_code().get();
                        let (heard, _, _) = hear(&mut Connection::client(Limits::DEFAULT), &unmask(&sent), 1);
                        let said = matches!(&heard[..], [Whole::Close(Some((said, _)))] if *said == code);
                        assert!(said, "{id}: {heard:?} is no Close with {code}");
                    }
                }
                fault = fault.or(found);
            }
        }
    }
    assert_eq!(unsent, vector.refused, "{id}: what cannot be sent");
    assert_eq!(fault.map(|error| format!("{error:?}")), vector.error, "{id}: the fault");
    assert_eq!(fault.map(|error| error.close_code().get()), vector.close, "{id}: its code");
    let state = match vector.state.as_str() {
        "open" => State::Open,
        "close-sent" => State::CloseSent,
        "closed" => State::Closed,
        "failed" => State::Failed,
        other => panic!("{other} is no state"),
    };
    assert_eq!(connection.state(), state, "{id}: the state at the end");
}

/// A frame as a server would have sent it.
fn unmask(frame: &[u8]) -> Vec<u8> {
    let (header, at) = longwire_frame::Header::parse(frame).unwrap().expect("a frame");
    let mut payload = frame[at..].to_vec();
    if let Some(mut mask) = header.mask {
        mask.apply(&mut payload);
    }
    let mut out = vec![0; 16];
    let len = longwire_frame::Header { mask: None, ..header }.encode(&mut out).unwrap();
    out.truncate(len);
    out.extend(payload);
    out
}

#[test]
fn every_closing_step_by_step_whole_and_byte_by_byte() {
    for vector in table() {
        assert!(!vector.reason.is_empty() && vector.section.starts_with(|first: char| first.is_ascii_digit()));
        run(&vector, usize::MAX);
        for step in 1..32 {
            run(&vector, step);
        }
    }
}
