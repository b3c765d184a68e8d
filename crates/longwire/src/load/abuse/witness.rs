//! `Witness`: who behaves. Echoes a small message every few milliseconds on one WebSocket, and opens another once a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use longwire_reactor::frame::Header;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::line::message;
use crate::load::target::Target;

/// Between two echoes, and between two newcomers.
const PAUSE: Duration = Duration::from_millis(5);
const NEWCOMERS: Duration = Duration::from_secs(1);

/// What takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When each echo was sent, and how long it took.
    pub(super) echoes: Vec<(Instant, Duration)>,
    /// Echoes that were wrong, late or never came; each costs the connection, and a new one is opened.
    pub(super) lost: u64,
    /// The same of openings.
    pub(super) openings: Vec<(Instant, Duration)>,
    pub(super) refused: u64,
}

pub(super) struct Witness {
    target: Target,
}

impl Witness {
    pub(super) const fn new(target: Target) -> Self {
        Self { target }
    }

    /// Watches until it is over.
    pub(super) fn watch(&self, over: &AtomicBool) -> Result<Seen, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let mut seen = Seen::default();
            let first = timeout(PATIENCE, self.open()).await.ok().flatten();
            let mut line = Some(first.ok_or_else(|| format!("{} does not open a WebSocket", self.target))?);
            let mut newcomer = Instant::now();
            let mut number = 0_u64;
            while !over.load(Ordering::Acquire) {
                if newcomer.elapsed() >= NEWCOMERS || line.is_none() {
                    newcomer = Instant::now();
                    match timeout(PATIENCE, self.open()).await.ok().flatten() {
                        Some(opened) => {
                            seen.openings.push((newcomer, newcomer.elapsed()));
                            line.get_or_insert(opened);
                        }
                        None => seen.refused += 1,
                    }
                }
                if let Some(stream) = &mut line {
                    let begun = Instant::now();
                    number += 1;
                    match timeout(PATIENCE, echo(stream, number)).await {
                        Ok(Some(())) => seen.echoes.push((begun, begun.elapsed())),
                        Ok(None) | Err(_) => {
                            seen.lost += 1;
                            line = None;
                        }
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
            Ok(seen)
        })
    }

    async fn open(&self) -> Option<TcpStream> {
        let mut stream = self.target.connect(None).await.ok()?;
        stream.write_all(&self.target.upgrade(false)).await.ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        head.starts_with(b"HTTP/1.1 101 ").then_some(stream)
    }
}

/// Sends a message and hears it again.
async fn echo(stream: &mut TcpStream, number: u64) -> Option<()> {
    let payload = number.to_be_bytes();
    stream.write_all(&message(&payload)).await.ok()?;
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.ok()?;
        let (header, _) = Header::parse(&head).ok()??;
        let mut heard = vec![0; usize::try_from(header.len).ok()?];
        stream.read_exact(&mut heard).await.ok()?;
        // A ping of the server's may come between.
        if !header.opcode.is_control() {
            return (heard == payload).then_some(());
        }
        if header.opcode == longwire_reactor::frame::Opcode::Close {
            return None;
        }
    }
}
