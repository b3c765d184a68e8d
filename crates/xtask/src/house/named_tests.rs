//! The tests that pages name as `crate::file::test`. A page may say that something is proved only by what is there.

use std::collections::BTreeSet;

use crate::Fallible;
use crate::markdown::Table;
use crate::repository::Repository;
use crate::source::Source;

/// What the column is called in which a page names tests.
const COLUMN: &str = "Proved by";

/// Complaints about rows without a test, and about tests that there are not.
pub(super) fn complaints(repository: &Repository, page: &str, tables: &[Table]) -> Fallible<Vec<String>> {
    let tests = all(repository)?;
    let mut complaints = Vec::new();
    for table in tables {
        let Some((head, rows)) = table.split_first() else { continue };
        let Some(column) = head.iter().position(|cell| cell.text == COLUMN) else { continue };
        for row in rows {
            if row[column].codes.is_empty() {
                complaints.push(format!("{page}: {}: no test is named", row[0].text));
            }
            let missing = row[column].codes.iter().filter(|name| !tests.contains(*name));
            complaints.extend(missing.map(|name| format!("{page}: {}: there is no test {name}", row[0].text)));
        }
    }
    Ok(complaints)
}

/// Every test of the crates, by the folder of its crate, its file and its name.
fn all(repository: &Repository) -> Fallible<BTreeSet<String>> {
    let mut tests = BTreeSet::new();
    for file in repository.files("crates", "rs")? {
        let name = |path: &std::path::Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let krate = file.iter().nth(1).ok_or("a file of no crate")?.to_string_lossy();
        let stem = name(&file).filter(|stem| stem != "mod").or_else(|| file.parent().and_then(name));
        let source = Source::whole(&repository.read(&file)?)?;
        let stem = stem.unwrap_or_default();
        tests.extend(source.tests().into_iter().map(|test| format!("{krate}::{stem}::{test}")));
    }
    Ok(tests)
}
