//! Autobahn's cases for WebSocket servers, as the package `kosoku` runs them. Judged case by case by its report: its exit code
//! would let lenience pass.

use std::fs;

use serde_json::Value;

use crate::Fallible;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;
use crate::server::Server;
use crate::tools::Tools;

/// All but those for compression (12 and 13).
const CASES: usize = 301;
/// Cases without a right answer: the report only says what was seen.
const INFORMATIONAL: usize = 3;

pub(crate) fn run(repository: &Repository, tools: &Tools) -> Fallible<Tally> {
    let report = repository.left_behind()?.join("autobahn");
    if report.exists() {
        fs::remove_dir_all(&report)?;
    }
    // The cases of group 9 send messages of up to 16 MiB.
    let server = Server::program(repository, "autobahn", &["--max-message", "64MiB"])?;
    let ended = Task::new(repository, "autobahn", tools.python.join("kosoku"))?
        .args(["-x", "12.*", "-x", "13.*", "-o"])
        .args([&report])
        .args([format!("{}/echo", server.authority)])
        .within(400)
        .run()?;
    server.stop()?;
    let index = fs::read_to_string(report.join("index.json")).map_err(|_| ended.complaint())?;
    judge(&serde_json::from_str(&index)?)
}

/// `{ agent: { case: { behavior, behaviorClose, … } } }`, with one agent.
fn judge(index: &Value) -> Fallible<Tally> {
    let mut agents = index.as_object().ok_or("the report names no agent")?.values();
    let cases = agents.next().and_then(Value::as_object).ok_or("the report has no cases")?;
    let (mut ok, mut informational, mut failures) = (0, 0, Vec::new());
    for (name, case) in cases {
        match (case["behavior"].as_str(), case["behaviorClose"].as_str()) {
            (Some("OK"), Some("OK")) => ok += 1,
            (Some("INFORMATIONAL"), Some("OK" | "INFORMATIONAL")) => informational += 1,
            (behavior, close) => {
                let [behavior, close] = [behavior, close].map(|verdict| verdict.unwrap_or("nothing"));
                failures.push(format!("case {name}: {behavior}, its closing {close}"));
            }
        }
    }
    if (cases.len(), informational) != (CASES, INFORMATIONAL) || agents.next().is_some() {
        failures.push(format!("{} cases were run, {informational} of them informational", cases.len()));
    }
    let note = format!("{ok} OK, {informational} INFORMATIONAL of {}", cases.len());
    Ok(Tally { passed: ok + informational, failures, note })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn index(odd: (&str, &str)) -> Value {
        let case = |(behavior, close)| json!({ "behavior": behavior, "behaviorClose": close });
        let verdict = |at| match at {
            0 => odd,
            1..=3 => ("INFORMATIONAL", "INFORMATIONAL"),
            _ => ("OK", "OK"),
        };
        json!({ "agent": (0..CASES).map(|at| (at.to_string(), case(verdict(at)))).collect::<serde_json::Map<_, _>>() })
    }

    #[test]
    fn only_ok_and_the_three_informational_pass() {
        let tally = judge(&index(("OK", "OK"))).expect("a report");
        assert_eq!((tally.passed, tally.failures.len()), (CASES, 0));
        for odd in
            [("NON-STRICT", "OK"), ("FAILED", "OK"), ("OK", "UNCLEAN"), ("OK", "WRONG CODE"), ("INFORMATIONAL", "OK")]
        {
            assert_eq!(judge(&index(odd)).expect("a report").failures.len(), 1, "{odd:?}");
        }
        assert!(!judge(&json!({ "agent": {} })).expect("a report").failures.is_empty());
    }
}
