//! Whatever `accept` may fail with, made to fail so by strace: whoever came meanwhile is served nevertheless, and soon.

use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::vitals::Vitals;
use super::wire::Wire;
use crate::Fallible;

/// An error, and which of the calls fail with it. Where every second call of a row failed for want of a descriptor, the call in
/// between would be the one that lets the surplus in to close it; so for some time all of them fail.
const FAULTS: [(&str, &str); 6] = [
    ("EMFILE", "1..12"),
    ("ENFILE", "1..12"),
    ("ECONNABORTED", "1+2"),
    ("EPROTO", "1+2"),
    ("ENOBUFS", "1+2"),
    ("EINTR", "1+2"),
];

/// From the connection to the first echo, with some patience for the retries.
const SOON: f64 = 1_000.0;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let mut findings = Findings::default();
    let clients = ground.either(20, 200);
    for (error, when) in FAULTS {
        let inject = format!("inject=accept4:error={error}:when={when}");
        // -D: the program is our child, not strace's.
        let starter = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=accept4", "-e", &inject];
        let (server, address) = ground.program_under(&starter, &[])?;
        let vitals = Vitals::of(&server)?;
        let (lines, began) = (server.log_lines()?, Instant::now());
        ground.drive(async {
            let come = async {
                let crowd = Crowd::send(clients, 1, move |number| async move {
                    let came = Instant::now();
                    Wire::open(address, number, "/echo").await?.echo(b"hello").await?;
                    Ok(came.elapsed())
                })
                .await;
                let slowest = crowd.told.iter().max().map_or(0.0, Duration::as_secs_f64) * 1_000.0;
                findings.everybody(&format!("served despite {error}"), &crowd);
                findings.at_most("the slowest after", slowest, SOON, "ms");
                Ok(())
            };
            // Under strace the calls themselves are dear; a loop that spins would take all there is.
            let load = vitals.load(come).await?;
            findings.at_most("processor", load, 50.0, "%");
            Ok(())
        })?;
        findings.at_most("log lines", server.log_lines()? - lines, 2 + began.elapsed().as_secs() as usize, "");
        server.stop()?;
    }
    Ok(findings)
}
