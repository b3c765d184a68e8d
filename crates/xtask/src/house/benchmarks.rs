//! docs/benchmarks.md is what was measured: made of the figures that were kept, and of nothing else.

use crate::Fallible;
use crate::compare;
use crate::repository::Repository;

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let same = repository.read(compare::PAGE)? == compare::rendered(repository)?;
    let complaint = || format!("{}: not what `cargo xtask compare --page` makes of it", compare::PAGE);
    Ok(if same { Vec::new() } else { vec![complaint()] })
}
