//! One figure: a server on one core, the load on the other.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;

use super::cells::Cell;
use super::load;
use super::peers::{FLOORS, Peer, Running, program};
use super::results::Cost;
use crate::Fallible;
use crate::repository::Repository;
use crate::vitals::Vitals;

/// Milliseconds that count, those for messages of which a second sees only a few, and those before.
pub(super) const WINDOW: u64 = 400;
pub(super) const LONG: u64 = 1_500;
const WARM_UP: u64 = 200;

/// Connections of the two servers between which the memory of one is the slope.
pub(super) const FEW: usize = 1_000;
pub(super) const MANY: usize = 9_000;

/// Messages per second of the server's processor; deliveries, where it fans out.
pub(super) fn speed(repository: &Repository, peer: &Peer, cell: &Cell) -> Fallible<f64> {
    let server = peer.start(cell.fan_out)?;
    let window = if cell.bytes < 1 << 20 { WINDOW } else { LONG };
    let said = of_load(repository, peer, &server, cell, window)?;
    load::number(&said, "messages_per_cpu_second")
}

/// Opens many connections, moves a message of 16 KiB over each, and lets them go.
pub(super) fn cost(repository: &Repository, peer: &Peer) -> Fallible<Cost> {
    let mut at = Vec::new();
    for connections in [FEW, MANY] {
        let server = peer.start(false)?;
        let vitals = Vitals::of(i32::try_from(server.process())?)?;
        let resident = || Ok::<_, Box<dyn Error>>(vitals.resident_of_its_own()? as f64 * 1_024.0);
        let before = resident()?;
        let cell = Cell { fan_out: false, bytes: 16 << 10, connections, in_flight: 1 };
        let said = of_load(repository, peer, &server, &cell, 2_000)?;
        let of = |name: &str| load::number(&said, name).unwrap_or(f64::NAN);
        let idle = of("idle_bytes_per_connection") * connections as f64;
        let moved = of("resident_bytes") - before;
        std::thread::sleep(Duration::from_millis(500));
        at.push((idle, moved, resident()?, of("cpu_per_handshake")));
    }
    let slope = |few: f64, many: f64| (many - few) / (MANY - FEW) as f64;
    let [few, many] = [at[0], at[1]];
    let told = |value: f64| value.is_finite().then_some(value);
    let (idle, moved) = (told(slope(few.0, many.0)), told(slope(few.1, many.1)));
    Ok(Cost { peer: peer.name.into(), idle, moved, left: many.2, handshake: many.3 })
}

/// Loads a server, and returns what the load says of it.
fn of_load(repository: &Repository, peer: &Peer, server: &Running, cell: &Cell, window: u64) -> Fallible<Value> {
    let mut command = load::command(Some("1"));
    // The floor speaks no protocol, and so does its load.
    let (window, warm_up) = if peer.name == FLOORS[0] {
        command.arg(program("raw-load")).arg(&server.address);
        (window.to_string(), WARM_UP.to_string())
    } else {
        command.arg(repository.program()).args(["load", &format!("ws://{}/", server.address), "--json"]);
        if cell.fan_out {
            command.arg("--fan-out");
        }
        (format!("{window}ms"), format!("{WARM_UP}ms"))
    };
    for (name, value) in [
        ("--connections", cell.connections.to_string()),
        ("--size", cell.bytes.to_string()),
        ("--in-flight", cell.in_flight.to_string()),
        ("--duration", window),
        ("--warm-up", warm_up),
        ("--server-pid", server.process().to_string()),
    ] {
        command.args([name, &value]);
    }
    load::told(&command.output()?).map_err(|error| format!("{}, {cell}: {error}", peer.name).into())
}
