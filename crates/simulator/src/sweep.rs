//! The exhaustive sweep: every scenario once without a fault, and then again for each of its system calls and for each error
//! that this call may return, with exactly that fault. Reads and writes are also cut to one byte. At last each kind of fault that
//! only delays or confuses strikes again and again: then all that was promised must come.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longwire_reactor::Limits;
use longwire_reactor::sys::Edge;
use longwire_reactor::sys::sim::{Call, Done, Fault, Watch, World, errno_name};

use crate::ladder::Ladder;
use crate::outcome::guarded;
use crate::play::Play;
use crate::scenarios::{Scenario, all};

/// What goes wrong in a run of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The call of this number fails with this error.
    Fails(u64, i32),
    /// The call of this number moves one byte.
    Short(u64),
    /// This strikes again and again.
    Steady(Fault),
}

/// Faults that end nobody: whatever was promised comes, late perhaps.
const HARMLESS: [Fault; 16] = [
    Fault::ShortRead,
    Fault::ReadAgain,
    Fault::ReadInterrupted,
    Fault::ShortWrite,
    Fault::WriteAgain,
    Fault::WriteInterrupted,
    Fault::AcceptAgain,
    Fault::AcceptInterrupted,
    Fault::PollInterrupted,
    Fault::Reordered,
    Fault::Duplicated,
    Fault::Delayed,
    Fault::Spurious,
    Fault::Stale,
    Fault::WakeDelayed,
    Fault::WakeDoubled,
];

/// So often a steady fault strikes, of 65,536 chances.
const STEADY: u16 = 20_000;

impl Failure {
    /// Which call it is about, if it is about one.
    #[must_use]
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::Fails(number, _) | Self::Short(number) => Some(number),
            Self::Steady(_) => None,
        }
    }
}

/// The names of the faults that may strike steadily.
pub fn steady_faults() -> impl Iterator<Item = &'static str> {
    HARMLESS.into_iter().map(Fault::name)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails(number, errno) => write!(f, "{number}:{}", errno_name(*errno)),
            Self::Short(number) => write!(f, "{number}:short"),
            Self::Steady(fault) => f.write_str(fault.name()),
        }
    }
}

impl std::str::FromStr for Failure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not NUMBER:ERRNO or NUMBER:short, nor one of the faults that strike steadily");
        let Some((number, how)) = text.split_once(':') else {
            return HARMLESS.into_iter().find(|fault| fault.name() == text).map(Self::Steady).ok_or_else(wrong);
        };
        let number = number.parse().map_err(|_| wrong())?;
        let errno = Call::ALL.iter().flat_map(|call| call.errors()).find(|errno| errno_name(**errno) == how);
        match (how, errno) {
            ("short", _) => Ok(Self::Short(number)),
            (_, Some(errno)) => Ok(Self::Fails(number, *errno)),
            _ => Err(wrong()),
        }
    }
}

/// A promise that a scenario did not keep, or an invariant that did not hold in it.
#[derive(Clone, Debug)]
pub struct Broken {
    scenario: &'static str,
    failure: Option<Failure>,
    what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, failure, what } = self;
        let fail = failure.map(|failure| format!(" --fail \"{failure}\"")).unwrap_or_default();
        let under = failure.map(|failure| format!(" with {failure}")).unwrap_or_default();
        write!(
            f,
            "scenario {scenario:?}{under}: {what}\n  replay: cargo xtask simulate --scenario {scenario:?}{fail} --trace"
        )
    }
}

/// What a sweep came to.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// How often a scenario was run.
    pub runs: u64,
    /// How many scenarios there are.
    pub scenarios: usize,
    /// How many calls they make without a fault.
    pub calls: u64,
    /// What was broken.
    pub broken: Vec<Broken>,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, scenarios, calls, took, .. } = self;
        let took = took.as_secs_f64();
        writeln!(f, "sweep: {scenarios} scenarios of {calls} calls, {runs} runs in {took:.1} s")
    }
}

