//! How bytes are written down: as they are if that can be read, otherwise by their number and a digest.

/// No more than this is written down as it is.
const READABLE: usize = 48;

/// See the top of this file.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= READABLE && !text.contains(char::is_control) => text.to_owned(),
        _ => format!("{} bytes #{:08x}", bytes.len(), digest(bytes)),
    }
}

/// FNV-1a: any byte that is lost, damaged or in another place makes it another number.
fn digest(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |digest, byte| (digest ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// So many bytes, in which each stretch of them is another one.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + ((at / 26 + at) % 26) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_or_unreadable_is_shown_by_a_digest() {
        assert_eq!(shown(b"hello"), "hello");
        assert_eq!(shown(b""), "");
        let (one, other) = (pattern(1_000), pattern(1_001));
        assert!(shown(&one).starts_with("1000 bytes #") && shown(&one)[12..] != shown(&other[1..])[12..]);
        assert!(shown(b"\x00").starts_with("1 bytes"));
    }
}
