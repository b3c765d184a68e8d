//! Frames, as a guest reads them: every rule that a peer may enforce is enforced here (RFC 6455 §5).

use longwire_reactor::frame::{Header, Opcode, Rsv};

use super::Guest;
use super::squeeze::Squeeze;
use crate::coverage::Met;
use crate::model::Model;
use crate::words::Word;

/// What is known of the frames so far.
#[derive(Debug)]
pub(super) struct Frames {
    /// Whether they must be masked: a client's are.
    masked: bool,
    /// What compresses and decompresses, if that was agreed on.
    pub(super) squeeze: Option<Squeeze>,
    /// The message that has begun and not ended, and whether it is compressed.
    message: Option<(bool, Vec<u8>)>,
    pub(super) close_sent: bool,
    close_received: bool,
}

impl Frames {
    pub(super) const fn new(masked: bool) -> Self {
        Self { masked, squeeze: None, message: None, close_sent: false, close_received: false }
    }

    /// Whether one side has said that it is enough.
    pub(super) const fn is_closing(&self) -> bool {
        self.close_sent || self.close_received
    }
}

impl Guest {
    /// Reads one whole frame. Returns how many bytes that took.
    pub(super) fn read_frame(&mut self, at: usize, record: usize, model: &mut Model) -> Result<Option<usize>, String> {
        let bytes = &mut self.inbox[at..];
        let Some((header, length)) = Header::parse(bytes).map_err(|error| error.to_string())? else { return Ok(None) };
        let end = length + header.len as usize;
        if end > bytes.len() {
            return Ok(None);
        }
        if self.frames.close_received {
            return Err(format!("{header} follows a Close"));
        }
        // RFC 7692 §6.1: RSV1 stands on the first frame of a message.
        let deflated = header.rsv == Rsv::RSV1
            && self.frames.squeeze.is_some()
            && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        if header.mask.is_some() != self.frames.masked || !deflated && header.rsv != Rsv::NONE {
            return Err(format!("{header} is masked or not as it must not be, or has a reserved bit"));
        }
        let payload = &mut bytes[length..end];
        if let Some(mut mask) = header.mask {
            mask.apply(payload);
        }
        match (header.opcode, &mut self.frames.message) {
            (Opcode::Ping, _) => {
                if payload.is_empty() {
                    model.meet(Met::Pinged);
                }
                let payload = payload.to_vec();
                if !self.frames.is_closing() && !self.left {
                    self.outbox_pong(&payload);
                }
            }
            (Opcode::Pong, _) => {
                if payload != b"ping" {
                    return Err("a pong came to no ping".into());
                }
            }
            (Opcode::Close, _) => {
                let code = match *payload {
                    [high, low, ..] => u16::from_be_bytes([high, low]),
                    _ => 1005,
                };
                self.closed(code, model)?;
            }
            (Opcode::Continuation, Some((_, message))) => {
                message.extend_from_slice(payload);
                if header.fin {
                    let (deflated, message) = self.frames.message.take().expect("it has begun");
                    self.heard(record, deflated, &message, model)?;
                }
            }
            (Opcode::Text | Opcode::Binary, None) if header.fin && !deflated => {
                let word = Word::read(payload);
                self.heard_word(record, word, model)?;
            }
            (Opcode::Text | Opcode::Binary, None) if header.fin => {
                let payload = payload.to_vec();
                self.heard(record, deflated, &payload, model)?;
            }
            (Opcode::Text | Opcode::Binary, message @ None) => *message = Some((deflated, payload.to_vec())),
            (opcode, message) => return Err(format!("{opcode:?} came, and {message:?} was open")),
        }
        Ok(Some(end))
    }

    fn heard(&mut self, record: usize, deflated: bool, bytes: &[u8], model: &mut Model) -> Result<(), String> {
        match self.frames.squeeze.as_mut().filter(|_| deflated) {
            Some(squeeze) => {
                model.meet(Met::Deflated);
                let message = squeeze.inflate(bytes)?;
                self.heard_word(record, Word::read(&message), model)
            }
            None => self.heard_word(record, Word::read(bytes), model),
        }
    }

    fn heard_word(&mut self, record: usize, word: Option<Word>, model: &mut Model) -> Result<(), String> {
        let Some(word) = word else { return Err("what came is no word, or a damaged one".into()) };
        if word.about > 0 {
            let skips = word.about > self.answered + 1 && !model.records[record].dropping;
            if skips || word.about <= self.answered || word.about > self.said {
                return Err(format!("{word:?} answers, and {} of {} were answered", self.answered, self.said));
            }
            self.answered = word.about;
        }
        model.heard(self.index, record, word)
    }

    /// A Close came: it is answered unless ours was first.
    fn closed(&mut self, code: u16, model: &mut Model) -> Result<(), String> {
        self.frames.close_received = true;
        match code {
            1001 => model.meet(Met::GoingAway),
            1008 => model.meet(Met::PolicyClose),
            1009 => model.meet(Met::MessageTooBig),
            1011 => model.meet(Met::InternalClose),
            1013 => model.meet(Met::TryAgain),
            _ => {}
        }
        if matches!(code, 1002 | 1003 | 1007 | 1009) && !self.spoilt {
            return Err(format!("it was closed with {code} and had done nothing"));
        }
        if !self.frames.close_sent && !self.left {
            self.frames.close_sent = true;
            let masked = if self.frames.masked { 0 } else { 0x80 };
            self.outbox.extend_from_slice(&[0x88, masked | 2]);
            self.outbox.extend_from_slice(if masked > 0 { &[0, 0, 0, 0][..] } else { &[] });
            self.outbox.extend_from_slice(&code.to_be_bytes());
        }
        Ok(())
    }

    /// Answers a ping; the key of zeros masks as well as any here.
    fn outbox_pong(&mut self, payload: &[u8]) {
        let masked = if self.frames.masked { 0 } else { 0x80 };
        self.outbox.extend_from_slice(&[0x8a, masked | payload.len() as u8]);
        self.outbox.extend_from_slice(if masked > 0 { &[0, 0, 0, 0][..] } else { &[] });
        self.outbox.extend_from_slice(payload);
    }
}