/// Runs all scenarios, or those whose names contain `only`, with all their failures; it stops after `most` are broken.
///
/// # Panics
/// If the simulator itself fails.
#[must_use]
pub fn sweep(only: &str, threads: usize, most: usize) -> Swept {
    let scenarios: Vec<&Scenario> = all().filter(|scenario| scenario.name.contains(only)).collect();
    let (next, stop, start) = (AtomicUsize::new(0), AtomicBool::new(false), Instant::now());
    let swept = Mutex::new(Swept { scenarios: scenarios.len(), ..Swept::default() });
    let work = || {
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let part = sweep_one(scenario, most, &stop);
            let mut swept = swept.lock().expect("nobody panics with it in hand");
            swept.runs += part.runs;
            swept.calls += part.calls;
            swept.broken.extend(part.broken);
            stop.fetch_or(swept.broken.len() >= most, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    let mut swept = swept.into_inner().expect("nobody panics with it in hand");
    swept.took = start.elapsed();
    swept
}

fn sweep_one(scenario: &'static Scenario, most: usize, stop: &AtomicBool) -> Swept {
    let calls = Rc::<RefCell<Vec<Call>>>::default();
    let first = run(scenario, None, &Ladder::default(), Some(calls.clone()));
    let calls = calls.take();
    let mut swept = Swept { runs: 1, calls: calls.len() as u64, ..Swept::default() };
    swept.broken.extend(first);
    let of_call = |(number, call): (u64, &Call)| {
        let cut = matches!(call, Call::Read | Call::Write).then_some(Failure::Short(number));
        call.errors().iter().map(move |errno| Failure::Fails(number, *errno)).chain(cut)
    };
    let failures = (1..).zip(&calls).flat_map(of_call).chain(HARMLESS.map(Failure::Steady));
    for failure in failures {
        if swept.broken.len() >= most || stop.load(Ordering::Relaxed) {
            break;
        }
        swept.runs += 1;
        swept.broken.extend(run(scenario, Some(failure), &Ladder::default(), None));
    }
    swept
}

/// One run of a scenario.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What was broken.
    pub broken: Option<Broken>,
    /// How many calls there were, without polls.
    pub calls: u64,
    /// Everything that happened, written down.
    pub ladder: String,
}

/// Runs the scenario of this name, perhaps with a failure, and writes down everything that happens. `None` if there is none.
#[must_use]
pub fn replay(name: &str, failure: Option<Failure>) -> Option<Replay> {
    let scenario = all().find(|scenario| scenario.name == name)?;
    let ladder = Ladder::writing();
    let broken = run(scenario, failure, &ladder, None);
    Some(Replay { broken, calls: ladder.calls(), ladder: ladder.text() })
}

/// The names of all scenarios.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|scenario| scenario.name)
}

fn run(
    scenario: &'static Scenario,
    failure: Option<Failure>,
    ladder: &Ladder,
    calls: Option<Rc<RefCell<Vec<Call>>>>,
) -> Option<Broken> {
    let world = World::new(7);
    if let Some(calls) = calls {
        world.watch(Box::new(Recorder(calls)));
    } else if ladder.is_writing() {
        world.watch(Box::new(ladder.clone()));
    }
    match failure {
        Some(Failure::Fails(number, errno)) => world.fail(number, errno),
        Some(Failure::Short(number)) => world.shorten(number),
        Some(Failure::Steady(fault)) => world.set_fault(fault, STEADY),
        None => {}
    }
    let mut limits = Limits::default();
    (scenario.limits)(&mut limits);
    let what = guarded(|| {
        let mut play = Play::new(limits, world, ladder.clone(), failure.is_some());
        (scenario.plays)(&mut play);
        play.ends()
    })
    .err()?;
    ladder.rule(format_args!("broken: {what}"));
    Some(Broken { scenario: scenario.name, failure, what })
}

/// Keeps which calls were made, in order.
struct Recorder(Rc<RefCell<Vec<Call>>>);

impl Watch for Recorder {
    fn done(&mut self, _: Duration, done: &Done) {
        self.0.borrow_mut().push(done.call);
    }

    fn edge(&mut self, _: Duration, _: Option<u32>, _: Edge) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_read_as_it_is_written() {
        for text in ["7:ECONNRESET", "12:short", "1:EMFILE", "short read"] {
            assert_eq!(text.parse::<Failure>().expect(text).to_string(), text);
        }
        assert!("7".parse::<Failure>().is_err() && "7:ENOTHING".parse::<Failure>().is_err());
    }

    #[test]
    fn a_call_fails_at_the_number_that_it_has_in_the_ladder() {
        let calls = replay("echo", None).expect("a scenario").calls;
        assert!(calls > 10);
        let struck = |failure| {
            let ladder = replay("echo", Some(failure)).expect("a scenario").ladder;
            let line = ladder.lines().find(|line| line.contains("(fault)"))?;
            line.split('│').nth(1)?.split_whitespace().next()?.parse().ok()
        };
        let found: Vec<u64> = (1..=calls).filter(|number| struck(Failure::Short(*number)) == Some(*number)).collect();
        assert!(found.len() >= 5, "of {calls} calls, these could be cut short: {found:?}");
        assert_eq!(struck("5:EPIPE".parse().expect("a failure")), Some(5));
    }

    #[test]
    fn every_scenario_keeps_its_promises_whatever_call_fails() {
        let swept = sweep("", 2, 10);
        let broken: Vec<String> = swept.broken.iter().map(Broken::to_string).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(swept.scenarios > 30 && swept.runs > 5_000, "{swept}");
    }
}
