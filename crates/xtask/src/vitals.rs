//! `Vitals`: what the system says of a server's process: memory, descriptors, processor time.

use std::time::{Duration, Instant};

use procfs::process::Process;

use crate::Fallible;

/// How often something is asked that tells nobody when it changes.
pub(crate) const AGAIN: Duration = Duration::from_millis(20);

/// A process, seen from outside. Memory is in KiB.
#[derive(Debug)]
pub(crate) struct Vitals {
    process: Process,
}

impl Vitals {
    pub(crate) fn of(process: i32) -> Fallible<Self> {
        Ok(Self { process: Process::new(process)? })
    }

    /// Resident memory.
    pub(crate) fn resident(&self) -> Fallible<u64> {
        self.process.status()?.vmrss.ok_or_else(|| "no resident memory".into())
    }

    /// That of its own: neither its text nor what it has mapped from files.
    pub(crate) fn resident_of_its_own(&self) -> Fallible<u64> {
        self.process.status()?.rssanon.ok_or_else(|| "no resident memory of its own".into())
    }

    /// The most memory that was ever resident.
    pub(crate) fn resident_at_most(&self) -> Fallible<u64> {
        self.process.status()?.vmhwm.ok_or_else(|| "no peak of resident memory".into())
    }

    pub(crate) fn descriptors(&self) -> Fallible<usize> {
        Ok(self.process.fd_count()?)
    }

    /// Processor time so far, of all threads.
    pub(crate) fn processor(&self) -> Fallible<Duration> {
        let stat = self.process.stat()?;
        Ok(Duration::from_secs(stat.utime + stat.stime).div_f64(procfs::ticks_per_second() as f64))
    }

    /// Waits until it has as many descriptors as are wanted, or patience ends. Says how many it has.
    pub(crate) fn wait_for_descriptors(&self, patience: Duration, wanted: impl Fn(usize) -> bool) -> Fallible<usize> {
        let begun = Instant::now();
        loop {
            let now = self.descriptors()?;
            if wanted(now) || begun.elapsed() > patience {
                return Ok(now);
            }
            std::thread::sleep(AGAIN);
        }
    }
}
