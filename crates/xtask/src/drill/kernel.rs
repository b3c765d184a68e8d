//! One client that never reads: what the kernel holds for it on our side.
//!
//! It is asked by `ss --memory`, for the server's socket: what is queued in both directions, and what is set aside for that. What
//! has arrived in the client's own receive buffer is the client's.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::findings::Findings;
use super::ground::Ground;
use super::vitals::held_by_the_kernel;
use super::wire::{BINARY, Wire};
use crate::Fallible;

/// In KiB: what a client that never reads may cost, as the kernel counts it, and a packet of loopback that it still lets in.
const BOUND: u64 = 256 + 64;

/// The same for one that is not read either: the receive buffer is full as well, and the kernel counts it twice.
const UNREAD: u64 = 2 * 256 + 64 + 64;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let (server, address) = ground.drillground()?;
    let mut findings = Findings::default();
    ground.drive(async {
        let poured_on = Wire::open(address, 0, "/firehose").await?;
        let held = settled(address, &poured_on).await?;
        findings.at_most("held for one that is sent to for ever", held, BOUND, "KiB");

        let narrow = Wire::connect_narrow(address, 0).await?.opened("/firehose").await?;
        let held = settled(address, &narrow).await?;
        findings.at_most("with a small window", held, BOUND, "KiB");

        let mut talker = Wire::open(address, 0, "/echo").await?;
        // Until the server reads no more.
        let message = vec![0; 1_000_000];
        while timeout(Duration::from_millis(500), talker.send(BINARY, &message)).await.is_ok_and(|sent| sent.is_ok()) {}
        let held = settled(address, &talker).await?;
        findings.at_most("held for one that sends and never reads its echo", held, UNREAD, "KiB");
        Ok(())
    })?;
    server.stop()?;
    Ok(findings)
}

/// What is held once that does not change any more, in KiB.
async fn settled(server: SocketAddr, wire: &Wire) -> Fallible<u64> {
    let mut before = None;
    for _ in 0..100 {
        let now = held_by_the_kernel(server, wire.address()?)?;
        if now > 0 && before == Some(now) {
            return Ok(now.div_ceil(1024));
        }
        before = Some(now);
        sleep(Duration::from_millis(100)).await;
    }
    Err("what the kernel holds does not settle".into())
}
