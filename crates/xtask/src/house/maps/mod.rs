//! The maps of docs/: a row for each requirement of a specification. What a row names is there, what the libraries cite stands in a
//! row, and no row is without one who keeps it and one who proves it, or a reason.

mod citations;
mod rows;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::citations::citations;
use self::rows::{Row, rows};
use self::vectors::Vector;
use crate::Fallible;
use crate::items::items;
use crate::repository::Repository;
use crate::source::Source;

/// The pages, and what is meant there by a section without a source.
const MAPS: [(&str, &str); 4] = [
    ("docs/rfc6455.md", "RFC 6455"),
    ("docs/rfc7692.md", "RFC 7692"),
    ("docs/rfc9112.md", "RFC 9112"),
    ("docs/sse.md", "HTML"),
];

/// The crates whose citations stand in the maps, each with what it means by a section without a source.
const CRATES: [(&str, Option<&str>); 4] = [
    ("crates/handshake/src", None),
    ("crates/frame/src", Some("RFC 6455")),
    ("crates/sse/src", Some("HTML")),
    ("crates/reactor/src", None),
];

/// A section of a specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Clause {
    source: String,
    section: String,
}

impl Clause {
    /// Whether the other is this section, or one within it.
    fn holds(&self, other: &Self) -> bool {
        let rest = other.section.strip_prefix(&self.section);
        self.source == other.source && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} §{}", self.source, self.section)
    }
}

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    let mut pages = Vec::new();
    for (page, source) in MAPS {
        let text = repository.read(page)?;
        let rows = rows(&text, source).map_err(|error| format!("{page}: {error}"))?;
        if !text.contains(&counts(&rows)) {
            complaints.push(format!("{page}: its head does not say: {}", counts(&rows)));
        }
        pages.push((page, rows));
    }
    let cited = cited(repository, &mut complaints)?;
    let vectors = vectors::all(repository)?;
    for (page, rows) in &pages {
        let complain = |row: &Row| format!("{page}: {}: {}: ", row.clause, row.requirement);
        for row in rows {
            complaints.extend(shape(row).into_iter().map(|what| complain(row) + what));
            complaints.extend(named(repository, row)?.into_iter().map(|what| complain(row) + &what));
            complaints.extend(verdicts(row, &vectors).into_iter().map(|what| complain(row) + &what));
            if !row.code.is_empty() && !row.files().any(|file| cites(&cited, file, &row.clause)) {
                complaints.push(complain(row) + "none of its files cites the section");
            }
        }
    }
    let clauses: BTreeSet<&Clause> = pages.iter().flat_map(|(_, rows)| rows).map(|row| &row.clause).collect();
    let mapped = |clause: &Clause| clauses.iter().any(|row| clause.holds(row));
    for (file, found) in &cited {
        let orphans = found.iter().filter(|clause| !mapped(clause));
        complaints.extend(orphans.map(|clause| format!("{}: {clause} stands in no map", file.display())));
    }
    for (id, vector) in vectors.iter().filter(|(_, vector)| !mapped(&vector.clause)) {
        complaints.push(format!("the vector {id} is of {}, which stands in no map", vector.clause));
    }
    Ok(complaints)
}

/// What the head of a page says of its rows.
fn counts(rows: &[Row]) -> String {
    let kept = rows.iter().filter(|row| !row.code.is_empty()).count();
    format!("**{} rows: {kept} with code and its proof, {} without, which say why.**", rows.len(), rows.len() - kept)
}

/// Which sections each file cites.
fn cited(repository: &Repository, complaints: &mut Vec<String>) -> Fallible<BTreeMap<PathBuf, BTreeSet<Clause>>> {
    let mut cited = BTreeMap::new();
    for (folder, usual) in CRATES {
        for file in repository.files(folder, "rs")? {
            let found = citations(&repository.read(&file)?, usual);
            let astray = found.astray.into_iter().map(|line| format!("{}:{line}: a section of what?", file.display()));
            complaints.extend(astray);
            cited.insert(file, found.clauses);
        }
    }
    Ok(cited)
}

fn cites(cited: &BTreeMap<PathBuf, BTreeSet<Clause>>, file: &Path, clause: &Clause) -> bool {
    cited.get(file).is_some_and(|clauses| clauses.contains(clause))
}

/// What a row lacks.
fn shape(row: &Row) -> Option<&'static str> {
    let proved = !row.tests.is_empty() || !row.vectors.is_empty();
    match (row.code.is_empty(), proved) {
        (false, false) => Some("code, but no test and no vector"),
        (true, true) => Some("a test or a vector, but no code"),
        (true, false) if row.reason.is_empty() => Some("no code and no reason"),
        _ => None,
    }
}

