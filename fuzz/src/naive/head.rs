//! Where a head ends, found by somebody who has all of it: RFC 9112 §2. For each byte all that is wrong with it is said, since two
//! readers need not agree on what is worst.

use longwire_handshake::Limits;
use longwire_handshake::Refusal::{
    self, BareLineEnd, ControlByte, EmptyLines, FoldedLine, HeadTooLarge, TargetTooLong, TooManyFields,
};

/// The first byte that may not be there, and why not.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: usize,
    pub faults: Vec<Refusal>,
}

/// The length of the head at the front of `bytes`, with its blank line, if its end is there.
///
/// # Errors
/// The first byte that no head can have there.
pub fn end(bytes: &[u8], limits: Limits) -> Result<Option<usize>, Wrong> {
    let most = limits.head as usize;
    let bytes = &bytes[..bytes.len().min(most)];
    // §2.2: one empty line may stand before the first.
    let first_line = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let blank_line = bytes[first_line..].windows(4).position(|four| four == b"\r\n\r\n");
    let end = blank_line.map(|at| first_line + at + 4);
    let (mut fields, mut blanks, mut target) = (0, 0, 0);
    for (at, &byte) in bytes[..end.unwrap_or(bytes.len())].iter().enumerate() {
        let mut faults = Vec::new();
        let before = &bytes[..at];
        // §2.2: CR and LF are one line end, and neither stands alone.
        if before.ends_with(b"\r") != (byte == b'\n') {
            faults.push(BareLineEnd);
        }
        // RFC 9110 §5.5: a tab is a blank.
        if byte.is_ascii_control() && !b"\t\r\n".contains(&byte) {
            faults.push(ControlByte);
        }
        let line_begins = before.ends_with(b"\r\n");
        if line_begins && at == first_line && byte == b'\r' {
            faults.push(EmptyLines);
        }
        if line_begins && at > first_line && byte != b'\r' {
            fields += 1;
            // §5.2: a line that begins with a blank goes on with the one before.
            if matches!(byte, b' ' | b'\t') {
                faults.push(FoldedLine);
            }
            if fields > limits.fields {
                faults.push(TooManyFields);
            }
        }
        // The target is what stands behind the first blank of the first line, up to the second.
        match byte {
            b' ' if fields == 0 => blanks += 1,
            b'\r' | b'\n' => {}
            _ if fields == 0 && blanks == 1 => target += 1,
            _ => {}
        }
        if target > limits.target {
            faults.push(TargetTooLong);
        }
        if end.is_none() && at + 1 == most {
            faults.push(HeadTooLarge);
        }
        if !faults.is_empty() {
            return Err(Wrong { at, faults });
        }
    }
    Ok(end)
}
