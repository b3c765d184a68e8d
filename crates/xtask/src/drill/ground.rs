//! `Ground`: where a drill takes place. It knows how much is wanted, starts servers and drives clients.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::Form;
use crate::Fallible;
use crate::repository::Repository;
use crate::server::Server;

/// No drill takes longer.
const BOUND: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Ground<'a> {
    repository: &'a Repository,
    name: &'a str,
    form: Form,
}

impl<'a> Ground<'a> {
    pub(super) const fn new(repository: &'a Repository, name: &'a str, form: Form) -> Self {
        Self { repository, name, form }
    }

    /// How much, in the short form and in the long one.
    pub(super) fn either<T>(&self, short: T, long: T) -> T {
        if self.form == Form::Short { short } else { long }
    }

    /// The program as people run it, on a free port.
    pub(super) fn program(&self, flags: &[&str]) -> Fallible<(Server, SocketAddr)> {
        self.program_under(&[], flags)
    }

    /// The same, started by another program that is told what to start and replaces itself with it.
    pub(super) fn program_under(&self, starter: &[&str], flags: &[&str]) -> Fallible<(Server, SocketAddr)> {
        let program = self.repository.program();
        let program = program.to_str().ok_or("a path that is no text")?;
        let words = [starter, &[program, "--listen", "127.0.0.1:0"], flags].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        self.start(command)
    }

    /// The server that misbehaves on demand.
    pub(super) fn drillground(&self) -> Fallible<(Server, SocketAddr)> {
        self.start(Command::new(self.repository.target.join("release/drillground")))
    }

    fn start(&self, mut command: Command) -> Fallible<(Server, SocketAddr)> {
        // Whoever asks for backtraces asks for a long log.
        command.env_remove("RUST_BACKTRACE");
        let name = format!("drill-{}", self.name);
        let server = Server::start(self.repository, &name, command, Duration::from_secs(20))?;
        let address = server.authority.parse()?;
        Ok((server, address))
    }

    /// Drives clients on this thread, for a bounded time.
    pub(super) fn drive<T>(&self, clients: impl Future<Output = Fallible<T>>) -> Fallible<T> {
        let bounded = async { timeout(BOUND, clients).await };
        runtime()?.block_on(bounded).map_err(|_| format!("{} takes longer than {BOUND:?}", self.name))?
    }
}

/// A runtime on the thread that asks.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}
