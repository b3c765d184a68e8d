//! `Results`: what came out of a comparison, as it is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alone::Alone;
use super::cells::Cell;
use super::peers::{OURS, PEERS};
use crate::Fallible;
use crate::repository::Repository;

/// Where it is kept.
pub(crate) const KEPT: &str = "benches/comparison.json";

/// Everything, and on what it was measured.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Results {
    /// Processor, cores, kernel, compiler.
    pub(super) machine: Vec<String>,
    /// Of what was measured.
    pub(super) commit: String,
    pub(super) versions: BTreeMap<String, String>,
    pub(super) rows: Vec<Row>,
    pub(super) costs: Vec<Cost>,
    /// Measured apart.
    #[serde(default)]
    pub(super) alone: Option<Alone>,
}

/// One cell: messages per second of processor, the floor's as they are, everybody else's as a share of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) cell: Cell,
    pub(super) rounds: usize,
    pub(super) disturbed: usize,
    pub(super) floor: Spread,
    pub(super) shares: Vec<(String, Spread)>,
    /// The same round by round, in the order of `shares`, for whoever wants another statistic.
    #[serde(default)]
    pub(super) measured: Vec<Vec<f64>>,
    /// If it was measured later than the others: of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<String>,
}

/// What a peer's connections cost it. Bytes, and microseconds of processor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cost {
    pub(super) peer: String,
    /// Not told by the floor's load.
    pub(super) idle: Option<f64>,
    pub(super) moved: Option<f64>,
    pub(super) left: f64,
    pub(super) handshake: f64,
}

/// How another one stands beside us in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does more than we in all rounds but one, or in all.
    Ahead,
    /// It does less in as many.
    Behind,
    Undecided,
}

/// What several measurements say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    /// A quarter lies below, and a quarter above.
    pub(super) quartiles: [f64; 2],
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (values.len() - 1) as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { median: at(0.5), quartiles: [at(0.25), at(0.75)], min: at(0.0), max: at(1.0) }
    }
}

impl Cost {
    /// The middle of several of one peer, figure by figure. At least one.
    pub(super) fn middle(several: &[Self]) -> Self {
        let middle = |of: fn(&Self) -> Option<f64>| {
            let values: Vec<f64> = several.iter().filter_map(of).collect();
            (!values.is_empty()).then(|| Spread::of(values).median)
        };
        Self {
            peer: several[0].peer.clone(),
            idle: middle(|cost| cost.idle),
            moved: middle(|cost| cost.moved),
            left: middle(|cost| Some(cost.left)).unwrap_or_default(),
            handshake: middle(|cost| Some(cost.handshake)).unwrap_or_default(),
        }
    }
}

impl Row {
    pub(super) fn share(&self, name: &str) -> Option<&Spread> {
        self.shares.iter().find(|(peer, _)| peer == name).map(|(_, spread)| spread)
    }

    pub(super) fn ours(&self) -> Option<&Spread> {
        self.share(OURS)
    }

    /// How much more each of the others does than we do, as a ratio within a round: what disturbs one round disturbs both.
    pub(super) fn against_us(&self) -> Vec<(&str, Spread, Verdict)> {
        let of =
            |name: &str| self.shares.iter().position(|(peer, _)| peer == name).and_then(|at| self.measured.get(at));
        let Some(ours) = of(OURS) else { return Vec::new() };
        let others = self.shares.iter().filter(|(name, _)| name != OURS);
        let ratios = others.filter_map(|(name, _)| {
            let ratios: Vec<f64> = of(name)?.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
            let rounds = |which: fn(&&f64) -> bool| ratios.iter().filter(which).count();
            let verdict = match ratios.len().saturating_sub(1) {
                most if rounds(|ratio| **ratio > 1.0) >= most => Verdict::Ahead,
                most if rounds(|ratio| **ratio < 1.0) >= most => Verdict::Behind,
                _ => Verdict::Undecided,
            };
            Some((name.as_str(), Spread::of(ratios), verdict))
        });
        ratios.collect()
    }

