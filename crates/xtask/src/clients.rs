//! The real clients: which there are, and how each meets the release build.

use std::path::Path;

use crate::kosoku::{Cases, Role};
use crate::process::{Ended, Task};
use crate::report::Tally;
use crate::repository::Repository;
use crate::server::Server;
use crate::tools::{SCRIPTS, Tools};
use crate::{Fallible, kosoku, rust, smallest};

/// Somebody who visits the server.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    visit: Visit,
}

/// How a client meets the server.
#[derive(Debug)]
enum Visit {
    /// A script in `clients/`, which visits a server of its own that we start, stop and look after.
    Script(&'static str),
    /// A script that starts the program itself, which it finds in `LONGWIRE`.
    Host(&'static str),
    /// A script that visits the counterpart, or starts it as a client: it finds that in `COUNTERPART`.
    Suite(&'static str),
    /// The library's examples, a conversation with each.
    Examples,
    /// Autobahn's cases, in a role of ours.
    Autobahn(Role),
    /// The smallest server.
    Smallest,
}

pub(crate) const CLIENTS: &[Client] = &[
    Client { name: "http", visit: Visit::Script("http_raw.py") },
    Client { name: "frames", visit: Visit::Script("frames_raw.py") },
    Client { name: "websockets", visit: Visit::Script("python_websockets.py") },
    Client { name: "websocket-client", visit: Visit::Script("python_websocket_client.py") },
    Client { name: "ws", visit: Visit::Script("node_ws.mjs") },
    Client { name: "undici", visit: Visit::Script("node_undici.mjs") },
    Client { name: "curl", visit: Visit::Script("curl.py") },
    Client { name: "eventsource", visit: Visit::Host("eventsource.mjs") },
    Client { name: "nginx", visit: Visit::Host("nginx.py") },
    Client { name: "lifecycle", visit: Visit::Host("lifecycle.py") },
    Client { name: "load", visit: Visit::Host("load.py") },
    Client { name: "examples", visit: Visit::Examples },
    Client { name: "vectors", visit: Visit::Host("vectors.py") },
    Client { name: "heads-gunicorn", visit: Visit::Suite("heads_gunicorn.py") },
    Client { name: "heads-llhttp", visit: Visit::Suite("heads_llhttp.py") },
    Client { name: "event-streams", visit: Visit::Suite("sse_readers.mjs") },
    Client { name: "httpx-sse", visit: Visit::Suite("sse_httpx.py") },
    Client { name: "python-clients", visit: Visit::Suite("python_clients.py") },
    Client { name: "python-servers", visit: Visit::Suite("python_servers.py") },
    Client { name: "node-peers", visit: Visit::Suite("node_peers.mjs") },
    Client { name: "browser-peer", visit: Visit::Suite("browser_peer.mjs") },
    Client { name: Role::Server.name(), visit: Visit::Autobahn(Role::Server) },
    Client { name: Role::ServerWithoutTakeover.name(), visit: Visit::Autobahn(Role::ServerWithoutTakeover) },
    Client { name: Role::Client.name(), visit: Visit::Autobahn(Role::Client) },
    Client { name: Role::ClientWithoutTakeover.name(), visit: Visit::Autobahn(Role::ClientWithoutTakeover) },
    Client { name: "browser", visit: Visit::Script("browser.mjs") },
    Client { name: "smallest", visit: Visit::Smallest },
];

/// The clients of these names; all, if none is named.
pub(crate) fn named(names: &[&str]) -> Result<Vec<&'static Client>, String> {
    if names.is_empty() {
        return Ok(CLIENTS.iter().collect());
    }
    let known = || CLIENTS.iter().map(|client| client.name).collect::<Vec<_>>().join(", ");
    let find = |name: &&str| CLIENTS.iter().find(|client| client.name == *name);
    names.iter().map(|name| find(name).ok_or_else(|| format!("there is no client {name}, but {}", known()))).collect()
}

impl Client {
    pub(crate) fn run(&self, repository: &Repository, tools: &Tools) -> Fallible<Tally> {
        match self.visit {
            Visit::Script(file) => {
                let server = Server::program(repository, self.name, &[])?;
                let tally = told(&script(repository, tools, self.name, file)?.args([server.base()]).run()?);
                server.stop()?;
                Ok(tally)
            }
            Visit::Suite(file) => {
                rust::build_counterpart(repository)?;
                let server = Server::counterpart(repository, self.name)?;
                let tally = told(&script(repository, tools, self.name, file)?.args([server.base()]).run()?);
                server.stop()?;
                Ok(tally)
            }
            Visit::Host(file) => Ok(told(&script(repository, tools, self.name, file)?.run()?)),
            Visit::Examples => {
                rust::build_examples(repository)?;
                examples(repository, tools, self.name, &repository.target.join("debug/examples"), &[])
            }
            Visit::Autobahn(role) => kosoku::run(repository, tools, role, Cases::Selected),
            Visit::Smallest => smallest::run(repository, tools),
        }
    }
}

/// Talks to the examples that lie in a folder: to all, or to those of these names.
pub(crate) fn examples(
    repository: &Repository,
    tools: &Tools,
    name: &str,
    folder: &Path,
    names: &[&str],
) -> Fallible<Tally> {
    Ok(told(&script(repository, tools, name, "examples.py")?.args([folder]).args(names).run()?))
}

/// A script in Python or JavaScript. Node looks for packages from its working directory.
pub(crate) fn script(repository: &Repository, tools: &Tools, name: &str, file: &str) -> Fallible<Task> {
    let task = if Path::new(file).extension().is_some_and(|extension| extension == "py") {
        // -B: nothing is compiled into the folder of the scripts.
        Task::new(repository, name, tools.python.join("python"))?.args(["-B"])
    } else {
        Task::new(repository, name, "node")?
    };
    Ok(task
        .args([repository.root.join(SCRIPTS).join(file)])
        .folder(&tools.node)
        .env("LONGWIRE", repository.program())
        .env("COUNTERPART", repository.counterpart())
        .env("SOURCES", &tools.sources)
        .env("CHROMIUM", &tools.chromium)
        .env("SHOTS", repository.left_behind()?.join("shots"))
        .within(300))
}

/// Counts the lines of a script: `ok    NAME` or `FAIL  NAME: WHY` for each check.
pub(crate) fn told(ended: &Ended) -> Tally {
    let passed = ended.said.lines().filter(|line| line.starts_with("ok  ")).count();
    let failed = ended.said.lines().filter_map(|line| line.strip_prefix("FAIL  "));
    let mut failures: Vec<String> = failed.map(String::from).collect();
    if !ended.is_good() && failures.is_empty() || passed + failures.len() == 0 {
        failures.push(ended.complaint());
    }
    let note = ended.note(&failures);
    Tally { passed, failures, note }
}
