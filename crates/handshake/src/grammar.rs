//! The small grammar that every field shares: tokens, blanks, lists, numbers (RFC 9110 §5.6). Each function is one pass
//! over its bytes; nothing here knows a field by name.

/// A letter, a digit, or one of `marks`.
pub(crate) const fn is_alphanumeric_or(byte: u8, mut marks: &[u8]) -> bool {
    while let [mark, rest @ ..] = marks {
        if byte == *mark {
            return true;
        }
        marks = rest;
    }
    byte.is_ascii_alphanumeric()
}

/// §5.6.2: what a token is made of.
pub(crate) const fn is_tchar(byte: u8) -> bool {
    is_alphanumeric_or(byte, b"!#$%&'*+-.^_`|~")
}

/// §5.6.2: at least one byte, and nothing but those.
pub(crate) const fn is_token(mut bytes: &[u8]) -> bool {
    if bytes.is_empty() {
        return false;
    }
    while let [byte, rest @ ..] = bytes {
        if !is_tchar(*byte) {
            return false;
        }
        bytes = rest;
    }
    true
}

/// The token as text, if it is one.
pub(crate) fn token(bytes: &[u8]) -> Option<&str> {
    if is_token(bytes) { str::from_utf8(bytes).ok() } else { None }
}

/// §5.6.3: a blank is a space or a tab, and nothing else.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Without the blanks at both ends.
pub(crate) const fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// §5.6.1.2: the elements of a list, trimmed; empty ones do not count. Not for lists with quoted strings.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// A number in digits alone: no sign, no blank, and no more than 64 bits. RFC 9110 §8.6: no length wraps.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_ascii_without_delimiters() {
        for byte in 0..=u8::MAX {
            let delimiter = b"\"(),/:;<=>?@[\\]{}".contains(&byte);
            assert_eq!(is_token(&[byte]), byte.is_ascii_graphic() && !delimiter, "{byte:#04x}");
        }
        assert!(!is_token(b""));
    }

    #[test]
    fn empty_elements_do_not_count() {
        assert!(elements(b", a ,,\tb\t, ").eq([b"a", b"b"]));
        assert_eq!(elements(b" , ,").count(), 0);
    }

    #[test]
    fn a_number_has_digits_alone_and_64_bits() {
        for (text, number) in [("0", 0), ("007", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(decimal(text.as_bytes()), Some(number));
        }
        for text in ["", "+0", "-1", " 1", "1 ", "1,1", "0x1", "18446744073709551616"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }
}
