//! `FieldValue`: text that can be the value of a field. Whatever writes a head takes one of these, never a bare string:
//! that is the whole defence against injected fields, so nothing here repairs or strips.

use core::error::Error;
use core::fmt;

use crate::Token;
use crate::grammar::trim;

/// The value of a field: one line without control characters but the tab, and without blanks at its ends. Empty is
/// fine.
///
/// RFC 9110 §5.5 trims a value, so one that began with a blank would not come back as it was sent.
///
/// ```
/// use longwire_handshake::{FieldValue, NotOneLine};
///
/// const HTML: FieldValue<'static> = FieldValue::literal("text/html");
/// assert_eq!(FieldValue::new("text/html"), Ok(HTML));
/// assert_eq!(FieldValue::new("text/html\r\nSet-Cookie: forged"), Err(NotOneLine));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldValue<'a>(&'a str);

impl<'a> FieldValue<'a> {
    /// The text, if it can be a value.
    ///
    /// # Errors
    ///
    /// [`NotOneLine`] if it holds a control character other than the tab, or a blank at an end.
    pub const fn new(text: &'a str) -> Result<Self, NotOneLine> {
        if is_value(text.as_bytes()) { Ok(Self(text)) } else { Err(NotOneLine) }
    }

    /// The text as it stands in the source; in a `const` it is checked by the compiler.
    ///
    /// ```compile_fail
    /// const TWO: longwire_handshake::FieldValue<'static> = longwire_handshake::FieldValue::literal("one\r\ntwo");
    /// ```
    ///
    /// # Panics
    ///
    /// If it cannot be a value.
    #[must_use]
    #[expect(clippy::panic, reason = "the text stands in the source: the programmer is told, not the peer")]
    pub const fn literal(text: &'static str) -> FieldValue<'static> {
        match FieldValue::new(text) {
            Ok(value) => value,
            Err(NotOneLine) => panic!("a field's value has no control characters and no blanks at its ends"),
        }
    }

    /// The text of the value.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// RFC 9110 §5.5. Bytes from 128 on are opaque there; here they are UTF-8. RFC 9112 §2.2 and §5.2: no bare CR, and no folded line.
const fn is_value(text: &[u8]) -> bool {
    if trim(text).len() != text.len() {
        return false;
    }
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        if byte.is_ascii_control() && *byte != b'\t' {
            return false;
        }
        rest = behind;
    }
    true
}

impl<'a> From<Token<'a>> for FieldValue<'a> {
    /// Every token can be a value.
    fn from(token: Token<'a>) -> Self {
        Self(token.as_str())
    }
}

impl<'a> TryFrom<&'a str> for FieldValue<'a> {
    type Error = NotOneLine;

    fn try_from(text: &'a str) -> Result<Self, NotOneLine> {
        Self::new(text)
    }
}

impl AsRef<str> for FieldValue<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for FieldValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// The text holds a control character or a blank at an end, so it cannot be the value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotOneLine;

impl fmt::Display for NotOneLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one line: the text holds a control character, or a blank at an end")
    }
}

impl Error for NotOneLine {}
