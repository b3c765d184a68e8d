//! What others have no like of, or what is asked of us alone: event streams, many that say nothing, two threads, and what is left behind. Against
//! the program, in turns where two figures are compared.

use std::error::Error;
use std::process::Child;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load::{self, number};
use super::measure::{FEW, MANY};
use super::results::Spread;
use crate::Fallible;
use crate::repository::Repository;
use crate::server::Server;
use crate::vitals::Vitals;

/// Rounds of what is compared.
const ROUNDS: usize = 7;

/// Connections that speak, and those beside them that do not.
pub(super) const ACTIVE: usize = 500;
pub(super) const IDLE: usize = 14_500;

/// Connections that each move 16 KiB, and those that each move 1 MiB.
pub(super) const MOVED: [(usize, &str); 2] = [(15_000, "16KiB"), (64, "1MiB")];

/// From so many addresses do they come.
const SOURCES: u8 = 8;

/// What they come to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alone {
    /// Bytes that are resident for an idle event stream, as a slope.
    pub(super) stream: f64,
    /// Microseconds of processor for an echo of 20 bytes on the connections that speak, and how much more with the silent ones beside them.
    pub(super) active: Spread,
    pub(super) among_idle: Spread,
    /// By messages under way: the same on 64 connections of two servers with a thread each, and how much more it takes with two threads of one.
    pub(super) threads: Vec<(usize, Spread, Spread)>,
    /// KiB of its own that are resident before anybody has come, and when all have gone.
    pub(super) fresh: f64,
    pub(super) left: f64,
}

/// Measures all of it.
pub(super) fn run(repository: &Repository) -> Fallible<Alone> {
    let stream = stream(repository)?;
    let (active, among_idle) = scale(repository)?;
    let threads = [1, 16].map(|in_flight| Ok((in_flight, threads(repository, in_flight)?)));
    let threads = threads.into_iter().map(|row: Fallible<_>| row.map(|(at, (one, two))| (at, one, two)));
    let threads = threads.collect::<Fallible<_>>()?;
    let (fresh, left) = left(repository)?;
    Ok(Alone { stream, active, among_idle, threads, fresh, left })
}

fn program(repository: &Repository, threads: &str) -> Fallible<Server> {
    let many = ["--max-connections", "20000", "--max-per-address", "20000", "--memory-budget", "4GiB"];
    Server::program(repository, "alone", &[&["--threads", threads, "--max-message", "2MiB"][..], &many].concat())
}

/// A load of the program, on its way, on this core if one is named.
fn begin(repository: &Repository, server: &Server, core: Option<&str>, url: &str, words: &[&str]) -> Fallible<Child> {
    let mut command = load::command(core);
    command.arg(repository.program()).args(["load", url, "--json", "--warm-up", "200ms"]).args(words);
    for number in 2..2 + SOURCES {
        command.arg("--source").arg(format!("127.0.0.{number}"));
    }
    command.args(["--server-pid", &server.process().to_string()]);
    Ok(command.spawn()?)
}

/// What it says in the end.
fn told(child: Child) -> Fallible<Value> {
    load::told(&child.wait_with_output()?)
}

fn told_of(repository: &Repository, server: &Server, url: &str, words: &[&str]) -> Fallible<Value> {
    told(begin(repository, server, None, url, words)?)
}

fn stream(repository: &Repository) -> Fallible<f64> {
    let at = |connections: usize| -> Fallible<f64> {
        let server = program(repository, "1")?;
        let url = format!("{}/clock", server.base());
        let said = told_of(repository, &server, &url, &["-c", &connections.to_string(), "-d", "2s"])?;
        Ok(number(&said, "idle_bytes_per_connection")? * connections as f64)
    };
    Ok((at(MANY)? - at(FEW)?) / (MANY - FEW) as f64)
}

/// Microseconds of processor for an echo of 20 bytes.
fn echo(repository: &Repository, server: &Server, words: &[&str]) -> Fallible<f64> {
    let url = format!("ws://{}/echo", server.authority);
    let said = told_of(repository, server, &url, &[&["-s", "20", "-d", "1s"][..], words].concat())?;
    Ok(1e6 / number(&said, "messages_per_cpu_second")?)
}

