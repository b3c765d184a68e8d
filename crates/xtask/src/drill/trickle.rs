//! Thousands of request heads, each arriving a byte at a time: good clients hardly notice, and the slow ones are gone in time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::setpriority_process;
use rustix::thread::gettid;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::{Ground, runtime};
use super::regulars::Regulars;
use super::wire::Wire;
use crate::Fallible;

/// How often a good client says something, and a slow one a byte.
const TALK: Duration = Duration::from_millis(100);
const BYTE: Duration = Duration::from_secs(1);

/// Milliseconds that an echo may take in quiet times without anybody asking why: below, it is the clients' own turns that are measured.
const UNHURRIED: f64 = 0.2;

/// How much slower than in quiet times 99 of 100 echoes may be.
const SLOWER: f64 = 3.0;

/// What else the machine does can make a quantile worse, not better: so it is measured again, so often at most.
const RUNS: usize = 3;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let (attackers, good) = ground.either((2_000, 100), (10_000, 500));
    let deadline = Duration::from_secs(ground.either(3, 10));
    let (server, address) = ground.program(&["--head-timeout", &format!("{}s", deadline.as_secs())])?;
    let mut findings = Findings::default();
    ground.drive(async {
        let crowd = Crowd::send(good, 50, move |number| Wire::open(address, number, "/echo")).await;
        findings.everybody("good clients", &crowd);
        let mut wires = crowd.told;
        let (mut quiet, mut attacked) = (0.0, f64::INFINITY);
        let mut runs = 0;
        while attacked > SLOWER * quiet && runs < RUNS {
            runs += 1;
            let regulars = Regulars::begin(wires, TALK);
            sleep(deadline).await;
            let (still_there, echoes) = regulars.end().await?;
            quiet = echoes.milliseconds(0.99).max(UNHURRIED);

            let regulars = Regulars::begin(still_there.told, TALK);
            let attack = spawn_blocking(move || apart(attack(address, attackers, deadline / 4)));
            let newcomers = Crowd::send(ground.either(20, 200), 1, move |number| async move {
                Wire::open(address, number, "/echo").await?.echo(b"and me?").await
            });
            let (newcomers, attack) = tokio::join!(newcomers, attack);
            let (still_there, echoes) = regulars.end().await?;
            attacked = echoes.milliseconds(0.99);

            findings.everybody("never refused", &still_there);
            findings.note(format!("{} echoes", echoes.count()));
            findings.everybody("newcomers served", &newcomers);
            let attack = attack??;
            findings.everybody("attackers sent away", &attack);
            let last = attack.told.iter().max().map_or(0.0, Duration::as_secs_f64);
            findings.at_most("the last of them after", last, deadline.as_secs_f64() + 1.0, "s");
            wires = still_there.told;
        }
        findings.note(format!("quiet p99 {quiet:.2} ms (run {runs})"));
        findings.at_most("p99 under attack", attacked, SLOWER * quiet, "ms");
        Ok(())
    })?;
    server.stop()?;
    Ok(findings)
}

/// Runs the attackers on this thread, which yields to the others: what they cost us is not to be taken for the server's doing.
fn apart<T>(attack: impl Future<Output = T>) -> io::Result<T> {
    setpriority_process(Some(gettid()), 10)?;
    Ok(runtime()?.block_on(attack))
}

/// They come one after the other, all within some time. How long each was borne with.
async fn attack(address: SocketAddr, attackers: usize, within: Duration) -> Crowd<Duration> {
    let began = Instant::now();
    let slow = move |number| async move {
        sleep_until(began + within.mul_f64(number as f64 / attackers as f64)).await;
        let wire = Wire::connect(address, number).await?;
        Ok(wire.trickle(b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", BYTE).await)
    };
    Crowd::send(attackers, attackers, slow).await
}
