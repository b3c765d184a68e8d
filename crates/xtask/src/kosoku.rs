//! Autobahn's cases, as the package `kosoku` runs them: against our server, and against our client. Judged case by case by its
//! report, for its exit code would let lenience pass, and held against clients/autobahn.json.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;
use crate::rust;
use crate::server::Server;
use crate::tools::{SCRIPTS, Tools};

/// The compressed cases may take so many seconds.
const PATIENCE: u64 = 3_000;

/// Who is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The program, which keeps windows from one message to the next.
    Server,
    /// The program as it is by default: each message is compressed by itself.
    ServerWithoutTakeover,
    /// The library's client, which keeps its window.
    Client,
    /// The same, which says that it does not.
    ClientWithoutTakeover,
}

/// Which cases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cases {
    /// The plain ones, and of the compressed ones a selection.
    Selected,
    /// All.
    All,
}

impl Role {
    pub(crate) const ALL: [Self; 4] =
        [Self::Server, Self::ServerWithoutTakeover, Self::Client, Self::ClientWithoutTakeover];

    /// What its step is called, its files, and what clients/autobahn.json has for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Server => "autobahn",
            Self::ServerWithoutTakeover => "autobahn-no-takeover",
            Self::Client => "autobahn-client",
            Self::ClientWithoutTakeover => "autobahn-client-no-takeover",
        }
    }
}

/// What clients/autobahn.json says.
#[derive(Deserialize, Debug)]
struct Expected {
    informational: Vec<String>,
    roles: BTreeMap<String, Part>,
}

/// Of one role.
#[derive(Deserialize, Debug)]
struct Part {
    all: Selection,
    selected: Selection,
}

#[derive(Deserialize, Debug)]
struct Selection {
    globs: Vec<String>,
    cases: usize,
}

impl Expected {
    fn read(repository: &Repository) -> Fallible<Self> {
        Ok(serde_json::from_str(&repository.read(format!("{SCRIPTS}/autobahn.json"))?)?)
    }

    fn selection(&self, role: Role, cases: Cases) -> Fallible<&Selection> {
        let part = self.roles.get(role.name()).ok_or("nothing is expected in this role")?;
        Ok(if cases == Cases::All { &part.all } else { &part.selected })
    }

    /// Holds a report against what is expected: `{ agent: { case: { behavior, behaviorClose, … } } }`, with one agent.
    fn judge(&self, index: &Value, count: usize) -> Fallible<Tally> {
        let mut agents = index.as_object().ok_or("the report names no agent")?.values();
        let cases = agents.next().and_then(Value::as_object).ok_or("the report has no cases")?;
        let (mut ok, mut informational, mut failures) = (0, 0, Vec::new());
        for (name, case) in cases {
            let [behavior, close] = ["behavior", "behaviorClose"].map(|what| case[what].as_str().unwrap_or("nothing"));
            let expected = if self.informational.contains(name) { "INFORMATIONAL" } else { "OK" };
            if [behavior, close] == [expected; 2] {
                *(if expected == "OK" { &mut ok } else { &mut informational }) += 1;
            } else {
                failures.push(format!("case {name}: {behavior}, its closing {close}; expected {expected}"));
            }
        }
        if cases.len() != count || agents.next().is_some() {
            failures.push(format!("{} cases were run, and {count} should have been", cases.len()));
        }
        let note = format!("{ok} OK, {informational} INFORMATIONAL of {count}");
        Ok(Tally { passed: ok + informational, failures, note })
    }
}

/// Runs cases in one role, and judges.
pub(crate) fn run(repository: &Repository, tools: &Tools, role: Role, cases: Cases) -> Fallible<Tally> {
    let expected = Expected::read(repository)?;
    let report = repository.left_behind()?.join(role.name());
    if report.exists() {
        fs::remove_dir_all(&report)?;
    }
    let selection = expected.selection(role, cases)?;
    let words = selection.globs.iter().flat_map(|glob| ["-i", glob]).collect();
    let kosoku = Kosoku { program: tools.python.join("kosoku"), words, report };
    let complaint = match role {
        Role::Server => kosoku.visits(repository, role, "takeover")?,
        Role::ServerWithoutTakeover => kosoku.visits(repository, role, "no-takeover")?,
        Role::Client => kosoku.is_visited(repository, role, "takeover")?,
        Role::ClientWithoutTakeover => kosoku.is_visited(repository, role, "no-takeover")?,
    };
    let index = fs::read_to_string(kosoku.report.join("index.json")).map_err(|_| complaint)?;
    expected.judge(&serde_json::from_str(&index)?, selection.cases)
}

