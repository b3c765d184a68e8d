//! `Usage`: what the server has taken of processor and memory, as the system tells it.

use procfs::process::Process;

/// At one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Seconds of processor that it has had, as the scheduler has measured them.
    pub(super) processor: f64,
    /// How many of these in its own code, as far as the clock's ticks tell.
    pub(super) user: f64,
    /// Seconds of processor in the kernel, on its behalf.
    pub(super) system: f64,
    /// Bytes of its own that are in memory.
    pub(super) resident: u64,
}

impl Usage {
    pub(super) fn of(pid: i32) -> Result<Self, String> {
        let told = || -> procfs::ProcResult<Self> {
            let process = Process::new(pid)?;
            let stat = process.stat()?;
            let tick = procfs::ticks_per_second() as f64;
            let resident = process.status()?.rssanon.unwrap_or_default() * 1024;
            let tasks = process.tasks()?.flatten().filter_map(|task| task.schedstat().ok());
            let processor = tasks.map(|task| task.sum_exec_runtime).sum::<u64>() as f64 / 1e9;
            Ok(Self { processor, user: stat.utime as f64 / tick, system: stat.stime as f64 / tick, resident })
        };
        told().map_err(|error| format!("--server-pid {pid}: {error}"))
    }
}
