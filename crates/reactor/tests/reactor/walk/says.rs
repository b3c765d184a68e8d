//! What the rows of frames and of streams must say, worked out from their bytes without the library's decoder: bit by bit, and
//! with another inflater.

use std::time::Duration;

use longwire_reactor::sse::Parser;

use super::page::Wrong;

/// One direction of a WebSocket behind its head.
#[derive(Default)]
pub(crate) struct Frames {
    awaits: Awaits,
    fin: bool,
    opcode: u8,
    masked: bool,
    key: [u8; 4],
    length: usize,
    /// Payload of the frame so far.
    payload: Vec<u8>,
    /// Payload of the message so far, if it is compressed.
    compressed: Option<Vec<u8>>,
    /// What there is of a character that has begun.
    character: Vec<u8>,
}

/// What the next row is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    #[default]
    First,
    Second,
    Key,
    Payload,
}

impl Frames {
    /// Whether no frame has begun that has not ended.
    pub(crate) fn is_between(&self) -> bool {
        self.awaits == Awaits::First
    }

    /// What a row must say of its bytes.
    pub(crate) fn row(&mut self, bytes: &[u8]) -> Result<String, Wrong> {
        match (self.awaits, bytes) {
            (Awaits::First, [first]) => Ok(self.first(*first)),
            (Awaits::Second, [second]) => self.second(*second),
            (Awaits::Key, bytes) => {
                self.key = bytes.try_into().map_err(|_| "a key has four bytes")?;
                self.after_header();
                Ok("the masking key".into())
            }
            (Awaits::Payload, bytes) => self.payload(bytes),
            _ => Err("the first two bytes of a frame have a row each".into()),
        }
    }

    fn first(&mut self, first: u8) -> String {
        (self.fin, self.opcode, self.awaits) = (first >> 7 == 1, first & 0xf, Awaits::Second);
        self.payload.clear();
        let rsv = first >> 4 & 0b111;
        if self.opcode == 1 || self.opcode == 2 {
            self.compressed = (rsv == 0b100).then(Vec::new);
        }
        let name = match self.opcode {
            0 => "continuation",
            1 => "text",
            2 => "binary",
            8 => "close",
            9 => "ping",
            10 => "pong",
            _ => "reserved",
        };
        let fin = if self.fin { "FIN" } else { "no FIN" };
        let rsv1 = if rsv == 0b100 { ", RSV1" } else { "" };
        format!("{}·{rsv:03b}·{:04b}  {fin}{rsv1}, {name}", first >> 7, self.opcode)
    }

    fn second(&mut self, second: u8) -> Result<String, Wrong> {
        (self.masked, self.length) = (second >> 7 == 1, usize::from(second & 0x7f));
        if self.length > 125 {
            return Err("the page has no long lengths".into());
        }
        if self.masked {
            self.awaits = Awaits::Key;
        } else {
            self.after_header();
        }
        let masked = if self.masked { "masked" } else { "not masked" };
        Ok(format!("{}·{:07b}   {masked}, {} bytes", second >> 7, self.length, self.length))
    }

    fn after_header(&mut self) {
        self.awaits = if self.length == 0 { Awaits::First } else { Awaits::Payload };
    }

    fn payload(&mut self, bytes: &[u8]) -> Result<String, Wrong> {
        let start = self.payload.len();
        for byte in bytes {
            let key = if self.masked { self.key[self.payload.len() % 4] } else { 0 };
            self.payload.push(byte ^ key);
        }
        if self.payload.len() > self.length {
            return Err(format!("the frame has {} bytes of payload", self.length));
        }
        let last = self.payload.len() == self.length;
        self.awaits = if last { Awaits::First } else { Awaits::Payload };
        let plain = self.payload[start..].to_vec();
        let reading = self.read(start, &plain, last)?;
        let hex: Vec<String> = plain.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(if self.masked { format!("{}  {reading}", hex.join(" ")) } else { reading })
    }

