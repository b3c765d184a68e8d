//! What a client sees of one stream or several, however the bytes arrive.

use longwire_sse::{Error, Parser};
use serde::Deserialize;

/// An event that owns its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

impl Seen {
    pub(crate) fn new(id: &str, name: &str, data: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), data: data.to_owned() }
    }
}

/// All that streams leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Seen>,
    pub(crate) retry: Option<u64>,
    pub(crate) last_event_id: String,
}

/// Reads `packets`, the bytes of one stream, and adds its events to `seen`. The stream goes on afterwards.
pub(crate) fn read_packets<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
    parser: &mut Parser<M>,
    packets: impl IntoIterator<Item = &'a [u8]>,
    seen: &mut Vec<Seen>,
) -> Result<(), Error> {
    for mut rest in packets {
        while !rest.is_empty() {
            let step = parser.parse(rest)?;
            assert!((1..=rest.len()).contains(&step.consumed), "a step goes on, and not past the end");
            assert!(step.event.is_some() || step.consumed == rest.len(), "without an event all is consumed");
            rest = &rest[step.consumed..];
            seen.extend(step.event.map(|event| Seen::new(event.id, event.name, event.data)));
        }
    }
    Ok(())
}

/// Reads whole streams, each cut into packets by `cut`.
pub(crate) fn read_streams(streams: &[impl AsRef<[u8]>], cut: impl Fn(&[u8]) -> Vec<&[u8]>) -> Outcome {
    let mut parser = Parser::new(vec![0; 16 * 1024]);
    let mut events = Vec::new();
    for stream in streams {
        read_packets(&mut parser, cut(stream.as_ref()), &mut events).expect("the memory is large enough");
        parser.end_of_stream();
    }
    let retry = parser.retry().map(|retry| u64::try_from(retry.as_millis()).expect("64 bits of milliseconds"));
    Outcome { events, retry, last_event_id: parser.last_event_id().to_owned() }
}

/// Reads streams whole, byte by byte, and cut in two at every place; asserts that it makes no difference.
pub(crate) fn read_every_way(streams: &[impl AsRef<[u8]>]) -> Outcome {
    let whole = read_streams(streams, |stream| vec![stream]);
    assert_eq!(read_streams(streams, |stream| stream.chunks(1).collect()), whole, "byte by byte");
    let longest = streams.iter().map(|stream| stream.as_ref().len()).max().unwrap_or(0);
    for at in 0..=longest {
        let split = read_streams(streams, |stream| {
            let (front, back) = stream.split_at(at.min(stream.len()));
            vec![front, back]
        });
        assert_eq!(split, whole, "split at {at}");
    }
    whole
}

/// The events of one stream, read every way.
pub(crate) fn events(stream: impl AsRef<[u8]>) -> Vec<Seen> {
    read_every_way(&[stream]).events
}
