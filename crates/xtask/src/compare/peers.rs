//! Who is compared: the servers in benches/peers, each with the version that is locked there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{FOLDER, uwebsockets};
use crate::Fallible;
use crate::repository::Repository;

/// One server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Its program's name.
    pub(super) name: &'static str,
    /// The package whose version is told, if it is not our own.
    package: Option<&'static str>,
    pub(super) echoes: bool,
    pub(super) fans_out: bool,
}

const fn peer(name: &'static str, package: &'static str) -> Peer {
    Peer { name, package: Some(package), echoes: true, fans_out: true }
}

/// Of echo and of fan-out.
pub(super) const FLOORS: [&str; 2] = ["floor", "send-loop"];

/// Ourselves.
pub(super) const OURS: &str = "longwire";

/// All of them; the floors first.
pub(super) const PEERS: [Peer; 13] = [
    Peer { name: FLOORS[0], package: None, echoes: true, fans_out: false },
    Peer { name: FLOORS[1], package: None, echoes: false, fans_out: true },
    Peer { name: OURS, package: None, echoes: true, fans_out: true },
    peer("uwebsockets", uwebsockets::SOURCES),
    peer("tungstenite-mio", "tungstenite"),
    peer("fastwebsockets", "fastwebsockets"),
    peer("tokio-websockets", "tokio-websockets"),
    peer("sockudo-ws", "sockudo-ws"),
    peer("tokio-tungstenite", "tokio-tungstenite"),
    peer("wtx", "wtx"),
    peer("yawc", "yawc"),
    peer("soketto", "soketto"),
    peer("node-ws", "ws"),
];

/// A server that runs. It does not outlive its value.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pub(super) address: String,
}

impl Peer {
    /// Its version, as it is locked.
    pub(super) fn version(&self, repository: &Repository) -> Fallible<String> {
        let Some(package) = self.package else { return Ok(String::new()) };
        if self.name == "node-ws" {
            let manifest: serde_json::Value =
                serde_json::from_str(&repository.read(format!("{FOLDER}/node-ws/package.json"))?)?;
            return Ok(manifest["dependencies"][package].as_str().unwrap_or_default().into());
        }
        let lock = repository.read(format!("{FOLDER}/Cargo.lock"))?;
        let found = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
        let version = found.and_then(|(_, rest)| rest.split_once('"')).map(|(version, _)| version);
        let version = version.ok_or_else(|| format!("{package} is not locked"))?;
        Ok(if package == uwebsockets::SOURCES { format!("as in {package} {version}") } else { version.into() })
    }

    /// Starts it on the first core.
    pub(super) fn start(&self, fan_out: bool) -> Fallible<Running> {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]);
        if self.name == "node-ws" {
            command.arg("node").arg(format!("{FOLDER}/node-ws/server.js"));
        } else {
            command.arg(program(self.name));
        }
        let mut child = command
            .arg(if fan_out { "fan-out" } else { "echo" })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut running = Running { child, address: String::new() };
        BufReader::new(stdout).read_line(&mut running.address)?;
        running.address.truncate(running.address.trim_end().len());
        if running.address.is_empty() { Err(format!("{} does not listen", self.name).into()) } else { Ok(running) }
    }
}

/// Where a program of theirs lies.
pub(super) fn program(name: &str) -> String {
    format!("{FOLDER}/target/release/{name}")
}

impl Running {
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and the measurement has said so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
