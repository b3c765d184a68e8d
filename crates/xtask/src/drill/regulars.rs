//! `Regulars`: good clients who talk all the time while something else goes on, and note how long each echo took.

use std::io;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{self, MissedTickBehavior};

use super::crowd::Crowd;
use super::wire::Wire;
use crate::Fallible;

/// A client with the echoes that it had.
type Talked = (Wire, Vec<Duration>);

#[derive(Debug)]
pub(super) struct Regulars {
    talking: JoinHandle<Crowd<Talked>>,
    stop: watch::Sender<()>,
}

/// How long each echo took, the quickest first.
#[derive(Debug)]
pub(super) struct Echoes(Vec<Duration>);

impl Regulars {
    /// Lets each of them say something this often, not all at the same moment.
    pub(super) fn begin(wires: Vec<Wire>, pace: Duration) -> Self {
        let (stop, stopped) = watch::channel(());
        let apart = pace.div_f64(wires.len().max(1) as f64);
        let wires: Vec<_> = wires.into_iter().zip(0..).collect();
        let talking = tokio::spawn(async move {
            Crowd::each(wires, |(wire, number)| talk(wire, apart * number, pace, stopped.clone())).await
        });
        Self { talking, stop }
    }

    /// Lets them end what they are saying: the clients that are still served, and how they were served.
    pub(super) async fn end(self) -> Fallible<(Crowd<Wire>, Echoes)> {
        self.stop.send_replace(());
        let Crowd { told, failed } = self.talking.await?;
        let (wires, echoes): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        let mut echoes = echoes.concat();
        echoes.sort_unstable();
        Ok((Crowd { told: wires, failed }, Echoes(echoes)))
    }
}

async fn talk(mut wire: Wire, wait: Duration, pace: Duration, mut stopped: watch::Receiver<()>) -> io::Result<Talked> {
    let mut moments = time::interval_at(time::Instant::now() + wait, pace);
    moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut echoes = Vec::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => return Ok((wire, echoes)),
            _ = moments.tick() => {
                let asked = Instant::now();
                wire.echo(b"is anybody there?").await?;
                echoes.push(asked.elapsed());
            }
        }
    }
}

impl Echoes {
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What this share of the echoes did not exceed, in milliseconds.
    pub(super) fn milliseconds(&self, share: f64) -> f64 {
        quantile(&self.0, share).as_secs_f64() * 1_000.0
    }
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(quantile(&values, 0.99), Duration::from_millis(198));
        assert_eq!(quantile(&values, 1.0), Duration::from_millis(200));
        assert_eq!(quantile(&values, 0.0), Duration::from_millis(1));
        assert_eq!(quantile(&[], 0.99), Duration::ZERO);
    }
}
