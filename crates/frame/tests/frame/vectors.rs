//! Every vector of docs/vectors/frames.json, whole, byte by byte and at every split; and how those of other tables that have
//! frames are run.

use longwire_frame::{Connection, Error, Event, Limits, Mask, Reply, Role, Rsv, State};
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) section: String,
    role: String,
    bytes: String,
    /// Of the table of compressed messages alone.
    pub(crate) context: Option<String>,
    #[serde(default)]
    negotiated: Vec<String>,
    limits: Option<Bounds>,
    events: Vec<serde_json::Value>,
    pub(crate) error: Option<String>,
    close: Option<u16>,
    at: Option<usize>,
    replies: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
struct Bounds {
    message: u32,
    parts: u32,
}

impl Vector {
    pub(crate) fn limits(&self) -> Limits {
        let bounds = self.limits.as_ref();
        bounds.map_or(Limits::DEFAULT, |bounds| Limits { message: bounds.message, parts: bounds.parts })
    }
}

pub(crate) fn table(name: &str) -> Vec<Vector> {
    let path = format!("{}/../../docs/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str::<Table>(&std::fs::read_to_string(path).unwrap()).unwrap().vectors
}

/// `81 85`, and `61*125` for the byte 61 a hundred and twenty-five times.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.split(' ').filter(|word| !word.is_empty()).fold(Vec::new(), |mut all, word| {
        let (digits, times) =
            word.split_once('*').map_or((word, 1), |(digits, times)| (digits, times.parse().unwrap()));
        let once: Vec<u8> =
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
        all.extend(once.repeat(times));
        all
    })
}

/// Something that has been received as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Whole {
    Text(String),
    Binary(Vec<u8>),
    Extended(Vec<u8>, String, u8),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

pub(crate) fn expected(value: &serde_json::Value) -> Whole {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let (kind, payload) = value
        .as_object()
        .unwrap()
        .iter()
        .find(|(name, _)| ["text", "binary", "extended", "ping", "pong", "close"].contains(&name.as_str()))
        .unwrap();
    match kind.as_str() {
        "text" => Whole::Text(text("text")),
        "binary" => Whole::Binary(bytes(&text("binary"))),
        "ping" => Whole::Ping(bytes(&text("ping"))),
        "pong" => Whole::Pong(bytes(&text("pong"))),
        "close" => Whole::Close(payload.as_u64().map(|code| (u16::try_from(code).unwrap(), text("reason")))),
        _ => {
            let rsv = value["rsv"].as_array().unwrap().iter().map(|bit| rsv(bit.as_str().unwrap()));
            Whole::Extended(bytes(&text("extended")), text("opcode"), rsv.fold(0, |all, bit| all | bit.bits()))
        }
    }
}

fn rsv(name: &str) -> Rsv {
    match name {
        "RSV1" => Rsv::RSV1,
        "RSV2" => Rsv::RSV2,
        "RSV3" => Rsv::RSV3,
        other => panic!("{other} is no bit"),
    }
}

/// What makes of an event those that the table has.
pub(crate) trait Extension {
    fn take(&mut self, event: Event<'_>, keep: &mut dyn FnMut(Event<'_>)) -> Result<(), Error>;
}

/// No extension: its payload is kept as it comes.
struct Raw;

impl Extension for Raw {
    fn take(&mut self, event: Event<'_>, keep: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
        keep(event);
        Ok(())
    }
}

/// A receiver that is given bytes as they come, and keeps what is whole.
struct Receiver<'e> {
    extension: &'e mut dyn Extension,
    connection: Connection,
    reply: Reply,
    kept: Vec<u8>,
    given: usize,
    payload: Vec<u8>,
    whole: Vec<Whole>,
    replies: Vec<u8>,
    /// The fault, and how many bytes had been given when it was found.
    fault: Option<(Error, usize)>,
}

impl<'e> Receiver<'e> {
    fn new(vector: &Vector, extension: &'e mut dyn Extension) -> Self {
        let connection = match vector.role.as_str() {
            "server" => Connection::server(vector.limits()),
            "client" => Connection::client(vector.limits()),
            other => panic!("{other} is no role"),
        };
        let deflate = vector.context.as_ref().map_or(Rsv::NONE, |_| Rsv::RSV1);
        let negotiated = vector.negotiated.iter().fold(deflate, |all, bit| all.union(rsv(bit)));
        Self {
            extension,
            connection: connection.negotiated(negotiated),
            reply: Reply::new(),
            kept: Vec::new(),
            given: 0,
            payload: Vec::new(),
            whole: Vec::new(),
            replies: Vec::new(),
            fault: None,
        }
    }

