//! The access log: a line for every request that was answered and every connection that has ended.
//!
//! What a peer wrote must not make up a line of its own, nor speak to a terminal. Text has it in quotes, with everything
//! escaped that is not plain ASCII; JSON is written in ASCII alone. Long values are cut.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use clap::ValueEnum;
use longwire_reactor::handshake::{Target, Version};
use longwire_reactor::{Access, Closed, Record, Request};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::lines::Lines;

/// What may be shown of one value, in bytes.
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

    pub(crate) fn write(&mut self, mut access: Access<'_>) {
        let entry = Entry::of(&mut access);
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
    method: Cow<'a, str>,
    target: Cow<'a, str>,
    version: &'static str,
    host: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
}

impl<'a> Entry<'a> {
    fn of(access: &mut Access<'a>) -> Self {
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
                        write!(out, "\"{} {} {version}\"", escaped(method), escaped(target))?;
                    }
                    None => out.write_all(b"\"-\"")?,
                }
                let told = |value: Option<&Cow<'_, str>>| escaped(value.map_or("-", |value| value)).to_string();
                let asked = asked.as_ref();
                let referer = told(asked.and_then(|asked| asked.referer.as_ref()));
                let user_agent = told(asked.and_then(|asked| asked.user_agent.as_ref()));
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
        let field = |name| head.field_values(name).next().map(shown);
        let mut target = match head.target() {
            Target::Absolute { authority } => format!("http://{authority}{}", head.path()),
            Target::Origin | Target::Asterisk => head.path().to_owned(),
        };
        if let Some(query) = head.query() {
            target.push('?');
            target.push_str(query);
        }
        Self {
            method: shown(head.method().as_bytes()),
            target: Cow::Owned(shown(target.as_bytes()).into_owned()),
            version: if head.version() == Version::Http10 { "HTTP/1.0" } else { "HTTP/1.1" },
            host: shown(head.host().as_bytes()),
            referer: field("referer"),
            user_agent: field("user-agent"),
        }
    }
}

/// A value as text, and as much of it as is shown.
fn shown(value: &[u8]) -> Cow<'_, str> {
    match value.get(..SHOWN) {
        Some(front) if value.len() > SHOWN => Cow::Owned(String::from_utf8_lossy(front).into_owned() + "…"),
        _ => String::from_utf8_lossy(value),
    }
}

/// `"`, `\` and all that is not printable ASCII with a backslash before it.
fn escaped(text: &str) -> std::slice::EscapeAscii<'_> {
    text.as_bytes().escape_ascii()
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
                method: "GET".into(),
                target: "/chat?a=1".into(),
                version: "HTTP/1.1",
                host: "localhost".into(),
                referer: None,
                user_agent: Some(shown(user_agent)),
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
    fn long_values_are_cut() {
        let entry = answered(&[b'x'; 100_000]);
        assert!(text(&entry).len() < 2 * SHOWN && json(&entry).contains(r#"xx\u2026""#));
        let most = [0xff; SHOWN];
        assert!(text(&answered(&most)).len() < 13 * SHOWN);
    }
}
