//! Four times as many clients as there are descriptors: the surplus is closed, which costs next to nothing, and whoever comes after
//! one was freed is served.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::{interval, timeout};

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::wire::Wire;
use crate::Fallible;
use crate::vitals::Vitals;

const DESCRIPTORS: usize = 256;
const CLIENTS: usize = 1_000;
/// Beside connections: standard streams, poll, waker, signals, spare, listener; the loop's clients get all that is left.
const OURS: usize = 20;
/// How often somebody else knocks while there is no room.
const KNOCK: Duration = Duration::from_millis(50);

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let (server, address) = ground.program_under(&["prlimit", &format!("--nofile={DESCRIPTORS}")], &[])?;
    let vitals = Vitals::of(server.process())?;
    let mut findings = Findings::default();
    let lines = server.log_lines()?;
    let began = Instant::now();
    ground.drive(async {
        let mut served = Vec::new();
        let lasting = async {
            let crowd = Crowd::send(CLIENTS, CLIENTS, move |number| admitted(address, number)).await;
            findings.everybody("clients, each served or closed", &crowd);
            served.extend(crowd.told.into_iter().flatten());
            knock(address, ground.either(40, 200)).await
        };
        let load = vitals.load(lasting).await?;
        findings.note(format!("{} of them served", served.len()));
        let most = served.len() <= DESCRIPTORS && served.len() >= DESCRIPTORS - OURS;
        findings.check(most, || format!("{} were served with {DESCRIPTORS} descriptors", served.len()));
        findings.at_most("processor while it lasts", load, 5.0, "%");

        let mut slowest = Duration::ZERO;
        for _ in 0..ground.either(5, 50) {
            drop(served.pop());
            let freed = Instant::now();
            served.push(timeout(Duration::from_secs(5), let_in(address)).await??);
            slowest = slowest.max(freed.elapsed());
        }
        findings.at_most("accepting again after", slowest.as_secs_f64() * 1_000.0, 100.0, "ms");

        let echoes = Crowd::each(served, |mut wire| async move { wire.echo(b"still here").await }).await;
        findings.everybody("of the served still there", &echoes);
        Ok(())
    })?;
    let lines = server.log_lines()? - lines;
    findings.at_most("log lines", lines, 2 + began.elapsed().as_secs() as usize, "");
    server.stop()?;
    Ok(findings)
}

/// A WebSocket, or nothing if the server closed the connection instead.
async fn admitted(address: SocketAddr, number: usize) -> io::Result<Option<Wire>> {
    match Wire::open(address, number, "/echo").await {
        Ok(wire) => Ok(Some(wire)),
        Err(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ok(None),
            _ => Err(error),
        },
    }
}

/// Somebody comes now and then, and is not let in.
async fn knock(address: SocketAddr, times: usize) -> Fallible<()> {
    let mut moments = interval(KNOCK);
    for number in 0..times {
        moments.tick().await;
        if timeout(Duration::from_secs(5), admitted(address, number)).await??.is_some() {
            return Err("somebody was let in without a descriptor".into());
        }
    }
    Ok(())
}

/// Comes again and again until it is let in.
async fn let_in(address: SocketAddr) -> io::Result<Wire> {
    loop {
        if let Some(wire) = admitted(address, 0).await? {
            return Ok(wire);
        }
    }
}
