//! What the library takes of a program: bytes of machine code for each crate, with and without its feature, in the smallest server that it makes,
//! and what such a server is beside a program that only says hello. docs/embedding.md has the table; a rise above it is a regression.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};

use crate::Fallible;
use crate::markdown::{replace_between, tables};
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;

const PAGE: &str = "docs/embedding.md";

/// The table lies between these.
const MARKS: [&str; 2] = ["<!-- sizes -->\n", "<!-- end of sizes -->"];

/// Crates that have a row; all else is Rust's own library, and what of others was inlined there.
const CRATES: [&str; 11] = [
    "longwire_handshake",
    "longwire_frame",
    "longwire_sse",
    "longwire_reactor",
    "mio",
    "socket2",
    "nix",
    "sha1",
    "base64",
    "httparse",
    "zlib_rs",
];

/// A rise that is one.
const RISE: f64 = 1.03;

/// Rows of the table: what it is, without compression and with it.
type Rows = Vec<(String, [u64; 2])>;

/// Measures, and compares with the page, or writes the page's table.
pub(crate) fn run(repository: &Repository, keep: bool) -> Fallible<Tally> {
    let hello = hello(repository)?;
    let plain = build(repository, &[])?;
    let deflate = build(repository, &["--features", "deflate"])?;
    let mut rows: Rows = CRATES.iter().map(|name| (format!("`{name}`"), [plain.of(name), deflate.of(name)])).collect();
    rows.push(("the example, and what was inlined into it".into(), [plain.of("echo"), deflate.of("echo")]));
    rows.push(("Rust's library, and all else".into(), [plain.rest(), deflate.rest()]));
    rows.push(("data: constants, and what linking needs".into(), [plain.data(), deflate.data()]));
    rows.push(("**the whole program, stripped**".into(), [plain.stripped, deflate.stripped]));
    rows.push(("**beyond one that says hello**".into(), [plain.stripped - hello, deflate.stripped - hello]));
    let page = repository.read(PAGE)?;
    if keep {
        fs::write(PAGE, replace_between(&page, MARKS, &table(&rows))?)?;
    }
    let failures = if keep { Vec::new() } else { rises(&rows, &page) };
    let beyond = rows.last().map(|(_, sizes)| sizes[0]).unwrap_or_default();
    Ok(Tally::complaints(failures).noting(format!("{} KiB beyond hello", kib(beyond))))
}

/// Bytes as the table has them.
fn kib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1_024.0)
}

fn table(rows: &Rows) -> String {
    let lines =
        rows.iter().map(|(name, [plain, deflate])| format!("| {name} | {} | {} |\n", kib(*plain), kib(*deflate)));
    format!("| KiB | without `deflate` | with it |\n|---|---|---|\n{}", lines.collect::<String>())
}

/// What has grown, by the page.
fn rises(rows: &Rows, page: &str) -> Vec<String> {
    let told: BTreeMap<String, [f64; 2]> = tables(page)
        .iter()
        .flatten()
        .filter_map(|row| {
            let number = |at: usize| row.get(at)?.text.parse().ok();
            Some((row.first()?.text.clone(), [number(1)?, number(2)?]))
        })
        .collect();
    let mut rises = Vec::new();
    for (name, sizes) in rows {
        let plain: String = name.chars().filter(|letter| !"`*".contains(*letter)).collect();
        let Some(before) = told.get(&plain) else {
            rises.push(format!("{PAGE} has no row for {plain}"));
            continue;
        };
        for (now, then) in sizes.iter().zip(before) {
            let now = *now as f64 / 1_024.0;
            // What is tiny may double.
            if now > then * RISE && now > then + 0.5 {
                rises.push(format!("{plain}: {now:.1} KiB instead of {then}"));
            }
        }
    }
    rises
}

/// A program, taken apart.
struct Program {
    /// Bytes of machine code for each crate.
    code: BTreeMap<String, u64>,
    /// Bytes of the file without its symbols.
    stripped: u64,
}

impl Program {
    fn of(&self, name: &str) -> u64 {
        self.code.get(name).copied().unwrap_or_default()
    }

