//! `Repository`: where we are, what is built where, and which packages there are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Fallible;

/// This repository, as `cargo metadata` tells it. The working directory is its top from the start.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, relative to the top.
    pub(crate) folder: PathBuf,
    /// Its manifest, as cargo reads it.
    pub(crate) manifest: Value,
}

impl Package {
    /// May go to a registry.
    pub(crate) fn is_published(&self) -> bool {
        self.manifest["publish"].is_null()
    }

    /// The names of all that it depends on, for whatever purpose.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = &str> {
        self.manifest["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|dependency| dependency["name"].as_str())
    }
}

impl Repository {
    pub(crate) fn open() -> Fallible<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no repository")?.to_owned();
        std::env::set_current_dir(&root)?;
        let output = Command::new("cargo")
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let packages = metadata["packages"].as_array().ok_or("no packages")?.iter().map(|manifest| {
            let text = |key: &str| manifest[key].as_str().map(String::from).ok_or(format!("a package has no {key}"));
            let manifest_path = PathBuf::from(text("manifest_path")?);
            let folder =
                manifest_path.parent().and_then(|folder| folder.strip_prefix(&root).ok()).ok_or("no folder")?;
            Ok(Package { name: text("name")?, folder: folder.to_owned(), manifest: manifest.clone() })
        });
        let packages = packages.collect::<Fallible<_>>()?;
        let target = PathBuf::from(metadata["target_directory"].as_str().ok_or("no target directory")?);
        Ok(Self { root, target, packages })
    }

    /// The packages that may go to a registry.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_published())
    }

    /// The members that stay here.
    pub(crate) fn private(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !package.is_published())
    }

    /// Where the program lies once it is built.
    pub(crate) fn program(&self) -> PathBuf {
        self.target.join("release/longwire")
    }

    /// Where the counterpart lies once it is built.
    pub(crate) fn counterpart(&self) -> PathBuf {
        self.target.join("release/counterpart")
    }

    /// A folder for what steps leave to be looked at: logs, reports, screenshots.
    pub(crate) fn left_behind(&self) -> Fallible<PathBuf> {
        let folder = self.target.join("xtask");
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Every file below a folder whose name ends like this, relative to the top and in order. What is built, fetched or made
    /// up by a fuzzer is left out.
    pub(crate) fn files(&self, folder: impl AsRef<Path>, extension: &str) -> Fallible<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = vec![folder.as_ref().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(self.root.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    let passed_over = ["target", "node_modules", "corpus", "artifacts", ".git"];
                    if !passed_over.iter().any(|name| entry.file_name() == *name) {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|found| found == extension) {
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// A file's text. The path is relative to the top.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Fallible<String> {
        let path = path.as_ref();
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}
