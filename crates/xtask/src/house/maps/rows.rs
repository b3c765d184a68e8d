//! A map's rows.

use std::path::{Path, PathBuf};

use super::Clause;
use crate::Fallible;
use crate::markdown::{Cell, Link, tables};

/// What the columns of a map are called.
const COLUMNS: [&str; 5] = ["Clause", "Level", "Requirement", "Code", "Tests and vectors"];

/// A requirement.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) clause: Clause,
    /// MUST and its like, or what the text is that says so.
    pub(super) level: String,
    pub(super) requirement: String,
    /// Items, each with its file.
    pub(super) code: Vec<(String, PathBuf)>,
    /// Tests, each with its file.
    pub(super) tests: Vec<(String, PathBuf)>,
    pub(super) vectors: Vec<String>,
    /// What the last column says in words.
    pub(super) reason: String,
}

impl Row {
    fn new(cells: &[Cell], usual: &str) -> Fallible<Self> {
        let [clause, level, requirement, code, proof] = cells else { return Err("a row of other columns".into()) };
        let (source, section) =
            clause.text.rsplit_once('§').ok_or_else(|| format!("{:?} is no section", clause.text))?;
        let source = if source.is_empty() { usual } else { source.trim_end() };
        Ok(Self {
            clause: Clause { source: source.into(), section: section.into() },
            level: level.text.clone(),
            requirement: requirement.text.clone(),
            code: code.links.iter().map(target).collect(),
            tests: proof.links.iter().map(target).collect(),
            vectors: if code.links.is_empty() && proof.links.is_empty() && !proof.only_codes() {
                Vec::new()
            } else {
                proof.codes.clone()
            },
            reason: proof.text.clone(),
        })
    }

    /// Where its code is.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.code.iter().map(|(_, file)| file.as_path())
    }
}

impl Cell {
    /// Names are all that there is: a reason may have code in its words.
    fn only_codes(&self) -> bool {
        self.text.split(", ").all(|word| self.codes.iter().any(|code| code == word))
    }
}

/// A name and the file that it leads to, from the top.
fn target(link: &Link) -> (String, PathBuf) {
    (link.text.clone(), Path::new(link.to.strip_prefix("../").unwrap_or(&link.to)).into())
}

/// The rows of a page's maps. Tables of other columns are left alone.
pub(super) fn rows(page: &str, usual: &str) -> Fallible<Vec<Row>> {
    let mut rows = Vec::new();
    for table in tables(page) {
        let Some((head, cells)) = table.split_first() else { continue };
        if head.iter().map(|cell| cell.text.as_str()).eq(COLUMNS) {
            for cells in cells {
                rows.push(Row::new(cells, usual)?);
            }
        }
    }
    if rows.is_empty() { Err("there are no rows".into()) } else { Ok(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "| Clause | Level | Requirement | Code | Tests and vectors |\n|---|---|---|---|---|\n";

    #[test]
    fn a_row_is_read() {
        let text = format!(
            "{HEAD}| §5.1 | MUST | A `b`. | [`A::b`](../crates/a/src/b.rs) | [`t`](../crates/a/tests/a/t.rs), `v`, `w` |\n\
             | RFC 2 §3 | SHOULD | C. | — | Not ours: `d` is. |\n"
        );
        let rows = rows(&text, "RFC 1").expect("rows");
        let pair = |name: &str, file: &str| vec![(name.to_owned(), PathBuf::from(file))];
        assert_eq!(rows[0].clause.to_string(), "RFC 1 §5.1");
        assert_eq!((rows[0].level.as_str(), rows[0].requirement.as_str()), ("MUST", "A b."));
        assert_eq!(rows[0].code, pair("A::b", "crates/a/src/b.rs"));
        assert_eq!(rows[0].tests, pair("t", "crates/a/tests/a/t.rs"));
        assert_eq!(rows[0].vectors, ["v", "w"]);
        assert_eq!(rows[1].clause.to_string(), "RFC 2 §3");
        assert!(rows[1].code.is_empty() && rows[1].vectors.is_empty());
        assert_eq!(rows[1].reason, "Not ours: d is.");
    }

    #[test]
    fn what_is_no_row_is_an_error_and_other_tables_are_left_alone() {
        assert!(rows("| a |\n|---|\n| b |\n", "RFC 1").is_err());
        assert!(rows(&format!("{HEAD}| 5.1 | MUST | A. | — | B. |\n"), "RFC 1").is_err());
    }
}
