//! `Line`: text that cannot end the line it stands on. Event names and comments are made of it.
//!
//! Whatever writes a field takes a `Line` or an [`Id`](crate::Id), never a bare string; that is the whole defence against
//! forged fields, so nothing here repairs or strips: text that is not one line is refused.

use core::error::Error;
use core::fmt;

/// One line of text: no CR, no LF and no NUL; empty is fine.
///
/// A name or a comment that came from outside goes through [`Line::new`]; one that stands in the source is a
/// [`Line::literal`].
///
/// ```
/// use longwire_sse::Line;
///
/// const TOKEN: Line<'static> = Line::literal("token");
/// assert_eq!(Line::new("token"), Ok(TOKEN));
/// assert!(Line::new("token\ndata: forged").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line<'a>(&'a str);

impl<'a> Line<'a> {
    /// The text, if it is one line.
    ///
    /// # Errors
    ///
    /// [`NotOneLine`] if it holds CR, LF or NUL.
    pub const fn new(text: &'a str) -> Result<Self, NotOneLine> {
        if is_one_line(text.as_bytes()) { Ok(Self(text)) } else { Err(NotOneLine) }
    }

    /// The text as it stands in the source; in a `const` it is checked by the compiler.
    ///
    /// ```compile_fail
    /// const TWO: longwire_sse::Line<'static> = longwire_sse::Line::literal("one\ntwo");
    /// ```
    ///
    /// # Panics
    ///
    /// If it holds CR, LF or NUL.
    #[expect(clippy::panic, reason = "the text stands in the source: the programmer is told, not the peer")]
    pub const fn literal(text: &'static str) -> Line<'static> {
        match Line::new(text) {
            Ok(line) => line,
            Err(NotOneLine) => panic!("a line holds no CR, LF or NUL"),
        }
    }

    /// The text of the line.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// §9.2.5: a line ends at CR, LF or both, and at nothing else. NUL may stand in a line of the stream, but many
/// clients are written in languages where it ends a string.
const fn is_one_line(mut text: &[u8]) -> bool {
    while let [byte, rest @ ..] = text {
        if matches!(byte, b'\r' | b'\n' | 0) {
            return false;
        }
        text = rest;
    }
    true
}

impl<'a> TryFrom<&'a str> for Line<'a> {
    type Error = NotOneLine;

    fn try_from(text: &'a str) -> Result<Self, NotOneLine> {
        Self::new(text)
    }
}

impl AsRef<str> for Line<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// The text holds CR, LF or NUL, so it cannot stand on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotOneLine;

impl fmt::Display for NotOneLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one line: the text holds CR, LF or NUL")
    }
}

impl Error for NotOneLine {}
