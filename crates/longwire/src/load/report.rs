//! `Report`: what came of it, in words or as JSON.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::progress::Watched;
use super::tally::Tally;
use super::{Plan, plot};

/// What is told, by the names that it has in JSON. Times are microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    target: String,
    connections: u32,
    threads: u16,
    message_bytes: usize,
    text: bool,
    deflate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_flight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<u32>,
    fan_out: bool,
    /// Where listeners are event streams, their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    streams: Option<String>,
    seconds: f64,
    messages: u64,
    messages_per_second: f64,
    bytes_per_second: f64,
    latency: Latency,
    /// Echoes that were not what was sent.
    wrong: u64,
    /// What was sent and did not come.
    missing: u64,
    /// Where one speaks: the share of what should have been delivered that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<f64>,
    /// Connections that ended before their time, by why.
    ends: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server>,
    #[serde(skip)]
    json: bool,
    #[serde(skip)]
    plot: Option<(std::path::PathBuf, Tally)>,
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
    fn of(latencies: &Histogram<u64>) -> Self {
        let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            mean: latencies.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: latencies.max() as f64 / 1e3,
        }
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
    /// With all connections open, before a message was sent.
    idle_bytes_per_connection: f64,
    resident_bytes: u64,
}

impl Report {
    pub(super) fn new(plan: &Plan, tally: Tally, watched: Option<Watched>) -> Self {
        let options = &plan.options;
        let seconds = options.duration.as_secs_f64();
        let server = watched.map(|watched| {
            let (user, system) = (watched.end.user - watched.begin.user, watched.end.system - watched.begin.system);
            let cpu = watched.end.processor - watched.begin.processor;
            let grown = watched.opened.resident as f64 - watched.before.resident as f64;
            Server {
                cpu_seconds: cpu,
                user_seconds: user,
                system_seconds: system,
                messages_per_cpu_second: tally.messages as f64 / cpu.max(1e-6),
                cpu_per_handshake: (watched.opened.processor - watched.before.processor) * 1e6
                    / f64::from(options.connections),
                idle_bytes_per_connection: grown / f64::from(options.connections),
                resident_bytes: watched.end.resident,
            }
        });
        Self {
            target: options.target.to_string(),
            connections: options.connections,
            threads: options.threads,
            message_bytes: options.size,
            text: options.text,
            deflate: options.deflate,
            in_flight: options.rate.is_none().then_some(options.in_flight),
            rate: options.rate,
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
            reach: options.fan_out.then(|| 1.0 - tally.missing as f64 / tally.expected.max(1) as f64),
            ends: tally.ends.clone(),
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
        let listens = self.streams.as_ref() == Some(&self.target);
        let pace = match (self.in_flight, self.rate) {
            (_, Some(rate)) => format!("{rate} a second"),
            (flight, None) => format!("{} in flight", flight.unwrap_or(1)),
        };
        let kind = if self.text { "text" } else { "binary" };
        let messages = format!("{} of {kind}, {pace}", bytes(self.message_bytes as f64));
        let (target, connections) = (&self.target, self.connections);
        match &self.streams {
            Some(_) if listens => writeln!(f, "{target}: {connections} event streams")?,
            Some(streams) => writeln!(f, "{streams}: {connections} event streams; {target}: one speaker, {messages}")?,
            None if self.fan_out => writeln!(f, "{target}: {connections} listeners and one speaker, {messages}")?,
            None => writeln!(f, "{target}: {connections} connections, {messages}")?,
        }
        writeln!(f)?;
        let said = match self.fan_out {
            true => "deliveries",
            false if listens => "events",
            false => "echoes",
        };
        writeln!(
            f,
            "  {said:<12}{:>14.0} /s   {:>10}/s   {} in {:.1} s",
            self.messages_per_second,
            bytes(self.bytes_per_second),
            self.messages,
            self.seconds
        )?;
        let Latency { mean, p50, p90, p99, p99_9, max } = self.latency;
        writeln!(
            f,
            "  {:<12} p50 {}   p90 {}   p99 {}   p99.9 {}   max {}   mean {}",
            if listens { "after first" } else { "latency" },
            time(p50),
            time(p90),
            time(p99),
            time(p99_9),
            time(max),
            time(mean)
        )?;
        if let Some(server) = self.server {
            let Server { user_seconds: user, system_seconds: system, .. } = server;
            writeln!(
                f,
                "  server       {:.0} {said} per CPU second (user {user:.2} s, system {system:.2} s); {} in memory, {} per idle connection",
                server.messages_per_cpu_second,
                bytes(server.resident_bytes as f64),
                bytes(server.idle_bytes_per_connection.max(0.0)),
            )?;
        }
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