/// The suite, with what it shall run and where it shall report.
struct Kosoku<'e> {
    program: PathBuf,
    words: Vec<&'e str>,
    report: PathBuf,
}

impl Kosoku<'_> {
    /// As a client of our server. Returns what it has to complain of if there is no report.
    fn visits(&self, repository: &Repository, role: Role, takeover: &str) -> Fallible<String> {
        // The cases of group 9 send messages of up to 16 MiB. What is sent compressed must be answered so: the suite stumbles over
        // plain text that it did not expect.
        let flags = ["--max-message", "64MiB", "--deflate", takeover, "--deflate-from", "1B"];
        let server = Server::program(repository, role.name(), &flags)?;
        let ended = Task::new(repository, role.name(), &self.program)?
            .args(["-p", "2"])
            .args(&self.words)
            .args(["-o".as_ref(), self.report.as_os_str()])
            .args([format!("{}/echo", server.authority)])
            .within(PATIENCE)
            .run()?;
        server.stop()?;
        Ok(ended.complaint())
    }

    /// As the server of our client.
    fn is_visited(&self, repository: &Repository, role: Role, takeover: &str) -> Fallible<String> {
        rust::build_counterpart(repository)?;
        let mut server = Command::new(&self.program)
            .args(["-m", "fuzzingserver"])
            .args(&self.words)
            .args(["-o".as_ref(), self.report.as_os_str(), "127.0.0.1:0".as_ref()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = server.stderr.take().ok_or("no standard error")?;
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("listening on ws://")?.1.trim().to_owned()));
        let ended = match address {
            Some(address) => Task::new(repository, role.name(), repository.counterpart())?
                .args(["cases", &address, takeover])
                .within(PATIENCE)
                .run(),
            None => Err("the fuzzing server does not listen".into()),
        };
        let is_good = ended.as_ref().is_ok_and(super::process::Ended::is_good);
        if !is_good {
            let _ = server.kill();
        }
        // It writes its report when the client asks for it, and ends.
        server.wait()?;
        Ok(ended?.complaint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expected() -> Expected {
        let text = include_str!("../clients/autobahn.json");
        serde_json::from_str(text).expect("what is expected")
    }

    /// A report on all plain cases, one of which came out oddly.
    fn index(odd: (&str, &str)) -> Value {
        let case = |(behavior, close)| json!({ "behavior": behavior, "behaviorClose": close });
        let mut cases = serde_json::Map::new();
        for name in expected().informational {
            cases.insert(name, case(("INFORMATIONAL", "INFORMATIONAL")));
        }
        cases.insert("odd".into(), case(odd));
        while cases.len() < 301 {
            cases.insert(cases.len().to_string(), case(("OK", "OK")));
        }
        json!({ "agent": cases })
    }

    #[test]
    fn each_verdict_is_the_one_that_is_expected() {
        let expected = expected();
        let tally = expected.judge(&index(("OK", "OK")), 301).expect("a report");
        assert_eq!((tally.passed, tally.failures.len()), (301, 0));
        for odd in
            [("NON-STRICT", "OK"), ("FAILED", "OK"), ("OK", "UNCLEAN"), ("OK", "WRONG CODE"), ("INFORMATIONAL", "OK")]
        {
            assert_eq!(expected.judge(&index(odd), 301).expect("a report").failures.len(), 1, "{odd:?}");
        }
        assert_eq!(expected.judge(&index(("OK", "OK")), 300).expect("a report").failures.len(), 1);
        assert!(!expected.judge(&json!({ "agent": {} }), 301).expect("a report").failures.is_empty());
    }

    #[test]
    fn every_role_has_its_cases() {
        let expected = expected();
        let count = |role, cases| expected.selection(role, cases).expect("a selection").cases;
        assert_eq!(Role::ALL.map(|role| count(role, Cases::All)), [517, 180, 463, 126]);
        for role in Role::ALL {
            assert!((1..count(role, Cases::All)).contains(&count(role, Cases::Selected)), "{role:?}");
        }
        assert_eq!(expected.roles.len(), Role::ALL.len());
    }
}
