//! The access log: a line for every request that was answered and every connection that has ended.
//!
//! What a peer wrote must not make up a line of its own, nor speak to a terminal. Text has it in quotes, with everything
//! escaped that is not plain ASCII; JSON is written in ASCII alone. A value that is long when it is written so is cut.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use clap::ValueEnum;
use longwire_reactor::handshake::Version;
use longwire_reactor::{Access, Closed, Record, Request};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::lines::Lines;

/// What one value may fill of a line, in bytes, as it is written there.
const SHOWN: usize = 1_024;

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// No access log.
    #[default]
    Off,
    /// Like the combined log format, with an id where the identity would be, and with seconds at the end.
    Text,
    /// An object a line.
    Json,
}

/// The access log of one loop.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    format: Format,
    lines: Lines,
    /// The line under way.
    line: Vec<u8>,
}

impl Log {
    /// None, if none is wanted.
    pub(crate) fn new(format: Format, lines: &Lines) -> Option<Self> {
        (format != Format::Off).then(|| Self { format, lines: lines.clone(), line: Vec::new() })
    }

    pub(crate) fn write(&mut self, access: Access<'_>) {
        let entry = Entry::of(&access);
        self.line.clear();
        let written = match self.format {
            Format::Off => return,
            Format::Text => entry.text(&mut self.line),
            Format::Json => entry.json(&mut self.line),
        };
        written.expect("a vector takes every line");
        self.line.push(b'\n');
        self.lines.put(&self.line);
    }
}

/// What is said on a line; as JSON, word for word.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    time: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(flatten)]
    event: Event<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    Answered {
        #[serde(flatten)]
        asked: Option<Asked<'a>>,
        status: u16,
        bytes: u64,
        seconds: f64,
    },
    Closed {
        why: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        seconds: f64,
    },
}

/// A request, as far as a log wants it.
#[derive(Debug, Serialize)]
struct Asked<'a> {
    method: Value<'a>,
    target: Value<'a>,
    version: &'static str,
    host: Value<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Value<'a>>,
}

impl<'a> Entry<'a> {
    fn of(access: &Access<'a>) -> Self {
        let event = match access.record {
            Record::Answered { request, status, body, took } => {
                Event::Answered { asked: request.map(Asked::of), status, bytes: body, seconds: took.as_secs_f64() }
            }
            Record::Closed { why, age } => {
                let code = if let Closed::ByPeer(code) = why { code.map(|code| code.get()) } else { None };
                Event::Closed { why: why.to_string(), code, seconds: age.as_secs_f64() }
            }
        };
        let time = UNIX_EPOCH + Duration::from_secs(access.unix_time());
        Self {
            time: humantime::format_rfc3339_seconds(time).to_string(),
            id: access.id.to_string(),
            address: access.address().map(|address| address.ip().to_string()),
            event,
        }
    }

    fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { time, id, address, event } = self;
        write!(out, "{} {id} - [{time}] ", address.as_deref().unwrap_or("-"))?;
        match event {
            Event::Answered { asked, status, bytes, seconds } => {
                match asked {
                    Some(Asked { method, target, version, .. }) => {
                        write!(out, "\"{method} {target} {version}\"")?;
                    }
                    None => out.write_all(b"\"-\"")?,
                }
                let asked = asked.as_ref();
                let referer = asked.and_then(|asked| asked.referer).unwrap_or(Value(b"-"));
                let user_agent = asked.and_then(|asked| asked.user_agent).unwrap_or(Value(b"-"));
                write!(out, " {status} {bytes} \"{referer}\" \"{user_agent}\" {seconds:.3}")
            }
            Event::Closed { why, code, seconds } => {
                write!(out, "closed \"{why}\" {} {seconds:.3}", code.map_or("-".into(), |code| code.to_string()))
            }
        }
    }

    fn json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        self.serialize(&mut Serializer::with_formatter(out, Ascii)).map_err(io::Error::from)
    }
}

impl<'a> Asked<'a> {
    fn of(request: Request<'a>) -> Self {
        let head = request.head();
        let field = |name| head.field_values(name).next().map(Value);
        Self {
            method: Value(request.method().as_bytes()),
            target: Value(request.target().as_bytes()),
            version: if head.version() == Version::Http10 { "HTTP/1.0" } else { "HTTP/1.1" },
            host: Value(head.host().as_bytes()),
            referer: field("referer"),
            user_agent: field("user-agent"),
        }
    }
}

/// What a peer wrote. It is cut where it would fill too much of a line, and ends in three dots then.
#[derive(Clone, Copy, Debug)]
struct Value<'a>(&'a [u8]);

/// In text: `"`, `\` and all that is not printable ASCII with a backslash before it, byte by byte.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        let lengths = bytes.iter().map(|byte| std::ascii::escape_default(*byte).len());
        match cut(lengths) {
            Some(end) => write!(f, "{}...", bytes[..end].escape_ascii()),
            None => write!(f, "{}", bytes.escape_ascii()),
        }
    }
}

/// In JSON: its characters, U+FFFD for what is no UTF-8.
impl Serialize for Value<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = String::from_utf8_lossy(self.0);
        match cut(text.chars().map(written_len)) {
            Some(end) => serializer.serialize_str(&(text.chars().take(end).collect::<String>() + "...")),
            None => serializer.serialize_str(&text),
        }
    }
}

