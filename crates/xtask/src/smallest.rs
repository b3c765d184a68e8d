//! The smallest server that the library makes: the echo example in the profile `smallest`, measured and spoken to.

use std::fs;

use crate::Fallible;
use crate::clients;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;
use crate::tools::Tools;

pub(crate) fn run(repository: &Repository, tools: &Tools) -> Fallible<Tally> {
    let words = ["build", "--profile", "smallest", "--example", "echo", "--package", "longwire-reactor"];
    Task::cargo(repository, "smallest build", &words)?.succeed()?;
    let folder = repository.target.join("smallest/examples");
    let size = fs::metadata(folder.join("echo"))?.len();
    let mut tally = clients::examples(repository, tools, "smallest", &folder, &["echo"])?;
    tally.note = format!("an echo server of {} KiB {}", size / 1024, tally.note).trim_end().to_owned();
    Ok(tally)
}
