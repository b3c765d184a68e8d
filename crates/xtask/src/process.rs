//! `Task`: another program, run to its end, without input and for a bounded time. What it says goes to a file, where it can be
//! read afterwards; so nothing that it leaves running can hold us up.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Fallible;
use crate::repository::Repository;

/// A program that is about to be run.
#[derive(Debug)]
pub(crate) struct Task {
    command: Command,
    name: String,
    log: PathBuf,
    bound: Duration,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    /// What it said, on both outputs.
    pub(crate) said: String,
    log: PathBuf,
}

impl Task {
    /// A program under a name, which is its log's, too.
    pub(crate) fn new(repository: &Repository, name: &str, program: impl AsRef<OsStr>) -> Fallible<Self> {
        let log: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        let log = repository.left_behind()?.join(format!("{log}.log"));
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).env("CARGO_TERM_COLOR", "never");
        Ok(Self { command, name: name.into(), log, bound: Duration::from_secs(900) })
    }

    /// cargo with these words.
    pub(crate) fn cargo(repository: &Repository, name: &str, words: &[&str]) -> Fallible<Self> {
        Ok(Self::new(repository, name, "cargo")?.args(words))
    }

    pub(crate) fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(words);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Instead of a quarter of an hour.
    pub(crate) fn within(mut self, seconds: u64) -> Self {
        self.bound = Duration::from_secs(seconds);
        self
    }

    /// Runs it to its end, whatever it says of itself there. Too long is an error.
    pub(crate) fn run(mut self) -> Fallible<Ended> {
        let log = File::create(&self.log)?;
        let spawned = self.command.stdout(log.try_clone()?).stderr(log).spawn();
        let mut child = spawned.map_err(|error| format!("{}: {error}", self.command.get_program().display()))?;
        let process = Pid::from_child(&child);
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait()));
        let (log, bound) = (self.log, self.bound);
        let Ok(status) = ended.recv_timeout(bound) else {
            for signal in [Signal::TERM, Signal::KILL] {
                // It may have ended this very moment.
                let _ = kill_process(process, signal);
                if ended.recv_timeout(Duration::from_secs(10)).is_ok() {
                    break;
                }
            }
            return Err(format!("{}: no end after {} s; {}", self.name, bound.as_secs(), end_of(&log)).into());
        };
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Ok(Ended { status: status?, said, log })
    }

    /// Runs it to its end, which must be a good one. Returns what it said.
    pub(crate) fn succeed(self) -> Fallible<String> {
        let ended = self.run()?;
        if ended.is_good() { Ok(ended.said) } else { Err(ended.complaint().into()) }
    }
}

impl Ended {
    pub(crate) fn is_good(&self) -> bool {
        self.status.success()
    }

    /// Where to read on, if something failed.
    pub(crate) fn note(&self, failures: &[String]) -> String {
        if failures.is_empty() { String::new() } else { format!("see {}", self.log.display()) }
    }

    /// How it ended, and its last words.
    pub(crate) fn complaint(&self) -> String {
        format!("{}; {}", self.status, end_of(&self.log))
    }
}

fn end_of(log: &Path) -> String {
    const LAST: usize = 40;
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    format!("{} ends with:\n{}", log.display(), lines[lines.len().saturating_sub(LAST)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(name: &str, command: &str) -> Task {
        let repository = Repository::open().expect("a repository");
        Task::new(&repository, name, "sh").expect("a task").args(["-c", command]).within(1)
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let error = shell("endless", "echo begun; exec sleep 60").run().expect_err("an end in time");
        assert!(error.to_string().contains("no end after 1 s") && error.to_string().contains("begun"), "{error}");
    }

    #[test]
    fn what_failed_says_its_last_words() {
        let error = shell("failing", "echo one; echo two >&2; exit 3").succeed().expect_err("a failure");
        assert!(error.to_string().ends_with("one\ntwo") && error.to_string().contains('3'), "{error}");
        assert_eq!(
            shell("fine", "echo one; read line || echo no input").succeed().expect("a success"),
            "one\nno input\n"
        );
    }
}
