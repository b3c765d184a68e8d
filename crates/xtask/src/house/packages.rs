//! What the packages say of themselves, and whom they depend on.

use crate::Fallible;
use crate::process::Task;
use crate::repository::Repository;
use crate::rust::PROTOCOL_CRATES;

/// Who may depend on whom: each row on those of the rows above it, the first row's packages not even on each other.
const FLOORS: [&[&str]; 3] = [&PROTOCOL_CRATES, &["longwire-reactor"], &["longwire"]];

/// For whatever purpose, tests included.
pub(super) fn arrows(repository: &Repository) -> Fallible<Vec<String>> {
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    let mut complaints = Vec::new();
    for package in repository.published() {
        let Some(above) = floor(&package.name) else {
            complaints.push(format!("{} has no floor in the house", package.name));
            continue;
        };
        let upwards = package.dependencies().filter(|name| floor(name).is_some_and(|floor| floor >= above));
        complaints.extend(upwards.map(|name| format!("{} depends on {name}", package.name)));
    }
    Ok(complaints)
}

/// A registry shows these, and a reader looks for them.
pub(super) fn metadata(repository: &Repository) -> Fallible<Vec<String>> {
    const FIELDS: [&str; 8] =
        ["description", "keywords", "categories", "license", "repository", "homepage", "readme", "rust_version"];
    let mut complaints = Vec::new();
    for package in repository.published() {
        for field in FIELDS {
            let value = &package.manifest[field];
            if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
                complaints.push(format!("{}: no {field}", package.name));
            }
        }
        for file in ["README.md", "Cargo.toml"] {
            if !repository.root.join(&package.folder).join(file).is_file() {
                complaints.push(format!("{}: no {file}", package.name));
            }
        }
    }
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md", "README.md", "Cargo.lock"] {
        if !repository.root.join(file).is_file() {
            complaints.push(format!("there is no {file}"));
        }
    }
    Ok(complaints)
}

/// How many crates each package pulls in, itself not counted.
pub(super) fn counts(repository: &Repository) -> Fallible<String> {
    let mut counts = Vec::new();
    for name in FLOORS.concat() {
        let words = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package", name];
        let tree = Task::cargo(repository, &format!("tree {name}"), &words)?.succeed()?;
        let mut packages: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        packages.sort_unstable();
        packages.dedup();
        counts.push(format!("{name} {}", packages.len().saturating_sub(1)));
    }
    Ok(format!("crates pulled in by {}", counts.join(", ")))
}
