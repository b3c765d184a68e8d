//! Who comes in a round: steady echoes whose latency is taken, long compressed ones, a way to misbehave, and clients in Python and Node.

use serde_json::Value;

use crate::Fallible;
use crate::clients;
use crate::process::{Ended, Task};
use crate::repository::Repository;
use crate::server::Server;
use crate::tools::Tools;

/// Seconds that the guests of a round stay; those who misbehave go a little sooner, so that what they leave behind is borne by the others.
const STAY: u64 = 10;
const MISBEHAVE: u64 = 8;

/// In turn: what `longwire load --abuse` knows.
const ABUSES: [&str; 8] = [
    "slow-head",
    "never-reads",
    "tiny-fragments",
    "ping-flood",
    "half-open",
    "connect-storm",
    "deflate-bomb",
    "giant-length",
];

/// What became of them.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) abuse: String,
    pub(super) messages: u64,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) passed: usize,
    pub(super) failures: Vec<String>,
}

/// Lets all of them come at once, and waits until they have gone.
pub(super) fn meet(repository: &Repository, tools: &Tools, server: &Server, number: usize) -> Fallible<Met> {
    let abuse = ABUSES[number % ABUSES.len()];
    let (stay, misbehave) = (format!("{STAY}s"), format!("{MISBEHAVE}s"));
    let echo = format!("ws://{}/echo", server.authority);
    let load = |name: &str, words: &[&str]| {
        let task = Task::new(repository, name, repository.program())?.args(["load", &echo, "--json"]);
        Ok::<_, Box<dyn std::error::Error>>(task.args(words).within(6 * STAY))
    };
    let tasks = [
        load("soak steady", &["-c", "100", "--rate", "2000", "-s", "200", "-d", &stay])?,
        load("soak long", &["-c", "8", "--rate", "40", "-s", "256KiB", "-t", "--deflate", "-d", &stay])?,
        load("soak abuse", &["-c", "50", "--abuse", abuse, "-d", &misbehave])?,
        script(repository, tools, server, "soak.py")?,
        script(repository, tools, server, "soak.mjs")?,
    ];
    let ended = std::thread::scope(|scope| {
        let running = tasks.map(|task| scope.spawn(|| task.run().map_err(|error| error.to_string())));
        running.map(|thread| thread.join().unwrap_or_else(|_| Err("its thread has panicked".into())))
    });

    let mut met = Met { abuse: abuse.into(), messages: 0, p50: 0.0, p99: 0.0, passed: 0, failures: Vec::new() };
    let names = ["the steady ones", "the long ones", abuse, "soak.py", "soak.mjs"];
    for (who, ended) in names.into_iter().zip(&ended) {
        match ended {
            Err(error) => met.failures.push(format!("{who}: {error}")),
            Ok(ended) if who.starts_with("soak") => {
                let told = clients::told(ended);
                met.passed += told.passed;
                met.failures.extend(told.failures.into_iter().map(|why| format!("{who}: {why}")));
            }
            Ok(ended) if ended.is_good() => met.passed += 1,
            Ok(ended) => met.failures.push(format!("{who}: {}", ended.complaint())),
        }
    }
    if let Some(report) = ended[0].as_ref().ok().and_then(report) {
        met.messages = report["messages"].as_u64().unwrap_or_default();
        let milliseconds = |name: &str| report["latency"][name].as_f64().unwrap_or_default() / 1e3;
        (met.p50, met.p99) = (milliseconds("p50"), milliseconds("p99"));
    }
    Ok(met)
}

fn report(ended: &Ended) -> Option<Value> {
    serde_json::from_str(&ended.said[ended.said.find('{')?..]).ok()
}

fn script(repository: &Repository, tools: &Tools, server: &Server, file: &str) -> Fallible<Task> {
    Ok(clients::script(repository, tools, file, file)?.args([server.base(), STAY.to_string()]).within(6 * STAY))
}
