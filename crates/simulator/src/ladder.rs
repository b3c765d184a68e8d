//! A history as people read it: three columns, for those outside, for the machine, and for the application; time runs downwards.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Arguments, Write};
use std::rc::Rc;
use std::time::Duration;

use longwire_reactor::frame::{Header, Opcode};
use longwire_reactor::sys::Edge;
use longwire_reactor::sys::sim::{Done, Watch};

/// Writes down what happens, if anybody wants to know. Copies write on the same page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder(Option<Rc<Page>>);

#[derive(Debug, Default)]
struct Page {
    text: RefCell<String>,
    start: Cell<Duration>,
    now: Cell<Duration>,
    /// Calls so far, without polls: as the machine counts them for a fault.
    calls: Cell<u64>,
}

impl Ladder {
    /// A ladder that writes.
    pub(crate) fn writing() -> Self {
        let ladder = Self(Some(Rc::default()));
        ladder.write(format_args!(
            "{:>12}  {:<48}│ {:>4}  {:<44}│ {}",
            "seconds", "outside", "call", "machine", "application"
        ));
        ladder
    }

    pub(crate) const fn is_writing(&self) -> bool {
        self.0.is_some()
    }

    /// All that was written.
    pub(crate) fn text(&self) -> String {
        self.0.as_ref().map(|page| page.text.borrow().clone()).unwrap_or_default()
    }

    /// How many calls it has seen, without polls.
    pub(crate) fn calls(&self) -> u64 {
        self.0.as_ref().map_or(0, |page| page.calls.get())
    }

    /// The history begins now.
    pub(crate) fn begin(&self, now: Duration) {
        if let Some(page) = &self.0 {
            page.start.set(now);
            page.now.set(now);
        }
    }

    pub(crate) fn set_time(&self, now: Duration) {
        if let Some(page) = &self.0 {
            page.now.set(now);
        }
    }

    /// What somebody outside does.
    pub(crate) fn outside(&self, says: Arguments<'_>) {
        self.step(format_args!("{says}"), format_args!(""), format_args!(""));
    }

    /// What the machine is asked, and answers.
    fn machine(&self, says: Arguments<'_>) {
        self.step(format_args!(""), says, format_args!(""));
    }

    /// What the application is told, and does.
    pub(crate) fn application(&self, says: Arguments<'_>) {
        self.step(format_args!(""), format_args!(""), says);
    }

    /// A line across all columns.
    pub(crate) fn rule(&self, says: Arguments<'_>) {
        if self.is_writing() {
            self.write(format_args!("── {says}"));
        }
    }

    fn step(&self, outside: Arguments<'_>, machine: Arguments<'_>, application: Arguments<'_>) {
        let Some(page) = &self.0 else { return };
        let now = page.now.get() - page.start.get();
        let time = format!("{}.{:06}", now.as_secs(), now.subsec_micros());
        let (outside, machine) = (outside.to_string(), machine.to_string());
        let line = format!("{time:>12}  {outside:<48}│ {machine:<50}│ {application}");
        self.write(format_args!("{}", line.trim_end_matches([' ', '│'])));
    }

    fn write(&self, line: Arguments<'_>) {
        if let Some(page) = &self.0 {
            writeln!(page.text.borrow_mut(), "{line}").expect("a string takes everything");
        }
    }
}

impl Watch for Ladder {
    fn done(&mut self, now: Duration, done: &Done) {
        self.set_time(now);
        let Some(page) = &self.0 else { return };
        page.calls.set(page.calls.get() + 1);
        self.machine(format_args!("{:>4}  {done}", page.calls.get()));
    }

    fn edge(&mut self, now: Duration, descriptor: Option<u32>, edge: Edge) {
        self.set_time(now);
        let mut says = String::from("poll: ");
        match (descriptor, edge.broken) {
            (Some(descriptor), _) => says += &descriptor.to_string(),
            (None, false) => says += "wake-up",
            (None, true) => says += "a closed one",
        }
        for (is_so, word) in [
            (edge.readable, " readable"),
            (edge.writable, " writable"),
            (edge.read_closed, " closed"),
            (edge.broken, " broken"),
        ] {
            says += if is_so && descriptor.is_some() { word } else { "" };
        }
        self.machine(format_args!("{:>6}{says}", ""));
    }
}

/// What some bytes say, in a few words, for whoever reads along: the first line of a head, frames, or the bytes themselves.
pub(crate) struct Glimpse<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Glimpse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        let line = bytes.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(line)
            && !line.is_empty()
        {
            let more = if line.len() < bytes.len() || text.chars().count() > 30 { "…" } else { "" };
            return write!(f, "{text:.30}{more}");
        }
        match frames(bytes) {
            (said, 0) => f.write_str(&said),
            (said, rest) if !said.is_empty() => write!(f, "{said} and {rest} bytes"),
            _ => write!(f, "{}…", bytes[..bytes.len().min(6)].escape_ascii()),
        }
    }
}

/// The whole frames at the front of some bytes, in words, and how many bytes are left behind them.
fn frames(bytes: &[u8]) -> (String, usize) {
    let (mut said, mut at) = (Vec::new(), 0);
    while let Ok(Some((header, length))) = Header::parse(&bytes[at..]) {
        let end = (at + length).saturating_add(header.len as usize);
        let Some(payload) = bytes.get(at + length..end) else { break };
        let mut payload = payload.to_vec();
        if let Some(mut mask) = header.mask {
            mask.apply(&mut payload);
        }
        let begun = if header.fin { "" } else { "~" };
        said.push(match header.opcode {
            Opcode::Close => match *payload {
                [high, low, ..] => format!("close {}", u16::from_be_bytes([high, low])),
                _ => "close".into(),
            },
            Opcode::Ping => "ping".into(),
            Opcode::Pong => "pong".into(),
            opcode => format!("{begun}{opcode:?} {:.8}", String::from_utf8_lossy(&payload)),
        });
        at = end;
    }
    (said.join(", "), bytes.len() - at)
}
