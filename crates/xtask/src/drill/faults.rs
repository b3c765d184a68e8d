//! Whatever `accept` may fail with, made to fail so by strace: whoever came meanwhile is served nevertheless, and soon.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::wire::Wire;
use crate::Fallible;

/// An error, and which of the calls fail with it. For want of descriptors a number of calls fail one after the other: if every
/// second one did, the call in between would be the one that lets the surplus in to close it.
const FAULTS: [(&str, &str); 6] = [
    ("EMFILE", "1..20"),
    ("ENFILE", "1..20"),
    ("ECONNABORTED", "1+2"),
    ("EPROTO", "1+2"),
    ("ENOBUFS", "1+2"),
    ("EINTR", "1+2"),
];

/// In a row.
const FAILING: f64 = 20.0;

/// From the connection to the first echo, in milliseconds.
const SOON: f64 = 1_000.0;

/// After which nobody waits any more.
const PATIENCE: Duration = Duration::from_secs(5);

/// A loop that tries again at once gets over any number of failing calls in no time: so many a second are the most.
const TRIES: f64 = 100.0;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let mut findings = Findings::default();
    let clients = ground.either(20, 200);
    for (error, when) in FAULTS {
        let inject = format!("inject=accept4:error={error}:when={when}");
        // -D: the program is our child, not strace's.
        let starter = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=accept4", "-e", &inject];
        let (server, address) = ground.program_under(&starter, &[])?;
        let (lines, began) = (server.log_lines()?, Instant::now());
        let slowest = ground.drive(async {
            let crowd = Crowd::send(clients, 1, move |number| async move {
                let came = Instant::now();
                let served = async { Wire::open(address, number, "/echo").await?.echo(b"hello").await };
                timeout(PATIENCE, served).await??;
                Ok(came.elapsed())
            });
            let crowd = crowd.await;
            findings.everybody(&format!("served despite {error}"), &crowd);
            Ok(crowd.told.iter().max().map_or(0.0, Duration::as_secs_f64))
        })?;
        findings.at_most("the slowest after", slowest * 1_000.0, SOON, "ms");
        if when.contains("..") {
            findings.at_most("tries", FAILING / slowest, TRIES, "a second");
        }
        findings.at_most("log lines", server.log_lines()? - lines, 2 + began.elapsed().as_secs() as usize, "");
        server.stop()?;
    }
    Ok(findings)
}
