//! `Crowd`: many clients that do the same, so many of them at a time.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

/// What a client does takes no longer, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// If so many have failed, the others stay at home.
const ENOUGH: usize = 20;

/// What became of them.
#[derive(Debug)]
pub(super) struct Crowd<T> {
    /// What those came back with who did what they were to do, in no order.
    pub(super) told: Vec<T>,
    /// How many did not, by reason.
    pub(super) failed: BTreeMap<String, usize>,
}

impl<T: Send + 'static> Crowd<T> {
    /// Sends clients 0 to `count`, no more than `at_once` at a time.
    pub(super) async fn send<F>(count: usize, at_once: usize, client: impl Fn(usize) -> F) -> Self
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        Self::of((0..count).map(client), at_once).await
    }

    /// Lets all of those do something, at the same time.
    pub(super) async fn each<S, F>(those: Vec<S>, act: impl Fn(S) -> F) -> Self
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        Self::of(those.into_iter().map(act), usize::MAX).await
    }

    async fn of<F>(mut clients: impl Iterator<Item = F>, at_once: usize) -> Self
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        let mut crowd = Self { told: Vec::new(), failed: BTreeMap::new() };
        let mut out = JoinSet::new();
        loop {
            while out.len() < at_once
                && crowd.failed.values().sum::<usize>() < ENOUGH
                && let Some(client) = clients.next()
            {
                out.spawn(timeout(PATIENCE, client));
            }
            match out.join_next().await {
                Some(Ok(Ok(Ok(told)))) => crowd.told.push(told),
                Some(Ok(Ok(Err(error)))) => crowd.miss(error.to_string()),
                Some(Ok(Err(_))) => crowd.miss(format!("not done after {} s", PATIENCE.as_secs())),
                Some(Err(panic)) => crowd.miss(panic.to_string()),
                None => return crowd,
            }
        }
    }

    fn miss(&mut self, why: String) {
        *self.failed.entry(why).or_default() += 1;
    }
}
