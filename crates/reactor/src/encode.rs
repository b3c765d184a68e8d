//! Encoding at the end of a buffer: whatever knows its length, and frames.

use longwire_frame::{Header, Message, Rsv};

/// Appends what knows its length and encodes itself.
pub(crate) fn append_encoded<E: std::fmt::Debug>(
    length: usize,
    encode: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    out.resize(start + length, 0);
    encode(&mut out[start..]).expect("as many bytes as it said are enough");
}

/// The header of a message in one unmasked frame, as a server writes it.
const fn header_of(message: Message<'_>) -> Header {
    Header { fin: true, rsv: Rsv::NONE, opcode: message.kind().opcode(), mask: None, len: message.len() as u64 }
}

/// Appends a message as one unmasked frame.
pub(crate) fn append_frame(message: Message<'_>, out: &mut Vec<u8>) {
    append_framed(header_of(message), message.as_bytes(), out);
}

/// Appends the same with this payload, to which it was compressed. RFC 7692 §6.1: compressed, with the bit; what goes plain goes
/// without.
pub(crate) fn append_deflated_frame(message: Message<'_>, payload: &[u8], out: &mut Vec<u8>) {
    append_framed(header_of(message).deflated(payload.len()), payload, out);
}

/// Appends a header and its payload, masked if the header says so.
#[inline]
pub(crate) fn append_framed(header: Header, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(Header::MAX_LEN + payload.len());
    append_header(header, out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(mut mask) = header.mask {
        mask.apply(&mut out[start..]);
    }
}

/// Appends a header alone, of a payload that is written from where it lies.
#[inline]
pub(crate) fn append_header(header: Header, out: &mut Vec<u8>) {
    let mut bytes = [0; Header::MAX_LEN];
    let length = header.encode(&mut bytes).expect("a header fits");
    // All of them and then not: what is of one size is copied without a call.
    let start = out.len();
    out.extend_from_slice(&bytes);
    out.truncate(start + length);
}
