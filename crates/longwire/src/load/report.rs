//! `Report`: what came of it, in words or as JSON.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::progress::{Taken, Watched};
use super::tally::Tally;
use super::{Plan, plot};

/// From so many connections on is told what one takes of memory.
const MANY: u32 = 1_000;

/// What is told, by the names that it has in JSON. Times are microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    target: String,
    connections: u32,
    threads: u16,
    /// Of who speaks.
    #[serde(flatten)]
    says: Option<Says>,
    fan_out: bool,
    /// Where listeners are event streams, their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    streams: Option<String>,
    seconds: f64,
    messages: u64,
    messages_per_second: f64,
    bytes_per_second: f64,
    /// Not of nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Latency>,
    /// Echoes that were not what was sent.
    wrong: u64,
    /// What was sent and did not come.
    missing: u64,
    /// Where one speaks: the share of what should have been delivered that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<f64>,
    /// Connections that ended before their time, by why.
    ends: BTreeMap<String, u64>,
    /// Of this process, while it counted.
    load_cpu_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server>,
    #[serde(skip)]
    json: bool,
    #[serde(skip)]
    plot: Option<(std::path::PathBuf, Tally)>,
}

/// What is said, and how.
#[derive(Clone, Copy, Debug, Serialize)]
struct Says {
    message_bytes: usize,
    text: bool,
    deflate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_flight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<u32>,
    /// What came of the rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_per_second: Option<f64>,
}

impl Says {
    /// Whether so many were not sent as should have been: one in a hundred may be a matter of where the window ends.
    fn is_behind(&self) -> bool {
        self.rate.zip(self.sent_per_second).is_some_and(|(rate, sent)| sent < 0.99 * f64::from(rate))
    }
}

impl std::fmt::Display for Says {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.text { "text" } else { "binary" };
        write!(f, "{} of {kind}, ", bytes(self.message_bytes as f64))?;
        match (self.in_flight, self.rate) {
            (_, Some(rate)) => write!(f, "{rate} a second"),
            (flight, None) => write!(f, "{} in flight", flight.unwrap_or(1)),
        }
    }
}

/// From when a message was due to when it was here.
#[derive(Clone, Copy, Debug, Serialize)]
struct Latency {
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p99_9: f64,
    max: f64,
}

impl Latency {
    fn of(latencies: &Histogram<u64>) -> Option<Self> {
        if latencies.is_empty() {
            return None;
        }
        let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
        Some(Self {
            mean: latencies.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: latencies.max() as f64 / 1e3,
        })
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quantiles =
            [("p50", self.p50), ("p90", self.p90), ("p99", self.p99), ("p99.9", self.p99_9), ("max", self.max)];
        for (name, microseconds) in quantiles {
            write!(f, "{name} {}   ", time(microseconds))?;
        }
        write!(f, "mean {}", time(self.mean))
    }
}

/// What the server has taken.
#[derive(Clone, Copy, Debug, Serialize)]
struct Server {
    cpu_seconds: f64,
    user_seconds: f64,
    system_seconds: f64,
    messages_per_cpu_second: f64,
    /// To accept a connection and to open its WebSocket, in microseconds of processor.
    cpu_per_handshake: f64,
    /// With all connections open, before a message was sent. Not of a few: there it is what the allocator has to spare.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_bytes_per_connection: Option<f64>,
    resident_bytes: u64,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (user, system, resident) = (self.user_seconds, self.system_seconds, bytes(self.resident_bytes as f64));
        write!(
            f,
            "(user {user:.2} s, system {system:.2} s), {} to open a connection; {resident} in memory",
            time(self.cpu_per_handshake)
        )?;
        match self.idle_bytes_per_connection {
            Some(idle) => write!(f, ", {} per idle connection", bytes(idle.max(0.0))),
            None => Ok(()),
        }
    }
}

