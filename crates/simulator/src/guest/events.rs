//! An event stream, as a guest reads it: whole events and nothing else.

use super::Guest;
use crate::coverage::Met;
use crate::model::{Model, State};
use crate::words::Word;

impl Guest {
    /// Reads one whole event. Returns how many bytes that took.
    pub(super) fn read_event(&mut self, at: usize, record: usize, model: &mut Model) -> Result<Option<usize>, String> {
        let rest = &self.inbox[at..];
        let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2) else { return Ok(None) };
        let (mut word, mut gap) = (None, false);
        for line in rest[..end - 2].split(|byte| *byte == b'\n') {
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = colon.map_or((line, &b""[..]), |colon| (&line[..colon], &line[colon + 1..]));
            match name {
                b"" => model.meet(Met::Heartbeat),
                b"data" if gap => {
                    model.meet(Met::Gap);
                    let count = std::str::from_utf8(value).ok().and_then(|count| count.trim().parse::<u32>().ok());
                    model.records[record].gaps += count.ok_or("a gap without a number")?;
                }
                b"data" => word = Some(Word::read(value.strip_prefix(b" ").unwrap_or(value))),
                b"retry" if model.records[record].state == State::Asked => model.meet(Met::StreamNoRoom),
                b"event" => gap = value == b" gap",
                b"id" | b"retry" => {}
                _ => return Err(format!("this is no event: {}", line.escape_ascii())),
            }
        }
        if let Some(word) = word {
            let Some(word) = word else { return Err("what came is no word, or a damaged one".into()) };
            model.heard(self.index, record, word)?;
        }
        Ok(Some(end))
    }
}