    /// What payload means.
    fn read(&mut self, start: usize, plain: &[u8], last: bool) -> Result<String, Wrong> {
        match (self.opcode, start, plain) {
            (8, 0, [high, low]) => Ok(format!("code {}", u16::from_be_bytes([*high, *low]))),
            (8, 0, _) => Err("the code of a Close has a row of its own".into()),
            (8.., _, _) => Ok(quoted(std::str::from_utf8(plain).map_err(|_| "no text")?)),
            _ => match &mut self.compressed {
                Some(compressed) => {
                    compressed.extend_from_slice(plain);
                    if last && self.fin { inflated(compressed) } else { Ok("compressed".into()) }
                }
                None => self.text(plain),
            },
        }
    }

    /// Text, with … where a character is cut in two.
    fn text(&mut self, plain: &[u8]) -> Result<String, Wrong> {
        let before = if self.character.is_empty() { "" } else { "…" };
        self.character.extend_from_slice(plain);
        let whole = self.character.utf8_chunks().next().map_or("", |chunk| chunk.valid()).to_owned();
        self.character.drain(..whole.len());
        let after = match self.character.len() {
            0 => "",
            1..=3 => "…",
            _ => return Err("this is not UTF-8".into()),
        };
        Ok(format!("\"{before}{whole}{after}\""))
    }
}

/// What RFC 7692 §7.2.2 makes of a compressed message.
fn inflated(compressed: &[u8]) -> Result<String, Wrong> {
    const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
    // A last block that is empty, for an inflater that wants an end.
    const END: [u8; 5] = [0x01, 0x00, 0x00, 0xff, 0xff];
    let stream = [compressed, &TAIL, &END].concat();
    let text =
        miniz_oxide::inflate::decompress_to_vec(&stream).map_err(|error| format!("it does not inflate: {error}"))?;
    Ok(format!("inflates to {}", quoted(std::str::from_utf8(&text).map_err(|_| "no text")?)))
}

/// `"Hello"`, `"Hello" × 205`
fn quoted(text: &str) -> String {
    for (length, _) in text.char_indices().skip(2).take(40) {
        let times = text.len() / length;
        if times > 2 && text[..length].repeat(times) == text {
            return format!("\"{}\" × {times}", &text[..length]);
        }
    }
    format!("\"{text}\"")
}

/// Whoever reads the stream: a page's EventSource, through all its connections.
pub(crate) struct EventSource {
    parser: Parser<[u8; 4096]>,
}

impl EventSource {
    pub(crate) fn new() -> Self {
        Self { parser: Parser::new([0; 4096]) }
    }

    /// What a row must say of its bytes.
    pub(crate) fn row(&mut self, bytes: &[u8]) -> Result<String, Wrong> {
        let id = self.parser.last_event_id().to_owned();
        let step = self.parser.parse(bytes).map_err(|error| error.to_string())?;
        let dispatched = step.event.map(|event| format!("an event, and the last id is {:?}", event.id));
        match (bytes, dispatched) {
            (b"\n", Some(dispatched)) => Ok(dispatched),
            (b"\n", None) => Ok("no data, and no event".into()),
            (bytes, None) => {
                let line = std::str::from_utf8(bytes).map_err(|_| "no text")?;
                let (name, _) = line.split_once(": ").ok_or("a line of the stream is a field")?;
                Ok(match line.find('\n') {
                    Some(end) if end + 1 == line.len() => format!("the field {name}"),
                    None => format!("the field {name}, cut off; the last id is {id:?}"),
                    Some(_) => return Err("each line of the stream has a row".into()),
                })
            }
            (_, Some(_)) => Err("an empty line ends an event, in a row of its own".into()),
        }
    }

    /// Its connection has ended. Returns after how long it comes back.
    pub(crate) fn ended(&mut self) -> Option<Duration> {
        self.parser.end_of_stream();
        self.parser.retry()
    }

    /// What it asks for when it comes back.
    pub(crate) fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }
}
