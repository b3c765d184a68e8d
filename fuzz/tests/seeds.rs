//! The seeds, replayed: every property holds for each, for each of its prefixes, and with each of its bytes changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use longwire_fuzz::{PROPERTIES, Property, vectors};

/// A seed is small, so that all of this takes seconds.
const LONGEST_SEED: usize = 4096;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(here(folder)).expect("the folder is there");
    entries
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

fn seeds() -> impl Iterator<Item = (Property, PathBuf, Vec<u8>)> {
    PROPERTIES.into_iter().flat_map(|(name, property)| {
        let mut paths: Vec<PathBuf> = fs::read_dir(here("seeds").join(name))
            .expect("a folder of seeds")
            .map(|entry| entry.expect("a seed").path())
            .collect();
        paths.sort();
        assert!(!paths.is_empty(), "{name} has no seeds");
        paths.into_iter().map(move |path| {
            let seed = fs::read(&path).expect("a seed can be read");
            assert!(seed.len() <= LONGEST_SEED, "{} is too long for a seed", path.display());
            (property, path, seed)
        })
    })
}

#[test]
fn every_seed_holds() {
    for (property, path, seed) in seeds() {
        println!("{}", path.display());
        property(&seed);
    }
}

#[test]
fn every_seed_holds_where_it_is_cut_off() {
    for (property, path, seed) in seeds() {
        println!("{}", path.display());
        for len in (0..seed.len()).step_by(1 + seed.len() / 256) {
            property(&seed[..len]);
        }
    }
}

#[test]
fn every_seed_holds_with_a_byte_changed() {
    for (property, path, seed) in seeds() {
        println!("{}", path.display());
        for at in (0..seed.len()).step_by(1 + seed.len() / 128) {
            for byte in [0, b'\r', b'\n', b' ', b',', b'"', 0x7F, 0x80, 0xFF, seed[at] ^ 0x20, seed[at] ^ 1] {
                let mut changed = seed.clone();
                changed[at] = byte;
                property(&changed);
            }
        }
    }
}

/// Twelve properties begin with them; masks and round trips have no bytes of the wire as their input.
#[test]
fn every_vector_holds_whole_and_where_it_is_cut_off() {
    let mut begun = 0;
    for (name, property) in PROPERTIES {
        let inputs = vectors::inputs(name);
        begun += usize::from(!inputs.is_empty());
        for (id, input) in inputs {
            println!("{name}: {id}");
            property(&input);
            for len in (0..input.len()).step_by(1 + input.len() / 32) {
                property(&input[..len]);
            }
        }
    }
    assert_eq!(begun, 12);
}

/// libFuzzer says in which line of a dictionary it was lost, but only when somebody fuzzes with it.
#[test]
fn a_dictionary_names_its_targets_and_has_strings_that_can_be_read() {
    let properties = PROPERTIES.map(|(name, _)| name);
    for name in names("dictionaries") {
        let text = fs::read_to_string(here("dictionaries").join(&name).with_extension("dict")).expect("a dictionary");
        let (first, rest) = text.split_once('\n').expect("lines");
        let targets = first.rsplit_once(": ").expect("what it is, and for whom").1.trim_end_matches('.');
        for target in targets.split(", ") {
            assert!(properties.contains(&target), "{name}: {target} is no target");
        }
        for line in rest.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let string = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).expect(line);
            let mut chars = string.chars();
            while let Some(char) = chars.next() {
                let is_good = match char {
                    '\\' => match chars.next() {
                        Some('x') => chars.by_ref().take(2).filter(char::is_ascii_hexdigit).count() == 2,
                        other => matches!(other, Some('\\' | '"')),
                    },
                    _ => char != '"' && (char.is_ascii_graphic() || char == ' '),
                };
                assert!(is_good, "{name}: {line}");
            }
        }
    }
}

/// A row says what holds, and what README.md tells to run can be run.
#[test]
fn the_readme_has_a_row_for_every_property() {
    let readme = fs::read_to_string(here("README.md")).expect("the page");
    let (table, _) = readme.split_once("\n\n\"A naive reader\"").expect("the table ends there");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let rows: Vec<&str> = rows.map(|(name, _)| name).collect();
    assert_eq!(rows, PROPERTIES.map(|(name, _)| name), "in the same order");
}

#[test]
fn properties_targets_and_seeds_have_the_same_names() {
    let properties: BTreeSet<String> = PROPERTIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), properties);
    assert_eq!(names("seeds"), properties);
    let manifest = fs::read_to_string(here("Cargo.toml")).expect("the manifest");
    for name in &properties {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is a target of Cargo.toml");
    }
}
