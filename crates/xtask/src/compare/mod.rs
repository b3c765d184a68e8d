//! `cargo xtask compare`: Longwire beside other servers, in one run and in turns, so that what disturbs one disturbs all.
//!
//! What is compared is in `peers.rs` (one of them is built by `uwebsockets.rs`), what is measured of us alone in `alone.rs`, by what in `cells.rs`; how a figure is had in `measure.rs`
//! and `load.rs`, and how many and which of them count in `rounds.rs`. What came out is kept in benches/comparison.json (`results.rs`), of which `page.rs` and `plot.rs` make docs/benchmarks.md, and
//! `summary.rs` what README.md says of it.

mod alone;
mod cells;
mod load;
mod measure;
mod page;
mod peers;
mod plot;
mod results;
mod rounds;
mod summary;
mod uwebsockets;

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;

/// Where the other servers are.
const FOLDER: &str = "benches/peers";

/// The page that is made of what came out.
const PAGE: &str = "docs/benchmarks.md";

/// Builds everybody.
pub(crate) fn build(repository: &Repository) -> Fallible<Tally> {
    Task::cargo(repository, "peers build", &["build", "--release"])?.folder(FOLDER).within(1_800).succeed()?;
    Task::new(repository, "peers npm", "npm")?
        .args(["ci", "--silent"])
        .folder(format!("{FOLDER}/node-ws"))
        .succeed()?;
    uwebsockets::build(repository)?;
    Ok(Tally::one())
}

/// Measures everybody for so many rounds, keeps what came out, and writes the page.
pub(crate) fn run(repository: &Repository, rounds: usize) -> Fallible<Tally> {
    let (mut results, failures) = rounds::run(repository, rounds)?;
    results.keep(repository)?;
    results.alone = Some(alone::run(repository)?);
    results.keep(repository)?;
    Ok(Tally { failures, ..write(repository)? })
}

/// Measures the rows whose name contains this, and leaves all else as it was measured.
pub(crate) fn some(repository: &Repository, rounds: usize, rows: &str) -> Fallible<Tally> {
    let mut results = results::Results::read(repository)?;
    let failures = rounds::again(repository, rounds, rows, &mut results)?;
    results.keep(repository)?;
    Ok(Tally { failures, ..write(repository)? })
}

/// Measures what is asked of us alone, and leaves all else as it was measured.
pub(crate) fn alone(repository: &Repository) -> Fallible<Tally> {
    let mut results = results::Results::read(repository)?;
    results.alone = Some(alone::run(repository)?);
    results.keep(repository)?;
    write(repository)
}

/// Writes the page anew, of what was kept.
pub(crate) fn write(repository: &Repository) -> Fallible<Tally> {
    let results = results::Results::read(repository)?;
    std::fs::write(repository.root.join(PAGE), page::render(&results))?;
    let readme = summary::place(&repository.read(summary::PAGE)?, &results)?;
    std::fs::write(repository.root.join(summary::PAGE), readme)?;
    let plots = plot::draw(repository, &results)?;
    Ok(Tally::one().noting(format!("{PAGE} and {plots} plots")))
}

/// The pages on which figures stand, and what each says if it is made of what was kept.
pub(crate) fn rendered(repository: &Repository) -> Fallible<[(&'static str, String); 2]> {
    let results = results::Results::read(repository)?;
    let readme = summary::place(&repository.read(summary::PAGE)?, &results)?;
    Ok([(PAGE, page::render(&results)), (summary::PAGE, readme)])
}
