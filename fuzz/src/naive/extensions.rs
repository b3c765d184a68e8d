//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1) in two steps, words first, and what permessage-deflate makes of it (RFC
//! 7692 §7.1), parameter by parameter. Text is Latin-1.

use super::request::is_token;

/// A name and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    pub name: String,
    pub parameters: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Token(String),
    /// What stood between quotes, without its backslashes.
    Quoted(String),
    Mark(char),
}

/// The extensions of one field, if all of it is a list of them. Empty elements do not count.
#[must_use]
pub fn read(value: &str) -> Option<Vec<Extension>> {
    let words = words(value)?;
    let elements = words.split(|word| *word == Word::Mark(','));
    elements.filter(|element| !element.is_empty()).map(extension).collect()
}

/// The words of a value, without the blanks between them.
fn words(value: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let token = rest.find(|char: char| !is_token(char.encode_utf8(&mut [0; 4]))).unwrap_or(rest.len());
        match first {
            ' ' | '\t' => rest = &rest[1..],
            ',' | ';' | '=' => {
                words.push(Word::Mark(first));
                rest = &rest[1..];
            }
            '"' => {
                let (said, behind) = quoted(&rest[1..])?;
                words.push(Word::Quoted(said));
                rest = behind;
            }
            _ if token > 0 => {
                words.push(Word::Token(rest[..token].to_owned()));
                rest = &rest[token..];
            }
            _ => return None,
        }
    }
    Some(words)
}

/// What is quoted, and what stands behind it (RFC 9110 §5.6.4).
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut said = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((said, &text[at + 1..])),
            (_, '\\') => said.push(chars.next()?.1),
            (_, char) => said.push(char),
        }
    }
}

/// `name *( ";" name [ "=" value ] )`
fn extension(words: &[Word]) -> Option<Extension> {
    let mut parts = words.split(|word| *word == Word::Mark(';'));
    let [Word::Token(name)] = parts.next()? else { return None };
    let parameters = parts.map(|part| match part {
        [Word::Token(name)] => Some((name.clone(), None)),
        [Word::Token(name), Word::Mark('='), Word::Token(value)] => Some((name.clone(), Some(value.clone()))),
        // RFC 6455 §9.1: what is quoted is a token as well.
        [Word::Token(name), Word::Mark('='), Word::Quoted(value)] if is_token(value) => {
            Some((name.clone(), Some(value.clone())))
        }
        _ => None,
    });
    Some(Extension { name: name.clone(), parameters: parameters.collect::<Option<_>>()? })
}

/// The parameters of permessage-deflate, as an offer or an answer has them. A window of `Some(None)` was named without a size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    pub server_max_window_bits: Option<u8>,
    pub client_max_window_bits: Option<Option<u8>>,
}

impl Terms {
    /// What the extension says, if it is this one and each of its parameters is known, stands there once, and has a value that it may
    /// have.
    #[must_use]
    pub fn read(extension: &Extension) -> Option<Self> {
        let said =
            |name: &str| extension.parameters.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_deref());
        let known = [
            "server_no_context_takeover",
            "client_no_context_takeover",
            "server_max_window_bits",
            "client_max_window_bits",
        ];
        let unknown = extension.parameters.iter().any(|(name, _)| !known.contains(&name.as_str()));
        let twice = known.iter().any(|known| extension.parameters.iter().filter(|(name, _)| name == known).count() > 1);
        if extension.name != "permessage-deflate" || unknown || twice {
            return None;
        }
        let flag = |name| match said(name) {
            None => Some(false),
            Some(None) => Some(true),
            Some(Some(_)) => None,
        };
        let bits = |value: &str| (8..=15).find(|bits: &u8| bits.to_string() == value);
        Some(Self {
            server_no_context_takeover: flag(known[0])?,
            client_no_context_takeover: flag(known[1])?,
            server_max_window_bits: match said(known[2]) {
                None => None,
                Some(value) => Some(bits(value?)?),
            },
            client_max_window_bits: match said(known[3]) {
                None => None,
                Some(None) => Some(None),
                Some(Some(value)) => Some(Some(bits(value)?)),
            },
        })
    }

    /// Whether a server may give this answer to that offer (§7.1.1.1, §7.1.2.1, §7.1.2.2).
    #[must_use]
    pub fn may_answer(&self, offer: &Self) -> bool {
        let server_takeover = self.server_no_context_takeover || !offer.server_no_context_takeover;
        let server_window = match (offer.server_max_window_bits, self.server_max_window_bits) {
            (Some(most), answered) => answered.is_some_and(|bits| bits <= most),
            (None, _) => true,
        };
        let client_window = match (offer.client_max_window_bits, self.client_max_window_bits) {
            (_, None) => true,
            (None, Some(_)) | (_, Some(None)) => false,
            (Some(None), Some(Some(_))) => true,
            (Some(Some(most)), Some(Some(bits))) => bits <= most,
        };
        server_takeover && server_window && client_window
    }
}
