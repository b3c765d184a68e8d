//! The test of the simulator: mistakes that are made on purpose, in a copy of the sources, one at a time. Each must be found.
//!
//! A mistake is a file in `crates/simulator/mutations`, written like a patch: what is wrong with it, then the place, with lines that
//! are there (` `), lines that it takes out (`-`) and lines that it puts in (`+`). All of them are built into one program, which an
//! environment variable tells which mistake to make; so the sources that ship are clean, and one build serves all.

mod patch;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;
use patch::Mutation;

/// Where the mistakes are written down.
const FOLDER: &str = "crates/simulator/mutations";

/// What the simulator is built from.
const CRATES: [&str; 5] = ["handshake", "frame", "sse", "reactor", "simulator"];

/// The crate whose sources are changed.
const MUTATED: &str = "crates/reactor/src";

/// Says which mistake to make.
const CHOICE: &str = "LONGWIRE_MUTATION";

/// How it says so inside of the crate.
const CHOSEN: &str = r#"
/// Whether the mistake of this number is made.
pub(crate) fn mutant(number: u32) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<u32>> =
        std::sync::LazyLock::new(|| std::env::var("LONGWIRE_MUTATION").ok()?.parse().ok());
    *CHOSEN == Some(number)
}
"#;

/// So many histories must be enough, beside the sweep.
const SEEDS: &str = "10000";

/// A mistake that makes the loop spin is found when this many seconds have passed.
const PATIENCE: u64 = 20;

/// Makes every mistake, and counts which were found.
pub(crate) fn run(repository: &Repository) -> Fallible<Tally> {
    let mutations = read(repository)?;
    let program = build(repository, &mutations)?;
    if let Some(found) = seek(repository, &program, None)? {
        return Err(format!("without any mistake the simulator finds one:\n{found}").into());
    }
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || -> Result<(), String> {
        while let Some((number, mutation)) = mutations.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let found = seek(repository, &program, Some(number)).map_err(|error| error.to_string())?;
            results.lock().map_err(|error| error.to_string())?.insert(&mutation.name, found);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others = scope.spawn(work);
        work().and(others.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;
    let results = results.into_inner().map_err(|error| error.to_string())?;
    let (mut table, mut failures, mut by_scenarios, mut by_seeds) = (String::new(), Vec::new(), 0, 0);
    for (name, found) in &results {
        match found {
            Some(found) => {
                table += &format!("{name}\n{found}");
                by_scenarios += usize::from(found.contains(SCENARIO));
                by_seeds += usize::from(found.contains(SEED));
            }
            None => failures.push(format!("{name}: nothing notices it")),
        }
    }
    fs::write(report(repository)?, table)?;
    let note = format!(
        "{by_scenarios} found by the sweep, {by_seeds} by {SEEDS} seeds; see {}",
        report(repository)?.display()
    );
    Ok(Tally { passed: results.len() - failures.len(), failures, note })
}

/// Where it is written down what found each mistake.
fn report(repository: &Repository) -> Fallible<PathBuf> {
    Ok(repository.left_behind()?.join("mutations.txt"))
}

/// What found each mistake, when they were made last.
pub(crate) fn findings(repository: &Repository) -> String {
    report(repository).and_then(|path| Ok(fs::read_to_string(path)?)).unwrap_or_default()
}

/// The mistakes, in the order of their names.
fn read(repository: &Repository) -> Fallible<Vec<Mutation>> {
    let files = repository.files(FOLDER, "patch")?;
    files
        .iter()
        .map(|path| {
            let name = path.file_stem().ok_or("a file without a name")?.to_string_lossy();
            Mutation::parse(&name, &repository.read(path)?)
        })
        .collect()
}

/// Copies the sources, makes all mistakes selectable in them, and builds the simulator. Returns where it is.
fn build(repository: &Repository, mutations: &[Mutation]) -> Fallible<PathBuf> {
    let place = repository.left_behind()?.join("mutations");
    let sources = patch::apply(mutations, |file| repository.read(file))?;
    for name in CRATES {
        let folder = Path::new("crates").join(name);
        forget_strangers(repository, &place, &folder.join("src"))?;
        let mut files = repository.files(folder.join("src"), "rs")?;
        files.push(folder.join("Cargo.toml"));
        files.extend(Some(folder.join("README.md")).filter(|readme| repository.root.join(readme).exists()));
        for file in files {
            let mut text = sources.get(&file).cloned().map_or_else(|| repository.read(&file), Ok)?;
            if file == Path::new(MUTATED).join("lib.rs") {
                text += CHOSEN;
            }
            write(&place.join(file), &text)?;
        }
    }
    let members = CRATES.map(|name| format!("crates/{name}"));
    let manifest = repository.read("Cargo.toml")?;
    let top = manifest.lines().map(|line| match line.split_once(" = ") {
        Some(("members", _)) => format!("members = {members:?}"),
        Some(("exclude" | "default-members", _)) => String::new(),
        _ => line.to_owned(),
    });
    write(&place.join("Cargo.toml"), &top.collect::<Vec<_>>().join("\n"))?;
    write(&place.join("Cargo.lock"), &repository.read("Cargo.lock")?)?;
    let words = ["build", "--release", "--package", "longwire-simulator", "--target-dir"];
    // Of what the mistakes leave unused nobody needs to hear.
    Task::cargo(repository, "mutations build", &words)?
        .args([place.join("target")])
        .env("RUSTFLAGS", "--allow warnings")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .folder(&place)
        .succeed()?;
    Ok(place.join("target/release/longwire-simulator"))
}

/// Takes files out of the copy that are not in the sources any more: a module would be there twice when its file has moved.
fn forget_strangers(repository: &Repository, place: &Path, folder: &Path) -> Fallible<()> {
    if place.join(folder).exists() {
        for copy in repository.files(place.join(folder), "rs")? {
            if !repository.root.join(copy.strip_prefix(place)?).exists() {
                fs::remove_file(copy)?;
            }
        }
    }
    Ok(())
}

/// Writes what is not there yet: what did not change is not built again.
fn write(path: &Path, text: &str) -> Fallible<()> {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().ok_or("a file in no folder")?)?;
    Ok(fs::write(path, text)?)
}

/// Runs the simulator with one mistake. What it finds, if it finds anything.
fn seek(repository: &Repository, program: &Path, mutation: Option<usize>) -> Fallible<Option<String>> {
    let number = mutation.map_or("none".into(), |number| number.to_string());
    let task = Task::new(repository, &format!("mutation {number}"), program)?
        .args(["--seeds", SEEDS, "--threads", if mutation.is_some() { "1" } else { "2" }, "--most", "1"])
        .env(CHOICE, number)
        .within(PATIENCE);
    let ended = match task.run() {
        Ok(ended) => ended,
        Err(error) if mutation.is_some() => {
            let first = error.to_string();
            return Ok(Some(shortened(first.lines().next().unwrap_or_default())));
        }
        Err(error) => return Err(error),
    };
    if ended.is_good() {
        return Ok(None);
    }
    let line = |word: &str| ended.said.lines().find(|line| line.starts_with(word)).map(shortened);
    let found: String = [line(SCENARIO), line(SEED)].into_iter().flatten().collect();
    Ok(Some(if found.is_empty() { ended.complaint() } else { found }))
}

/// How the lines begin that tell of a violation.
const SCENARIO: &str = "scenario ";
const SEED: &str = "seed ";

/// As a line below another one, and not longer than two.
fn shortened(line: &str) -> String {
    const MOST: usize = 240;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("    {} …\n", &line[..end]),
        None => format!("    {line}\n"),
    }
}
