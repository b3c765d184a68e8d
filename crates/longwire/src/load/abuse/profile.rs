//! The ways to misbehave.

use std::io::Write;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use clap::ValueEnum;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use tokio::time::{Instant, sleep_until};

use super::Attempt;
use super::line::{Ending, Line, message};
use crate::load::target::Target;

/// What all guests of an attack do.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A request's head, a byte a second.
    SlowHead,
    /// Messages to be echoed, and no echo is read.
    NeverReads,
    /// A message in fragments of a byte each, as many as the server takes.
    TinyFragments,
    /// Pings of 125 bytes, as many as the server takes.
    PingFlood,
    /// Half of them connect and say nothing, half are open and answer no ping.
    HalfOpen,
    /// Connections that go as soon as they are there.
    ConnectStorm,
    /// 64 MiB of zeros, compressed to 64 KiB.
    DeflateBomb,
    /// A frame that says it is too long for any server; every second one, just for most.
    GiantLength,
}

/// The most that a guest sends.
const MOST: u64 = 64 << 20;

/// The most often that a guest connects.
const CONNECTS: u32 = 10_000;

/// Who misbehaves, and where.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub(super) target: Target,
    pub(super) number: u32,
    pub(super) source: Option<IpAddr>,
}

/// What one guest does, and what came of it; of who storms, what came of each time.
pub(super) async fn misbehave(profile: Profile, guest: Guest, until: Instant) -> Vec<Attempt> {
    let number = guest.number;
    let mut attempts = Vec::new();
    loop {
        let begun = Instant::now();
        let mut line = None;
        let ended = match profile {
            Profile::SlowHead => slow_head(&guest, &mut line, until).await,
            Profile::NeverReads => never_reads(&guest, &mut line, until).await,
            Profile::TinyFragments => {
                let (first, next) = ([0x01, 0x81, 0, 0, 0, 0, b'a'], [0x00, 0x81, 0, 0, 0, 0, b'a']);
                flood(&guest, &mut line, &first, &next.repeat(256), until).await
            }
            Profile::PingFlood => {
                let ping = [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'p'; 125]].concat();
                flood(&guest, &mut line, &[], &ping.repeat(16), until).await
            }
            Profile::HalfOpen if number.is_multiple_of(2) => silent(&guest, &mut line, until).await,
            Profile::HalfOpen => listens(&guest, &mut line, &[], until).await,
            Profile::ConnectStorm => Line::connect(&guest).await.map(|_| Ending::Left),
            Profile::DeflateBomb => bomb(&guest, &mut line, until).await,
            Profile::GiantLength => {
                let length: u64 = if number.is_multiple_of(2) { i64::MAX as u64 } else { 1 << 30 };
                let header = [&[0x82, 0xFF][..], &length.to_be_bytes(), &[0; 4]].concat();
                listens(&guest, &mut line, &header, until).await
            }
        };
        let (Ok(ending) | Err(ending)) = ended;
        let (sent, received) = line.as_ref().map_or((0, 0), |line| (line.sent, line.received));
        attempts.push(Attempt { ending, after: begun.elapsed(), sent, received });
        let again = profile == Profile::ConnectStorm && attempts.len() < CONNECTS as usize;
        if !again || Instant::now() >= until {
            return attempts;
        }
        // The others, and the witness's thread, have their turn.
        tokio::task::yield_now().await;
    }
}

type Ended = Result<Ending, Ending>;

async fn slow_head(guest: &Guest, line: &mut Option<Line>, until: Instant) -> Ended {
    let line = line.insert(Line::connect(guest).await?);
    for byte in guest.target.upgrade(false).chunks(1) {
        line.send(byte).await?;
        let next = (Instant::now() + Duration::from_secs(1)).min(until);
        if let Some(ending) = line.listen(next, false).await {
            return Ok(ending);
        }
        if Instant::now() >= until {
            break;
        }
    }
    Ok(Ending::StillOpen)
}

