//! What README.md says of the comparison: a few rows of it, between two marks.

use super::cells::Cell;
use super::peers::{FLOORS, OURS};
use super::results::{Results, Verdict};
use crate::Fallible;
use crate::markdown::replace_between;

/// Where it stands.
pub(crate) const PAGE: &str = "README.md";
const MARKS: [&str; 2] = ["<!-- measured -->\n", "<!-- end of measured -->"];

/// The page, with what was measured.
pub(super) fn place(page: &str, results: &Results) -> Fallible<String> {
    replace_between(page, MARKS, &words(results)?)
}

fn words(results: &Results) -> Fallible<String> {
    let over = |connections, bytes, in_flight| share(results, &Cell { fan_out: false, bytes, connections, in_flight });
    let echo = |bytes, in_flight| over(64, bytes, in_flight);
    let fan_out = share(results, &Cell { fan_out: true, bytes: 64, connections: 1_000, in_flight: 16 })?;
    let cost = |name: &str| results.costs.iter().find(|cost| cost.peer == name).ok_or("nobody knows what it costs");
    let (ours, floor) = (cost(OURS)?, cost(FLOORS[0])?);
    let others = results.rows.first().map_or(0, |row| row.shares.len() - 1);
    Ok(format!(
        "\
| Messages per second of the server's processor, as a share of what a bare TCP echo does | Longwire | the best of {others} others |
|---|---|---|
| 20 B over 64 connections, one in flight | {} |
| 20 B over 64, sixteen in flight | {} |
| 1 KiB over 64, sixteen in flight | {} |
| 16 KiB over 64, one in flight | {} |
| 1 MiB over 64, one in flight, `kernel_unsent` and `kernel_unread` 4 MiB, `budget` 4 GiB | {} |
| 1 MiB over one connection, the same | {} |
| 64 B to 1,000 listeners, sixteen in flight, as a multiple of a bare loop of `send` calls | {fan_out} |

Longwire is the library here, in a server like the others'; the program takes some 180 instructions more for a message. With its default limits it would have half of that at 1 MiB over 64.
*Ahead* and *behind* are in all rounds, or all but one; all else is undecided. An idle WebSocket takes {:.0} bytes in the server, beside 8 to 10 KiB in the kernel for both ends;
an opening {:.0} µs of processor, where the bare accept takes {:.0}.
",
        echo(20, 1)?,
        echo(20, 16)?,
        echo(1 << 10, 16)?,
        echo(16 << 10, 1)?,
        echo(1 << 20, 1)?,
        over(1, 1 << 20, 1)?,
        ours.idle.unwrap_or_default(),
        ours.handshake,
        floor.handshake
    ))
}

/// Our share, and the best of everybody else's.
fn share(results: &Results, cell: &Cell) -> Fallible<String> {
    let row = results.rows.iter().find(|row| row.cell == *cell).ok_or_else(|| format!("{cell} was not measured"))?;
    let ours = row.ours().ok_or("we were not measured")?;
    let others = row.against_us();
    let best = others.iter().max_by(|(_, a, _), (_, b, _)| a.median.total_cmp(&b.median));
    let (name, _, verdict) = best.ok_or("nobody else was measured")?;
    let theirs = row.share(name).ok_or("it has no share")?;
    let verdict = match verdict {
        Verdict::Ahead => "ahead",
        Verdict::Behind => "behind",
        Verdict::Undecided => "undecided",
    };
    Ok(format!("**{:.2}** | {:.2} ({name}, {verdict})", ours.median, theirs.median))
}
