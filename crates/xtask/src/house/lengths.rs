//! How long a file may be before it is more than one noun.

use crate::Fallible;
use crate::repository::Repository;

const LINES: usize = 400;

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for package in &repository.packages {
        for file in repository.files(package.folder.join("src"), "rs")? {
            let lines = repository.read(&file)?.lines().count();
            if lines > LINES {
                complaints.push(format!("{} has {lines} lines, {LINES} are the most", file.display()));
            }
        }
    }
    Ok(complaints)
}
