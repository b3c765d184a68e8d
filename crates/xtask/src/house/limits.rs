//! docs/limits.md says what the code says: a row for every limit, with its default, its flag and the tests that prove it.

use std::collections::{BTreeMap, BTreeSet};

use super::named_tests;
use super::settings::{Value, defaults, flags};
use crate::Fallible;
use crate::markdown::{Cell, tables};
use crate::repository::Repository;
use crate::source::Source;

const PAGE: &str = "docs/limits.md";
/// The tables that hold limits begin with these columns.
const COLUMNS: [&str; 3] = ["Limit", "Default", "Flag"];

/// The table of what is no setting begins with this column.
const CONSTANTS: &str = "Constant";

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let tables = tables(&repository.read(PAGE)?);
    let (defaults, flags) = (defaults(repository)?, flags(repository)?);
    let mut complaints = named_tests::complaints(repository, PAGE, &tables)?;
    let mut seen = BTreeSet::new();
    for table in &tables {
        let is_of_limits = table.first().is_some_and(|head| head.iter().map(|cell| &cell.text).take(3).eq(COLUMNS));
        for row in table.iter().skip(1).filter(|_| is_of_limits) {
            complaints.extend(row_complaints(row, &defaults, &flags).map(|complaint| format!("{PAGE}: {complaint}")));
            if !seen.insert(row[0].text.clone()) {
                complaints.push(format!("{PAGE}: {} has two rows", row[0].text));
            }
        }
    }
    for table in tables.iter().filter(|table| table[0][0].text == CONSTANTS) {
        complaints.extend(constants(repository, &table[1..])?);
    }
    let forgotten = defaults.keys().filter(|name| !seen.contains(*name));
    complaints.extend(forgotten.map(|name| format!("{PAGE}: {name} has no row")));
    Ok(complaints)
}

/// Constants that are not where the table says.
fn constants(repository: &Repository, rows: &[Vec<Cell>]) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for row in rows {
        let link = row[2].links.first().ok_or("a constant without a place")?;
        let source = Source::shipped(&repository.read(link.to.trim_start_matches("../"))?)?;
        let missing = row[0].codes.iter().filter(|name| !source.has(&format!("const {name} :")));
        complaints.extend(missing.map(|name| format!("{PAGE}: there is no {name} in {}", link.to)));
    }
    Ok(complaints)
}

/// What is not so in one row: a limit, its default, its flag.
fn row_complaints(
    row: &[Cell],
    defaults: &BTreeMap<String, Value>,
    flags: &BTreeMap<String, String>,
) -> impl Iterator<Item = String> {
    let (name, default, flag) = (&row[0].text, &row[1].text, row[2].codes.first());
    let no_such = (!defaults.contains_key(name)).then(|| format!("there is no limit {name}"));
    let other_default = defaults
        .get(name)
        .filter(|value| Value::said(default).as_ref() != Some(*value))
        .map(|value| format!("the default of {name} is {value:?}, not {default:?}"));
    let other_flag = (flags.get(name) != flag)
        .then(|| format!("the flag of {name} is {}, not {flag:?}", flags.get(name).map_or("none", String::as_str)));
    [no_such, other_default, other_flag].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_says_something_else_is_found() {
        let cell = |text: &str| Cell { text: text.into(), codes: vec![text.into()], ..Cell::default() };
        let no_flag = || Cell { text: "—".into(), ..Cell::default() };
        let defaults = BTreeMap::from([("body".into(), Value::Number(1 << 20)), ("age".into(), Value::Off)]);
        let flags = BTreeMap::from([("body".into(), "--max-body".into())]);
        let complain = |row: [Cell; 3]| row_complaints(&row, &defaults, &flags).collect::<Vec<_>>();
        assert!(complain([cell("body"), cell("1 MiB"), cell("--max-body")]).is_empty());
        assert!(complain([cell("age"), cell("off"), no_flag()]).is_empty());
        assert_eq!(complain([cell("body"), cell("1 KiB"), cell("--max-body")]).len(), 1);
        assert_eq!(complain([cell("body"), cell("1 MiB"), no_flag()]).len(), 1);
        assert_eq!(complain([cell("age"), cell("off"), cell("--age")]).len(), 1);
        assert_eq!(complain([cell("bodies"), cell("1 MiB"), no_flag()]).len(), 1);
    }
}
