//! Half of the subscribers never read: the other half gets every word, and memory stays within bounds.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::time::timeout;

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::wire::{TEXT, Wire};
use crate::Fallible;
use crate::vitals::Vitals;

const WORDS: usize = 16 << 10;
/// Together more than a queue holds.
const MESSAGES: usize = 120;
/// The library's, in KiB; with a quarter for what is not counted.
const BUDGET: u64 = 256 << 10;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let half = ground.either(400, 1_000);
    let (server, address) = ground.drillground()?;
    let vitals = Vitals::of(server.process())?;
    let mut findings = Findings::default();
    let before = vitals.resident()?;
    ground.drive(async {
        let silent = Crowd::send(half, 50, move |number| subscribed(address, number, true)).await;
        findings.everybody("that never read", &silent);
        let readers = Crowd::send(half, 50, move |number| subscribed(address, number, false)).await;
        let (read, mut heard) = mpsc::unbounded_channel();
        let reading = tokio::spawn(Crowd::each(readers.told, move |wire| follow(wire, read.clone())));
        let told = publish(address, half, &mut heard).await?;
        findings.all("messages to everybody who reads", told, MESSAGES);
        if told < MESSAGES {
            reading.abort();
        } else {
            findings.everybody("that got them all", &reading.await?);
        }
        findings.at_most("resident memory grew by", vitals.resident_at_most()? - before, BUDGET * 5 / 4, "KiB");
        drop(silent);
        Ok(())
    })?;
    server.stop()?;
    Ok(findings)
}

/// Every other one listens to an event stream.
async fn subscribed(address: SocketAddr, number: usize, narrow: bool) -> io::Result<(Wire, bool)> {
    let wire =
        if narrow { Wire::connect_narrow(address, number).await? } else { Wire::connect(address, number).await? };
    let is_stream = number % 2 == 1;
    let wire = if is_stream { wire.listening("/news").await? } else { wire.opened("/news").await? };
    Ok((wire, is_stream))
}

/// What the message of this number says: a line that is no other message's.
fn words(number: usize) -> String {
    format!("{number:>WORDS$}")
}

/// Reads every message, and says so.
async fn follow((mut wire, is_stream): (Wire, bool), read: UnboundedSender<()>) -> io::Result<()> {
    for number in 0..MESSAGES {
        let words = words(number);
        let is_next = if is_stream {
            wire.until(b"\n\n").await? == format!("data: {words}\n\n")
        } else {
            let frame = wire.frame().await?;
            frame.opcode == TEXT && frame.payload == words.as_bytes()
        };
        if !is_next {
            return Err(io::Error::other(format!("message {number} is missing or not itself")));
        }
        // Nobody may be waiting any more.
        let _ = read.send(());
    }
    Ok(())
}

/// Publishes each message when all have read the one before; how many messages everybody got.
async fn publish(address: SocketAddr, readers: usize, heard: &mut mpsc::UnboundedReceiver<()>) -> Fallible<usize> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let mut editor = Wire::open(address, 0, "/editor").await?;
    for number in 0..MESSAGES {
        editor.send(TEXT, words(number).as_bytes()).await?;
        for _ in 0..readers {
            if timeout(PATIENCE, heard.recv()).await.is_err() {
                return Ok(number);
            }
        }
    }
    Ok(MESSAGES)
}