    fn give(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        self.given += bytes.len();
        let mut kept = std::mem::take(&mut self.kept);
        let mut at = 0;
        loop {
            match self.connection.receive(&mut kept[at..], &mut self.reply, Mask::NONE) {
                Ok(step) => {
                    at += step.consumed;
                    if let Some(event) = step.event {
                        let (payload, whole) = (&mut self.payload, &mut self.whole);
                        if let Err(error) = self.extension.take(event, &mut |event| keep(event, payload, whole)) {
                            assert!(self.reply.is_empty(), "an extension's payload calls for no reply");
                            let error = self.connection.fail(error, &mut self.reply, Mask::NONE);
                            self.failed(error);
                        }
                    } else if step.consumed == 0 {
                        self.replies.extend(self.reply.as_bytes());
                        break;
                    }
                }
                Err(error) => self.failed(error),
            }
            self.replies.extend(self.reply.as_bytes());
        }
        self.kept = kept.split_off(at);
        assert!(self.kept.len() <= 130, "{} bytes are left with the caller", self.kept.len());
    }

    fn failed(&mut self, error: Error) {
        assert!(self.fault.is_none(), "a connection fails once");
        self.fault = Some((error, self.given));
    }
}

pub(crate) fn keep(event: Event<'_>, payload: &mut Vec<u8>, whole: &mut Vec<Whole>) {
    match event {
        Event::Text { carried, rest, end } => {
            assert!(carried.is_some() || !rest.is_empty() || end, "a piece that brings nothing is no event");
            payload.extend(carried.into_iter().collect::<String>().bytes());
            payload.extend(rest.bytes());
            if end {
                whole.push(Whole::Text(String::from_utf8(std::mem::take(payload)).unwrap()));
            }
        }
        Event::Binary { bytes, end } => {
            assert!(!bytes.is_empty() || end, "a piece that brings nothing is no event");
            payload.extend(bytes);
            if end {
                whole.push(Whole::Binary(std::mem::take(payload)));
            }
        }
        Event::Extended { rsv, opcode, bytes, end } => {
            assert!(!bytes.is_empty() || end, "a piece that brings nothing is no event");
            payload.extend(bytes);
            if end {
                whole.push(Whole::Extended(std::mem::take(payload), opcode.to_string(), rsv.bits()));
            }
        }
        Event::Ping(bytes) => whole.push(Whole::Ping(bytes.to_vec())),
        Event::Pong(bytes) => whole.push(Whole::Pong(bytes.to_vec())),
        Event::Close(close) => {
            whole.push(Whole::Close(close.map(|close| (close.code.get(), close.reason.to_owned()))));
        }
    }
}

/// Gives the bytes cut as told, and compares everything that a vector says.
fn run(vector: &Vector, input: &[u8], cuts: &[usize], extension: &mut dyn Extension, how: &str) {
    let id = &vector.id;
    let mut receiver = Receiver::new(vector, extension);
    let mut from = 0;
    for &to in cuts.iter().chain([&input.len()]) {
        receiver.give(&input[from..to]);
        from = to;
    }
    let whole: Vec<Whole> = vector.events.iter().map(expected).collect();
    assert_eq!(receiver.whole, whole, "{id}, {how}");
    if let Some(replies) = &vector.replies {
        assert_eq!(receiver.replies, bytes(replies), "{id}, {how}: what is sent in answer");
    }
    let closed = whole.iter().any(|whole| matches!(whole, Whole::Close(_)));
    match (&vector.error, receiver.fault) {
        (None, None) => {
            let state = if closed { State::Closed } else { State::Open };
            assert_eq!(receiver.connection.state(), state, "{id}, {how}");
        }
        (Some(name), Some((error, given))) => {
            assert_eq!(format!("{error:?}"), *name, "{id}, {how}");
            assert_eq!(Some(error.close_code().get()), vector.close, "{id}, {how}");
            assert_eq!(receiver.connection.state(), State::Failed, "{id}, {how}");
            // As early as the bytes allow: with the first cut that brings enough of them.
            let at = vector.at.unwrap();
            let earliest = cuts.iter().copied().find(|cut| *cut >= at).unwrap_or(input.len());
            assert_eq!(given, earliest, "{id}, {how}: where the fault is found");
            let code = error.close_code().get().to_be_bytes();
            assert!(receiver.replies.windows(2).any(|two| two == code), "{id}, {how}: a fault is answered by a Close");
        }
        (name, fault) => panic!("{id}, {how}: {name:?} was expected, {fault:?} found"),
    }
}

