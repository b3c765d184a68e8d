//! The command line: what may be said, in which units, and what it means for the limits.

use std::ffi::OsString;
use std::time::Duration;

use bytesize::ByteSize;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use log::LevelFilter;
use longwire_reactor::{Deflate, Limits, Network, Origins};

use crate::access::Format;
use crate::listen::Listen;
use crate::load::Load;

/// WebSocket, Server-Sent Events and plain HTTP on one port.
#[derive(Parser, Debug)]
#[command(version, about, args_conflicts_with_subcommands = true)]
#[command(after_help = "Sizes are written like 4096, 64KiB or 1MiB; times like 500ms, 10s or 2m.")]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
    /// What is logged on standard error: `off`; `error`, what went wrong in here; `warn`, what is short, such as descriptors or
    /// room; `info`, where it listens and that it stops; `debug`, every refusal and every end; `trace`, what the libraries say.
    #[arg(long, global = true, default_value = "info", value_name = "LEVEL")]
    pub(crate) log: LevelFilter,
}

impl Options {
    /// Reads the words of the command line, the program's own name first.
    pub(crate) fn read(mut words: Vec<OsString>) -> Result<Self, clap::Error> {
        let read = Self::try_parse_from(&words);
        // To serve is what the program does anyway: behind its flags the word changes nothing.
        let behind_flags = read.as_ref().is_err_and(|error| error.kind() == ErrorKind::ArgumentConflict);
        match words.iter().position(|word| word == "serve").filter(|_| behind_flags) {
            Some(at) => {
                words.remove(at);
                Self::try_parse_from(words)
            }
            None => read,
        }
    }

    /// What is to be done; to serve, if nothing else was said.
    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Serves the demo page and its four streams (this is what `longwire` alone does).
    Serve(Serve),
    /// Loads a WebSocket server, and says how fast it answers and what that takes.
    Load(Load),
}

/// The server's addresses, rules, limits and deadlines.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Listens here, at an address, at `unix:PATH`, or at a socket that is handed over as systemd does, `fd:3` and up; may be
    /// repeated. The file of a Unix socket gets its mode from the umask; one that a dead server has left is replaced.
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:8080")]
    pub(crate) listen: Vec<Listen>,
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
    /// Proxies are in this network, such as `10.0.0.0/8` or `::1`, or connect to our Unix sockets (`unix`); may be repeated. What
    /// they say in `Forwarded` or `X-Forwarded-For` is believed: make sure that they write one of the two.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) trusted_proxy: Vec<Network>,
    /// Compresses messages on WebSockets whose clients offer it.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Compress::NoTakeover)]
    deflate: Compress,
    /// The shortest message that is compressed.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1KiB", value_parser = size)]
    deflate_from: usize,
    /// Writes a line to standard output for every request answered and every connection closed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Off)]
    pub(crate) access_log: Format,

    /// The longest message.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1MiB", value_parser = size_32)]
    max_message: u32,
    /// Parts of one message.
    #[arg(long, value_name = "N", help_heading = "Limits", default_value_t = 131_072, value_parser = count())]
    max_parts: u32,
    /// The longest request head.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "16KiB", value_parser = head_size)]
    max_head: u32,
    /// The longest request target.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "8KiB", value_parser = head_size)]
    max_target: u32,
    /// The longest request body.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1MiB", value_parser = size_32)]
    max_body: u32,
    /// Topics that one connection may listen to.
    #[arg(long, value_name = "N", help_heading = "Limits", default_value_t = 100, value_parser = count())]
    max_topics: u32,
    /// What one connection may have waiting to be sent.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "1MiB", value_parser = size)]
    send_queue: usize,
    /// What all connections together may hold in memory.
    #[arg(long, value_name = "SIZE", help_heading = "Limits", default_value = "256MiB", value_parser = size)]
    memory_budget: usize,
    /// Connections at a time.
    #[arg(long, value_name = "N", help_heading = "Limits", default_value_t = 16_384, value_parser = count())]
    max_connections: u32,
    /// Of these, from one address or one IPv6 network of 64 bits; loopback and trusted proxies are not counted.
    #[arg(long, value_name = "N", help_heading = "Limits", default_value_t = 1_024, value_parser = count())]
    max_per_address: u32,
    /// Connections that may wait to be accepted.
    #[arg(long, value_name = "N", help_heading = "Limits", default_value_t = 1_024, value_parser = count())]
    backlog: u32,

    /// For a request head, from its first byte or from accept.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "10s", value_parser = time)]
    head_timeout: Duration,
    /// For a request body.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "30s", value_parser = time)]
    body_timeout: Duration,
    /// For an answer that the application gives later.
    #[arg(long, value_name = "TIME", help_heading = "Deadlines", default_value = "60s", value_parser = time)]
    answer_timeout: Duration,
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

/// How messages are compressed (RFC 7692).
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Compress {
    /// Not at all.
    Off,
    /// Each message by itself: all connections share their loop's memory for it.
    NoTakeover,
    /// With what was said before: messages become shorter, and a connection that speaks pins up to 350 KB.
    Takeover,
}

