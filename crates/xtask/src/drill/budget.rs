//! A mixed attack on memory: queues that nobody empties; messages, bodies and heads that never end. The budget holds, and good
//! clients are served all the time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::{Ground, runtime};
use super::regulars::Regulars;
use super::wire::{BINARY, CONTINUATION, TEXT, Wire, header, piece_header};
use crate::Fallible;
use crate::vitals::Vitals;

/// In MiB.
const BUDGET: u64 = 64;
/// Nearly the longest message, and the longest body.
static MUCH: [u8; 1_000_000] = [b'm'; 1_000_000];
/// Between two attacks of one attacker.
const PAUSE: Duration = Duration::from_millis(20);
const TALK: Duration = Duration::from_millis(50);
/// After this long a good client would think that nobody is there, in milliseconds.
const SERVED: f64 = 1_000.0;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let (good, attackers) = ground.either((50, 300), (100, 900));
    let lasting = Duration::from_secs(ground.either(5, 30));
    let (server, address) = ground.program(&["--memory-budget", &format!("{BUDGET}MiB")])?;
    let vitals = Vitals::of(server.process())?;
    let mut findings = Findings::default();
    let before = vitals.resident()?;
    ground.drive(async {
        let crowd = Crowd::send(good, 50, move |number| Wire::open(address, number, "/echo")).await;
        findings.everybody("good clients", &crowd);
        let regulars = Regulars::begin(crowd.told, TALK);
        let attack = move || runtime().map(|runtime| runtime.block_on(attack(address, attackers, lasting)));
        let attacks = spawn_blocking(attack).await??;
        let (wires, echoes) = regulars.end().await?;
        findings.note(format!("{attacks} attacks by {attackers} at a time"));
        findings.everybody("served to the end", &wires);
        findings.at_most("the slowest echo", echoes.milliseconds(1.0), SERVED, "ms");
        let grown = (vitals.resident_at_most()? - before) as f64 / 1024.0;
        findings.at_most("resident memory grew by", grown, 1.25 * BUDGET as f64, "MiB");
        findings.note(format!("from {before} KiB; {} KiB afterwards", vitals.resident()?));

        let newcomer = async {
            while Wire::open(address, 0, "/echo").await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let served = timeout(Duration::from_secs(10), newcomer).await.is_ok();
        findings.check(served, || "10 s after the attack nobody is let in".into());
        Ok(())
    })?;
    server.stop()?;
    Ok(findings)
}

/// Attacks for a while; how many attacks there were.
async fn attack(address: SocketAddr, attackers: usize, lasting: Duration) -> usize {
    let end = Instant::now() + lasting;
    let attackers = Crowd::send(attackers, attackers, move |number| async move {
        let mut attacks = 0;
        while timeout_at(end, attack_once(address, number)).await.is_ok() {
            attacks += 1;
            sleep(PAUSE).await;
        }
        Ok(attacks)
    });
    attackers.await.told.iter().sum()
}

/// An attack that lasts until the server ends it. How it does so, and whether it lets us in at all, is its own affair.
async fn attack_once(address: SocketAddr, number: usize) -> io::Result<()> {
    let mut wire = Wire::connect_narrow(address, number).await?;
    match number % 5 {
        0 => {
            wire = wire.opened("/echo").await?;
            loop {
                wire.write(&header(BINARY, MUCH.len())).await?;
                wire.write(&MUCH).await?;
            }
        }
        1 => {
            wire = wire.opened("/echo").await?;
            wire.write(&header(BINARY, MUCH.len() + 1)).await?;
            wire.write(&MUCH).await?;
        }
        // So that what is gathered has to grow.
        2 => {
            wire = wire.opened("/echo").await?;
            let mut opcode = TEXT;
            for piece in MUCH.chunks(20_000) {
                wire.write(&piece_header(opcode, piece.len())).await?;
                wire.write(piece).await?;
                opcode = CONTINUATION;
            }
        }
        3 => {
            let length = MUCH.len() + 1;
            wire.write(
                format!("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n").as_bytes(),
            )
            .await?;
            wire.write(&MUCH).await?;
        }
        _ => {
            wire.write(b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Much: ").await?;
            wire.write(&MUCH[..16_000]).await?;
        }
    }
    wire.rest().await.map(drop)
}
