//! `Watch`: looks at the process twice a second, and keeps the most that it saw.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use crate::Fallible;
use crate::vitals::Vitals;

const LOOK: Duration = Duration::from_millis(500);

/// When the last descriptor is closed, memory may still be on its way back.
const SETTLE: Duration = Duration::from_secs(1);

/// At one moment: KiB that are resident, and descriptors.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Moment {
    pub(super) resident: u64,
    pub(super) descriptors: usize,
}

impl Moment {
    fn of(vitals: &Vitals) -> Fallible<Self> {
        Ok(Self { resident: vitals.resident()?, descriptors: vitals.descriptors()? })
    }

    fn most(self, other: Self) -> Self {
        Self { resident: self.resident.max(other.resident), descriptors: self.descriptors.max(other.descriptors) }
    }
}

#[derive(Debug)]
pub(super) struct Watch {
    vitals: Vitals,
    most: Arc<Mutex<Moment>>,
    over: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn begin(process: i32) -> Fallible<Self> {
        let (most, over) = (Arc::new(Mutex::new(Moment::default())), Arc::new(AtomicBool::new(false)));
        let looking = {
            let (vitals, most, over) = (Vitals::of(process)?, most.clone(), over.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if let Ok(now) = Moment::of(&vitals) {
                        let mut most = most.lock().unwrap_or_else(PoisonError::into_inner);
                        *most = most.most(now);
                    }
                    std::thread::sleep(LOOK);
                }
            })
        };
        Ok(Self { vitals: Vitals::of(process)?, most, over, looking: Some(looking) })
    }

    pub(super) fn now(&self) -> Fallible<Moment> {
        Moment::of(&self.vitals)
    }

    pub(super) fn descriptors(&self) -> Fallible<usize> {
        self.vitals.descriptors()
    }

    /// The most since it was asked last.
    pub(super) fn peak(&self) -> Moment {
        std::mem::take(&mut *self.most.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until no more descriptors than these are open, or patience ends.
    pub(super) fn wait_for(&self, descriptors: usize, patience: Duration) -> Fallible<()> {
        self.vitals.wait_for_descriptors(patience, |open| open <= descriptors)?;
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