impl Serve {
    pub(crate) const fn deflate(&self) -> Option<Deflate> {
        match self.deflate {
            Compress::Off => None,
            Compress::NoTakeover => Some(Deflate::DEFAULT),
            Compress::Takeover => Some(Deflate {
                server_no_context_takeover: false,
                client_no_context_takeover: false,
                ..Deflate::DEFAULT
            }),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits {
            head_deadline: self.head_timeout,
            body: self.max_body,
            body_deadline: self.body_timeout,
            later: self.answer_timeout,
            message_deadline: self.message_timeout,
            keep_alive: self.keep_alive,
            write_stall: self.write_timeout,
            ping: self.ping,
            pong: self.pong_timeout,
            heartbeat: self.heartbeat,
            close: self.close_timeout,
            max_age: self.max_age,
            drain: self.drain_timeout,
            send_queue: self.send_queue,
            budget: self.memory_budget,
            connections: self.max_connections as usize,
            per_address: self.max_per_address as usize,
            topics: self.max_topics as usize,
            backlog: self.backlog,
            deflate_from: self.deflate_from,
            ..Limits::default()
        };
        limits.message.message = self.max_message;
        limits.message.parts = self.max_parts;
        limits.head.head = self.max_head;
        limits.head.target = self.max_target;
        limits
    }

    pub(crate) fn origins(&self) -> Origins {
        match self.allow_origin.as_slice() {
            [] => Origins::Same,
            origins if origins.iter().any(|origin| origin == "*") => Origins::Any,
            origins => Origins::Listed(origins.to_vec()),
        }
    }
}

pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_millis(1)..=Duration::from_secs(24 * 24 * 3_600);
    let time = humantime::parse_duration(text).ok().filter(|time| bounds.contains(time));
    time.ok_or_else(|| "a time like 500ms, 10s or 2m, from 1ms to 24days".into())
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

pub(crate) fn size(text: &str) -> Result<usize, String> {
    let size: Option<ByteSize> = text.parse().ok();
    let size = size.and_then(|size| usize::try_from(size.as_u64()).ok()).filter(|size| *size > 0);
    size.ok_or_else(|| "a size like 4096, 64KiB or 1MiB, above 0".into())
}

fn size_32(text: &str) -> Result<u32, String> {
    size(text)?.try_into().map_err(|_| "a size below 4GiB".into())
}

fn head_size(text: &str) -> Result<u32, String> {
    size_32(text)
        .and_then(|size| if size <= 64 << 10 { Ok(size) } else { Err("a request head has at most 64KiB".into()) })
}

pub(crate) fn count() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn line(words: &[&str]) -> Vec<OsString> {
        ["longwire"].iter().chain(words).map(OsString::from).collect()
    }

    fn parse(words: &[&str]) -> Serve {
        match Options::read(line(words)).expect("valid options").command() {
            Command::Serve(serve) => serve,
            Command::Load(_) => panic!("{words:?} is to serve"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Options as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_flags_say_the_defaults_of_the_library() {
        let said = format!("{:?}", parse(&[]).limits());
        assert_eq!(said, format!("{:?}", Limits::default()));
    }

    #[test]
    fn sizes_and_times_have_units() {
        let limits = parse(&["serve", "--max-message", "64MiB", "--head-timeout", "1500ms"]).limits();
        assert_eq!(limits.message.message, 64 << 20);
        assert_eq!(limits.head_deadline, Duration::from_millis(1_500));
        for (flag, value, meant) in [
            ("--ping", "0s", "1ms"),
            ("--ping", "fast", "10s"),
            ("--max-body", "much", "64KiB"),
            ("--max-body", "0", "64KiB"),
            ("--max-message", "5GiB", "4GiB"),
            ("--max-head", "65KiB", "64KiB"),
            ("--send-queue", "1XiB", "1MiB"),
            ("--threads", "0", "1"),
            ("--max-per-address", "0", "1"),
            ("--trusted-proxy", "10.0.0.1/8", "zero"),
            ("--trusted-proxy", "proxy.example", "10.0.0.0/8"),
            ("--access-log", "xml", "json"),
            ("--listen", "nowhere", "unix:PATH"),
        ] {
            let said = Options::read(line(&[flag, value])).expect_err(value).to_string();
            assert!(said.contains(flag) && said.contains(meant), "{said}");
        }
    }

    #[test]
    fn flags_may_stand_on_either_side_of_the_word_serve() {
        for words in [
            &["--threads", "2", "--ping", "1s", "serve"][..],
            &["--threads", "2", "serve", "--ping", "1s"],
            &["serve", "--threads", "2", "--ping", "1s"],
            &["--log", "debug", "serve", "--threads", "2", "--ping", "1s"],
        ] {
            let serve = parse(words);
            assert_eq!((serve.threads, serve.ping), (2, Duration::from_secs(1)), "{words:?}");
        }
        for wrong in [&["--threads", "2", "sreve"][..], &["--threads", "x", "serve"], &["serve", "serve"]] {
            assert!(Options::read(line(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_message_is_compressed_by_itself_unless_something_else_is_said() {
        let keeps = |words: &[&str]| parse(words).deflate().map(|terms| !terms.server_no_context_takeover);
        assert_eq!(keeps(&[]), Some(false));
        assert_eq!(keeps(&["--deflate", "no-takeover"]), Some(false));
        assert_eq!(keeps(&["--deflate", "takeover"]), Some(true));
        assert_eq!(keeps(&["--deflate", "off"]), None);
    }

    #[test]
    fn origins_are_our_own_listed_or_any() {
        assert_eq!(parse(&[]).origins(), Origins::Same);
        assert_eq!(parse(&["--allow-origin", "https://a"]).origins(), Origins::Listed(vec!["https://a".into()]));
        assert_eq!(parse(&["--allow-origin", "https://a", "--allow-origin", "*"]).origins(), Origins::Any);
    }
}