    /// In a few words, while it is measured.
    pub(super) fn summary(&self) -> String {
        let shares: Vec<String> =
            self.shares.iter().map(|(name, spread)| format!("{name} {:.2}", spread.median)).collect();
        format!("floor {:.0}, {} ({} disturbed)", self.floor.median, shares.join(", "), self.disturbed)
    }
}

impl Results {
    pub(super) fn new(repository: &Repository, rows: Vec<Row>, costs: Vec<Cost>) -> Fallible<Self> {
        let mut versions = BTreeMap::new();
        for peer in PEERS {
            versions.insert(peer.name.to_owned(), peer.version(repository)?);
        }
        Ok(Self { machine: machine()?, commit: commit()?, versions, rows, costs, alone: None })
    }

    pub(super) fn keep(&self, repository: &Repository) -> Fallible<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(std::fs::write(repository.root.join(KEPT), text)?)
    }

    pub(super) fn read(repository: &Repository) -> Fallible<Self> {
        Ok(serde_json::from_str(&repository.read(KEPT)?)?)
    }
}

/// What is measured.
pub(super) fn commit() -> Fallible<String> {
    let told = std::process::Command::new("git").args(["show", "-s", "--format=%h of %cs"]).output()?.stdout;
    Ok(String::from_utf8_lossy(&told).trim().to_owned())
}

/// What this machine is, as far as it is told.
pub(super) fn machine() -> Fallible<Vec<String>> {
    use procfs::{CpuInfo, Current};
    let processors = CpuInfo::current()?;
    let model = processors.model_name(0).unwrap_or("a processor").to_owned();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let compiler = std::process::Command::new("rustc").arg("--version").output()?.stdout;
    Ok(vec![
        format!("{} cores of {model}", processors.num_cores()),
        format!("Linux {}", kernel.trim()),
        String::from_utf8_lossy(&compiler).trim().to_owned(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_connections_cost_the_middle_counts_figure_by_figure() {
        let cost = |idle, handshake| Cost { peer: "a".into(), idle, moved: None, left: 1.0, handshake };
        let middle = Cost::middle(&[cost(Some(160.0), 20.0), cost(None, 60.0), cost(Some(158.0), 21.0)]);
        assert_eq!((middle.idle, middle.moved, middle.left, middle.handshake), (Some(159.0), None, 1.0, 21.0));
    }

    #[test]
    fn a_spread_is_that_of_its_values() {
        let spread = Spread::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(spread, Spread { median: 3.0, quartiles: [2.0, 4.0], min: 1.0, max: 5.0 });
        assert_eq!(Spread::of(vec![1.0, 2.0]).median, 1.5);
    }

    #[test]
    fn who_is_ahead_is_asked_round_by_round() {
        let cell = Cell { fan_out: false, bytes: 20, connections: 1, in_flight: 1 };
        // The second round was slow for all.
        let measured =
            [[2.0, 1.0, 4.0, 0.9], [1.0, 0.5, 2.0, 1.0], [0.9, 0.4, 1.9, 0.9], [0.9, 0.6, 1.9, 1.1]].map(Vec::from);
        let named = ["fast", OURS, "slow", "equal"].into_iter().zip(&measured);
        let shares = named.map(|(name, of)| (name.to_owned(), Spread::of(of.clone()))).collect();
        let (floor, measured) = (Spread::of(vec![1.0]), measured.into());
        let row = Row { cell, rounds: 4, disturbed: 0, floor, shares, measured, commit: None };
        let told: Vec<_> =
            row.against_us().into_iter().map(|(name, ratio, verdict)| (name, ratio.median, verdict)).collect();
        let due = [("fast", 2.0, Verdict::Ahead), ("slow", 0.9, Verdict::Behind), ("equal", 1.025, Verdict::Undecided)];
        assert_eq!(told, due);
    }
}
