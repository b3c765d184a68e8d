//! `Comment`: a block that no client dispatches. It keeps a quiet stream alive.

use core::fmt;

use crate::Line;
use crate::output::{self, Full, Sink};

/// A comment: clients skip it, scripts never see it.
///
/// §9.2.7 advises one every 15 seconds or so, for proxies that drop a connection on which nothing moves: that is
/// [`Comment::HEARTBEAT`]. Made of a [`Line`], it cannot break out into a field.
///
/// ```
/// use longwire_sse::{Comment, Line};
///
/// assert_eq!(Comment::HEARTBEAT.to_string(), ":\n\n");
/// assert_eq!(Comment(Line::literal("hello")).to_string(), ": hello\n\n");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Comment<'a>(pub Line<'a>);

impl Comment<'_> {
    /// The comment that says nothing: a sign of life in three bytes. Like every block it ends with an empty line, for
    /// the clients that cut the stream at those.
    pub const HEARTBEAT: Comment<'static> = Comment(Line::literal(""));

    /// The bytes that [`encode`](Self::encode) writes.
    pub fn encoded_len(&self) -> usize {
        output::measure(|sink| self.write(sink))
    }

    /// Writes the comment to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Full`] if `out` is shorter than [`encoded_len`](Self::encoded_len); `out` may hold a part then.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Full> {
        output::fill(out, |sink| self.write(sink))
    }

    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        // §9.2.6: a line that begins with a colon is ignored. A field without a name, as it were.
        output::field(sink, "", self.0.as_str())?;
        sink.put("\n")
    }
}

impl fmt::Display for Comment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}