fn scale(repository: &Repository) -> Fallible<(Spread, Spread)> {
    let speak = ["-c", &ACTIVE.to_string()];
    let (mut few, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let server = program(repository, "1")?;
        let before = echo(repository, &server, &speak)?;
        let url = format!("ws://{}/echo", server.authority);
        // It has one message a second to say, and all its connections are open long before it ends.
        let silent = ["-c", &IDLE.to_string(), "--rate", "1", "-d", "60s"];
        let mut idle = begin(repository, &server, None, &url, &silent)?;
        let opened = wait_for(&server, |descriptors| descriptors >= IDLE);
        let among = opened.and_then(|()| echo(repository, &server, &speak));
        idle.kill()?;
        idle.wait()?;
        few.push(before);
        ratios.push(among? / before);
        server.stop()?;
    }
    Ok((Spread::of(few), Spread::of(ratios)))
}

/// Against two servers with one thread each, and against one with two. Four loads at a time, two for each core and two for each server, so that who
/// speaks with whom over which cores is the same.
fn threads(repository: &Repository, in_flight: usize) -> Fallible<(Spread, Spread)> {
    let (mut apart, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (first, second) = (program(repository, "1")?, program(repository, "1")?);
        let separate = four_loads(repository, [&first, &second], in_flight)?;
        // Each load was told the processor time of all of its server: of one of them two loads were.
        let separate = separate.iter().map(|(cpu, _)| cpu / 2.0).sum::<f64>() / messages(&separate);
        let both = program(repository, "2")?;
        let together = four_loads(repository, [&both, &both], in_flight)?;
        let together = together.iter().map(|(cpu, _)| cpu / 4.0).sum::<f64>() / messages(&together);
        apart.push(1e6 * separate);
        ratios.push(together / separate);
    }
    Ok((Spread::of(apart), Spread::of(ratios)))
}

fn messages(loads: &[(f64, f64); 4]) -> f64 {
    loads.iter().map(|(_, messages)| messages).sum()
}

/// Seconds of processor that its server took, and messages, for each of four loads at a time.
fn four_loads(repository: &Repository, servers: [&Server; 2], in_flight: usize) -> Fallible<[(f64, f64); 4]> {
    let in_flight = in_flight.to_string();
    let words = ["-s", "20", "-d", "2s", "-c", "16", "-i", &in_flight];
    let begun = [("0", servers[0]), ("0", servers[1]), ("1", servers[0]), ("1", servers[1])].map(|(core, server)| {
        let url = format!("ws://{}/echo", server.authority);
        begin(repository, server, Some(core), &url, &words)
    });
    let told = begun.map(|load| {
        let said = told(load?)?;
        Ok::<_, Box<dyn Error>>((number(&said, "cpu_seconds")?, said["messages"].as_f64().unwrap_or_default()))
    });
    let [one, two, three, four] = told;
    Ok([one?, two?, three?, four?])
}

fn left(repository: &Repository) -> Fallible<(f64, f64)> {
    let server = program(repository, "1")?;
    let vitals = Vitals::of(server.process())?;
    let resident = || Ok::<_, Box<dyn Error>>(vitals.resident_of_its_own()? as f64);
    let fresh = resident()?;
    let url = format!("ws://{}/echo", server.authority);
    for (connections, size) in MOVED {
        told_of(repository, &server, &url, &["-c", &connections.to_string(), "-s", size, "-d", "3s"])?;
        wait_for(&server, |descriptors| descriptors < 50)?;
    }
    std::thread::sleep(Duration::from_secs(1));
    Ok((fresh, resident()?))
}

fn wait_for(server: &Server, enough: impl Fn(usize) -> bool) -> Fallible<()> {
    let descriptors = Vitals::of(server.process())?.wait_for_descriptors(Duration::from_secs(30), &enough)?;
    if enough(descriptors) {
        Ok(())
    } else {
        Err(format!("it has {descriptors} descriptors after half a minute").into())
    }
}
