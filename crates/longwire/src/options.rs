//! The command line: what may be said, in which units, and what it means for the limits.

use std::net::SocketAddr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};
use log::LevelFilter;
use longwire_reactor::{Limits, Origins};

/// WebSocket, Server-Sent Events and plain HTTP on one port.
#[derive(Parser, Debug)]
#[command(version, about, args_conflicts_with_subcommands = true)]
#[command(after_help = "Sizes are written like 4096, 64KiB or 1MiB; times like 500ms, 10s or 2m.")]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
    /// What is logged on standard error: off, error, warn, info, debug or trace.
    #[arg(long, global = true, default_value = "info", value_name = "LEVEL")]
    pub(crate) log: LevelFilter,
}

impl Options {
    /// What is to be done; to serve, if nothing else was said.
    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Serves the demo page and its four streams (this is what `longwire` alone does).
    Serve(Serve),
}

/// The server's addresses, rules, limits and deadlines.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Listens here; may be repeated.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Event loops, each on a thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: u16,
    /// Pages of this origin, such as `https://www.example.org`, may open a WebSocket; may be repeated, `*` for any. Without it,
    /// only our own.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Requests on a loopback address may have this Host, beside localhost; may be repeated, `*` for any.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,

    /// The longest message.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1MiB")]
    max_message: ByteSize,
    /// The longest request head.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "16KiB")]
    max_head: ByteSize,
    /// The longest request body.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1MiB")]
    max_body: ByteSize,
    /// What one connection may have waiting to be sent.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1MiB")]
    send_queue: ByteSize,
    /// What all connections together may hold in memory.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "256MiB")]
    memory_budget: ByteSize,
    /// Connections at a time.
    #[arg(long, value_name = "N", help_heading = "Limits", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,

    /// For a request head, from its first byte or from accept.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "10s", value_parser = time)]
    head_timeout: Duration,
    /// For a request body.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "30s", value_parser = time)]
    body_timeout: Duration,
    /// For a message in pieces.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "60s", value_parser = time)]
    message_timeout: Duration,
    /// Between two requests.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "75s", value_parser = time)]
    keep_alive: Duration,
    /// For a peer that takes nothing of what we send.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "30s", value_parser = time)]
    write_timeout: Duration,
    /// Silence after which a WebSocket is pinged.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "30s", value_parser = time)]
    ping: Duration,
    /// For the pong.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "20s", value_parser = time)]
    pong_timeout: Duration,
    /// Silence after which an event stream gets a comment.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "15s", value_parser = time)]
    heartbeat: Duration,
    /// For the peer's Close after ours.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "5s", value_parser = time)]
    close_timeout: Duration,
    /// How long a WebSocket or a stream may live; unset, as long as it likes.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", value_parser = time)]
    max_age: Option<Duration>,
    /// For everybody to go when the server is told to stop.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "10s", value_parser = time)]
    drain_timeout: Duration,
}

impl Serve {
    /// The limits, or what is wrong with them.
    pub(crate) fn limits(&self) -> Result<Limits, String> {
        let mut limits = Limits {
            head_deadline: self.head_timeout,
            body: size_32("--max-body", self.max_body)?,
            body_deadline: self.body_timeout,
            message_deadline: self.message_timeout,
            keep_alive: self.keep_alive,
            write_stall: self.write_timeout,
            ping: self.ping,
            pong: self.pong_timeout,
            heartbeat: self.heartbeat,
            close: self.close_timeout,
            max_age: self.max_age,
            drain: self.drain_timeout,
            send_queue: size("--send-queue", self.send_queue)?,
            budget: size("--memory-budget", self.memory_budget)?,
            connections: self.max_connections as usize,
            ..Limits::default()
        };
        limits.message.message = size_32("--max-message", self.max_message)?;
        limits.head.head = size_32("--max-head", self.max_head)?;
        if limits.head.head > 64 << 10 {
            return Err("--max-head: a request head has at most 64KiB".into());
        }
        Ok(limits)
    }

    pub(crate) fn origins(&self) -> Origins {
        match self.allow_origin.as_slice() {
            [] => Origins::Same,
            origins if origins.iter().any(|origin| origin == "*") => Origins::Any,
            origins => Origins::Listed(origins.to_vec()),
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time < Duration::from_millis(1) || time > Duration::from_secs(24 * 24 * 3_600) {
        return Err("a time from 1ms to 24days".into());
    }
    Ok(time)
}

fn origin(text: &str) -> Result<String, String> {
    let is_origin = text
        .split_once("://")
        .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty() && !host.contains('/'));
    if is_origin || text == "*" {
        Ok(text.into())
    } else {
        Err("a scheme and a host, like https://www.example.org".into())
    }
}

fn size(flag: &str, size: ByteSize) -> Result<usize, String> {
    usize::try_from(size.as_u64()).ok().filter(|size| *size > 0).ok_or_else(|| format!("{flag}: a size above 0"))
}

fn size_32(flag: &str, size: ByteSize) -> Result<u32, String> {
    u32::try_from(size.as_u64())
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| format!("{flag}: a size above 0 and below 4GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(words: &[&str]) -> Serve {
        let Command::Serve(serve) =
            Options::try_parse_from([&["longwire"], words].concat()).expect("valid options").command();
        serve
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Options as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_flags_say_the_defaults_of_the_library() {
        let said = format!("{:?}", parse(&[]).limits().unwrap());
        assert_eq!(said, format!("{:?}", Limits::default()));
    }

    #[test]
    fn sizes_and_times_have_units() {
        let limits = parse(&["serve", "--max-message", "64MiB", "--head-timeout", "1500ms"]).limits().unwrap();
        assert_eq!(limits.message.message, 64 << 20);
        assert_eq!(limits.head_deadline, Duration::from_millis(1_500));
        for wrong in [["--ping", "0s"], ["--ping", "fast"], ["--max-body", "much"], ["--threads", "0"]] {
            assert!(Options::try_parse_from([&["longwire"], &wrong[..]].concat()).is_err(), "{wrong:?}");
        }
        assert!(parse(&["--max-message", "5GiB"]).limits().is_err());
    }

    #[test]
    fn origins_are_our_own_listed_or_any() {
        assert_eq!(parse(&[]).origins(), Origins::Same);
        assert_eq!(parse(&["--allow-origin", "https://a"]).origins(), Origins::Listed(vec!["https://a".into()]));
        assert_eq!(parse(&["--allow-origin", "https://a", "--allow-origin", "*"]).origins(), Origins::Any);
    }
}
