//! Rounds: everybody once for each cell, one after the other, each time beginning with another one, the floor first and last. A round in
//! which the floor's two figures differ by more than a quarter was disturbed and does not count. What is compared is the ratio within a round.

use super::cells::{CELLS, Cell};
use super::measure;
use super::peers::{FLOORS, PEERS, Peer};
use super::results::{self, Cost, Results, Row, Spread};
use crate::Fallible;
use crate::repository::Repository;

/// How much the floor may differ from itself in a round that counts.
pub(super) const QUIET: f64 = 0.25;

/// So many rounds at most for each that is wanted.
const TRIES: usize = 3;

/// So often it is measured what connections cost.
pub(super) const COSTS: usize = 3;

/// Measures everything. What cannot be measured is told, and the rest is kept.
pub(super) fn run(repository: &Repository, rounds: usize) -> Fallible<(Results, Vec<String>)> {
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for cell in CELLS {
        rows.extend(told_row(repository, &cell, rounds, &mut failures));
    }
    let costs = costs(repository, &mut failures);
    Ok((Results::new(repository, rows, costs)?, failures))
}

/// Measures the rows again whose name contains this, on the machine that all others were measured on.
pub(super) fn again(
    repository: &Repository,
    rounds: usize,
    rows: &str,
    results: &mut Results,
) -> Fallible<Vec<String>> {
    if results.machine != results::machine()? {
        return Err("the other rows were measured on another machine, or with another compiler".into());
    }
    let (mut named, mut failures) = (0, Vec::new());
    for kept in results.rows.iter_mut().filter(|row| row.cell.to_string().contains(rows)) {
        named += 1;
        if let Some(row) = told_row(repository, &kept.cell, rounds, &mut failures) {
            *kept = Row { commit: Some(results::commit()?), ..row };
        }
    }
    if named == 0 { Err(format!("no row has {rows} in its name").into()) } else { Ok(failures) }
}

/// Measures a row and tells of it. What cannot be measured is among the failures.
fn told_row(repository: &Repository, cell: &Cell, rounds: usize, failures: &mut Vec<String>) -> Option<Row> {
    let row = row(repository, cell, rounds).map_err(|error| failures.push(format!("{cell}: {error}"))).ok()?;
    println!("  {cell}: {}", row.summary());
    Some(row)
}

/// What connections cost everybody, in turns.
fn costs(repository: &Repository, failures: &mut Vec<String>) -> Vec<Cost> {
    let peers: Vec<&Peer> = PEERS.iter().filter(|peer| peer.echoes).collect();
    let mut measured = vec![Vec::new(); peers.len()];
    for _ in 0..COSTS {
        for (peer, measured) in peers.iter().zip(&mut measured) {
            match measure::cost(repository, peer) {
                Ok(cost) => {
                    println!("  {cost:?}");
                    measured.push(cost);
                }
                Err(error) => failures.push(format!("{}, connections: {error}", peer.name)),
            }
        }
    }
    measured.iter().filter(|measured| !measured.is_empty()).map(|measured| Cost::middle(measured)).collect()
}

fn row(repository: &Repository, cell: &Cell, rounds: usize) -> Fallible<Row> {
    let floor = PEERS.iter().find(|peer| peer.name == FLOORS[usize::from(cell.fan_out)]).ok_or("no floor")?;
    let others: Vec<&Peer> = PEERS
        .iter()
        .filter(|peer| peer.name != floor.name && if cell.fan_out { peer.fans_out } else { peer.echoes })
        .collect();
    let mut floors = Vec::new();
    let mut shares = vec![Vec::new(); others.len()];
    let mut disturbed = 0;
    while floors.len() < rounds && floors.len() + disturbed < TRIES * rounds {
        let first = measure::speed(repository, floor, cell)?;
        // Each round begins with another one: nobody always comes behind the same.
        let mut speeds = vec![0.0; others.len()];
        for number in 0..others.len() {
            let at = (number + floors.len()) % others.len();
            speeds[at] = measure::speed(repository, others[at], cell)?;
        }
        let last = measure::speed(repository, floor, cell)?;
        if (first - last).abs() > QUIET * first.max(last) {
            disturbed += 1;
            continue;
        }
        let middle = f64::midpoint(first, last);
        floors.push(middle);
        for (shares, speed) in shares.iter_mut().zip(speeds) {
            shares.push(speed / middle);
        }
    }
    if floors.len() < 3 {
        return Err(format!("{cell}: {disturbed} rounds were disturbed, {} were not", floors.len()).into());
    }
    let measured = shares.clone();
    let shares = others.iter().zip(shares).map(|(peer, shares)| (peer.name.to_owned(), Spread::of(shares))).collect();
    Ok(Row { cell: *cell, rounds: floors.len(), disturbed, floor: Spread::of(floors), shares, measured, commit: None })
}
