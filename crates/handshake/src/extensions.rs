//! The grammar of Sec-WebSocket-Extensions (RFC 6455 §9.1): a list of names with parameters, whose values may be
//! quoted. One cursor that only moves forward reads it, so the work is linear in the bytes. Which extensions there
//! are is nobody's business here: one unknown name is as good as another.

use core::fmt;

use crate::grammar::{is_blank, is_tchar};

/// One extension that is offered, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'b> {
    name: &'b str,
    parameters: Parameters<'b>,
}

impl<'b> Extension<'b> {
    /// The name: a token.
    #[must_use]
    pub const fn name(&self) -> &'b str {
        self.name
    }

    /// The parameters, in their order; nothing keeps a name from standing there twice.
    #[must_use]
    pub const fn params(&self) -> Parameters<'b> {
        self.parameters
    }
}

/// The parameters of an [`Extension`]: an iterator over names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters<'b>(Cursor<'b>);

impl<'b> Iterator for Parameters<'b> {
    type Item = (&'b str, Option<ParameterValue<'b>>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.parameter()?.ok()
    }
}

/// The value of a parameter. It was a token, or quoted and is one without its quotes and backslashes.
#[derive(Clone, Copy, Debug)]
pub struct ParameterValue<'b>(&'b [u8]);

impl<'b> ParameterValue<'b> {
    /// The bytes of the token.
    pub fn bytes(self) -> impl Iterator<Item = u8> + use<'b> {
        // No token holds a backslash, and none is behind one.
        self.0.iter().copied().filter(|byte| *byte != b'\\')
    }
}

impl PartialEq<str> for ParameterValue<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl PartialEq<&str> for ParameterValue<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq for ParameterValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for ParameterValue<'_> {}

impl fmt::Display for ParameterValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().try_for_each(|byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

/// The extensions of one field; the last item is an error if the field is malformed.
pub(crate) fn extensions(value: &[u8]) -> impl Iterator<Item = Result<Extension<'_>, Malformed>> {
    let mut cursor = Cursor(value);
    core::iter::from_fn(move || cursor.extension())
}

/// §9.1: an offer that does not keep to the grammar fails the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What is still to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    /// The next extension of the list, and the comma behind it.
    fn extension(&mut self) -> Option<Result<Extension<'b>, Malformed>> {
        // RFC 9110 §5.6.1.2: empty elements do not count.
        while self.blanks().eat(b',') {}
        if self.0.is_empty() {
            return None;
        }
        let extension = self.one_extension();
        if extension.is_none() {
            self.0 = &[];
        }
        Some(extension.ok_or(Malformed))
    }

    /// `name *( ";" parameter )`, up to a comma or the end.
    fn one_extension(&mut self) -> Option<Extension<'b>> {
        let name = self.token()?;
        let parameters = Parameters(*self);
        while let Some(parameter) = self.parameter() {
            parameter.ok()?;
        }
        (self.0.is_empty() || self.eat(b',')).then_some(Extension { name, parameters })
    }

    /// `";" name [ "=" value ]`, if there is a semicolon. Blanks may stand around each part, as in the grammar that
    /// RFC 6455 builds upon.
    fn parameter(&mut self) -> Option<Result<(&'b str, Option<ParameterValue<'b>>), Malformed>> {
        self.blanks().eat(b';').then(|| self.after_semicolon().ok_or(Malformed))
    }

    fn after_semicolon(&mut self) -> Option<(&'b str, Option<ParameterValue<'b>>)> {
        let name = self.blanks().token()?;
        if !self.blanks().eat(b'=') {
            return Some((name, None));
        }
        let value = if self.blanks().eat(b'"') { self.quoted()? } else { ParameterValue(self.token()?.as_bytes()) };
        self.blanks();
        Some((name, Some(value)))
    }

    /// The longest token; none if there is not even one byte of it.
    fn token(&mut self) -> Option<&'b str> {
        let end = self.0.iter().position(|byte| !is_tchar(*byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        str::from_utf8(token).ok().filter(|token| !token.is_empty())
    }

    /// The rest of a quoted string, whose first quote was eaten. §4.3 and §9.1: what it says is a token as well.
    fn quoted(&mut self) -> Option<ParameterValue<'b>> {
        let start = self.0;
        loop {
            match self.0 {
                [b'"', rest @ ..] => {
                    let value = start.get(..start.len() - self.0.len()).filter(|value| !value.is_empty());
                    self.0 = rest;
                    return value.map(ParameterValue);
                }
                // RFC 9110 §5.6.4: a backslash may stand before any byte.
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] if is_tchar(*byte) => self.0 = rest,
                _ => return None,
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn blanks(&mut self) -> &mut Self {
        while let [first, rest @ ..] = self.0
            && is_blank(*first)
        {
            self.0 = rest;
        }
        self
    }
}
