//! docs/ARCHITECTURE.md names every room: each module of each crate, and none that is not there.

use std::collections::BTreeSet;

use crate::Fallible;
use crate::markdown::Page;
use crate::repository::Repository;

const PAGE: &str = "docs/ARCHITECTURE.md";
/// The listing is the text whose first line begins with this.
const FIRST: &str = "handshake/src ";
/// Where the names of modules begin; what stands further in belongs to the folder above it.
const INDENT: usize = 16;

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let page = Page::parse(&repository.read(PAGE)?);
    let block = page.blocks.iter().find(|block| block.text.starts_with(FIRST)).ok_or("there is no listing of rooms")?;
    let mut complaints = Vec::new();
    let listing = listing(&block.text);
    for package in repository.packages.iter().filter(|package| package.folder.starts_with("crates")) {
        let sources = package.folder.join("src");
        let files: Vec<String> = repository
            .files(&sources, "rs")?
            .iter()
            .filter_map(|file| {
                let name = file.strip_prefix(&sources).ok()?.with_extension("");
                Some(name.to_string_lossy().into_owned())
            })
            .collect();
        let is_root = |name: &String| ["lib", "main"].contains(&name.as_str());
        let place = sources.strip_prefix("crates")?.to_string_lossy();
        match listing.iter().find(|(name, _)| *name == place) {
            Some((_, named)) => {
                let is_there = |name: &str| {
                    let path = repository.root.join(&sources).join(name);
                    path.is_dir() || path.with_extension("rs").is_file()
                };
                let found = differences(&files, named, is_there).into_iter();
                complaints.extend(found.map(|complaint| format!("{PAGE}: {place}: {complaint}")));
            }
            None if files.iter().all(is_root) => {}
            None => complaints.push(format!("{PAGE}: the rooms of {place} are not named")),
        }
    }
    Ok(complaints)
}

/// What is named without being there, and what is there without being named. The root needs no name.
fn differences(files: &[String], named: &BTreeSet<String>, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let is_of = |file: &str, name: &str| file == name || name.ends_with('/') && file.starts_with(name);
    let gone = named.iter().filter(|name| !is_there(name)).map(|name| format!("there is no {name}"));
    let unnamed = files.iter().filter(|file| *file != "lib" && *file != "main");
    let unnamed = unnamed.filter(|file| !named.iter().any(|name| is_of(file, name)));
    gone.chain(unnamed.map(|file| format!("{file} is not named"))).collect()
}

/// For each crate the modules that are named: columns of crate, names and remark. A folder whose `mod` is named has its modules
/// named behind it; another stands for all that is in it.
fn listing(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut listing: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        // One blank may be all that stands behind the name of a crate.
        let (package, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !package.is_empty() {
            listing.push((package.into(), BTreeSet::new()));
        }
        let mut columns = rest.split("  ").filter(|column| !column.trim().is_empty());
        let Some((_, named)) = listing.last_mut() else { continue };
        if line.len() - line.trim_start().len() <= INDENT {
            open.clear();
        }
        let mut names = columns.next().unwrap_or_default().split_whitespace().peekable();
        while let Some(name) = names.next() {
            if name.ends_with('/') && names.peek() == Some(&"mod") {
                open = name.into();
            } else {
                named.insert(format!("{open}{name}"));
            }
        }
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "a/src           one two          what they are\n\
                           \x20               in/ mod three     more\n\
                           \x20                   four\n\
                           \x20               all/ five\n\
                           letters/of/src/ six\n";

    #[test]
    fn names_are_read_with_their_folders() {
        let listing = listing(LISTING);
        let names = |at: usize| listing[at].1.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(names(0), ["all/", "five", "in/four", "in/mod", "in/three", "one", "two"]);
        assert_eq!((listing[1].0.as_str(), names(1)), ("letters/of/src/", vec!["six"]));
    }

    #[test]
    fn a_room_without_a_name_is_found_and_a_name_without_a_room() {
        let named = &listing(LISTING)[0].1;
        let mut files: Vec<String> =
            ["lib", "one", "two", "in/mod", "in/three", "in/four", "all/six", "five"].map(String::from).into();
        assert!(differences(&files, named, |_| true).is_empty());
        files.extend(["in/six".into(), "all/seven".into()]);
        let found = differences(&files, named, |name| name != "two");
        assert_eq!(found, ["there is no two", "in/six is not named"]);
    }
}
