//! Another implementation beside ours: what tungstenite makes of the same frames. Where the two differ, [`difference`] says why.

use std::io::{self, Read, Write};

use longwire_frame::{Error, Role};
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use crate::choices;
use crate::frames::{Machine, deal};
use crate::naive::frames::{Said, read};

/// How far somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All was read, and more may come.
    Bytes,
    /// The peer has closed.
    Close,
    /// The peer has broken a rule of the kind that this close code stands for.
    Fault(u16),
}

/// Every difference there is: our fault, how it ended for them, and why that is so. Three more are not seen here:
///
/// * Within a frame we judge what is there, and they wait for its end: the wire is cut off where its last whole frame ends.
/// * 1014, which is in IANA's registry of close codes, they do not know: they hand out what they make of other codes that may not be
///   sent ([`as_they_say`]).
/// * They echo a Close with its reason, and send none for a fault: only Pongs are compared.
fn difference(ours: Option<Error>, theirs: End) -> Option<&'static str> {
    match (ours, theirs) {
        (Some(Error::LengthNotMinimal), _) => {
            Some("§5.2 wants the shortest form of a length; they read any, and go on")
        }
        (Some(Error::LongControl), _) => Some("the same of a control frame, whose length has no longer form"),
        (Some(Error::CloseCode), End::Close) => {
            Some("a code that may not be sent is no fault for them: they read 1002")
        }
        (Some(Error::CloseCode), End::Fault(1007)) => Some(
            "of a Close whose code and reason are both wrong we name the code, which comes first, and they the reason",
        ),
        (Some(fault), End::Fault(1009)) if fault.close_code().get() == 1002 => Some(
            "of a frame that is wrong and too long we say that it is wrong, and they look at its length before all else",
        ),
        _ => None,
    }
}

/// A Close as they hand it out.
fn as_they_say(said: Said) -> Said {
    match said {
        Said::Close(Some((1014, _))) => Said::Close(Some((1002, "Protocol violation".to_owned()))),
        other => other,
    }
}

/// Whole frames come to the same as tungstenite makes of them: what is said, whether there is a fault and of which kind, and the
/// Pongs that are sent; but for the differences that are known.
///
/// Choices: our role (bit 0) and the message limit (5 to 7). Nothing is negotiated, for tungstenite knows no extension; there may be
/// many parts, for it counts none.
pub fn tungstenite(data: &[u8]) {
    let Some(([machine], wire)) = choices(data) else { return };
    let machine = Machine::chosen(machine & 0b1110_0001 | 0b1_0000);
    let wire = &wire[..whole_frames(wire)];
    let ours = deal(machine, &[wire], false);
    let said: Vec<Said> = ours.heard.said.into_iter().map(as_they_say).collect();
    let end = match (ours.fault, said.last()) {
        (Some(fault), _) => End::Fault(fault.close_code().get()),
        (None, Some(Said::Close(_))) => End::Close,
        (None, _) => End::Bytes,
    };
    let theirs = read_theirs(machine, wire);
    let (pongs, their_pongs) = (pongs(&ours.replies, machine), pongs(&theirs.written, machine));
    if (&said, end, &pongs) != (&theirs.said, theirs.end, &their_pongs) {
        let known = difference(ours.fault, theirs.end);
        assert!(known.is_some(), "we: {said:?} {:?}, they: {:?} {:?}", ours.fault, theirs.said, theirs.end);
        assert!(theirs.said.starts_with(&said) && their_pongs.starts_with(&pongs), "up to there it is the same");
    }
}

/// Bytes of the whole frames at the front of the wire, whatever may be wrong with them.
fn whole_frames(wire: &[u8]) -> usize {
    let mut at = 0;
    while let [_, second, rest @ ..] = &wire[at..] {
        let digits = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(field) = rest.get(..digits) else { break };
        let field = field.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let len = if digits == 0 { u64::from(second & 0x7F) } else { field };
        let key = if second & 0x80 == 0 { 0 } else { 4 };
        match usize::try_from(len).ok().and_then(|len| len.checked_add(at + 2 + digits + key)) {
            Some(end) if end <= wire.len() => at = end,
            _ => break,
        }
    }
    at
}

/// What tungstenite made of it.
#[derive(Debug)]
struct Theirs {
    said: Vec<Said>,
    end: End,
    written: Vec<u8>,
}

fn read_theirs(machine: Machine, wire: &[u8]) -> Theirs {
    let message = machine.limits.message as usize;
    let config = WebSocketConfig::default()
        .max_message_size(Some(message))
        // It would make room for whatever a header says. What is more than a message may have never fits.
        .max_frame_size(Some(message.max(125)))
        .read_buffer_size(4096);
    let role = match machine.role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    let mut socket = WebSocket::from_raw_socket(Line { wire, written: Vec::new() }, role, Some(config));
    let mut said = Vec::new();
    let end = loop {
        said.push(match socket.read() {
            Ok(Message::Text(text)) => Said::Text(text.as_str().to_owned()),
            Ok(Message::Binary(bytes)) => Said::Binary(bytes.to_vec()),
            Ok(Message::Ping(payload)) => Said::Ping(payload.to_vec()),
            Ok(Message::Pong(payload)) => Said::Pong(payload.to_vec()),
            Ok(Message::Close(close)) => {
                said.push(Said::Close(close.map(|close| (close.code.into(), close.reason.as_str().to_owned()))));
                break End::Close;
            }
            Ok(Message::Frame(frame)) => panic!("{frame} is never read"),
            Err(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
                break End::Bytes;
            }
            Err(tungstenite::Error::Protocol(_)) => break End::Fault(1002),
            Err(tungstenite::Error::Utf8(_)) => break End::Fault(1007),
            Err(tungstenite::Error::Capacity(_)) => break End::Fault(1009),
            Err(other) => panic!("{other}"),
        });
    };
    Theirs { said, end, written: socket.into_inner().written }
}

/// The Pongs among frames that we or they have written.
fn pongs(written: &[u8], machine: Machine) -> Vec<Said> {
    let reading = read(written, &machine.opposite());
    assert_eq!(reading.fault, None);
    reading.said.into_iter().filter(|said| matches!(said, Said::Pong(_))).collect()
}

/// A wire that ends, and takes everything.
struct Line<'w> {
    wire: &'w [u8],
    written: Vec<u8>,
}

impl Read for Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wire.read(buffer)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
