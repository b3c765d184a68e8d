//! The figures of docs/benchmarks.md and README.md are what was measured: made of what was kept, and of nothing else.

use crate::Fallible;
use crate::compare;
use crate::repository::Repository;

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for (page, rendered) in compare::rendered(repository)? {
        if repository.read(page)? != rendered {
            complaints.push(format!("{page}: not what `cargo xtask compare --page` makes of it"));
        }
    }
    Ok(complaints)
}
