//! The commands of README.md, each executed as a reader would: a command that serves is started, visited and asked to stop.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Fallible;
use crate::markdown::Page;
use crate::process::Task;
use crate::report::Tally;
use crate::repository::Repository;
use crate::server::Server;

/// What is done with a command.
#[derive(Debug, PartialEq, Eq)]
enum How {
    /// Started, visited at this address, asked to stop with SIGTERM.
    Serves(&'static str),
    /// Run in a folder of its own, in which `longwire` leads to this repository.
    BesideTheClone,
    /// It is what runs at this moment.
    ThisRun,
    /// Run to its end, which must be a good one.
    AsItStands,
}

fn how(command: &str) -> How {
    match command {
        "cargo run --release" => How::Serves("127.0.0.1:8080"),
        "cargo xtask test" => How::ThisRun,
        _ if command.starts_with("cargo new ") => How::BesideTheClone,
        _ => How::AsItStands,
    }
}

pub(crate) fn commands(repository: &Repository) -> Fallible<Tally> {
    let readme = Page::parse(&repository.read("README.md")?);
    let shells = readme.blocks.iter().filter(|block| matches!(block.language.as_str(), "sh" | "bash" | "console"));
    let commands: Vec<String> = shells.flat_map(|block| lines(&block.text, block.language == "console")).collect();
    let mut tally = Tally::default();
    for command in &commands {
        let outcome = match how(command) {
            How::ThisRun => Ok(()),
            How::AsItStands => execute(repository, command, &repository.root),
            How::BesideTheClone => beside(repository, command),
            How::Serves(authority) => serve(repository, command, authority),
        };
        match outcome {
            Ok(()) => tally.passed += 1,
            Err(error) => tally.failures.push(format!("{command}: {error}")),
        }
    }
    if commands.is_empty() {
        tally.failures.push("README.md has no command".into());
    }
    Ok(tally.noting(commands.join("; ")))
}

/// The commands of a block: every line, or those behind a prompt; a backslash at the end goes on in the next line.
fn lines(block: &str, has_prompt: bool) -> Vec<String> {
    let joined = block.replace("\\\n", "");
    let commands = joined.lines().filter_map(|line| if has_prompt { line.strip_prefix("$ ") } else { Some(line) });
    let commands = commands.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    commands.map(String::from).collect()
}

fn execute(repository: &Repository, command: &str, folder: &Path) -> Fallible<()> {
    Task::new(repository, &format!("README {command}"), "sh")?.args(["-c", command]).folder(folder).succeed()?;
    Ok(())
}

/// Not below this repository: cargo would take the new package for one of ours.
fn beside(repository: &Repository, command: &str) -> Fallible<()> {
    let folder = std::env::temp_dir().join(format!("longwire-readme-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let linked = symlink(&repository.root, folder.join("longwire"));
    let outcome = linked.map_err(Into::into).and_then(|()| execute(repository, command, &folder));
    fs::remove_dir_all(&folder)?;
    outcome
}

fn serve(repository: &Repository, command: &str, authority: &str) -> Fallible<()> {
    let mut shell = Command::new("sh");
    // `exec`, and what cargo runs takes cargo's place: so the signal reaches the server itself.
    shell.arg("-c").arg(format!("exec {command}"));
    let server = Server::start(repository, "README", shell, Duration::from_secs(900))?;
    if server.authority != authority {
        return Err(format!("it listens on {}", server.authority).into());
    }
    let page = get(authority)?;
    if !page.starts_with("HTTP/1.1 200 ") || !page.contains("<title>Longwire</title>") {
        return Err(format!("there is no page:\n{}", page.lines().take(20).collect::<Vec<_>>().join("\n")).into());
    }
    server.stop()
}

fn get(authority: &str) -> Fallible<String> {
    let mut socket = TcpStream::connect(authority)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(socket, "GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    socket.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{How, beside, how, lines};
    use crate::repository::Repository;

    #[test]
    fn a_new_package_finds_the_clone_beside_it() {
        let repository = Repository::open().expect("this repository");
        let command = "cargo new mine && cd mine && cargo add --path ../longwire/crates/reactor";
        assert_eq!(how(command), How::BesideTheClone);
        beside(&repository, command).expect("a package with a dependency");
        assert!(beside(&repository, "cargo new mine && cargo add --path longwire/crates/reactor").is_err());
    }

    #[test]
    fn commands_are_lines_or_stand_behind_a_prompt() {
        assert_eq!(lines("# first\none \\\n  two\n\nthree\n", false), ["one   two", "three"]);
        assert_eq!(lines("$ one\nits output\n$ two\n", true), ["one", "two"]);
    }
}
