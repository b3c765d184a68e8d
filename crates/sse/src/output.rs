//! Where written text goes: counted, put into lent memory, or formatted. One walk over a block serves all three, so
//! that the length and the bytes cannot disagree. What a block is stands in `event` and `comment`.

use core::convert::Infallible;
use core::error::Error;
use core::fmt;

/// The lent output is shorter than what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output is full")
    }
}

impl Error for Full {}

pub(crate) trait Sink {
    type Error;

    fn put(&mut self, text: &str) -> Result<(), Self::Error>;
}

/// `name: value` and the end of the line. The blank is there because a client removes one (§9.2.6): without it a value would lose
/// the blank that it begins with. An empty value needs none. §9.2.5.
pub(crate) fn field<S: Sink>(sink: &mut S, name: &str, value: &str) -> Result<(), S::Error> {
    sink.put(name)?;
    sink.put(if value.is_empty() { ":" } else { ": " })?;
    sink.put(value)?;
    sink.put("\n")
}

/// How many bytes `write` writes. Past the end of the address space it stays there: no output is as long as that.
pub(crate) fn measure(write: impl FnOnce(&mut Counter) -> Result<(), Infallible>) -> usize {
    let mut counter = Counter(0);
    let Ok(()) = write(&mut counter);
    counter.0
}

/// Lets `write` fill the front of `out`; returns how far it came.
pub(crate) fn fill(out: &mut [u8], write: impl FnOnce(&mut &mut [u8]) -> Result<(), Full>) -> Result<usize, Full> {
    let room = out.len();
    let mut rest = out;
    write(&mut rest)?;
    Ok(room - rest.len())
}

pub(crate) struct Counter(usize);

impl Sink for Counter {
    type Error = Infallible;

    fn put(&mut self, text: &str) -> Result<(), Infallible> {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

impl Sink for &mut [u8] {
    type Error = Full;

    fn put(&mut self, text: &str) -> Result<(), Full> {
        let place = self.split_off_mut(..text.len()).ok_or(Full)?;
        place.copy_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Sink for fmt::Formatter<'_> {
    type Error = fmt::Error;

    fn put(&mut self, text: &str) -> fmt::Result {
        self.write_str(text)
    }
}
