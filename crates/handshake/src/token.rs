//! `Token`: a word that may stand in a head unquoted. Field names are made of it, and subprotocols.

use core::fmt;

use crate::grammar::{is_tchar, is_token};

/// A token (RFC 9110 §5.6.2): at least one of letters, digits and ``!#$%&'*+-.^_`|~``.
///
/// ```
/// use longwire_handshake::Token;
///
/// const CHAT: Token<'static> = Token::literal("chat");
/// assert_eq!(Token::new("chat"), Some(CHAT));
/// assert_eq!(Token::new("chat\rX-Injected: 1"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token<'a>(&'a str);

/// The name of a field. RFC 9110 §5.1: it is a token, and compared without regard to case.
pub type FieldName<'a> = Token<'a>;

impl<'a> Token<'a> {
    /// The text, if it is a token. Subprotocols are tokens, too (RFC 6455 §4.1).
    #[must_use]
    pub const fn new(text: &'a str) -> Option<Self> {
        if is_token(text.as_bytes()) { Some(Self(text)) } else { None }
    }

    /// The text as it stands in the source; in a `const` it is checked by the compiler.
    ///
    /// ```compile_fail
    /// const NAME: longwire_handshake::Token<'static> = longwire_handshake::Token::literal("two words");
    /// ```
    ///
    /// # Panics
    ///
    /// If it is no token.
    #[must_use]
    #[expect(clippy::panic, reason = "the text stands in the source: the programmer is told, not the peer")]
    pub const fn literal(text: &'static str) -> Token<'static> {
        match Token::new(text) {
            Some(token) => token,
            None => panic!("a token has letters, digits and !#$%&'*+-.^_`|~ alone, and one at least"),
        }
    }

    /// Whether a token may contain this byte.
    #[must_use]
    pub const fn may_contain(byte: u8) -> bool {
        is_tchar(byte)
    }

    /// The text of the token.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl Token<'static> {
    /// The field `Allow` (RFC 9110 §10.2.1).
    pub const ALLOW: Self = Self::literal("Allow");
    /// The field `Cache-Control` (RFC 9111 §5.2).
    pub const CACHE_CONTROL: Self = Self::literal("Cache-Control");
    /// The field `Content-Type` (RFC 9110 §8.3).
    pub const CONTENT_TYPE: Self = Self::literal("Content-Type");
    /// The field `Location` (RFC 9110 §10.2.2).
    pub const LOCATION: Self = Self::literal("Location");
    /// The field `Upgrade` (RFC 9110 §7.8).
    pub const UPGRADE: Self = Self::literal("Upgrade");
    /// The field `WWW-Authenticate` (RFC 9110 §11.6.1).
    pub const WWW_AUTHENTICATE: Self = Self::literal("WWW-Authenticate");
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl AsRef<str> for Token<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}
