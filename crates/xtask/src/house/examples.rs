//! The examples that people see first: each is short, and stands in the README word for word.

use crate::Fallible;
use crate::markdown::Page;
use crate::repository::Repository;

/// An example and its lines at most.
const EXAMPLES: [(&str, usize); 3] = [("echo", 16), ("chat", 26), ("clock", 25)];

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let readme = Page::parse(&repository.read("README.md")?);
    let mut complaints = Vec::new();
    for (name, most) in EXAMPLES {
        let path = format!("crates/reactor/examples/{name}.rs");
        let text = repository.read(&path)?;
        let lines = text.lines().count();
        if lines > most {
            complaints.push(format!("{path} has {lines} lines, {most} are the most"));
        }
        if !readme.blocks.iter().any(|block| block.language == "rust" && block.text == text) {
            complaints.push(format!("README.md: {path} does not stand there word for word"));
        }
    }
    Ok(complaints)
}
