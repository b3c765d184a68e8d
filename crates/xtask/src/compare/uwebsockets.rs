//! uWebSockets, which is C++ and on no registry of its own: built from the sources that a crate carries. The crate itself, its bindings,
//! is locked with the peers and never built.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::FOLDER;
use super::peers::program;
use crate::Fallible;
use crate::process::Task;
use crate::repository::Repository;

/// The crate.
pub(super) const SOURCES: &str = "libuwebsockets-sys";

/// As its own makefile has it, but for zlib: nothing is compressed.
const OPTIONS: [&str; 5] = ["-O3", "-flto=auto", "-march=native", "-DLIBUS_NO_SSL", "-DUWS_NO_ZLIB"];

/// Builds its server. Its loop is C, the rest of it C++.
pub(super) fn build(repository: &Repository) -> Fallible<()> {
    let sources = sources(repository)?;
    let of_loop = sources.join("uSockets/src");
    let objects = repository.root.join(FOLDER).join("target/uwebsockets");
    fs::create_dir_all(&objects)?;
    for stale in files_in(&objects, "o")? {
        fs::remove_file(stale)?;
    }
    Task::new(repository, "peers uwebsockets loop", "cc")?
        .args(OPTIONS)
        .args(["-std=c11", "-c", "-I"])
        .args([&of_loop])
        .args(files_in(&of_loop, "c")?)
        .args(files_in(&of_loop.join("eventing"), "c")?)
        .folder(&objects)
        .succeed()?;
    Task::new(repository, "peers uwebsockets", "c++")?
        .args(OPTIONS)
        .args(["-std=c++20", "-I"])
        .args([&sources.join("src")])
        .args(["-I"])
        .args([&of_loop])
        .args([repository.root.join(FOLDER).join("uwebsockets/server.cpp")])
        .args(files_in(&objects, "o")?)
        .args(["-o", &program("uwebsockets")])
        .succeed()?;
    Ok(())
}

/// Where cargo has put them.
fn sources(repository: &Repository) -> Fallible<PathBuf> {
    let words = ["metadata", "--locked", "--quiet", "--format-version", "1", "--features", SOURCES];
    let said = Task::cargo(repository, "peers metadata", &words)?.folder(FOLDER).succeed()?;
    let metadata: Value = serde_json::from_str(&said)?;
    let package = metadata["packages"].as_array().into_iter().flatten().find(|package| package["name"] == SOURCES);
    let manifest = package
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or_else(|| format!("{SOURCES} is not locked"))?;
    Ok(Path::new(manifest).with_file_name("uWebSockets"))
}

fn files_in(folder: &Path, extension: &str) -> Fallible<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|of| of == extension) {
            files.push(path);
        }
    }
    Ok(files)
}
