//! Thousands of request heads, each arriving a byte at a time: good clients hardly notice, and the slow ones are gone in time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::{Ground, runtime};
use super::regulars::Regulars;
use super::wire::Wire;
use crate::Fallible;

/// How often a good client says something, and a slow one a byte.
const TALK: Duration = Duration::from_millis(100);
const BYTE: Duration = Duration::from_secs(1);

/// How much slower than in quiet times 99 of 100 echoes may be.
const SLOWER: f64 = 3.0;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let (attackers, good) = ground.either((2_000, 100), (10_000, 500));
    let deadline = Duration::from_secs(ground.either(4, 10));
    let (server, address) = ground.program(&["--head-timeout", &format!("{}s", deadline.as_secs())])?;
    let mut findings = Findings::default();
    ground.drive(async {
        let crowd = Crowd::send(good, 50, move |number| Wire::open(address, number, "/echo")).await;
        findings.everybody("good clients", &crowd);
        let regulars = Regulars::begin(crowd.told, TALK);
        sleep(deadline).await;
        let (wires, quiet) = regulars.end().await?;

        let regulars = Regulars::begin(wires.told, TALK);
        // On a thread of its own: what the attackers cost us is not to be taken for the server's doing.
        let attack = spawn_blocking(move || runtime().map(|runtime| runtime.block_on(attack(address, attackers))));
        let newcomers = Crowd::send(ground.either(20, 200), 1, move |number| async move {
            Wire::open(address, number, "/echo").await?.echo(b"and me?").await
        });
        let (newcomers, attack) = tokio::join!(newcomers, attack);
        let (attack, (wires, attacked)) = (attack??, regulars.end().await?);

        findings.everybody("never refused", &wires);
        findings.everybody("newcomers served", &newcomers);
        let (before, during) = (quiet.milliseconds(0.99), attacked.milliseconds(0.99));
        findings.note(format!("quiet p99 {before:.2} ms of {} echoes", quiet.count()));
        findings.note(format!("the slowest of {} {:.2} ms", attacked.count(), attacked.milliseconds(1.0)));
        findings.at_most("p99 under attack", during, SLOWER * before, "ms");
        findings.everybody("attackers sent away", &attack);
        let last = attack.told.iter().max().map_or(0.0, Duration::as_secs_f64);
        findings.at_most("the last of them after", last, deadline.as_secs_f64() + 1.0, "s");
        Ok(())
    })?;
    server.stop()?;
    Ok(findings)
}

/// How long each was borne with.
async fn attack(address: SocketAddr, attackers: usize) -> Crowd<Duration> {
    let slow = move |number| async move {
        let wire = Wire::connect(address, number).await?;
        Ok::<_, io::Error>(wire.trickle(b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", BYTE).await)
    };
    Crowd::send(attackers, attackers, slow).await
}
