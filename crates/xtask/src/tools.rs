//! `Tools`: what the clients need beyond Rust. Looked for, and installed where it is missing: packages of Python and Node below
//! the target directory, programs by Debian's apt.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Fallible;
use crate::process::Task;
use crate::repository::Repository;

/// The committed folder: scripts, and the versions that they want.
pub(crate) const SCRIPTS: &str = "crates/xtask/clients";

/// Where everything is.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The folder of the virtual environment's programs.
    pub(crate) python: PathBuf,
    /// The folder with `node_modules`.
    pub(crate) node: PathBuf,
    /// The folder of the source packages whose test data is run.
    pub(crate) sources: PathBuf,
    pub(crate) chromium: PathBuf,
    /// What was found, with versions.
    versions: Vec<String>,
}

impl Tools {
    pub(crate) fn install(repository: &Repository) -> Fallible<Self> {
        let folder = repository.target.join("clients");
        fs::create_dir_all(&folder)?;
        let mut apt = Apt { repository, updated: false };
        apt.ensure("curl", &["curl", "ca-certificates"])?;
        if find("nginx").is_none() && !Path::new("/usr/sbin/nginx").is_file() {
            apt.install(&["nginx-light"])?;
        }
        apt.ensure("libwebsockets-test-client", &["libwebsockets-test-server"])?;
        apt.ensure("websocketd", &["websocketd"])?;
        // Without a font the browser has nothing to measure a page with.
        let chromium = match std::env::var_os("CHROMIUM") {
            Some(path) => path.into(),
            None => apt.ensure("chromium", &["chromium", "fonts-liberation"])?,
        };
        let python = python(repository, &folder, &mut apt)?;
        let sources = sources(repository, &folder, &python)?;
        let node = node(repository, &folder, &mut apt)?;

        let mut versions = Vec::new();
        let programs = [("chromium", chromium.as_path()), ("curl", Path::new("curl")), ("node", Path::new("node"))];
        for (name, program) in programs.into_iter().chain([("python", python.join("python").as_path())]) {
            let said = Task::new(repository, "version", program)?.args(["--version"]).within(60).succeed()?;
            versions.push(format!("{name} {}", version(&said).unwrap_or("of an unknown version")));
        }
        let requirements = repository.read(Path::new(SCRIPTS).join("requirements.txt"))?;
        versions.extend(requirements.lines().map(|line| line.replace("==", " ")));
        let manifest: serde_json::Value =
            serde_json::from_str(&repository.read(Path::new(SCRIPTS).join("package.json"))?)?;
        let packages = manifest["dependencies"].as_object().into_iter().flatten();
        versions.extend(packages.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?"))));
        Ok(Self { python, node, sources, chromium, versions })
    }
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.versions.join(", "))
    }
}

/// What the drills need beyond Rust: something that makes system calls fail, and something that looks into sockets.
pub(crate) fn install_for_drills(repository: &Repository) -> Fallible<()> {
    let mut apt = Apt { repository, updated: false };
    for (program, package) in [("strace", "strace"), ("ss", "iproute2"), ("prlimit", "util-linux")] {
        apt.ensure(program, &[package])?;
    }
    Ok(())
}

/// What counts instructions.
pub(crate) fn install_for_benches(repository: &Repository) -> Fallible<()> {
    Apt { repository, updated: false }.ensure("valgrind", &["valgrind"])?;
    Ok(())
}

/// libFuzzer is C++.
pub(crate) fn install_for_fuzzing(repository: &Repository) -> Fallible<()> {
    Apt { repository, updated: false }.ensure("c++", &["g++"])?;
    Ok(())
}

/// What the comparison needs beyond Rust.
pub(crate) fn install_for_comparison(repository: &Repository) -> Fallible<()> {
    let mut apt = Apt { repository, updated: false };
    apt.ensure("npm", &["npm"])?;
    apt.ensure("taskset", &["util-linux"])?;
    Ok(())
}

/// A subcommand of cargo that somebody else has written, and its version.
#[derive(Debug)]
pub(crate) struct CargoTool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// Where such a program is, after building it if it was not there. It stays below the target directory.
pub(crate) fn install_cargo_tool(repository: &Repository, tool: &CargoTool) -> Fallible<PathBuf> {
    let CargoTool { name, version } = *tool;
    let place = repository.target.join("tools").join(format!("{name}-{version}"));
    let program = place.join("bin").join(name);
    if !program.is_file() {
        println!("building {name} {version}");
        let words = ["install", "--locked", "--quiet", "--version", version, name, "--root"];
        Task::cargo(repository, &format!("install {name}"), &words)?.args([&place]).within(1_800).succeed()?;
    }
    Ok(program)
}