/// Runs a vector whole, byte by byte and at every split, each time with an extension that knows of nothing before.
pub(crate) fn run_every_way<E: Extension>(vector: &Vector, extension: impl Fn() -> E) {
    let input = bytes(&vector.bytes);
    run(vector, &input, &[], &mut extension(), "whole");
    let every: Vec<usize> = (1..input.len()).collect();
    run(vector, &input, &every, &mut extension(), "byte by byte");
    for cut in 0..=input.len() {
        // In the middle of a long payload one split is like the next.
        let near_an_end = cut < 300 || input.len() - cut < 300;
        if near_an_end || cut % 8191 == 0 {
            run(vector, &input, &[cut], &mut extension(), &format!("split at {cut}"));
        }
    }
}

#[test]
fn every_vector_whole_byte_by_byte_and_at_every_split() {
    for vector in table("frames") {
        run_every_way(&vector, || Raw);
    }
}

#[test]
fn every_vector_has_a_name_a_section_and_a_reason() {
    let table: Vec<_> = ["frames", "deflate"].into_iter().flat_map(table).collect();
    let mut names: Vec<&str> = table.iter().map(|vector| vector.id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), table.len(), "no name twice");
    for vector in &table {
        assert!(vector.section.starts_with(|digit: char| digit.is_ascii_digit()), "{}", vector.id);
        assert!(!vector.reason.is_empty() && !vector.reason.contains('\n'), "{}", vector.id);
        assert_eq!(vector.error.is_some(), vector.at.is_some() && vector.close.is_some(), "{}", vector.id);
    }
}

#[test]
fn every_fault_has_a_vector_for_it_and_every_section_both_verdicts() {
    let table: Vec<_> = ["frames", "deflate"].into_iter().flat_map(table).collect();
    for &fault in Error::ALL {
        let name = format!("{fault:?}");
        assert!(table.iter().any(|vector| vector.error.as_ref() == Some(&name)), "no vector for {name}");
    }
    for section in ["5.1", "5.2", "5.4", "5.5", "5.5.1", "5.8", "6.2", "7.4", "8.1", "10.4"] {
        for refused in [false, true] {
            let found = table.iter().any(|vector| vector.section == section && vector.error.is_some() == refused);
            assert!(found, "§{section} has no vector that is {}", if refused { "refused" } else { "accepted" });
        }
    }
}

/// The table speaks of receivers; what it accepts, whole and unfragmented, the other side must be able to say.
#[test]
fn what_is_accepted_whole_can_be_sent_byte_for_byte() {
    use longwire_frame::{Encoder, Header, Message};
    let mut compared = 0;
    for vector in table("frames").iter().filter(|vector| vector.error.is_none() && vector.events.len() == 1) {
        let input = bytes(&vector.bytes);
        let Ok(Some((header, at))) = Header::parse(&input) else { continue };
        if !header.fin || at as u64 + header.len != input.len() as u64 || !header.rsv.is_empty() {
            continue;
        }
        let sender = Encoder::new(if vector.role == "server" { Role::Client } else { Role::Server });
        let key = header.mask.unwrap_or(Mask::NONE);
        let mut out = vec![0; input.len()];
        let written = match expected(&vector.events[0]) {
            Whole::Text(text) => sender.message(Message::Text(&text), key, &mut out),
            Whole::Binary(bytes) => sender.message(Message::Binary(&bytes), key, &mut out),
            Whole::Ping(payload) => sender.ping(&payload, key, &mut out),
            Whole::Pong(payload) => sender.pong(&payload, key, &mut out),
            Whole::Close(close) => {
                let (code, reason) = close.unzip();
                let close = code.map(|code| longwire_frame::Close {
                    code: longwire_frame::CloseCode::new(code).unwrap(),
                    reason: reason.as_deref().unwrap_or_default(),
                });
                sender.close(close, key, &mut out)
            }
            Whole::Extended(..) => continue,
        };
        assert_eq!(written, Ok(input.len()), "{}", vector.id);
        assert_eq!(out, input, "{}", vector.id);
        compared += 1;
    }
    assert!(compared > 60, "{compared} vectors were compared");
}
