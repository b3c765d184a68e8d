//! What may be said to `longwire load`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::abuse::Profile;
use super::message::STAMP;
use super::target::Target;
use crate::options::{count, size, time};

/// What says how to speak, and nothing of how to misbehave.
const NOT_ABUSE: [&str; 10] =
    ["size", "in_flight", "rate", "text", "deflate", "warm_up", "threads", "connect_rate", "fan_out", "plot"];

/// What to load, with what, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct Load {
    /// The WebSocket, such as ws://127.0.0.1:8080/echo; or an event stream, such as http://127.0.0.1:8080/clock, to which every connection
    /// listens.
    #[arg(value_name = "ADDRESS")]
    pub(super) target: Target,
    /// Connections that are open at a time.
    #[arg(short, long, value_name = "N", default_value_t = 64, value_parser = count())]
    pub(super) connections: u32,
    /// Bytes of a message.
    #[arg(short, long, value_name = "SIZE", default_value = "20", value_parser = size)]
    pub(super) size: usize,
    /// Messages that each connection has under way: the next is sent when one has come back.
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = count())]
    pub(super) in_flight: u32,
    /// Messages a second, over all connections, sent when it is time and not when the last has come back: then what is measured is
    /// how long each took from when it should have been sent.
    #[arg(short, long, value_name = "N", value_parser = count(), conflicts_with = "in_flight")]
    pub(super) rate: Option<u32>,
    /// Messages are text instead of binary.
    #[arg(short, long)]
    pub(super) text: bool,
    /// Offers compression (RFC 7692).
    #[arg(long)]
    pub(super) deflate: bool,
    /// How long it counts, once all connections are open and warm.
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(super) duration: Duration,
    /// How long before that it runs without counting.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pub(super) warm_up: Duration,
    /// Threads, among which the connections are divided.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) threads: u16,
    /// Comes from this address of ours; may be repeated, then connections come from them in turn. One address has some 28,000 ports for
    /// a server.
    #[arg(long, value_name = "IP")]
    pub(super) source: Vec<IpAddr>,
    /// Connections that are opened a second.
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = count())]
    pub(super) connect_rate: u32,
    /// Every connection listens, one more speaks, and what it says is expected by all: as many messages under way as `--in-flight`
    /// says, or as many a second as `--rate` says.
    #[arg(long)]
    pub(super) fan_out: bool,
    /// With `--fan-out`: the listeners are event streams of this address, such as http://127.0.0.1:8080/news, and hear what the speaker
    /// says on a WebSocket. It must be text, and said at a rate.
    #[arg(long, value_name = "ADDRESS", requires_all = ["fan_out", "rate", "text"])]
    pub(super) streams: Option<Target>,
    /// Instead of all that: so many connections misbehave in this way, for so long, while one beside them behaves. What the server did
    /// to them is told, and what that one noticed.
    #[arg(long, value_name = "HOW", value_enum, conflicts_with_all = NOT_ABUSE)]
    pub(super) abuse: Option<Profile>,
    /// The process of the server, on this machine: tells what it takes of processor and memory.
    #[arg(long, value_name = "PID")]
    pub(super) server_pid: Option<i32>,
    /// Prints the report as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Draws throughput and latency over time, and latency by percentile, into an SVG file.
    #[arg(long, value_name = "FILE")]
    pub(super) plot: Option<PathBuf>,
}

impl Load {
    /// Where the connection of this number comes from, if that was said.
    pub(super) fn source(&self, number: usize) -> Option<IpAddr> {
        self.source.get(number.checked_rem(self.source.len())?).copied()
    }

    /// What cannot go together, beyond what the options themselves say.
    pub(super) fn check(&self) -> Result<(), String> {
        let stream = self.target.is_stream();
        if stream && (self.fan_out || self.abuse.is_some() || self.rate.is_some()) {
            return Err(format!("{} is listened to: who speaks or misbehaves needs a ws:// address", self.target));
        }
        if let Some(streams) = self.streams.as_ref().filter(|streams| !streams.is_stream()) {
            return Err(format!("--streams {streams}: an http:// address is meant"));
        }
        if self.fan_out && self.size < STAMP {
            return Err(format!("--fan-out knows its messages by their first {STAMP} bytes: --size must not be less"));
        }
        Ok(())
    }
}
