//! permessage-deflate at a guest's end (RFC 7692): what it sends compressed, and what it makes of what comes so.

use longwire_reactor::frame::{Context, Deflater, Event, Inflater, Limits, Opcode};

/// Both machines of one connection.
#[derive(Debug)]
pub(super) struct Squeeze {
    deflater: Deflater,
    inflater: Inflater,
}

impl Squeeze {
    /// What was agreed on, by the field of the answer; a host is the server of its connection.
    pub(super) fn agreed(answer: &str, host: bool) -> Self {
        let (own, other) = if host { ("server", "client") } else { ("client", "server") };
        let context = |whose| {
            let forgets = answer.contains(&format!("{whose}_no_context_takeover"));
            if forgets { Context::Fresh } else { Context::TakenOver }
        };
        let bits = answer.split_once(&format!("{own}_max_window_bits=")).map_or("15", |(_, bits)| bits);
        let bits = bits.split(';').next().and_then(|bits| bits.trim().parse().ok()).unwrap_or(15);
        Self {
            deflater: Deflater::new(context(own), bits).expect("9 to 15 bits"),
            inflater: Inflater::new(context(other), Limits::DEFAULT),
        }
    }

    pub(super) fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        let mut payload = Vec::new();
        self.deflater.message(message, &mut payload);
        payload
    }

    /// A whole message, of any kind.
    pub(super) fn inflate(&mut self, payload: &[u8]) -> Result<Vec<u8>, String> {
        let (mut at, mut message, mut out) = (0, Vec::new(), [0; 1_000]);
        loop {
            let step = self.inflater.inflate(Opcode::Binary, &payload[at..], true, &mut out);
            let step = step.map_err(|fault| format!("what came cannot be inflated: {fault}"))?;
            at += step.consumed;
            if let Some(Event::Binary { bytes, end }) = step.event {
                message.extend_from_slice(bytes);
                if end {
                    return Ok(message);
                }
            } else if step.consumed == 0 {
                return Err("what came compressed has no end".into());
            }
        }
    }
}
