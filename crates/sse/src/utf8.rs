//! What is not UTF-8 becomes U+FFFD, as §9.2.5 has it decoded, and in place, because there is no other memory.
//!
//! It may be done line by line, or field by field: line ends are ASCII, and no malformed sequence swallows an ASCII byte.

const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// Makes the first `len` bytes of `memory` UTF-8 and returns their new length, or `None` if `memory` is too short for it.
///
/// One U+FFFD stands for each maximal part of a sequence: one to three bytes become three, so the text never shrinks.
pub(crate) fn repair(memory: &mut [u8], len: usize) -> Option<usize> {
    let text = memory.get(..len)?;
    if str::from_utf8(text).is_ok() {
        return Some(len);
    }
    let repaired = text.utf8_chunks().fold(0, |sum, chunk| {
        sum + chunk.valid().len() + if chunk.invalid().is_empty() { 0 } else { REPLACEMENT.len() }
    });
    let memory = memory.get_mut(..repaired)?;

    // The text moves to the end of what it will become, and from there forward again, piece by piece. `write` never
    // overtakes `read`: what is still to be written is at least as long as what is still to be read.
    let mut read = repaired - len;
    let mut write = 0;
    memory.copy_within(..len, read);
    loop {
        let rest = memory.get(read..)?;
        let (valid, invalid) = match str::from_utf8(rest) {
            Ok(valid) => (valid.len(), 0),
            Err(error) => (error.valid_up_to(), error.error_len().unwrap_or(rest.len() - error.valid_up_to())),
        };
        memory.copy_within(read..read + valid, write);
        read += valid + invalid;
        write += valid;
        if invalid == 0 {
            return Some(repaired);
        }
        memory.get_mut(write..)?.get_mut(..REPLACEMENT.len())?.copy_from_slice(REPLACEMENT);
        write += REPLACEMENT.len();
    }
}
