//! Lines on their way out, for which no loop waits: they are put into a bounded buffer, and a thread of its own writes them. Who
//! reads the other end of a pipe may stop reading; then lines are dropped, and counted.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What may wait to be written, in bytes.
const BOUND: usize = 1 << 20;

/// Takes lines, from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write.
    more: Condvar,
    /// All has been written.
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    writing: bool,
    dropped: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// Starts the thread that writes.
    pub(crate) fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = shared.clone();
        thread::Builder::new().name("access log".into()).spawn(move || write(&writer, out))?;
        Ok(Self(shared))
    }

    /// Puts one line, which ends with its line feed, unless there is no room.
    pub(crate) fn put(&self, line: &[u8]) {
        let mut state = self.0.state();
        if state.waiting.len() + line.len() > BOUND {
            state.dropped += 1;
            return;
        }
        if state.waiting.is_empty() {
            self.0.more.notify_one();
        }
        state.waiting.extend_from_slice(line);
    }

    /// Waits until all has been written, for a time. Says whether it has.
    pub(crate) fn finish(&self, time: Duration) -> bool {
        let is_busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.0.idle.wait_timeout_while(self.0.state(), time, is_busy);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        tell_dropped(std::mem::take(&mut state.dropped));
        !is_busy(&mut state)
    }
}

fn write(shared: &Shared, mut out: impl Write) {
    let mut batch = Vec::new();
    let mut failed = false;
    loop {
        let mut state = shared.state();
        state.writing = false;
        while state.waiting.is_empty() {
            shared.idle.notify_all();
            state = shared.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.waiting, &mut batch);
        state.writing = true;
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        let written = out.write_all(&batch).and_then(|()| out.flush());
        tell_dropped(dropped);
        // Told once, not for every batch; a disk that was full may have room again.
        let failed_before = std::mem::replace(&mut failed, written.is_err());
        if let Err(error) = written
            && !failed_before
        {
            log::error!("the access log cannot be written: {error}");
        }
        batch.clear();
    }
}

fn tell_dropped(lines: u64) {
    if lines > 0 {
        log::warn!("{lines} lines of the access log were dropped: whoever reads it is too slow");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Says that it is there, writes when it is allowed to, and hands over what was written.
    struct Gate {
        reached: Sender<()>,
        open: Receiver<io::Result<()>>,
        out: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Tests that are over do not listen.
            let _ = self.reached.send(());
            self.open.recv().unwrap_or(Ok(()))?;
            let _ = self.out.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Ends {
        lines: Lines,
        reached: Receiver<()>,
        open: Sender<io::Result<()>>,
        written: Receiver<Vec<u8>>,
    }

    fn gate() -> Ends {
        let ((reached, reaches), (open, opens), (out, written)) = (channel(), channel(), channel());
        let lines = Lines::to(Gate { reached, open: opens, out }).unwrap();
        Ends { lines, reached: reaches, open, written }
    }

    const BOUND_IN_TIME: Duration = Duration::from_secs(20);

    #[test]
    fn a_writer_that_is_stuck_holds_nobody_up_and_what_is_dropped_is_counted() {
        let Ends { lines, reached, open, written } = gate();
        lines.put(b"first\n");
        reached.recv_timeout(BOUND_IN_TIME).unwrap();
        for _ in 0..3_000 {
            lines.put(&[b'x'; 1_000]);
        }
        assert_eq!(lines.0.state().dropped, 3_000 - BOUND as u64 / 1_000);
        assert!(!lines.finish(Duration::from_millis(1)));
        let waiting = lines.0.state().waiting.len();
        assert!(waiting <= BOUND && waiting > BOUND - 1_000, "{waiting}");
        drop(open);
        assert!(lines.finish(BOUND_IN_TIME));
        let all: Vec<u8> = written.try_iter().flatten().collect();
        assert!(all.starts_with(b"first\n") && all.len() <= BOUND + 1_006);
        lines.put(b"again\n");
        assert!(lines.finish(BOUND_IN_TIME));
        assert_eq!(written.recv().unwrap(), b"again\n");
    }

    #[test]
    fn after_an_error_it_goes_on() {
        let Ends { lines, open, written, .. } = gate();
        open.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        lines.put(b"lost\n");
        assert!(lines.finish(BOUND_IN_TIME));
        drop(open);
        lines.put(b"kept\n");
        assert!(lines.finish(BOUND_IN_TIME));
        assert_eq!(written.recv().unwrap(), b"kept\n");
    }
}
