//! What servers are compared by: how long messages are, over how many connections, and how many each has under way.

use serde::{Deserialize, Serialize};

/// One row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) fan_out: bool,
    pub(super) bytes: usize,
    pub(super) connections: usize,
    pub(super) in_flight: usize,
}

const fn echo(bytes: usize, connections: usize, in_flight: usize) -> Cell {
    Cell { fan_out: false, bytes, connections, in_flight }
}

const fn fan_out(in_flight: usize) -> Cell {
    Cell { fan_out: true, bytes: 64, connections: 1_000, in_flight }
}

/// All of them.
pub(super) const CELLS: [Cell; 15] = [
    echo(20, 1, 1),
    echo(20, 64, 1),
    echo(20, 1_000, 1),
    echo(20, 64, 16),
    echo(1 << 10, 1, 1),
    echo(1 << 10, 64, 1),
    echo(1 << 10, 1_000, 1),
    echo(1 << 10, 64, 16),
    echo(16 << 10, 1, 1),
    echo(16 << 10, 64, 1),
    echo(16 << 10, 64, 16),
    echo(1 << 20, 1, 1),
    echo(1 << 20, 64, 1),
    fan_out(1),
    fan_out(16),
];

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.bytes {
            bytes if bytes >= 1 << 20 => write!(f, "{} MiB", bytes >> 20)?,
            bytes if bytes >= 1 << 10 => write!(f, "{} KiB", bytes >> 10)?,
            bytes => write!(f, "{bytes} B")?,
        }
        let listeners = if self.fan_out { " listeners" } else { "" };
        write!(f, ", {}{listeners}, {}", self.connections, self.in_flight)
    }
}
