//! `cargo xtask fuzz SECONDS [NAME…]`: libFuzzer on the properties of fuzz/, one process for each core, with stable Rust. What cargo-fuzz tells
//! the compiler of a nightly is told here to any: where the code branches, and what it compares. (It looks for no misuse of memory: there is
//! no `unsafe` in what is fuzzed but that of three dependencies; cargo-fuzz does.)

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;

const FOLDER: &str = "fuzz";
const TARGET: &str = "x86_64-unknown-linux-gnu";

const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What came of a property.
struct Fuzzed {
    name: String,
    runs: u64,
    /// Edges that were passed, and inputs that each pass others.
    edges: u64,
    inputs: u64,
}

/// Builds all properties into one program, and fuzzes those of these names, or all, for so many seconds each.
pub(crate) fn run(repository: &Repository, seconds: u64, names: &[&str]) -> Fallible<Tally> {
    let program = build(repository)?;
    let mut all: Vec<String> = fs::read_dir(repository.root.join(FOLDER).join("seeds"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Fallible<_>>()?;
    all.sort();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|known| known == *name)) {
        return Err(format!("there is no property {unknown}, but {}", all.join(", ")).into());
    }
    let chosen: Vec<String> = all.into_iter().filter(|name| names.is_empty() || names.contains(&&**name)).collect();
    let dictionaries = dictionaries(repository)?;

    let waiting = Mutex::new(chosen.into_iter());
    let (fuzzed, failures) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                // A statement of its own: who fuzzes must not hold the lock.
                while let Some(name) = { waiting.lock().expect("nobody panics here").next() } {
                    match fuzz(repository, &program, &name, seconds, dictionary(&dictionaries, &name)) {
                        Ok(one) => fuzzed.lock().expect("nobody panics here").push(one),
                        Err(error) => failures.lock().expect("nobody panics here").push(format!("{name}: {error}")),
                    }
                }
            });
        }
    });
    let (fuzzed, failures) = (fuzzed.into_inner()?, failures.into_inner()?);
    if seconds >= 60 {
        for Fuzzed { name, runs, edges, inputs } in &fuzzed {
            println!("  | `{name}` | {runs} | {edges} | {inputs} |");
        }
    }
    let runs: u64 = fuzzed.iter().map(|one| one.runs).sum();
    Ok(Tally { passed: fuzzed.len(), failures, note: format!("{runs} runs, {seconds} s each") })
}

fn build(repository: &Repository) -> Fallible<PathBuf> {
    let target = repository.target.join("fuzz");
    // The vectors, as inputs to begin with.
    Task::cargo(repository, "fuzz corpus", &["run", "--locked", "--bin", "corpus", "--target-dir"])?
        .args([&repository.target])
        .folder(FOLDER)
        .succeed()?;
    Task::cargo(repository, "fuzz build", &["build", "--release", "--locked", "--bin", "any", "--target", TARGET])?
        .args(["--target-dir".into(), target.clone()])
        .env("RUSTFLAGS", FLAGS)
        .folder(FOLDER)
        .succeed()?;
    Ok(target.join(TARGET).join("release/any"))
}

/// The dictionaries, each with its first line, which names the properties that it is for behind a colon.
fn dictionaries(repository: &Repository) -> Fallible<Vec<(String, PathBuf)>> {
    let files = repository.files("fuzz/dictionaries", "dict")?;
    let first = |file: PathBuf| {
        let text = repository.read(&file)?;
        Ok((text.lines().next().unwrap_or_default().to_owned(), repository.root.join(file)))
    };
    files.into_iter().map(first).collect()
}

fn dictionary<'a>(dictionaries: &'a [(String, PathBuf)], name: &str) -> Option<&'a PathBuf> {
    let names = |line: &str| {
        let (_, names) = line.split_once(": ")?;
        Some(names.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name))
    };
    dictionaries.iter().find(|(line, _)| names(line) == Some(true)).map(|(_, file)| file)
}

fn fuzz(
    repository: &Repository,
    program: &PathBuf,
    name: &str,
    seconds: u64,
    dictionary: Option<&PathBuf>,
) -> Fallible<Fuzzed> {
    let here = repository.root.join(FOLDER);
    let [corpus, artifacts] = ["corpus", "artifacts"].map(|folder| here.join(folder).join(name));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let ended = Task::new(repository, &format!("fuzz {name}"), program)?
        .env("PROPERTY", name)
        .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", artifacts.display())])
        .args(["-max_len=4096", "-print_final_stats=1", "-timeout=20"])
        .args(dictionary.map(|file| format!("-dict={}", file.display())))
        .args([corpus, here.join("seeds").join(name)])
        .within(2 * seconds + 120)
        .run()?;
    if !ended.is_good() {
        return Err(ended.complaint().into());
    }
    let number = |word: &str| {
        let (_, rest) = ended.said.rsplit_once(word)?;
        rest.split(|letter: char| !letter.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
    };
    let told = number("number_of_executed_units:").zip(number("cov:")).zip(number("corp:"));
    let ((runs, edges), inputs) = told.ok_or_else(|| format!("it says no numbers; {}", ended.complaint()))?;
    Ok(Fuzzed { name: name.into(), runs, edges, inputs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_for_those_that_its_first_line_names() {
        let file = PathBuf::from("frames.dict");
        let dictionaries = [("# Frames, for targets: decoder, naive_frames and pair.".to_owned(), file.clone())];
        for name in ["decoder", "naive_frames", "pair"] {
            assert_eq!(dictionary(&dictionaries, name), Some(&file), "{name}");
        }
        assert_eq!(dictionary(&dictionaries, "frames"), None);
    }
}
