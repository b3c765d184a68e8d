//! `Server`: a running program that serves. It does not outlive its value.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Fallible;
use crate::repository::Repository;

/// What the program logs once it listens, before the address.
const LISTENING: &str = "listening on http://";

/// How long a program may take to stop: longer than its own deadline for draining.
const STOP: Duration = Duration::from_secs(20);

/// A server process. Dropped, it is killed; [`Server::stop`] asks it first.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// `host:port`, as it said.
    pub(crate) authority: String,
    log: PathBuf,
    /// Writes the log, to the last word of the process.
    clerk: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the release build on a free port.
    pub(crate) fn program(repository: &Repository, name: &str, flags: &[&str]) -> Fallible<Self> {
        let mut command = Command::new(repository.program());
        command.args(["--listen", "127.0.0.1:0"]).args(flags);
        Self::start(repository, name, command, Duration::from_secs(20))
    }

    /// Starts the counterpart, which chooses its port itself.
    pub(crate) fn counterpart(repository: &Repository, name: &str) -> Fallible<Self> {
        let mut command = Command::new(repository.counterpart());
        command.arg("serve");
        Self::start(repository, name, command, Duration::from_secs(20))
    }

    /// Starts a command and waits until it says where it listens.
    pub(crate) fn start(repository: &Repository, name: &str, mut command: Command, bound: Duration) -> Fallible<Self> {
        let log = repository.left_behind()?.join(format!("{name}-server.log"));
        let mut copy = File::create(&log)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let (sender, said) = mpsc::channel();
        let clerk = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // A log that cannot be written does not stop the server, and nobody may be waiting any more.
                let _ = writeln!(copy, "{line}");
                if let Some((_, authority)) = line.split_once(LISTENING) {
                    let _ = sender.send(authority.trim().to_owned());
                }
            }
        });
        let mut server = Self { child, authority: String::new(), log, clerk: Some(clerk) };
        match said.recv_timeout(bound) {
            Ok(authority) => server.authority = authority,
            Err(_) => return Err(format!("it does not listen; {}", server.last_words()).into()),
        }
        Ok(server)
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// The process's number.
    pub(crate) fn process(&self) -> i32 {
        Pid::from_child(&self.child).as_raw_nonzero().get()
    }

    /// How many lines it has logged so far.
    pub(crate) fn log_lines(&self) -> Fallible<usize> {
        Ok(BufReader::new(File::open(&self.log)?).lines().count())
    }

    /// Asks it to stop: it must still be there, end in time with exit code 0, and not have panicked on its way.
    pub(crate) fn stop(mut self) -> Fallible<()> {
        let status = self.end()?;
        let words = self.last_words();
        if status.code() != Some(0) || words.contains("panicked") {
            return Err(format!("it ended with {status}; {words}").into());
        }
        Ok(())
    }

    /// Asks it to stop: it must still be there and end in time. Says how it ended.
    pub(crate) fn end(&mut self) -> Fallible<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("it had ended by itself, {status}; {}", self.last_words()).into());
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.wait()?;
        if let Some(clerk) = self.clerk.take() {
            clerk.join().map_err(|_| "the clerk panicked")?;
        }
        Ok(status)
    }

    fn wait(&mut self) -> Fallible<ExitStatus> {
        let process = Pid::from_child(&self.child);
        let (done, waited) = mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            if waited.recv_timeout(STOP) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill_process(process, Signal::KILL);
            }
        });
        let status = self.child.wait()?;
        drop(done);
        guard.join().map_err(|_| "the guard panicked")?;
        Ok(status)
    }

    fn last_words(&self) -> String {
        let words = fs::read(&self.log).unwrap_or_default();
        format!("{} says:\n{}", self.log.display(), String::from_utf8_lossy(&words))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