    /// What is no machine code.
    fn data(&self) -> u64 {
        self.stripped - self.code.values().sum::<u64>()
    }

    fn rest(&self) -> u64 {
        self.code.values().sum::<u64>() - CRATES.iter().map(|name| self.of(name)).sum::<u64>() - self.of("echo")
    }
}

/// Builds the smallest server twice, for its symbols and for its size.
fn build(repository: &Repository, features: &[&str]) -> Fallible<Program> {
    let folder = repository.target.join("size");
    let words = ["build", "--profile", "smallest", "--example", "echo", "--package", "longwire-reactor"];
    let built = |strip: &str| -> Fallible<PathBuf> {
        Task::cargo(repository, "size build", &words)?
            .args(features)
            .env("CARGO_PROFILE_SMALLEST_STRIP", strip)
            .env("CARGO_TARGET_DIR", folder.join(strip))
            .succeed()?;
        Ok(folder.join(strip).join("smallest/examples/echo"))
    };
    let stripped = fs::metadata(built("symbols")?)?.len();
    Ok(Program { code: code(&built("none")?)?, stripped })
}

/// Sums up the functions of a file by the crate that stands first in their names.
fn code(file: &Path) -> Fallible<BTreeMap<String, u64>> {
    let bytes = fs::read(file)?;
    let object = object::File::parse(&*bytes)?;
    let mut code = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for symbol in object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
        // Functions that were found to be the same have several names.
        if seen.insert(symbol.address(), ()).is_none() {
            let name = format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap_or_default()));
            *code.entry(first_crate(&name)).or_insert(0) += symbol.size();
        }
    }
    let text = object.sections().filter(|section| section.kind() == SectionKind::Text).map(|section| section.size());
    let unnamed = text.sum::<u64>().saturating_sub(code.values().sum());
    *code.entry(String::new()).or_insert(0) += unnamed;
    Ok(code)
}

/// The crate of `<longwire_reactor::Peer as core::fmt::Debug>::fmt` is the first that is named.
fn first_crate(name: &str) -> String {
    let begin = name.find(|letter: char| letter.is_ascii_lowercase() || letter == '_').unwrap_or_default();
    let named = name[begin..].trim_start_matches("mut ").trim_start_matches("dyn ");
    named.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or_default().into()
}

/// Bytes of a program of the same profile that says hello.
fn hello(repository: &Repository) -> Fallible<u64> {
    let folder = repository.left_behind()?;
    let source = folder.join("hello.rs");
    fs::write(&source, "fn main() {\n    println!(\"hello\");\n}\n")?;
    let options = ["opt-level=z", "lto=fat", "panic=abort", "strip=symbols", "codegen-units=1", "overflow-checks=on"];
    let options = options.iter().flat_map(|option| ["-C", option]);
    let program = folder.join("hello");
    Task::new(repository, "hello", "rustc")?
        .args(["--edition", "2024"])
        .args(options)
        .args([source.as_path(), Path::new("-o"), &program])
        .succeed()?;
    Ok(fs::metadata(program)?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_of_the_crate_that_is_named_first() {
        for (name, of) in [
            ("longwire_frame::mask::Mask::apply", "longwire_frame"),
            ("<longwire_reactor::Peer as core::fmt::Debug>::fmt", "longwire_reactor"),
            ("<&mut longwire_sse::Event as core::fmt::Display>::fmt", "longwire_sse"),
            ("main", "main"),
        ] {
            assert_eq!(first_crate(name), of, "{name}");
        }
    }

    #[test]
    fn what_has_grown_is_told() {
        let page = "| KiB | without | with |\n|---|---|---|\n| `mio` | 10.0 | 20.0 |\n";
        let rows = |plain, deflate| vec![("`mio`".to_owned(), [plain, deflate])];
        assert!(rises(&rows(10 << 10, 20 << 10), page).is_empty());
        assert_eq!(rises(&rows(11 << 10, 20 << 10), page), ["mio: 11.0 KiB instead of 10"]);
        assert_eq!(rises(&vec![("other".into(), [1, 1])], page).len(), 1);
    }
}
