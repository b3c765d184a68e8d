//! `Event`: one block of the stream, as a server writes it. How a client reads it stands in `parser`.
//!
//! A block is fields, a line each, and an empty line. Every value is of a type that cannot hold a line end, but for the
//! data, which is cut into lines; so no text, however hostile, can become a field or end the block.

use core::fmt;
use core::time::Duration;

use crate::output::{self, Full, Sink};
use crate::{Id, Line};

/// One event, written as one block: what is there is written, in the order id, event, retry, data.
///
/// Most are [`Event::data`] and nothing else. A block without data is never dispatched; it is written only where that is
/// asked for, by [`Event::id_only`] and [`Event::retry_only`].
///
/// ```
/// use longwire_sse::{Event, Id, Line};
///
/// let event = Event::data("first line\nsecond line").id(Id::new("7")?).name(Line::literal("token"));
/// assert_eq!(event.to_string(), "id: 7\nevent: token\ndata: first line\ndata: second line\n\n");
///
/// let mut out = [0; 128];
/// let len = event.encode(&mut out)?;
/// assert_eq!(len, event.encoded_len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Event<'a> {
    /// What the client's last event id becomes; [`Id::EMPTY`] resets it. Without it, it stays what it was.
    pub id: Option<Id<'a>>,
    /// The event's type; without a name, or with an empty one, clients take it for `message`.
    pub name: Option<Line<'a>>,
    /// How long the client waits before it comes back. Written in milliseconds, rounded up, at most 2^64 − 1 of them.
    pub retry: Option<Duration>,
    /// The text, in any number of lines: CRLF, LF and CR end one, nothing else does, and the client sees each as LF.
    /// `Some("")` is an event with empty data; `None` is no event at all.
    pub data: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// An event with this data.
    pub const fn data(data: &'a str) -> Self {
        Self { id: None, name: None, retry: None, data: Some(data) }
    }

    /// No event: a block that moves the client's last event id and is not dispatched.
    pub const fn id_only(id: Id<'a>) -> Self {
        Self { id: Some(id), name: None, retry: None, data: None }
    }

    /// No event: a block that tells the client how long to wait before it comes back.
    pub const fn retry_only(retry: Duration) -> Self {
        Self { id: None, name: None, retry: Some(retry), data: None }
    }

    /// The same with this id.
    pub const fn id(self, id: Id<'a>) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same under this name.
    pub const fn name(self, name: Line<'a>) -> Self {
        Self { name: Some(name), ..self }
    }

    /// The same with this reconnection time.
    pub const fn retry(self, retry: Duration) -> Self {
        Self { retry: Some(retry), ..self }
    }

    /// The bytes that [`encode`](Self::encode) writes.
    pub fn encoded_len(&self) -> usize {
        output::measure(|sink| self.write(sink))
    }

    /// Writes the block to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Full`] if `out` is shorter than [`encoded_len`](Self::encoded_len); `out` may hold a part then.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Full> {
        output::fill(out, |sink| self.write(sink))
    }

    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        if let Some(id) = self.id {
            output::field(sink, "id", id.as_str())?;
        }
        // §9.2.6: an empty event type is `message`, as is none.
        if let Some(name) = self.name.filter(|name| !name.as_str().is_empty()) {
            output::field(sink, "event", name.as_str())?;
        }
        if let Some(retry) = self.retry {
            output::field(sink, "retry", Decimal::new(milliseconds(retry)).as_str())?;
        }
        if let Some(data) = self.data {
            let mut rest = Some(data);
            while let Some(text) = rest {
                let (line, after) = split_line(text);
                output::field(sink, "data", line)?;
                rest = after;
            }
        }
        sink.put("\n")
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// The first line and what follows its end, if it has one. §9.2.5: CRLF, LF and CR end a line; U+2028, U+0085, VT and FF
/// do not, though some libraries split at them.
fn split_line(text: &str) -> (&str, Option<&str>) {
    match text.split_once(['\r', '\n']) {
        None => (text, None),
        Some((line, after)) => {
            let ended_by_cr = text.as_bytes().get(line.len()) == Some(&b'\r');
            (line, Some(after.strip_prefix('\n').filter(|_| ended_by_cr).unwrap_or(after)))
        }
    }
}

/// Whole milliseconds, rounded up: nobody comes back sooner than asked.
fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A number in ASCII digits. §9.2.6: nothing but digits counts as a reconnection time.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn new(mut number: u64) -> Self {
        let mut decimal = Self { digits: [b'0'; 20], start: 20 };
        for digit in decimal.digits.iter_mut().rev() {
            *digit += (number % 10) as u8;
            decimal.start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        decimal
    }

    fn as_str(&self) -> &str {
        self.digits.get(self.start..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_all_their_digits() {
        for (number, digits) in [(0, "0"), (9, "9"), (10, "10"), (3000, "3000"), (u64::MAX, "18446744073709551615")] {
            assert_eq!(Decimal::new(number).as_str(), digits);
        }
    }

    #[test]
    fn a_crlf_is_one_line_end_and_an_lfcr_is_two() {
        assert_eq!(split_line("a\r\nb"), ("a", Some("b")));
        assert_eq!(split_line("a\n\rb"), ("a", Some("\rb")));
        assert_eq!(split_line("a\n\nb"), ("a", Some("\nb")));
        assert_eq!(split_line("a\u{2028}\u{85}\u{b}\u{c}b"), ("a\u{2028}\u{85}\u{b}\u{c}b", None));
    }
}
