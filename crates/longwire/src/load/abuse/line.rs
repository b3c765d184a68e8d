//! `Line`: one connection of a guest, and how it ended.

use std::time::Duration;

use longwire_reactor::Message;
use longwire_reactor::frame::{Encoder, Header, Mask, Opcode, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::profile::Guest;

/// How a guest's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// By an answer with this status.
    Status(u16),
    /// By a Close with this code; 1005 stands for none.
    Closed(u16),
    /// Without a word.
    Ended,
    Reset,
    /// It was open to the end of the attack.
    StillOpen,
    /// It went as soon as it was there, as it meant to.
    Left,
    /// It could not be connected.
    Refused,
    /// The server does not compress, so it could not be attacked so.
    NotCompressed,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "answered with {status}"),
            Self::Closed(code) => write!(f, "closed with {code}"),
            Self::Ended => f.write_str("ended without a word"),
            Self::Reset => f.write_str("reset"),
            Self::StillOpen => f.write_str("still open"),
            Self::Left => f.write_str("connected, and gone"),
            Self::Refused => f.write_str("not connected"),
            Self::NotCompressed => f.write_str("not tried: the server does not compress"),
        }
    }
}

/// What stands for a Close without a code (RFC 6455 §7.1.5).
const NO_CODE: u16 = 1005;

/// See the top of this file.
pub(super) struct Line {
    stream: TcpStream,
    /// What has come and was not looked at, as far as it matters.
    heard: Vec<u8>,
    web_socket: bool,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Line {
    pub(super) async fn connect(guest: &Guest) -> Result<Self, Ending> {
        let connecting = tokio::time::timeout(Duration::from_secs(5), guest.target.connect(guest.source)).await;
        let stream = connecting.map_err(|_| Ending::Refused)?.map_err(|_| Ending::Refused)?;
        Ok(Self { stream, heard: Vec::new(), web_socket: false, sent: 0, received: 0 })
    }

    /// A connection with its opening handshake behind it. Whether compression was agreed on, too.
    pub(super) async fn open(guest: &Guest, compressed: bool, until: Instant) -> Result<(Self, bool), Ending> {
        let mut line = Self::connect(guest).await?;
        line.send(&guest.target.upgrade(compressed)).await?;
        loop {
            if let Some(end) = line.heard.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&line.heard[..end]).to_ascii_lowercase();
                if status(&line.heard) != Some(101) {
                    return Err(Ending::Status(status(&line.heard).unwrap_or_default()));
                }
                line.heard.drain(..end + 4);
                line.web_socket = true;
                return Ok((line, head.contains("permessage-deflate")));
            }
            if let Some(ending) = line.listen(until, true).await {
                return Err(ending);
            }
        }
    }

    /// Sends, however long the server takes for it.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        match self.stream.write_all(bytes).await {
            Ok(()) => {
                self.sent += bytes.len() as u64;
                Ok(())
            }
            Err(_) => Err(self.said().unwrap_or(Ending::Reset)),
        }
    }

    /// Sends what the server takes until then, and does not read. `false` if the time is over.
    pub(super) async fn push(&mut self, bytes: &[u8], until: Instant) -> Result<bool, Ending> {
        timeout_at(until, self.send(bytes)).await.map_or(Ok(false), |sent| sent.map(|()| true))
    }

    /// Reads until something has come (with `once`), it has ended, or the time is over. `None` if it has not ended.
    pub(super) async fn listen(&mut self, until: Instant, once: bool) -> Option<Ending> {
        loop {
            let mut bytes = [0; 16 << 10];
            match timeout_at(until, self.stream.read(&mut bytes)).await {
                Err(_) => return if once { Some(Ending::StillOpen) } else { None },
                Ok(Ok(0)) => return Some(self.said().unwrap_or(Ending::Ended)),
                Ok(Ok(read)) => {
                    self.received += read as u64;
                    self.heard.extend_from_slice(&bytes[..read]);
                    if let Some(ending) = self.closed() {
                        return Some(ending);
                    }
                    if once {
                        return None;
                    }
                }
                Ok(Err(_)) => return Some(self.said().unwrap_or(Ending::Reset)),
            }
        }
    }

    /// What it has said last, if that was an end.
    fn said(&self) -> Option<Ending> {
        if self.web_socket { None } else { status(&self.heard).map(Ending::Status) }
    }

    /// The Close among the whole frames that have come. They are dropped.
    fn closed(&mut self) -> Option<Ending> {
        if !self.web_socket {
            return None;
        }
        let mut at = 0;
        while let Ok(Some((header, length))) = Header::parse(&self.heard[at..]) {
            let end = at + length + usize::try_from(header.len).ok()?;
            let Some(payload) = self.heard.get(at + length..end) else { break };
            if header.opcode == Opcode::Close {
                let code = payload.first_chunk().map_or(NO_CODE, |code| u16::from_be_bytes(*code));
                return Some(Ending::Closed(code));
            }
            at = end;
        }
        self.heard.drain(..at);
        None
    }
}

/// The status of an answer.
fn status(bytes: &[u8]) -> Option<u16> {
    str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok().filter(|_| bytes.starts_with(b"HTTP/1.1 "))
}

/// A message as a client sends it.
pub(super) fn message(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; payload.len() + Header::MAX_LEN];
    let sent = Encoder::new(Role::Client).message(Message::Binary(payload), Mask::new([7, 1, 4, 9]), &mut frame);
    frame.truncate(sent.unwrap_or_default());
    frame
}