/// Which items and tests of a row there are not.
fn named(repository: &Repository, row: &Row) -> Fallible<Vec<String>> {
    let mut missing = Vec::new();
    for (item, file) in &row.code {
        if !repository.root.join(file).is_file() || !items(file, &repository.read(file)?)?.contains(item) {
            missing.push(format!("there is no {item} in {}", file.display()));
        }
    }
    for (test, file) in &row.tests {
        let found = repository.root.join(file).is_file()
            && Source::whole(&repository.read(file)?)?.tests().contains(&test.as_str());
        if !found {
            missing.push(format!("there is no test {test} in {}", file.display()));
        }
    }
    Ok(missing)
}

/// Which vectors of a row there are not. Those of a MUST are both of what is accepted and of what is refused.
fn verdicts(row: &Row, vectors: &BTreeMap<String, Vector>) -> Vec<String> {
    let known: Vec<&Vector> = row.vectors.iter().filter_map(|id| vectors.get(id)).collect();
    let unknown = row.vectors.iter().filter(|id| !vectors.contains_key(*id));
    let mut complaints: Vec<String> = unknown.map(|id| format!("there is no vector {id}")).collect();
    let refusing = known.iter().filter(|vector| vector.refuses).count();
    if row.level.starts_with("MUST") && !known.is_empty() && (refusing == 0 || refusing == known.len()) {
        complaints.push("its vectors are not both of what is accepted and of what is refused".into());
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| Clause | Level | Requirement | Code | Tests and vectors |\n|---|---|---|---|---|\n";

    fn row(code: &str, proof: &str) -> Row {
        let text = format!("{TABLE}| §1 | MUST | It is so. | {code} | {proof} |\n");
        rows(&text, "RFC 1").expect("a row").remove(0)
    }

    #[test]
    fn a_row_has_code_and_a_proof_or_a_reason() {
        let code = "[`A::b`](../crates/x/src/a.rs)";
        assert_eq!(shape(&row(code, "`id`")), None);
        assert_eq!(shape(&row("—", "Not ours.")), None);
        assert_eq!(shape(&row(code, "It is so.")), Some("code, but no test and no vector"));
        assert_eq!(shape(&row("—", "`id`")), Some("a test or a vector, but no code"));
        assert_eq!(shape(&row("—", "")), Some("no code and no reason"));
    }

    #[test]
    fn what_a_row_names_is_there() {
        let repository = Repository::open().expect("a repository");
        let named = |code: &str, proof: &str| named(&repository, &row(code, proof)).expect("an answer");
        let here = "../crates/xtask/src/house/maps/mod.rs";
        assert!(named(&format!("[`Clause`]({here})"), &format!("[`what_a_row_names_is_there`]({here})")).is_empty());
        let missing = named(&format!("[`Clause::no`]({here})"), &format!("[`clause`]({here}), [`a`](../crates/no.rs)"));
        assert_eq!(missing.len(), 3, "{missing:?}");
    }

    #[test]
    fn a_must_has_vectors_of_both_verdicts() {
        let vector = |refuses| Vector { clause: Clause { source: "RFC 1".into(), section: "1".into() }, refuses };
        let vectors = [("yes".to_owned(), vector(false)), ("no".to_owned(), vector(true))].into();
        let complaints = |proof: &str| verdicts(&row("[`a::b`](../a.rs)", proof), &vectors).len();
        assert_eq!(
            [complaints("`yes`, `no`"), complaints(""), complaints("`yes`"), complaints("`no`, `none`")],
            [0, 0, 1, 2]
        );
    }

    #[test]
    fn a_chapter_holds_its_sections() {
        let clause = |source: &str, section: &str| Clause { source: source.into(), section: section.into() };
        let held = |section: &str| clause("RFC 1", "7.1").holds(&clause("RFC 1", section));
        assert!(held("7.1") && held("7.1.2") && !held("7.10") && !held("7"));
        assert!(!clause("RFC 2", "7").holds(&clause("RFC 1", "7")));
    }

    #[test]
    fn a_head_counts_its_rows() {
        let rows = [row("[`a::b`](../a.rs)", "`id`"), row("—", "Not ours."), row("—", "Nor this.")];
        assert_eq!(counts(&rows), "**3 rows: 1 with code and its proof, 2 without, which say why.**");
    }
}
