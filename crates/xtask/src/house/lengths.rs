//! How long a file may be before it is more than one noun.

use crate::Fallible;
use crate::repository::Repository;

const LINES: usize = 400;

/// Files that may be longer, up to where, and why.
const LONGER: &[(&str, usize, &str)] =
    &[("crates/reactor/src/topics.rs", 600, "a third of it is its tests, with a model of what topics are")];

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for package in &repository.packages {
        for file in repository.files(package.folder.join("src"), "rs")? {
            let lines = repository.read(&file)?.lines().count();
            let exempt = LONGER.iter().find(|(path, ..)| file.ends_with(path));
            let most = exempt.map_or(LINES, |(_, most, _)| *most);
            if lines > most {
                complaints.push(format!("{} has {lines} lines, {most} are the most", file.display()));
            }
        }
    }
    for (path, _, why) in LONGER {
        if !repository.root.join(path).is_file() {
            complaints.push(format!("{path} ({why}) is not there"));
        }
    }
    Ok(complaints)
}
