//! Somebody outside, in a scenario: says what the script says, and understands every byte that comes: a response, a frame, an
//! event, an end. What it does not understand, it says so, too.

use longwire_reactor::frame::{Header, Mask, Opcode};
use longwire_reactor::handshake::Accept;
use longwire_reactor::sys::sim::Client;

use super::shown::shown;

/// What a visitor expects of the bytes that come.
#[derive(Debug)]
enum Awaits {
    /// A response's head.
    Head,
    /// The rest of a page.
    Page(u16, usize),
    Frames,
    Events,
    /// The request of an opening handshake: it is the server that calls.
    Opening,
    /// Nothing: all has ended.
    End,
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) name: String,
    /// Not there if nobody called, after all.
    pub(crate) wire: Option<Client>,
    /// What it has understood since it was asked last.
    pub(crate) heard: Vec<String>,
    /// Without whom nothing comes of what it was promised.
    pub(crate) needs: Vec<usize>,
    /// It does not take what comes.
    pub(crate) deaf: bool,
    awaits: Awaits,
    unread: Vec<u8>,
    /// The message that has begun: its kind, its bytes, and in how many frames.
    message: Option<(Opcode, Vec<u8>, u32)>,
    closed: bool,
    /// It is called by the server: its frames are not masked.
    is_host: bool,
}

impl Visitor {
    pub(crate) fn new(name: &str, wire: Option<Client>, is_host: bool) -> Self {
        Self {
            name: name.to_owned(),
            wire,
            heard: Vec::new(),
            needs: Vec::new(),
            deaf: false,
            awaits: if is_host { Awaits::Opening } else { Awaits::Head },
            unread: Vec::new(),
            message: None,
            closed: false,
            is_host,
        }
    }

    /// Neither did anybody call whom a fault kept from it, nor did a fault end this one.
    pub(crate) fn is_unharmed(&self) -> bool {
        self.wire.as_ref().is_some_and(|wire| !wire.was_struck())
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        if let Some(wire) = &self.wire {
            wire.send(bytes);
        }
    }

