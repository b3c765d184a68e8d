//! `Head`: finds the end of a head while it arrives. It goes over the bytes once, however the head was cut into packets,
//! and it is the first to refuse: line ends, control bytes and sizes are judged here, before anything is parsed.
//!
//! ```text
//!  Start ─CR─ EmptyLine ─LF─ FirstLine
//!    │                           │
//!    └────────────┬──────────────┘
//!                 ▼
//!              Method ─SP─ Target ─SP─ Line ─CR─ LineEnd ─LF─ Field ─CR─ HeadEnd ─LF─ Nothing
//!                                       ▲                       │
//!                                       └──── any other byte ───┘
//! ```
//!
//! (A first line may also end in its method or its target; it is refused when it is parsed.)
//!
//! What the lines say is `request`'s to judge; a response's head goes through here as well.

use crate::{Limits, Refusal};

/// A scan for the end of one head.
///
/// Make one per head, and call [`scan`](Self::scan) with everything that has come since the head's first byte, each
/// time that more has come. It is 24 bytes.
///
/// ```
/// use longwire_handshake::{Head, Limits};
///
/// let mut head = Head::new(Limits::default());
/// assert_eq!(head.scan(b"GET / HTTP/1.1\r\nHost: a\r\n")?, None);
/// assert_eq!(head.scan(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore")?, Some(27));
/// # Ok::<(), longwire_handshake::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Head {
    limits: Limits,
    scanned: u32,
    target: u32,
    fields: u16,
    awaits: Awaits,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// The first line, or the one empty line before it.
    Start,
    /// The LF of that empty line.
    EmptyLine,
    /// The first byte of the first line, after an empty one.
    FirstLine,
    /// The first line up to its first blank.
    Method,
    /// The first line from there to its second blank.
    Target,
    /// The rest of any line.
    Line,
    /// The LF of a line.
    LineEnd,
    /// The first byte of a field, or of the blank line.
    Field,
    /// The LF of the blank line.
    HeadEnd,
    /// The head is whole.
    Nothing,
}

impl Head {
    /// A scan that has seen nothing.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { limits, scanned: 0, target: 0, fields: 0, awaits: Awaits::Start }
    }

    /// Looks at the bytes of `buf` that are new; `buf` is all that has come since the head's first byte. `Some(n)`: the head, its
    /// blank line included, is `buf[..n]`, and what follows belongs to something else. `None`: more is needed. RFC 9112 §2.1; and
    /// nothing is done before the last line has come (RFC 9110 §5.3).
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that the first wrong byte deserves; it is the same however the bytes are cut, and again on the
    /// next call.
    pub fn scan(&mut self, buf: &[u8]) -> Result<Option<usize>, Refusal> {
        let within = buf.get(..self.limits.head as usize).unwrap_or(buf);
        while self.awaits != Awaits::Nothing
            && let Some([byte, rest @ ..]) = within.get(self.scanned as usize..)
        {
            self.awaits = self.after(*byte)?;
            self.scanned += 1;
            if self.awaits == Awaits::Line {
                // Most bytes of a head stand in mid-line.
                self.scanned += plain(rest);
            }
        }
        match self.awaits {
            Awaits::Nothing => Ok(Some(self.scanned as usize)),
            // No end within the limit: whatever comes, the head is too long.
            _ if self.scanned >= self.limits.head => Err(Refusal::HeadTooLarge),
            _ => Ok(None),
        }
    }

    /// What is awaited after this byte. RFC 6585 §5: a head that is too long is 431.
    fn after(&mut self, byte: u8) -> Result<Awaits, Refusal> {
        match (self.awaits, byte) {
            // RFC 9112 §2.2: an empty line before the first is skipped; one is enough for the clients that send it.
            (Awaits::Start, b'\r') => Ok(Awaits::EmptyLine),
            (Awaits::EmptyLine, b'\n') => Ok(Awaits::FirstLine),
            (Awaits::FirstLine, b'\r') => Err(Refusal::EmptyLines),
            (Awaits::LineEnd, b'\n') => Ok(Awaits::Field),
            (Awaits::Field, b'\r') => Ok(Awaits::HeadEnd),
            (Awaits::HeadEnd, b'\n') => Ok(Awaits::Nothing),
            // RFC 9112 §2.2: a CR that no LF follows is invalid. An LF alone might be taken for a line end: two readers
            // who disagree about that see two different requests.
            (Awaits::EmptyLine | Awaits::LineEnd | Awaits::HeadEnd, _) | (_, b'\n') => Err(Refusal::BareLineEnd),
            (_, b'\r') => Ok(Awaits::LineEnd),
            // RFC 9112 §2.2 and §5.2: a line that begins with a blank is a folded one, or hides a field.
            (Awaits::Field, b' ' | b'\t') => Err(Refusal::FoldedLine),
            // RFC 9110 §5.5: control bytes are dangerous wherever they stand; the tab is a blank.
            (_, 0..=8 | 11..=31 | 127) => Err(Refusal::ControlByte),
            (Awaits::Field, _) if self.fields >= self.limits.fields => Err(Refusal::TooManyFields),
            (Awaits::Field, _) => {
                self.fields += 1;
                Ok(Awaits::Line)
            }
            (Awaits::Start | Awaits::FirstLine | Awaits::Method, b' ') => Ok(Awaits::Target),
            (Awaits::Start | Awaits::FirstLine | Awaits::Method, _) => Ok(Awaits::Method),
            (Awaits::Target, b' ') => Ok(Awaits::Line),
            // RFC 9112 §3: a target longer than any the server would read is 414.
            (Awaits::Target, _) if self.target >= self.limits.target => Err(Refusal::TargetTooLong),
            (Awaits::Target, _) => {
                self.target += 1;
                Ok(Awaits::Target)
            }
            (awaits, _) => Ok(awaits),
        }
    }
}

/// How many bytes there are in front of the first control byte: in mid-line these change nothing. Eight at a time.
fn plain(bytes: &[u8]) -> u32 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let mut plain = 0;
    for chunk in bytes.as_chunks().0 {
        let word = u64::from_le_bytes(*chunk);
        let not_del = word ^ (0x7F * EACH);
        // The highest bit of a byte: it is less than a blank, or DEL. (Behind the first such byte others may seem to be.)
        let below = word.wrapping_sub(0x20 * EACH) & !word;
        let del = not_del.wrapping_sub(EACH) & !not_del;
        let control = (below | del) & HIGH;
        plain += control.trailing_zeros() / 8;
        if control != 0 {
            break;
        }
    }
    plain
}

const _: () = assert!(size_of::<Head>() <= 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_control_byte_ends_what_is_plain() {
        for (at, byte) in (0..16).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
            for around in [b' ', b'~', b'z', 0x80, 0xFF] {
                let bytes: [u8; 16] = core::array::from_fn(|place| if place == at { byte } else { around });
                let wanted = if matches!(byte, 0..=31 | 127) { at } else { 16 };
                assert_eq!(u32::try_from(wanted), Ok(plain(&bytes)), "{byte} at {at} among {around}");
            }
        }
        // What is not a whole chunk goes byte by byte.
        assert_eq!(plain(b"7 bytes"), 0);
        assert_eq!(plain(&[0, 1, 2, 127, 10, 13, 0, 0]), 0);
    }
}
