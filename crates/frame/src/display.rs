//! How values read in a packet dump. One line each, bounded, and nothing in it that a terminal would obey.

use core::fmt::{Display, Formatter, Result, Write};

use crate::{
    Close, CloseCode, Closed, Error, Event, Full, Header, Mask, Message, Opcode, Rsv, State, Unfinished, Unsent,
};

/// Bytes or characters of a payload that are shown.
const SHOWN: usize = 32;

/// `FIN RSV1 text len=5 mask=37fa213d`
impl Display for Header {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if self.fin {
            out.write_str("FIN ")?;
        }
        if !self.rsv.is_empty() {
            write!(out, "{} ", self.rsv)?;
        }
        write!(out, "{} len={}", self.opcode, self.len)?;
        match self.mask {
            Some(mask) => write!(out, " mask={mask}"),
            None => Ok(()),
        }
    }
}

/// `text`, `continuation`, `ping`
impl Display for Opcode {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}

/// `RSV1`, `RSV1+RSV3`, `-`
impl Display for Rsv {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if self.is_empty() {
            return out.write_str("-");
        }
        let mut between = "";
        for (bit, name) in [(Self::RSV1, "RSV1"), (Self::RSV2, "RSV2"), (Self::RSV3, "RSV3")] {
            if self.contains(bit) {
                write!(out, "{between}{name}")?;
                between = "+";
            }
        }
        Ok(())
    }
}

/// `37fa213d`
impl Display for Mask {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        self.key().iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// `text "Hello"`, `text "Hel"...` for a piece with more to come, `ping 0102ff (3 bytes)`, `close 1000 normal closure`
impl Display for Event<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match *self {
            Self::Text { carried, rest, end } => {
                out.write_str("text ")?;
                text(carried, rest, out)?;
                more(end, out)
            }
            Self::Binary { bytes, end } => {
                out.write_str("binary ")?;
                hex(bytes, out)?;
                more(end, out)
            }
            Self::Extended { rsv, opcode, bytes, end } => {
                write!(out, "{rsv} {opcode} ")?;
                hex(bytes, out)?;
                more(end, out)
            }
            Self::Ping(payload) => {
                out.write_str("ping ")?;
                hex(payload, out)
            }
            Self::Pong(payload) => {
                out.write_str("pong ")?;
                hex(payload, out)
            }
            Self::Close(None) => out.write_str("close"),
            Self::Close(Some(close)) => write!(out, "close {close}"),
        }
    }
}

/// As the event that brings it whole.
impl Display for Message<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match *self {
            Self::Text(rest) => Event::Text { carried: None, rest, end: true }.fmt(out),
            Self::Binary(bytes) => Event::Binary { bytes, end: true }.fmt(out),
        }
    }
}

/// `1001 going away "see you"`
impl Display for Close<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        self.code.fmt(out)?;
        if self.reason.is_empty() {
            return Ok(());
        }
        out.write_char(' ')?;
        text(None, self.reason, out)
    }
}

/// `1001 going away`
impl Display for CloseCode {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{} {}", self.get(), self.name())
    }
}

/// `open`, `close sent`, `closed`, `failed`
impl Display for State {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Self::Open => "open",
            Self::CloseSent => "close sent",
            Self::Closed => "closed",
            Self::Failed => "failed",
        })
    }
}

/// `text that is not UTF-8 (RFC 6455 §8.1)`
impl Display for Error {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{} ({})", self.what(), self.section())
    }
}

impl Display for Full {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str("the output is too short")
    }
}

impl Display for Unfinished {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str("a fragmented message is not finished")
    }
}

impl Display for Closed {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str("nothing may follow a Close")
    }
}

impl Display for Unsent {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Full => Full.fmt(out),
            Self::Unfinished => Unfinished.fmt(out),
            Self::Closed => Closed.fmt(out),
            Self::TooLong => out.write_str("a control frame holds at most 125 bytes"),
        }
    }
}

/// Quoted and escaped; what is not shown is counted.
fn text(carried: Option<char>, rest: &str, out: &mut Formatter<'_>) -> Result {
    let mut characters = carried.into_iter().chain(rest.chars());
    out.write_char('"')?;
    for character in characters.by_ref().take(SHOWN) {
        write!(out, "{}", character.escape_debug())?;
    }
    out.write_char('"')?;
    match characters.count() {
        0 => Ok(()),
        hidden => write!(out, " +{hidden} characters"),
    }
}

/// Two digits a byte; what is not shown is counted.
fn hex(bytes: &[u8], out: &mut Formatter<'_>) -> Result {
    for byte in bytes.iter().take(SHOWN) {
        write!(out, "{byte:02x}")?;
    }
    match bytes.len() {
        0 => out.write_str("(empty)"),
        1 => out.write_str(" (1 byte)"),
        len if len <= SHOWN => write!(out, " ({len} bytes)"),
        len => write!(out, "... ({len} bytes)"),
    }
}

fn more(end: bool, out: &mut Formatter<'_>) -> Result {
    if end { Ok(()) } else { out.write_str("...") }
}
