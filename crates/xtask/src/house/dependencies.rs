//! docs/dependencies.md has a row for each crate that the libraries pull in, and says of each how often its sources say `unsafe`; and none of
//! them wants a newer Rust than we say we do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Fallible;
use crate::markdown::tables;
use crate::repository::Repository;
use crate::source::Source;

const PAGE: &str = "docs/dependencies.md";
const PROGRAM: &str = "longwire";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What the table says of a crate whose root forbids the word, with the features that we ask for.
const FORBIDDEN: &str = "forbidden";

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let pages = tables(&repository.read(PAGE)?);
    let rows = pages.first().and_then(|table| table.get(1..)).ok_or("there is no table")?;
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    let mut complaints = Vec::new();
    for row in rows {
        let name = row[0].codes.first().ok_or("a row that names no crate")?;
        said.insert(name, &row[1].text);
    }
    for Dependency { name, root, wants } in pulled_in(repository)? {
        let seen = if forbids(&root)? { FORBIDDEN.into() } else { uses(&root)?.to_string() };
        match said.remove(name.as_str()) {
            Some(count) if count == seen => {}
            Some(count) => complaints.push(format!("{PAGE}: {name}: {count} instead of {seen}")),
            None => complaints.push(format!("{PAGE}: {name} is not there ({seen})")),
        }
        complaints.extend(wants.map(|wants| format!("{name} wants Rust {wants}")));
    }
    complaints.extend(said.keys().map(|name| format!("{PAGE}: nobody pulls in {name}")));
    Ok(complaints)
}

/// A crate of somebody else's.
struct Dependency {
    name: String,
    /// Its root file.
    root: PathBuf,
    /// The Rust that it wants, if that is newer than what we say.
    wants: Option<String>,
}

/// What the four libraries need on this kind of machine when they are built, with all their features.
fn pulled_in(repository: &Repository) -> Fallible<Vec<Dependency>> {
    let libraries = repository.published().map(|package| package.name.as_str()).filter(|name| *name != PROGRAM);
    let words = ["tree", "--locked", "--all-features", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"];
    let target = ["--target", TARGET, "--format", "{p}"];
    let tree = cargo(words.into_iter().chain(target).chain(libraries.flat_map(|name| ["--package", name])))?;
    // "name v1.2.3", and behind that whence it comes.
    let named: BTreeSet<(&str, &str)> =
        tree.lines().filter_map(|line| line.split(' ').next().zip(line.split(' ').nth(1)?.strip_prefix('v'))).collect();

    let words = ["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET];
    let metadata: Value = serde_json::from_str(&cargo(words.into_iter())?)?;
    let ours = repository.packages.first().map(|package| version(text(&package.manifest["rust_version"])));
    let packages = metadata["packages"].as_array().ok_or("no packages")?.iter();
    let others = packages.filter(|package| !package["source"].is_null());
    let others = others.filter(|package| named.contains(&(text(&package["name"]), text(&package["version"]))));
    Ok(others
        .map(|package| {
            let is_root =
                |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.contains(&"lib".into()));
            let root = package["targets"].as_array().into_iter().flatten().find(is_root);
            let root = root.map_or_else(PathBuf::new, |root| text(&root["src_path"]).into());
            let wants = package["rust_version"].as_str().map(String::from);
            let wants = wants.filter(|wants| Some(version(wants)) > ours);
            Dependency { name: text(&package["name"]).into(), root, wants }
        })
        .collect())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn cargo<'a>(words: impl Iterator<Item = &'a str>) -> Fallible<String> {
    let output = Command::new("cargo").args(words).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A version's numbers, which compare as versions do.
fn version(text: &str) -> [u32; 3] {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

/// Whether the root forbids the word, unless a feature allows it that has `unsafe` in its name; of these we ask for none.
fn forbids(root: &Path) -> Fallible<bool> {
    let source = Source::whole(&fs::read_to_string(root)?)?;
    let behind_a_feature = "forbid ( unsafe_code ) ) ]";
    Ok(source.has("# ! [ forbid ( unsafe_code ) ]") || source.has(behind_a_feature))
}

/// How often the word stands in the files of a crate, those for other machines and for tests included.
fn uses(root: &Path) -> Fallible<usize> {
    let mut folders = vec![root.parent().ok_or("a root without a folder")?.to_owned()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                count += Source::whole(&fs::read_to_string(&path)?)?.lines_with("unsafe").count();
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(super::version("1.88") > super::version("1.9.3") && super::version("1.88") == super::version("1.88.0"));
    }
}
