//! Coming and going in every way there is: afterwards memory and descriptors are where they were.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::wire::{Wire, get};
use crate::Fallible;
use crate::vitals::Vitals;

/// How much more memory may be resident afterwards, in KiB: what the allocator keeps of a few pages.
const KEPT: u64 = 1_024;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let visits = ground.either(50_000, 100_000);
    let (server, address) = ground.program(&[])?;
    let vitals = Vitals::of(server.process())?;
    let mut findings = Findings::default();
    ground.drive(async {
        let descriptors = vitals.descriptors_at_rest(address).await?;
        // What is needed at the busiest moment is taken from the system once, and kept.
        let warm = Crowd::send(visits / 10, 500, move |number| visit(address, number)).await;
        findings.everybody("visits first", &warm);
        vitals.wait_for_descriptors(super::LINGER, |open| open <= descriptors)?;
        let resident = vitals.resident()?;

        let began = Instant::now();
        let crowd = Crowd::send(visits, 500, move |number| visit(address, number)).await;
        findings.everybody("visits then", &crowd);
        findings.note(format!("{:.0} a second", visits as f64 / began.elapsed().as_secs_f64()));
        let left = vitals.wait_for_descriptors(super::LINGER, |open| open <= descriptors)?;
        findings.at_most("descriptors", left, descriptors, "");
        let grown = vitals.resident()?.saturating_sub(resident);
        findings.at_most("resident memory grew by", grown, KEPT, "KiB");
        findings.note(format!("to {} KiB", vitals.resident()?));
        Ok(())
    })?;
    server.stop()?;
    Ok(findings)
}

/// A visit that ends in one of seven ways.
async fn visit(address: SocketAddr, number: usize) -> io::Result<()> {
    let mut wire = Wire::connect(address, number).await?;
    let half = &get("/healthz")[..20];
    match number % 7 {
        0 => drop(wire),
        1 => wire.reset()?,
        2 => wire.write(half.as_bytes()).await?,
        3 => {
            wire.write(half.as_bytes()).await?;
            wire.reset()?;
        }
        4 => drop(wire.opened("/echo").await?),
        5 => wire.opened("/echo").await?.reset()?,
        _ => {
            let mut wire = wire.opened("/echo").await?;
            wire.echo(b"a short visit").await?;
            wire.send(super::wire::CLOSE, &1_000_u16.to_be_bytes()).await?;
            wire.frame().await?;
            wire.ended().await?;
        }
    }
    Ok(())
}
