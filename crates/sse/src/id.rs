//! `Id`: the id of an event, narrowed to what comes back unchanged.
//!
//! The standard lets an id be any line without NUL. But an id makes a journey: down in an event, up again in the
//! `Last-Event-ID` field of the request that resumes the stream. There control characters are refused, blanks at the ends
//! are trimmed and long fields meet limits, and an id that came back changed would resume at another place.

use core::error::Error;
use core::fmt;

/// The id of an event: at most 256 bytes, without control characters and without blanks at its ends.
///
/// The client sends the last one that it saw in `Last-Event-ID` when it comes back.
///
/// ```
/// use longwire_sse::{Id, NotAnId};
///
/// assert_eq!(Id::new("1790000000-7")?.as_str(), "1790000000-7");
/// assert_eq!(Id::new("7\0"), Err(NotAnId::ControlCharacter));
/// # Ok::<(), NotAnId>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// The greatest length, in bytes.
    pub const MAX_LEN: usize = 256;

    /// The id that is none: it resets the client's last event id, so that no `Last-Event-ID` is sent.
    pub const EMPTY: Id<'static> = Id("");

    /// The text, if it can be an id. Empty text is [`Id::EMPTY`].
    ///
    /// # Errors
    ///
    /// [`NotAnId`] says which rule it breaks.
    pub fn new(text: &'a str) -> Result<Self, NotAnId> {
        if text.len() > Self::MAX_LEN {
            Err(NotAnId::TooLong)
        } else if text.contains(char::is_control) {
            Err(NotAnId::ControlCharacter)
        } else if text.starts_with(' ') || text.ends_with(' ') {
            Err(NotAnId::BlankAtEnd)
        } else {
            Ok(Self(text))
        }
    }

    /// The text of the id.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether this is [`Id::EMPTY`].
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> TryFrom<&'a str> for Id<'a> {
    type Error = NotAnId;

    fn try_from(text: &'a str) -> Result<Self, NotAnId> {
        Self::new(text)
    }
}

impl AsRef<str> for Id<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// Why a text cannot be an [`Id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotAnId {
    /// More than [`Id::MAX_LEN`] bytes.
    TooLong,
    /// It holds a control character: NUL, CR, LF, TAB or any other.
    ControlCharacter,
    /// It begins or ends with a blank, which a field of a request would lose.
    BlankAtEnd,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "not an id: more than 256 bytes",
            Self::ControlCharacter => "not an id: it holds a control character",
            Self::BlankAtEnd => "not an id: a blank at one of its ends",
        })
    }
}

impl Error for NotAnId {}