impl Report {
    pub(super) fn new(plan: &Plan, tally: Tally, watched: Watched) -> Self {
        let options = &plan.options;
        let seconds = options.duration.as_secs_f64();
        let server = watched.server.map(|Taken { before, opened, begin, end }| {
            let (user, system) = (end.user - begin.user, end.system - begin.system);
            let cpu = end.processor - begin.processor;
            let grown = opened.resident as f64 - before.resident as f64;
            Server {
                cpu_seconds: cpu,
                user_seconds: user,
                system_seconds: system,
                messages_per_cpu_second: tally.messages as f64 / cpu.max(1e-6),
                cpu_per_handshake: (opened.processor - before.processor) * 1e6 / f64::from(options.connections),
                idle_bytes_per_connection: (options.connections >= MANY)
                    .then(|| grown / f64::from(options.connections)),
                resident_bytes: end.resident,
            }
        });
        Self {
            target: options.target.to_string(),
            connections: options.connections,
            threads: options.threads,
            says: (!options.target.is_stream()).then(|| Says {
                message_bytes: options.size,
                text: options.text,
                deflate: options.deflate,
                in_flight: options.rate.is_none().then_some(options.in_flight),
                rate: options.rate,
                sent_per_second: options.rate.map(|_| tally.sent as f64 / seconds),
            }),
            fan_out: options.fan_out,
            streams: options
                .streams
                .as_ref()
                .or(options.target.is_stream().then_some(&options.target))
                .map(ToString::to_string),
            seconds,
            messages: tally.messages,
            messages_per_second: tally.messages as f64 / seconds,
            bytes_per_second: tally.bytes as f64 / seconds,
            latency: Latency::of(&tally.latencies),
            wrong: tally.wrong,
            missing: tally.missing,
            reach: (tally.expected > 0).then(|| 1.0 - tally.missing as f64 / tally.expected as f64),
            ends: tally.ends.clone(),
            load_cpu_seconds: watched.own,
            server,
            json: options.json,
            plot: options.plot.clone().map(|file| (file, tally)),
        }
    }

    /// Whether all that was sent came back, and nobody left.
    pub(super) fn is_clean(&self) -> bool {
        self.messages > 0 && self.wrong == 0 && self.missing == 0 && self.ends.is_empty()
    }

    pub(super) fn print(&self) -> Result<(), String> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(self).map_err(|error| error.to_string())?);
        } else {
            print!("{self}");
        }
        match &self.plot {
            Some((file, tally)) => plot::draw(file, &self.target, tally),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (target, connections) = (&self.target, self.connections);
        match (&self.says, &self.streams) {
            (None, _) => writeln!(f, "{target}: {connections} event streams")?,
            (Some(says), Some(streams)) => {
                writeln!(f, "{streams}: {connections} event streams; {target}: one speaker, {says}")?;
            }
            (Some(says), None) if self.fan_out => {
                writeln!(f, "{target}: {connections} listeners and one speaker, {says}")?;
            }
            (Some(says), None) => writeln!(f, "{target}: {connections} connections, {says}")?,
        }
        writeln!(f)?;
        let said = match (self.fan_out, self.says) {
            (true, _) => "deliveries",
            (false, None) => "events",
            (false, Some(_)) => "echoes",
        };
        let (each_second, speed) = (self.messages_per_second, bytes(self.bytes_per_second));
        writeln!(f, "  {said:<12}{each_second:>14.0} /s   {speed:>10}/s   {} in {:.1} s", self.messages, self.seconds)?;
        match self.latency {
            Some(latency) if self.says.is_none() => writeln!(f, "  after first  {latency}")?,
            Some(latency) => writeln!(f, "  latency      {latency}")?,
            None if self.fan_out => writeln!(f, "  nothing      was heard: is what one says there handed on to all?")?,
            None => writeln!(f, "  nothing      was heard")?,
        }
        if let Some(says) = self.says.filter(Says::is_behind) {
            let sent = says.sent_per_second.unwrap_or_default();
            writeln!(f, "  behind       {sent:.0} a second were sent: it was this side that could not keep up")?;
        }
        if let Some(server) = &self.server {
            writeln!(f, "  server       {:.0} {said} per CPU second {server}", server.messages_per_cpu_second)?;
        }
        let busy = self.load_cpu_seconds / self.seconds;
        // Where messages are due at a rate, it is awake for them in any case.
        let full = self.says.is_some_and(|says| says.rate.is_none()) && busy > 0.95 * f64::from(self.threads);
        let words = if full { ": all that it can, so it may be what was measured" } else { "" };
        writeln!(f, "  this side    {busy:.2} of a core, threads: {}{words}", self.threads)?;
        if let Some(reach) = self.reach {
            writeln!(f, "  reach        {:.3} % of what should have been delivered", 100.0 * reach)?;
        }
        if self.wrong > 0 {
            writeln!(f, "  wrong        {} were not what was sent", self.wrong)?;
        }
        if self.missing > 0 {
            writeln!(f, "  missing      {} were sent and did not come", self.missing)?;
        }
        for (why, count) in &self.ends {
            writeln!(f, "  ended        {count}: {why}")?;
        }
        Ok(())
    }
}

/// Bytes, in the largest unit that leaves something before the point.
pub(super) fn bytes(bytes: f64) -> String {
    ByteSize::b(bytes as u64).display().iec().to_string()
}

/// Microseconds, in a unit that is easy to read.
pub(super) fn time(microseconds: f64) -> String {
    match microseconds {
        few if few < 1e3 => format!("{few:.0} µs"),
        some if some < 1e6 => format!("{:.2} ms", some / 1e3),
        many => format!("{:.2} s", many / 1e6),
    }
}
