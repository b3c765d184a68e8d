//! What must be nowhere. docs/ARCHITECTURE.md says each absence in a sentence; here each has its check, and neither list may have
//! one that the other has not.

use std::path::{Path, PathBuf};

use crate::Fallible;
use crate::repository::Repository;
use crate::source::Source;

const PAGE: &str = "docs/ARCHITECTURE.md";

/// An absence: words of its sentence on the page, and what looks after it.
struct Absence {
    says: &'static str,
    complaints: fn(&Repository) -> Fallible<Vec<String>>,
}

const ABSENCES: &[Absence] = &[
    Absence { says: "use no `std` and, but for frame's feature `alloc`, no `alloc`", complaints: no_std },
    Absence { says: "None of those three depends on another", complaints: super::packages::arrows },
    Absence {
        says: "`mio` is named in `crates/reactor/src/sys/mio.rs` and nowhere else in our crates",
        complaints: no_mio,
    },
    Absence { says: "`nix` is named in `sys/mio.rs` and `sys/alarm.rs` beside it", complaints: no_nix },
    Absence { says: "No crate that ships contains `unsafe`: each root forbids it", complaints: no_unsafe },
    Absence { says: "`crates/reactor/src/session/` names no socket and no clock", complaints: no_machine_in_sessions },
    Absence {
        says: "where the order of things is decided, names nothing of a protocol",
        complaints: no_protocol_in_the_turn,
    },
];

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let sentences = sentences(&repository.read(PAGE)?);
    let mut complaints: Vec<String> = sentences
        .iter()
        .filter(|sentence| !ABSENCES.iter().any(|absence| sentence.contains(absence.says)))
        .map(|sentence| format!("{PAGE}: nothing checks that {sentence:?}"))
        .collect();
    for absence in ABSENCES {
        if !sentences.iter().any(|sentence| sentence.contains(absence.says)) {
            complaints.push(format!("{PAGE} does not say: {}", absence.says));
        }
        complaints.extend((absence.complaints)(repository)?);
    }
    Ok(complaints)
}

/// The items of the list under "Absences", each on one line.
fn sentences(page: &str) -> Vec<String> {
    let section = page.split("\n## ").find(|section| section.starts_with("Absences")).unwrap_or_default();
    let items = section.split("\n* ").skip(1);
    items.map(|item| item.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Complaints about every place where a file that is asked for has one of these phrases.
fn phrases(repository: &Repository, files: &[PathBuf], phrases: &[&str]) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for file in files {
        let source = read(repository, file)?;
        for phrase in phrases {
            complaints.extend(source.lines_with(phrase).map(|line| format!("{}:{line}: {phrase}", file.display())));
        }
    }
    Ok(complaints)
}

fn read(repository: &Repository, file: &Path) -> Fallible<Source> {
    Source::shipped(&repository.read(file)?).map_err(|error| format!("{}: {error}", file.display()).into())
}

fn no_std(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for (name, has_alloc) in [("handshake", false), ("frame", true), ("sse", false)] {
        let files = repository.files(format!("crates/{name}/src"), "rs")?;
        complaints.extend(phrases(repository, &files, &["std : :", "extern crate std"])?);
        let root = PathBuf::from(format!("crates/{name}/src/lib.rs"));
        if !read(repository, &root)?.has("# ! [ no_std ]") {
            complaints.push(format!("{}: no #![no_std]", root.display()));
        }
        // With alloc only behind the feature, whatever uses it is behind the feature, or does not compile without.
        let hidden = "# [ cfg ( feature = \"alloc\" ) ] extern crate alloc ;";
        let shown = phrases(repository, &files, &["extern crate alloc"])?;
        if shown.len() > usize::from(has_alloc && read(repository, &root)?.has(hidden)) {
            complaints.extend(shown);
        }
    }
    Ok(complaints)
}

fn no_mio(repository: &Repository) -> Fallible<Vec<String>> {
    let mut files = repository.files("crates", "rs")?;
    files.extend(repository.files("benches/benches", "rs")?);
    files.extend(repository.files("benches/examples", "rs")?);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("crates/reactor/src/sys/mio.rs")) {
        // Where a module has this name, the module is meant.
        if !read(repository, file)?.has("mod mio ;") {
            complaints.extend(phrases(repository, std::slice::from_ref(file), &["mio : :", "use mio", "crate mio"])?);
        }
    }
    Ok(complaints)
}

fn no_nix(repository: &Repository) -> Fallible<Vec<String>> {
    let mut files = repository.files("crates", "rs")?;
    files.retain(|file| {
        !["mio.rs", "alarm.rs"].iter().any(|name| *file == Path::new("crates/reactor/src/sys").join(name))
    });
    phrases(repository, &files, &["nix : :", "use nix", "crate nix"])
}

/// Tests included: nothing that is compiled here needs it, but for the attribute of the one proof that links without std.
fn no_unsafe(repository: &Repository) -> Fallible<Vec<String>> {
    let mut complaints = Vec::new();
    for file in repository.files("", "rs")?.iter().filter(|file| !file.starts_with("crates/xtask/no_std")) {
        let text = repository.read(file)?;
        let source = Source::whole(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        complaints.extend(source.lines_with("unsafe").map(|line| format!("{}:{line}: unsafe", file.display())));
        let is_root = file.ends_with("src/lib.rs") || file.ends_with("src/main.rs");
        if is_root && !source.has("# ! [ forbid ( unsafe_code ) ]") {
            complaints.push(format!("{}: no #![forbid(unsafe_code)]", file.display()));
        }
    }
    Ok(complaints)
}

/// A session is lent bytes and time.
fn no_machine_in_sessions(repository: &Repository) -> Fallible<Vec<String>> {
    const OF_THE_MACHINE: [&str; 5] = ["std : : net", "Instant", "SystemTime", "Sys", "Wires"];
    phrases(repository, &repository.files("crates/reactor/src/session", "rs")?, &OF_THE_MACHINE)
}

/// The order of things is decided there; what a rule of a protocol means is decided in `session/`.
fn no_protocol_in_the_turn(repository: &Repository) -> Fallible<Vec<String>> {
    const OF_A_PROTOCOL: [&str; 12] = [
        "Frames",
        "Header",
        "Message",
        "Opcode",
        "Close",
        "CloseCode",
        "Request",
        "Status",
        "Refusal",
        "FieldName",
        "Event",
        "Upgrade",
    ];
    phrases(repository, &repository.files("crates/reactor/src/turn", "rs")?, &OF_A_PROTOCOL)
}