async fn never_reads(guest: &Guest, line: &mut Option<Line>, until: Instant) -> Ended {
    let line = line.insert(Line::open(guest, false, until).await?.0);
    let message = message(&[b'm'; 16 << 10]);
    let mut pushed = Ok(true);
    while line.sent < MOST && pushed == Ok(true) {
        pushed = line.push(&message, until).await;
    }
    if pushed == Ok(true) {
        sleep_until(until).await;
    }
    // What there is to be read is read now, to be told how it came out.
    let last = Instant::now() + Duration::from_secs(1);
    Ok(line.listen(last, false).await.unwrap_or(pushed.err().unwrap_or(Ending::StillOpen)))
}

/// Sends one thing again and again, and hears what is said to it.
async fn flood(guest: &Guest, line: &mut Option<Line>, first: &[u8], next: &[u8], until: Instant) -> Ended {
    let line = line.insert(Line::open(guest, false, until).await?.0);
    let mut sent = line.push(first, until).await;
    while line.sent < MOST && Instant::now() < until && sent == Ok(true) {
        sent = line.push(next, until).await;
        if let Some(ending) = line.listen(Instant::now(), false).await {
            return Ok(ending);
        }
        tokio::task::yield_now().await;
    }
    let last = until.max(Instant::now() + Duration::from_millis(200));
    Ok(line.listen(last, false).await.unwrap_or(sent.err().unwrap_or(Ending::StillOpen)))
}

async fn silent(guest: &Guest, line: &mut Option<Line>, until: Instant) -> Ended {
    let line = line.insert(Line::connect(guest).await?);
    Ok(line.listen(until, false).await.unwrap_or(Ending::StillOpen))
}

/// Is open, says something once, then trickles if it has said anything, and answers nothing.
async fn listens(guest: &Guest, line: &mut Option<Line>, says: &[u8], until: Instant) -> Ended {
    let line = line.insert(Line::open(guest, false, until).await?.0);
    line.send(says).await?;
    while Instant::now() < until {
        let next = (Instant::now() + Duration::from_millis(200)).min(until);
        if let Some(ending) = line.listen(next, false).await {
            return Ok(ending);
        }
        if !says.is_empty() {
            line.send(b"z").await?;
        }
    }
    Ok(Ending::StillOpen)
}

async fn bomb(guest: &Guest, line: &mut Option<Line>, until: Instant) -> Ended {
    let (opened, compresses) = Line::open(guest, true, until).await?;
    let line = line.insert(opened);
    if !compresses {
        return Ok(Ending::NotCompressed);
    }
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(zeros);
    line.push(&BOMB, until).await?;
    Ok(line.listen(until, false).await.unwrap_or(Ending::StillOpen))
}

/// A compressed message of zeros, as one frame.
fn zeros() -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..MOST >> 20).for_each(|_| encoder.write_all(&zeros).expect("memory takes everything"));
    encoder.flush().expect("memory takes everything");
    let mut payload = std::mem::take(encoder.get_mut());
    // RFC 7692 §7.2.1: without the four bytes that a flush ends with, and with the bit that says so.
    payload.truncate(payload.len().saturating_sub(4));
    let mut frame = message(&payload);
    frame[0] |= 0x40;
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bomb_is_a_thousandth_of_what_it_becomes() {
        let frame = zeros();
        assert_eq!(frame[..2], [0xC2, 0xFE]);
        assert!((frame.len() as u64) < MOST / 900, "{}", frame.len());
        // The payload is masked with this key, behind two bytes, a length of two and the key; a flush's four bytes were taken off.
        let mut payload: Vec<u8> =
            frame[8..].iter().zip([7, 1, 4, 9].iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        payload.extend([0, 0, 0xFF, 0xFF]);
        let mut inflated = Vec::with_capacity(MOST as usize + 1);
        let mut inflating = flate2::Decompress::new(false);
        inflating.decompress_vec(&payload, &mut inflated, flate2::FlushDecompress::Sync).expect("DEFLATE");
        assert!(inflated.len() as u64 == MOST && inflated.iter().all(|byte| *byte == 0), "{}", inflated.len());
    }
}