/// How many of the parts that have these lengths fill what one value may, if not all of them fit.
fn cut(lengths: impl Iterator<Item = usize>) -> Option<usize> {
    let mut written = 0;
    lengths.enumerate().find_map(|(number, length)| {
        written += length;
        (written > SHOWN).then_some(number)
    })
}

/// How long a character is in our JSON.
const fn written_len(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\x08' | '\x0c' => 2,
        ' '..='~' => 1,
        _ => 6 * character.len_utf16(),
    }
}

/// JSON in ASCII alone: some terminals obey control characters beyond it.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: Event<'_>) -> Entry<'_> {
        let time = "2026-01-01T00:00:00Z".into();
        Entry { time, id: "0.7.12".into(), address: Some("192.0.2.7".into()), event }
    }

    fn answered(user_agent: &[u8]) -> Entry<'_> {
        entry(Event::Answered {
            asked: Some(Asked {
                method: Value(b"GET"),
                target: Value(b"/chat?a=1"),
                version: "HTTP/1.1",
                host: Value(b"localhost"),
                referer: None,
                user_agent: Some(Value(user_agent)),
            }),
            status: 101,
            bytes: 0,
            seconds: 0.0,
        })
    }

    fn text(entry: &Entry<'_>) -> String {
        let mut line = Vec::new();
        entry.text(&mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    fn json(entry: &Entry<'_>) -> String {
        let mut line = Vec::new();
        entry.json(&mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_line_says_who_when_what_and_how_it_came_out() {
        let entry = answered(b"curl/8");
        assert_eq!(
            text(&entry),
            r#"192.0.2.7 0.7.12 - [2026-01-01T00:00:00Z] "GET /chat?a=1 HTTP/1.1" 101 0 "-" "curl/8" 0.000"#
        );
        assert_eq!(
            json(&entry),
            "{\"time\":\"2026-01-01T00:00:00Z\",\"id\":\"0.7.12\",\"address\":\"192.0.2.7\",\"event\":\"answered\",\
             \"method\":\"GET\",\"target\":\"/chat?a=1\",\"version\":\"HTTP/1.1\",\"host\":\"localhost\",\
             \"user_agent\":\"curl/8\",\"status\":101,\"bytes\":0,\"seconds\":0.0}"
        );
    }

    #[test]
    fn what_was_no_request_and_what_has_ended_have_lines_too() {
        let refused = entry(Event::Answered { asked: None, status: 400, bytes: 95, seconds: 0.25 });
        assert!(text(&refused).ends_with(r#"] "-" 400 95 "-" "-" 0.250"#), "{}", text(&refused));
        assert!(json(&refused).ends_with(r#""event":"answered","status":400,"bytes":95,"seconds":0.25}"#));
        let closed = entry(Event::Closed { why: "the peer closed".into(), code: Some(1001), seconds: 61.5 });
        assert!(text(&closed).ends_with(r#"] closed "the peer closed" 1001 61.500"#), "{}", text(&closed));
        assert!(json(&closed).ends_with(r#""event":"closed","why":"the peer closed","code":1001,"seconds":61.5}"#));
    }

    #[test]
    fn no_peer_makes_up_a_line_or_speaks_to_a_terminal() {
        let hostile = "\" 200 1\r\n6.6.6.6 - \\ \t\x1b[2J \x7f \u{9b}2J \u{2028} é \u{202e} 😀".as_bytes();
        for bytes in [hostile, &[hostile, b"\xff\xc2"].concat()] {
            let entry = answered(bytes);
            for line in [text(&entry), json(&entry)] {
                assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
            }
            let read: serde_json::Value = serde_json::from_str(&json(&entry)).unwrap();
            assert_eq!(read["user_agent"], &*String::from_utf8_lossy(bytes));
            let line = text(&entry);
            assert!(line.contains(r#" "\" 200 1\r\n6.6.6.6"#), "{line}");
            let quotes = line.replace(r"\\", "").replace(r#"\""#, "").matches('"').count();
            assert_eq!(quotes, 6, "{line}");
        }
    }

    #[test]
    fn no_byte_fills_more_than_its_share_of_a_line() {
        let bare = (text(&answered(b"")).len(), json(&answered(b"")).len());
        for byte in 0..=255 {
            for count in [SHOWN / 6, SHOWN, 16 * SHOWN] {
                let value = vec![byte; count];
                let (text, json) = (text(&answered(&value)), json(&answered(&value)));
                let whole = String::from_utf8_lossy(&value).chars().map(written_len).sum();
                for (line, bare, whole) in [(&text, bare.0, value.escape_ascii().count()), (&json, bare.1, whole)] {
                    let filled = line.len() - bare;
                    let is_right =
                        if whole > SHOWN { (SHOWN - 9..=SHOWN + 3).contains(&filled) } else { filled == whole };
                    assert!(is_right, "{count} bytes {byte:#04x} fill {filled}: {line}");
                }
                assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
            }
        }
    }

    #[test]
    fn the_length_of_a_character_is_what_is_written() {
        for character in (0..0x1_1000).filter_map(char::from_u32) {
            let mut line = Vec::new();
            character.serialize(&mut Serializer::with_formatter(&mut line, Ascii)).unwrap();
            assert_eq!(line.len() - 2, written_len(character), "{character:?}");
        }
    }
}
