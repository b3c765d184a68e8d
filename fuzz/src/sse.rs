//! Properties of `longwire-sse`.

use std::time::Duration;

use longwire_sse::{Comment, Error, Event, Id, Line, Parser};

use crate::{arrivals, choices};

/// An event that owns its text: id, name, data.
type Seen = (String, String, String);

/// What a stream leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    events: Vec<Seen>,
    fault: Option<Error>,
    retry: Option<Duration>,
    last_event_id: String,
}

fn read_stream(parser: &mut Parser<Vec<u8>>, packets: &[&[u8]]) -> Outcome {
    let mut events = Vec::new();
    let mut fault = None;
    'packets: for packet in packets {
        let mut rest = *packet;
        while !rest.is_empty() {
            match parser.parse(rest) {
                Ok(step) => {
                    assert!((1..=rest.len()).contains(&step.consumed));
                    assert!(step.event.is_some() || step.consumed == rest.len());
                    rest = &rest[step.consumed..];
                    events.extend(step.event.map(|e| (e.id.to_owned(), e.name.to_owned(), e.data.to_owned())));
                }
                Err(error) => {
                    fault = Some(error);
                    break 'packets;
                }
            }
        }
    }
    Outcome { events, fault, retry: parser.retry(), last_event_id: parser.last_event_id().to_owned() }
}

/// A stream says the same however it arrives, also where the memory is short, and also after another stream.
///
/// Choices: the memory, in units of 16 bytes; the packets.
pub fn sse_parser(data: &[u8]) {
    let Some(([memory, cut], stream)) = choices(data) else { return };
    let memory = usize::from(memory) * 16;
    let [whole, others @ ..] = arrivals(stream, cut).map(|packets| {
        let mut parser = Parser::new(vec![0; memory]);
        let first = read_stream(&mut parser, &packets);
        parser.end_of_stream();
        (first, read_stream(&mut parser, &packets))
    });
    for other in others {
        assert_eq!(other, whole);
    }
    for (id, name, data) in &whole.0.events {
        assert!(id.len().max(name.len()) <= (memory / 8).clamp("message".len(), 1024));
        assert!(data.len() <= memory - memory / 2 || memory > 8 * 1024);
        assert!(!data.contains('\r') && !id.contains(['\r', '\n', '\0']) && !name.contains(['\r', '\n']));
    }
}

/// What is written is what is read: parse(serialize(x)) = normalise(x).
///
/// The input is text; U+001F separates the fields of an event and U+001E separates events. What cannot be built is left out, and
/// so is what it would have said.
pub fn sse_round_trip(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut stream = String::new();
    let mut expected = Outcome { events: vec![], fault: None, retry: None, last_event_id: String::new() };
    for block in text.split('\u{1E}') {
        let mut fields = block.split('\u{1F}');
        let data = fields.next();
        let id = fields.next().and_then(|id| Id::new(id).ok());
        // A client understands 1 KiB of it.
        let name = fields.next().and_then(|name| Line::new(name).ok()).filter(|name| name.as_str().len() <= 1024);
        let retry = fields.next().and_then(|retry| retry.parse().ok()).map(Duration::from_millis);
        let comment = fields.next().and_then(|comment| Line::new(comment).ok()).map(Comment);
        // A second separator after the comment asks for a block without data.
        let data = data.filter(|_| fields.next().is_none());
        if let Some(comment) = comment {
            stream += &written(&comment.to_string(), comment.encoded_len(), |out| comment.encode(out));
        }
        let event = Event { id, name, retry, data };
        stream += &written(&event.to_string(), event.encoded_len(), |out| event.encode(out));

        expected.retry = retry.or(expected.retry);
        if let Some(id) = id {
            expected.last_event_id = id.as_str().to_owned();
        }
        if let Some(data) = data {
            let name = name.map(Line::as_str).filter(|name| !name.is_empty()).unwrap_or("message");
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            expected.events.push((expected.last_event_id.clone(), name.to_owned(), data));
        }
    }
    let mut parser = Parser::new(vec![0; 8 * 1024 + stream.len()]);
    assert_eq!(read_stream(&mut parser, &[stream.as_bytes()]), expected);
}

/// Asserts that the three ways to write agree, and returns what they say.
fn written<E: std::fmt::Debug + PartialEq>(
    text: &str,
    len: usize,
    encode: impl Fn(&mut [u8]) -> Result<usize, E>,
) -> String {
    let mut out = vec![0; len];
    assert_eq!(encode(&mut out), Ok(len));
    assert_eq!(out, text.as_bytes());
    if len > 0 {
        assert!(encode(&mut out[..len - 1]).is_err(), "one byte short");
    }
    text.to_owned()
}
