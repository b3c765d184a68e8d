//! A handler that panics thousands of times: each time one connection gets its 1011, nobody else notices, and the log stays readable.

use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::regulars::Regulars;
use super::wire::{TEXT, Wire};
use crate::Fallible;
use crate::vitals::Vitals;

/// What the log says of a panic: where it was, and what became of the connection.
const KINDS: usize = 2;

const TALK: Duration = Duration::from_millis(500);

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let (panics, bystanders, offenders) = ground.either((5_000, 500, 2_000), (10_000, 1_000, 4_000));
    let (mut server, address) = ground.drillground()?;
    let vitals = Vitals::of(server.process())?;
    let mut findings = Findings::default();
    let lines = server.log_lines()?;
    let mut lasted = Duration::ZERO;
    ground.drive(async {
        let descriptors = vitals.descriptors_at_rest(address).await?;
        let crowd = Crowd::send(bystanders, 100, move |number| Wire::open(address, number, "/echo")).await;
        findings.everybody("bystanders", &crowd);
        let regulars = Regulars::begin(crowd.told, TALK);
        let began = Instant::now();
        let crowd = Crowd::send(panics, offenders, move |number| async move {
            let mut wire = Wire::open(address, number, "/panic").await?;
            wire.send(TEXT, b"now").await?;
            wire.closed(1_011).await
        })
        .await;
        lasted = began.elapsed();
        let (wires, echoes) = regulars.end().await?;
        findings.everybody("panics, each answered with 1011", &crowd);
        findings.everybody("did not notice", &wires);
        findings.note(format!("their slowest echo {:.1} ms", echoes.milliseconds(1.0)));
        drop(wires);
        let left = vitals.wait_for_descriptors(super::LINGER, |open| open <= descriptors)?;
        findings.at_most("descriptors afterwards", left, descriptors, "");
        Ok(())
    })?;
    let status = server.end()?;
    findings.check(status.success(), || format!("the server ended with {status}"));
    findings.note(format!("in {:.1} s", lasted.as_secs_f64()));
    let lines = server.log_lines()? - lines;
    findings.at_most("log lines", lines, KINDS * (2 + lasted.as_secs() as usize), "");
    Ok(findings)
}