/// Debian's package manager, asked only if something is missing.
struct Apt<'a> {
    repository: &'a Repository,
    updated: bool,
}

impl Apt<'_> {
    /// Where a program is, after installing these packages if it was nowhere.
    fn ensure(&mut self, program: &str, packages: &[&str]) -> Fallible<PathBuf> {
        if let Some(path) = find(program) {
            return Ok(path);
        }
        self.install(packages)?;
        find(program).ok_or_else(|| format!("{program} is still missing").into())
    }

    fn install(&mut self, packages: &[&str]) -> Fallible<()> {
        println!("installing {} with apt-get", packages.join(" "));
        if !self.updated {
            self.get(&["update", "--quiet"])?;
            self.updated = true;
        }
        self.get(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
    }

    fn get(&self, words: &[&str]) -> Fallible<()> {
        // No questions; and in runlevel 1 Debian starts no service that it installs.
        let quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"];
        let rights: &[&str] = if rustix::process::getuid().is_root() { &[] } else { &["sudo", "-n"] };
        let words = [rights, &quietly, words].concat();
        Task::new(self.repository, "apt-get", words[0])?.args(&words[1..]).succeed()?;
        Ok(())
    }
}

/// A virtual environment with the packages of requirements.txt; made anew when those change.
fn python(repository: &Repository, folder: &Path, apt: &mut Apt<'_>) -> Fallible<PathBuf> {
    let requirements = repository.read(Path::new(SCRIPTS).join("requirements.txt"))?;
    let (place, stamp) = (folder.join("python"), folder.join("python/requirements.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(place.join("bin"));
    }
    println!("installing {}", requirements.lines().collect::<Vec<_>>().join(" "));
    let create = || Task::new(repository, "venv", "python3")?.args(["-m", "venv", "--clear"]).args([&place]).succeed();
    if create().is_err() {
        // Debian parts it from Python.
        apt.install(&["python3-venv"])?;
        create()?;
    }
    Task::new(repository, "pip", place.join("bin/python"))?
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .args([repository.root.join(SCRIPTS).join("requirements.txt")])
        .succeed()?;
    fs::write(stamp, requirements)?;
    Ok(place.join("bin"))
}

/// The source packages of sources.txt, as they were uploaded; fetched anew when that changes.
fn sources(repository: &Repository, folder: &Path, python: &Path) -> Fallible<PathBuf> {
    let wanted = repository.read(Path::new(SCRIPTS).join("sources.txt"))?;
    let (place, stamp) = (folder.join("sources"), folder.join("sources/sources.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == wanted) {
        return Ok(place);
    }
    println!("fetching the sources of {}", wanted.lines().collect::<Vec<_>>().join(" "));
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    Task::new(repository, "pip sources", python.join("python"))?
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"])
        .args(["--requirement".into(), repository.root.join(SCRIPTS).join("sources.txt")])
        .args(["--dest".into(), place.clone()])
        .succeed()?;
    fs::write(stamp, wanted)?;
    Ok(place)
}

/// The packages of package.json; fetched anew when it changes.
fn node(repository: &Repository, folder: &Path, apt: &mut Apt<'_>) -> Fallible<PathBuf> {
    let manifest = repository.read(Path::new(SCRIPTS).join("package.json"))?;
    let place = folder.join("node");
    let stamp = place.join("node_modules/package.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == manifest) {
        return Ok(place);
    }
    println!("installing the packages of {SCRIPTS}/package.json");
    apt.ensure("npm", &["npm"])?;
    fs::create_dir_all(&place)?;
    fs::write(place.join("package.json"), &manifest)?;
    let quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    Task::new(repository, "npm", "npm")?.args(["install"]).args(quiet).folder(&place).succeed()?;
    fs::write(stamp, manifest)?;
    Ok(place)
}

/// The first word that looks like a version.
fn version(said: &str) -> Option<&str> {
    let words = said.split_whitespace().map(|word| word.trim_start_matches('v'));
    words.into_iter().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()) && word.contains('.'))
}

/// Where the shell would find a program.
fn find(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let program = program.as_ref();
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_version_is_found_among_other_words() {
        assert_eq!(super::version("x: 9: [: 25: odd\nChromium 156.0.1 built on"), Some("156.0.1"));
        assert_eq!(super::version("v20.20.2"), Some("20.20.2"));
    }
}
