//! The standard's words in the order in which they stand there, with heap and whole streams: the naive twin of `Parser`.

use crate::reading::{Outcome, Seen};

pub(crate) fn read_streams(streams: &[impl AsRef<[u8]>]) -> Outcome {
    let mut outcome = Outcome::default();
    for stream in streams {
        read_stream(stream.as_ref(), &mut outcome);
    }
    outcome
}

fn read_stream(stream: &[u8], outcome: &mut Outcome) {
    // §9.2.5: decode as UTF-8, which removes one byte order mark.
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let text = String::from_utf8_lossy(stream);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // §9.2.5: what follows the last line end is no line.
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();

    let (mut data, mut event_type) = (String::new(), String::new());
    let mut last_event_id = outcome.last_event_id.clone();
    for line in lines {
        // §9.2.6: an empty line dispatches.
        if line.is_empty() {
            outcome.last_event_id.clone_from(&last_event_id);
            let (mut data, event_type) = (std::mem::take(&mut data), std::mem::take(&mut event_type));
            if data.pop().is_some() {
                let name = if event_type.is_empty() { "message" } else { &event_type };
                outcome.events.push(Seen::new(&last_event_id, name, &data));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event_type = value.to_owned(),
            "data" => data = data + value + "\n",
            "id" if !value.contains('\0') => last_event_id = value.to_owned(),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                outcome.retry = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
}
