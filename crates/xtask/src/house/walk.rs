//! docs/one-connection.md names a rule and a function for each of its lines: the rule has a form, the function is where the page
//! says, and the application is the one that the test has. (What the bytes say, that test looks after.)

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Fallible;
use crate::items::items;
use crate::markdown::{Page, tables};
use crate::repository::Repository;

const PAGE: &str = "docs/one-connection.md";
const APPLICATION: &str = "crates/reactor/tests/reactor/walk/app.rs";

/// What a rule is in.
const SOURCES: [&str; 6] = ["RFC 6455", "RFC 7692", "RFC 9110", "RFC 9111", "RFC 9112", "HTML"];

/// What the head of the column is that names functions.
const FUNCTIONS: &str = "Functions";

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let text = repository.read(PAGE)?;
    let blocks = Page::parse(&text).blocks;
    let mut complaints = Vec::new();
    let application = repository.read(APPLICATION)?;
    if !blocks.iter().any(|block| block.language == "rust" && block.text == application) {
        complaints.push(format!("{PAGE}: {APPLICATION} does not stand there word for word"));
    }
    let (mut used, mut homes) = (BTreeSet::new(), homes(&text));
    let rows = blocks.iter().filter(|block| block.language == "text").flat_map(|block| block.text.lines());
    for (rule, function) in rows.filter_map(last_columns) {
        if !is_rule(rule) {
            complaints.push(format!("{PAGE}: {rule} is no rule"));
        }
        used.insert(function.to_owned());
    }
    if used.is_empty() {
        return Err(format!("{PAGE} has no rows").into());
    }
    for function in used {
        let Some(file) = homes.remove(&function) else {
            complaints.push(format!("{PAGE} does not say where {function} is"));
            continue;
        };
        if !items(&file, &repository.read(&file)?)?.contains(&function) {
            complaints.push(format!("{PAGE}: there is no {function} in {}", file.display()));
        }
    }
    complaints.extend(homes.keys().map(|function| format!("{PAGE}: no line needs {function}")));
    Ok(complaints)
}

/// The rule and the function of a row: the last two of four columns.
fn last_columns(row: &str) -> Option<(&str, &str)> {
    let columns: Vec<&str> = row.split('│').map(str::trim).collect();
    if let [_, _, rule, function] = columns[..] { Some((rule, function)) } else { None }
}

fn is_rule(rule: &str) -> bool {
    let section = rule.rsplit_once(" §").filter(|(source, _)| SOURCES.contains(source));
    section.is_some_and(|(_, section)| section.split('.').all(|number| number.parse::<u8>().is_ok()))
}

/// In which file each function is, as the page's table says.
fn homes(page: &str) -> BTreeMap<String, PathBuf> {
    let mut homes = BTreeMap::new();
    for table in tables(page) {
        let Some((_, rows)) = table.split_first().filter(|(head, _)| head.iter().any(|cell| cell.text == FUNCTIONS))
        else {
            continue;
        };
        for row in rows {
            let file = Path::new("crates").join(&row[0].text);
            homes.extend(row[1].codes.iter().map(|function| (function.clone(), file.clone())));
        }
    }
    homes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_rule_and_a_function_and_a_line_of_the_picture_has_none() {
        assert_eq!(last_columns("81 │ FIN │ RFC 6455 §5.2 │ A::b"), Some(("RFC 6455 §5.2", "A::b")));
        assert_eq!(last_columns("  1.1  │── text ──►│    a message"), None);
        assert_eq!(last_columns("1.1  client ►"), None);
    }

    #[test]
    fn a_rule_is_a_section_of_a_source_that_is_known() {
        assert!(["RFC 6455 §5.5.1", "HTML §9.2.6", "RFC 9112 §3"].into_iter().all(is_rule));
        assert!(!["§5.2", "RFC 6455", "RFC 6455 §", "RFC 6455 §5.x", "RFC 1 §2"].into_iter().any(is_rule));
    }

    #[test]
    fn the_table_says_where_functions_are() {
        let homes = homes("| File | Functions |\n|---|---|\n| [x/src/a.rs](../crates/x/src/a.rs) | `A::b`, `a::c` |\n");
        let file = PathBuf::from("crates/x/src/a.rs");
        assert_eq!(homes, [("A::b".to_owned(), file.clone()), ("a::c".to_owned(), file)].into());
        assert!(super::homes("| File | Other |\n|---|---|\n| a | `b` |\n").is_empty());
    }
}
