//! What a message costs in instructions of user space, exact and repeatable: the slope between two runs of different length under
//! callgrind. Measured are the whole program, and the loop alone on its imaginary machine (that machine's own instructions included).
//! What was reached stands in benches/instructions.json; a rise is a regression.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use longwire_frame::{Encoder, Mask, Message, Role};
use serde::{Deserialize, Serialize};

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;
use crate::server::Server;

const KEPT: &str = "benches/instructions.json";

/// Bytes of a message, and how many are in flight.
const CELLS: [(usize, usize); 5] = [(20, 1), (20, 16), (1 << 10, 1), (1 << 10, 16), (16 << 10, 1)];

/// Messages of the two runs.
const RUNS: [usize; 2] = [2_000, 12_000];

/// A rise that is one: instructions are exact, but not every run of the program is the same.
const RISE: f64 = 1.03;

/// A cell's two numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    bytes: usize,
    in_flight: usize,
    /// Of the program, from the socket to the socket.
    program: f64,
    /// Of the loop on its imaginary machine.
    turn: f64,
}

/// Measures, and compares with what was reached, or keeps it as that.
pub(crate) fn run(repository: &Repository, keep: bool) -> Fallible<Tally> {
    let words = ["build", "--release", "--package", "longwire-benches", "--example", "turn"];
    Task::cargo(repository, "turn build", &words)?.succeed()?;
    let mut cells = Vec::new();
    for (bytes, in_flight) in CELLS {
        let round = |number: f64| (number * 10.0).round() / 10.0;
        let program = round(slope(|count| program(repository, bytes, in_flight, count))?);
        let turn = round(slope(|count| turn(repository, bytes, in_flight, count))?);
        cells.push(Cell { bytes, in_flight, program, turn });
    }
    if keep {
        let lines: Vec<String> = cells.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        std::fs::write(KEPT, format!("[\n  {}\n]\n", lines.join(",\n  ")))?;
        return Ok(Tally { passed: cells.len(), failures: Vec::new(), note: table(&cells, &cells) });
    }
    let kept: Vec<Cell> = serde_json::from_str(&repository.read(KEPT)?)?;
    let failures = rises(&cells, &kept);
    Ok(Tally { passed: cells.len() - failures.len().min(cells.len()), failures, note: table(&cells, &kept) })
}

/// What has become more.
fn rises(cells: &[Cell], kept: &[Cell]) -> Vec<String> {
    let mut rises = Vec::new();
    for cell in cells {
        let what = format!("{} B, {} in flight", cell.bytes, cell.in_flight);
        let Some(before) = kept.iter().find(|kept| (kept.bytes, kept.in_flight) == (cell.bytes, cell.in_flight)) else {
            rises.push(format!("{what}: it stands nowhere what was reached"));
            continue;
        };
        for (name, now, then) in [("program", cell.program, before.program), ("turn", cell.turn, before.turn)] {
            if now > then * RISE {
                rises.push(format!("{what}: {name}: {now} instructions a message instead of {then}"));
            }
        }
    }
    rises
}

fn table(cells: &[Cell], kept: &[Cell]) -> String {
    let mut table = String::from("instructions a message (before)");
    for (cell, before) in cells.iter().zip(kept) {
        let Cell { bytes, in_flight, program, turn } = cell;
        let _ = write!(
            table,
            "\n  {bytes:>6} B, {in_flight:>2} in flight: program {program:>8} ({}), turn {turn:>8} ({})",
            before.program, before.turn
        );
    }
    table
}

/// Instructions of one message more.
fn slope(mut run: impl FnMut(usize) -> Fallible<u64>) -> Fallible<f64> {
    let [short, long] = RUNS;
    let (few, many) = (run(short)?, run(long)?);
    Ok((many as f64 - few as f64) / (long - short) as f64)
}

/// Serves that many echoes under callgrind.
fn program(repository: &Repository, bytes: usize, in_flight: usize, count: usize) -> Fallible<u64> {
    let out = out(repository)?;
    let mut command = valgrind(&out);
    // Set here, the program does not start itself once more to set it.
    command.env("MALLOC_MMAP_THRESHOLD_", "32768");
    command.arg(repository.program()).args(["--listen", "127.0.0.1:0"]);
    let server = Server::start(repository, "instructions", command, Duration::from_secs(60))?;
    converse(&server.authority, bytes, in_flight, count)?;
    server.stop()?;
    collected(&out)
}

/// Turns the loop for that many echoes under callgrind.
fn turn(repository: &Repository, bytes: usize, in_flight: usize, count: usize) -> Fallible<u64> {
    let out = out(repository)?;
    let mut command = valgrind(&out);
    command.arg(repository.target.join("release/examples/turn"));
    let ended = command.args([bytes, in_flight, count].map(|number| number.to_string())).output()?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into());
    }
    collected(&out)
}

fn out(repository: &Repository) -> Fallible<PathBuf> {
    Ok(repository.left_behind()?.join("callgrind.out"))
}

fn valgrind(out: &std::path::Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    command
}

/// The sum that callgrind has written down.
fn collected(out: &std::path::Path) -> Fallible<u64> {
    sum(&std::fs::read_to_string(out)?).ok_or_else(|| format!("{} has no sum", out.display()).into())
}

fn sum(report: &str) -> Option<u64> {
    report.lines().filter_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()).next_back()
}

/// One WebSocket, `in_flight` messages at a time, each echo compared.
fn converse(authority: &str, bytes: usize, in_flight: usize, count: usize) -> Fallible<()> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "GET /echo HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let payload = vec![b'x'; bytes];
    let frames = |role: Role, key: Mask| {
        let mut out = vec![0; bytes + 14];
        let len = Encoder::new(role).message(Message::Binary(&payload), key, &mut out).map_err(|_| "a frame")?;
        out.truncate(len);
        Ok::<_, &str>(out.repeat(in_flight))
    };
    let (said, wanted) = (frames(Role::Client, Mask::new([1, 2, 3, 4]))?, frames(Role::Server, Mask::NONE)?);
    let mut heard = vec![0; wanted.len()];
    for _ in 0..count / in_flight {
        stream.write_all(&said)?;
        stream.read_exact(&mut heard)?;
        if heard != wanted {
            return Err("an echo is not what was sent".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(program: f64, turn: f64) -> Cell {
        Cell { bytes: 20, in_flight: 1, program, turn }
    }

    #[test]
    fn a_rise_of_more_than_three_percent_is_one() {
        let kept = [cell(100.0, 50.0)];
        assert!(rises(&[cell(103.0, 51.5)], &kept).is_empty());
        assert!(rises(&[cell(50.0, 10.0)], &kept).is_empty());
        assert_eq!(rises(&[cell(103.1, 51.6)], &kept).len(), 2);
        assert_eq!(rises(&[cell(1.0, 1.0)], &[]).len(), 1);
    }

    #[test]
    fn the_sum_is_that_of_the_last_part() {
        assert_eq!(sum("events: Ir\ntotals: 17\nfn=(1)\ntotals: 42\n"), Some(42));
        assert_eq!(sum("events: Ir\n"), None);
    }
}
