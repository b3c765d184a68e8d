//! Every link of a page to another file, or to a heading, leads to what is there.

use std::path::Path;

use crate::Fallible;
use crate::markdown::Page;
use crate::repository::Repository;

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for file in repository.files("", "md")? {
        let page = Page::parse(&repository.read(&file)?);
        let folder = file.parent().unwrap_or(Path::new(""));
        for link in page.links.iter().filter(|link| is_ours(link)) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { folder.join(path) };
            if !repository.root.join(&target).exists() {
                complaints.push(format!("{}: {link} leads nowhere", file.display()));
            } else if !heading.is_empty() && target.extension().is_some_and(|extension| extension == "md") {
                let anchors = Page::parse(&repository.read(&target)?).anchors;
                if !anchors.iter().any(|anchor| anchor == heading) {
                    complaints.push(format!("{}: {link} names no heading", file.display()));
                }
            }
        }
    }
    Ok(complaints)
}

/// Neither to elsewhere nor, in a page that is part of a crate's docs, to an item: rustdoc looks after those.
fn is_ours(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:") && !link.contains("::")
}
