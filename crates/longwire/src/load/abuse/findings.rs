//! `Findings`: what the server did to those who misbehaved, and what somebody beside them noticed, in words or as JSON.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::witness::Seen;
use super::{Attempt, Profile};
use crate::load::report::{bytes, time};
use crate::load::server::Usage;
use crate::load::{Load, nanoseconds};

/// What is told, by the names that it has in JSON. Times are microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    target: String,
    abuse: String,
    guests: u32,
    seconds: f64,
    /// How often they connected.
    connections: usize,
    sent_bytes: u64,
    received_bytes: u64,
    /// How they ended, in words.
    outcomes: BTreeMap<String, Outcome>,
    /// Of the one who behaved: before anybody misbehaved, and from then on.
    echo_before: Latency,
    echo: Latency,
    echoes_lost: u64,
    opening: Latency,
    openings_refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server>,
}

/// One way to end.
#[derive(Clone, Copy, Debug, Serialize)]
struct Outcome {
    count: u64,
    /// After how long.
    p50: f64,
    max: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Latency {
    count: u64,
    p50: f64,
    p99: f64,
    max: f64,
}

/// What it took of the server.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Server {
    cpu_seconds: f64,
    resident_before: u64,
    resident_peak: u64,
    resident_after: u64,
}

impl Server {
    pub(super) fn of(before: &Usage, peak: u64, after: &Usage) -> Self {
        Self {
            cpu_seconds: after.processor - before.processor,
            resident_before: before.resident,
            resident_peak: peak.max(after.resident),
            resident_after: after.resident,
        }
    }
}

fn latency(durations: impl Iterator<Item = Duration>) -> Latency {
    // Nanoseconds, up to an hour.
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).expect("these bounds are fine");
    durations.for_each(|duration| histogram.saturating_record(nanoseconds(duration)));
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
    Latency { count: histogram.len(), p50: at(0.5), p99: at(0.99), max: histogram.max() as f64 / 1e3 }
}

impl Findings {
    pub(super) fn new(
        options: &Load,
        profile: Profile,
        lasted: Duration,
        attempts: &[Attempt],
        seen: &Seen,
        begun: Instant,
        server: Option<Server>,
    ) -> Self {
        let mut endings: BTreeMap<_, Vec<Duration>> = BTreeMap::new();
        for attempt in attempts {
            endings.entry(attempt.ending).or_default().push(attempt.after);
        }
        let outcomes = endings.into_iter().map(|(ending, after)| {
            let Latency { count, p50, max, .. } = latency(after.into_iter());
            (ending.to_string(), Outcome { count, p50, max })
        });
        let of = |all: &[(Instant, Duration)], during: bool| {
            latency(all.iter().filter(|(at, _)| (*at >= begun) == during).map(|(_, took)| *took))
        };
        Self {
            target: options.target.to_string(),
            abuse: clap::ValueEnum::to_possible_value(&profile)
                .map_or_else(String::new, |value| value.get_name().into()),
            guests: options.connections,
            seconds: lasted.as_secs_f64(),
            connections: attempts.len(),
            sent_bytes: attempts.iter().map(|attempt| attempt.sent).sum(),
            received_bytes: attempts.iter().map(|attempt| attempt.received).sum(),
            outcomes: outcomes.collect(),
            echo_before: of(&seen.echoes, false),
            echo: of(&seen.echoes, true),
            echoes_lost: seen.lost,
            opening: of(&seen.openings, true),
            openings_refused: seen.refused,
            server,
        }
    }

    /// Whether who behaved has lost nothing.
    pub(super) const fn is_clean(&self) -> bool {
        self.echoes_lost == 0 && self.openings_refused == 0
    }

    pub(super) fn print(&self, json: bool) -> Result<(), String> {
        if json {
            println!("{}", serde_json::to_string_pretty(self).map_err(|error| error.to_string())?);
        } else {
            print!("{self}");
        }
        Ok(())
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {}, {} guests for {:.1} s\n", self.target, self.abuse, self.guests, self.seconds)?;
        let (sent, received) = (bytes(self.sent_bytes as f64), bytes(self.received_bytes as f64));
        writeln!(f, "  the guests   connected {} times, sent {sent}, heard {received}", self.connections)?;
        for (ending, Outcome { count, p50, max }) in &self.outcomes {
            writeln!(f, "    {count:>6} {ending}, after {} (p50), {} (max)", time(*p50), time(*max))?;
        }
        let told = |Latency { p50, p99, max, .. }| format!("p50 {}   p99 {}   max {}", time(p50), time(p99), time(max));
        writeln!(f, "  beside them  {} echoes, {} lost", self.echo.count, self.echoes_lost)?;
        writeln!(f, "    before     {}", told(self.echo_before))?;
        writeln!(f, "    meanwhile  {}", told(self.echo))?;
        if self.opening.count > 0 {
            writeln!(f, "    to open    {}, {} refused", told(self.opening), self.openings_refused)?;
        }
        if let Some(Server { cpu_seconds, resident_before, resident_peak, resident_after }) = self.server {
            let [before, peak, after] = [resident_before, resident_peak, resident_after].map(|size| bytes(size as f64));
            writeln!(
                f,
                "  the server   {cpu_seconds:.2} s of processor; {before} in memory before, {peak} at most, {after} after"
            )?;
        }
        Ok(())
    }
}
