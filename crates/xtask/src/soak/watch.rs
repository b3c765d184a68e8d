//! `Watch`: looks at the process twice a second, and keeps the most that it saw.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use procfs::process::Process;
use serde::Serialize;

use crate::Fallible;

const LOOK: Duration = Duration::from_millis(500);

/// When the last descriptor is closed, memory may still be on its way back.
const SETTLE: Duration = Duration::from_secs(1);

/// What the system says of a process: KiB that are resident, and descriptors.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Vitals {
    pub(super) resident: u64,
    pub(super) descriptors: usize,
}

impl Vitals {
    fn of(process: &Process) -> Fallible<Self> {
        let resident = process.status()?.vmrss.ok_or("no resident memory")?;
        Ok(Self { resident, descriptors: process.fd_count()? })
    }

    fn most(self, other: Self) -> Self {
        Self { resident: self.resident.max(other.resident), descriptors: self.descriptors.max(other.descriptors) }
    }
}

#[derive(Debug)]
pub(super) struct Watch {
    process: Process,
    most: Arc<Mutex<Vitals>>,
    over: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn begin(process: i32) -> Fallible<Self> {
        let (most, over) = (Arc::new(Mutex::new(Vitals::default())), Arc::new(AtomicBool::new(false)));
        let looking = {
            let (process, most, over) = (Process::new(process)?, most.clone(), over.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if let Ok(vitals) = Vitals::of(&process) {
                        let mut most = most.lock().unwrap_or_else(PoisonError::into_inner);
                        *most = most.most(vitals);
                    }
                    std::thread::sleep(LOOK);
                }
            })
        };
        Ok(Self { process: Process::new(process)?, most, over, looking: Some(looking) })
    }

    pub(super) fn now(&self) -> Fallible<Vitals> {
        Vitals::of(&self.process)
    }

    pub(super) fn descriptors(&self) -> Fallible<usize> {
        Ok(self.process.fd_count()?)
    }

    /// The most since it was asked last.
    pub(super) fn peak(&self) -> Vitals {
        std::mem::take(&mut *self.most.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until no more descriptors than these are open, or patience ends.
    pub(super) fn wait_for(&self, descriptors: usize, patience: Duration) -> Fallible<()> {
        let begun = Instant::now();
        while self.descriptors()? > descriptors && begun.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(SETTLE);
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It looks at numbers alone; had it panicked, there would be nothing to do about it here.
        let _ = self.looking.take().map(JoinHandle::join);
    }
}

/// One visit to a server: what it sets up when somebody comes is there from now on.
pub(super) fn visit(authority: &str) -> Fallible<()> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(format!("it says {answer:?}").into()) }
}
