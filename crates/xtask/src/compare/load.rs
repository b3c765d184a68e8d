//! `longwire load`, or what does the same without a protocol, as another process for a bounded time; and what it says in the end.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::Fallible;

/// Seconds after which a load that does not end is ended.
const PATIENCE: &str = "120";

/// A command that loads, on this core if one is named.
pub(super) fn command(core: Option<&str>) -> Command {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(core) = core {
        command.args(["taskset", "-c", core]);
    }
    command
}

/// What it said, if it ended well.
pub(super) fn told(ended: &Output) -> Fallible<Value> {
    if !ended.status.success() {
        let words = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
        return Err(words.trim().into());
    }
    Ok(serde_json::from_slice(&ended.stdout)?)
}

/// A figure of the server's.
pub(super) fn number(said: &Value, name: &str) -> Fallible<f64> {
    said["server"][name].as_f64().ok_or_else(|| format!("no {name}: {said}").into())
}
