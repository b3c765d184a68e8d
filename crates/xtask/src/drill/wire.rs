//! `Wire`: one client's connection. It knows as much of HTTP and WebSocket as the drills need, and nothing of our own crates: what
//! judges a server shall not share its mistakes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use std::{io, iter};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;

/// The example of RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// So many addresses do the clients come from: one alone has not enough ports.
const SOURCES: usize = 16;

/// A message, or a control frame, as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) opcode: u8,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Wire {
    /// Connects from one of several addresses.
    pub(super) async fn connect(server: SocketAddr, number: usize) -> io::Result<Self> {
        Self::connect_with(server, number, |_| Ok(())).await
    }

    /// The same with a receive window of a few KiB, so that what is sent to us waits at the server.
    pub(super) async fn connect_narrow(server: SocketAddr, number: usize) -> io::Result<Self> {
        Self::connect_with(server, number, |socket| socket.set_recv_buffer_size(4_096)).await
    }

    async fn connect_with(
        server: SocketAddr,
        number: usize,
        tune: impl Fn(&TcpSocket) -> io::Result<()>,
    ) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        tune(&socket)?;
        let last = 2 + (number % SOURCES) as u8;
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, input: Vec::new() })
    }

    /// Connects and opens a WebSocket.
    pub(super) async fn open(server: SocketAddr, number: usize, path: &str) -> io::Result<Self> {
        Self::connect(server, number).await?.opened(path).await
    }

    /// Opens a WebSocket on a connection.
    pub(super) async fn opened(mut self, path: &str) -> io::Result<Self> {
        self.write(upgrade(path).as_bytes()).await?;
        let head = self.head().await?;
        if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
            Ok(self)
        } else {
            Err(io::Error::other(format!("no 101 but {}", head.lines().next().unwrap_or_default())))
        }
    }

    /// Opens an event stream on a connection.
    pub(super) async fn listening(mut self, path: &str) -> io::Result<Self> {
        self.write(get(path).as_bytes()).await?;
        let head = self.head().await?;
        if head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream") {
            Ok(self)
        } else {
            Err(io::Error::other(format!("no stream but {}", head.lines().next().unwrap_or_default())))
        }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Sends one frame.
    pub(super) async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        self.write(&frame(opcode, payload)).await
    }

    /// Sends a message and expects it to come back.
    pub(super) async fn echo(&mut self, message: &[u8]) -> io::Result<()> {
        self.send(TEXT, message).await?;
        let heard = self.frame().await?;
        if heard.opcode == TEXT && heard.payload == message {
            Ok(())
        } else {
            Err(io::Error::other(format!("no echo but {}", heard.told())))
        }
    }

    /// A response's head, to its blank line.
    pub(super) async fn head(&mut self) -> io::Result<String> {
        self.until(b"\r\n\r\n").await
    }

    /// All up to these bytes, and them.
    pub(super) async fn until(&mut self, end: &[u8]) -> io::Result<String> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.input[searched..].windows(end.len()).position(|window| window == end) {
                let whole = self.input.drain(..searched + at + end.len()).collect();
                return String::from_utf8(whole).map_err(io::Error::other);
            }
            searched = self.input.len().saturating_sub(end.len() - 1);
            self.more().await?;
        }
    }

    /// The next frame, which must be a whole message or a control frame.
    pub(super) async fn frame(&mut self) -> io::Result<Frame> {
        let head = self.take(2).await?;
        if head[0] & 0xf0 != 0x80 || head[1] & 0x80 != 0 {
            return Err(io::Error::other(format!("no frame that a server may send: {head:02x?}")));
        }
        let length = match head[1] {
            126 => self.take(2).await?,
            127 => self.take(8).await?,
            short => vec![short],
        };
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        Ok(Frame { opcode: head[0] & 0x0f, payload: self.take(length).await? })
    }

    /// So many bytes.
    pub(super) async fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.input.len() < count {
            self.more().await?;
        }
        let rest = self.input.split_off(count);
        Ok(std::mem::replace(&mut self.input, rest))
    }

    /// Reads to the FIN; what came before it.
    pub(super) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        self.stream.read_to_end(&mut self.input).await?;
        Ok(std::mem::take(&mut self.input))
    }

    /// Reads to the FIN and goes on writing meanwhile, to the very end. What was read is there to be looked at.
    pub(super) async fn talk_to_the_end(&mut self, bytes: &[u8]) -> io::Result<()> {
        while self.stream.read_buf(&mut self.input).await? > 0 {
            self.write(bytes).await?;
        }
        Ok(())
    }

    /// Expects a Close with this code, answers it, and reads to the FIN.
    pub(super) async fn closed(&mut self, code: u16) -> io::Result<()> {
        let close = self.frame().await?;
        if close.opcode != CLOSE || !close.payload.starts_with(&code.to_be_bytes()) {
            return Err(io::Error::other(format!("no Close {code} but {}", close.told())));
        }
        self.send(CLOSE, &code.to_be_bytes()).await?;
        self.ended().await
    }

    /// Expects nothing but the FIN.
    pub(super) async fn ended(&mut self) -> io::Result<()> {
        match self.rest().await?.len() {
            0 => Ok(()),
            count => Err(io::Error::other(format!("{count} bytes behind the end"))),
        }
    }

    /// Sends this for ever, a byte at a time, until the server ends the connection; how long that took.
    pub(super) async fn trickle(mut self, bytes: &[u8], pace: Duration) -> Duration {
        let began = Instant::now();
        let (mut read, mut write) = self.stream.split();
        let sending = async {
            for byte in bytes.iter().chain(iter::repeat(&b'x')) {
                write.write_all(&[*byte]).await?;
                sleep(pace).await;
            }
            Ok(0)
        };
        // However it ends.
        let _ = tokio::select! {
            sent = sending => sent,
            read = read.read_to_end(&mut self.input) => read,
        };
        began.elapsed()
    }

    /// Ends with a reset.
    pub(super) fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended")),
            _ => Ok(()),
        }
    }
}

impl Frame {
    fn told(&self) -> String {
        let shown = &self.payload[..self.payload.len().min(40)];
        format!("opcode {} with {} bytes: {}", self.opcode, self.payload.len(), shown.escape_ascii())
    }
}

pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

pub(super) fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

/// A client's frame, masked with the key that changes nothing.
pub(super) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(opcode, payload.len());
    bytes.extend_from_slice(payload);
    bytes
}

/// The header of a client's frame with so much payload.
pub(super) fn header(opcode: u8, length: usize) -> Vec<u8> {
    let mut bytes = piece_header(opcode, length);
    bytes[0] |= 0x80;
    bytes
}

/// The same without FIN: more of the message is to come.
pub(super) fn piece_header(opcode: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![opcode];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}