    /// A frame as this side writes it.
    pub(crate) fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        let bit = if self.is_host { 0 } else { 0x80 };
        match payload.len() {
            length @ 0..=125 => bytes.push(bit | length as u8),
            length @ 126..=0xffff => {
                bytes.push(bit | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                bytes.push(bit | 127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        if self.is_host {
            bytes.extend_from_slice(payload);
        } else {
            let key = [0x37, 0xfa, 0x21, 0x3d];
            bytes.extend_from_slice(&key);
            let start = bytes.len();
            bytes.extend_from_slice(payload);
            Mask::new(key).apply(&mut bytes[start..]);
        }
        bytes
    }

    /// Takes what has come and understands it. What breaks a rule is an error.
    pub(crate) fn listen(&mut self) -> Result<(), String> {
        let Some(wire) = &self.wire else { return Ok(()) };
        if self.deaf {
            return Ok(());
        }
        wire.take(usize::MAX, &mut self.unread);
        let (ends, was_reset) = (wire.is_finished() && wire.on_its_way() == 0, wire.was_reset());
        self.understand()?;
        if ends && !matches!(self.awaits, Awaits::End) {
            self.heard.push(match self.unread.is_empty() && self.message.is_none() {
                _ if was_reset => "reset".into(),
                true => "end".into(),
                false => format!("an end in the middle of {}", shown(&self.unread)),
            });
            self.awaits = Awaits::End;
            self.unread.clear();
        }
        Ok(())
    }

    fn understand(&mut self) -> Result<(), String> {
        loop {
            let used = match self.awaits {
                Awaits::Head => self.read_head()?,
                Awaits::Page(status, length) => self.read_page(status, length),
                Awaits::Frames => self.read_frame()?,
                Awaits::Events => self.read_event()?,
                Awaits::Opening => self.read_opening()?,
                Awaits::End if self.unread.is_empty() => None,
                Awaits::End => return Err(format!("{} follows the end", shown(&self.unread))),
            };
            let Some(used) = used else { return Ok(()) };
            self.unread.drain(..used);
        }
    }

    /// A head, and how many bytes it has with its blank line.
    fn head(&self) -> Result<Option<(&str, usize)>, String> {
        let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&self.unread[..end]).map_err(|error| error.to_string())?;
        Ok(Some((head, end + 4)))
    }

    fn read_head(&mut self) -> Result<Option<usize>, String> {
        let Some((head, end)) = self.head()? else { return Ok(None) };
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status: u16 = status.ok_or_else(|| format!("this is no response: {}", shown(head.as_bytes())))?;
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length = field("Content-Length").and_then(|length| length.parse().ok());
        let is_stream = field("Content-Type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        match status {
            100 => self.heard.push("100".into()),
            101 => {
                self.heard.push("101".into());
                self.awaits = Awaits::Frames;
            }
            _ if is_stream => {
                self.heard.push(format!("{status} stream"));
                self.awaits = Awaits::Events;
            }
            _ => self.awaits = Awaits::Page(status, length.unwrap_or(0)),
        }
        Ok(Some(end))
    }

    fn read_page(&mut self, status: u16, length: usize) -> Option<usize> {
        let body = shown(self.unread.get(..length)?.trim_ascii());
        self.heard.push(if status == 200 { format!("200 {body}") } else { status.to_string() });
        self.awaits = Awaits::Head;
        Some(length)
    }

    fn read_opening(&mut self) -> Result<Option<usize>, String> {
        let Some((head, end)) = self.head()? else { return Ok(None) };
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let key = key.ok_or_else(|| format!("this is no opening handshake: {}", shown(head.as_bytes())))?;
        let accept = Accept::for_key(key).as_str().to_owned();
        self.heard.push("opening".into());
        self.awaits = Awaits::Frames;
        self.send(
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            )
            .as_bytes(),
        );
        Ok(Some(end))
    }

    fn read_frame(&mut self) -> Result<Option<usize>, String> {
        let Some((header, length)) = Header::parse(&self.unread).map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let end = length + header.len as usize;
        if end > self.unread.len() {
            return Ok(None);
        }
        if self.closed {
            return Err(format!("{header} follows a Close"));
        }
        if header.mask.is_some() != self.is_host {
            return Err(format!("{header} is masked, or not, as it must not be"));
        }
        let mut payload = self.unread[length..end].to_vec();
        if let Some(mut mask) = header.mask {
            mask.apply(&mut payload);
        }
        match (header.opcode, self.message.take()) {
            (Opcode::Ping, message) => {
                self.message = message;
                self.heard.push(format!("ping {}", shown(&payload)).trim_end().to_owned());
            }
            (Opcode::Pong, message) => {
                self.message = message;
                self.heard.push(format!("pong {}", shown(&payload)).trim_end().to_owned());
            }
            (Opcode::Close, _) => {
                self.closed = true;
                let code = payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                self.heard.push(format!("close {code}"));
            }
            (Opcode::Continuation, Some((kind, mut bytes, frames))) => {
                bytes.extend_from_slice(&payload);
                self.hear(kind, bytes, frames + 1, header.fin);
            }
            (kind @ (Opcode::Text | Opcode::Binary), None) => self.hear(kind, payload, 1, header.fin),
            (opcode, message) => return Err(format!("{opcode:?} came, and {message:?} was open")),
        }
        Ok(Some(end))
    }

    fn hear(&mut self, kind: Opcode, bytes: Vec<u8>, frames: u32, fin: bool) {
        if !fin {
            self.message = Some((kind, bytes, frames));
            return;
        }
        let kind = if kind == Opcode::Text { "text" } else { "binary" };
        let frames = if frames == 1 { String::new() } else { format!(" in {frames}") };
        self.heard.push(format!("{kind} {}{frames}", shown(&bytes)));
    }

    fn read_event(&mut self) -> Result<Option<usize>, String> {
        let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") else { return Ok(None) };
        let block = std::str::from_utf8(&self.unread[..end]).map_err(|error| error.to_string())?;
        let (mut name, mut data, mut rest) = ("event", None, None);
        for line in block.lines() {
            match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("", _)) => rest = Some("beat"),
                Some(("retry", _)) => rest = Some("retry"),
                Some(("data", value)) => data = Some(value),
                Some(("event", value)) => name = value,
                _ => return Err(format!("this is no event: {}", shown(block.as_bytes()))),
            }
        }
        self.heard.extend(data.map(|data| format!("{name} {}", shown(data.as_bytes()))));
        self.heard.extend(rest.map(String::from));
        Ok(Some(end + 2))
    }
}
