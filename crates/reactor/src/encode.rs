//! Encoding at the end of a buffer: whatever knows its length, and frames.

use longwire_frame::{Header, Message, Rsv};

use crate::tail::Append;

/// Appends what knows its length and encodes itself.
pub(crate) fn append_encoded<E: std::fmt::Debug>(
    length: usize,
    encode: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    out: &mut impl Append,
) {
    encode(out.place(length)).expect("as many bytes as it said are enough");
}

/// The header of a message in one unmasked frame, as a server writes it.
const fn header_of(message: Message<'_>) -> Header {
    Header { fin: true, rsv: Rsv::NONE, opcode: message.kind().opcode(), mask: None, len: message.len() as u64 }
}

/// Appends a message as one unmasked frame.
pub(crate) fn append_frame(message: Message<'_>, out: &mut impl Append) {
    append_framed(header_of(message), message.as_bytes(), out);
}

/// Appends the same with this payload, to which it was compressed. RFC 7692 §6.1: compressed, with the bit; what goes plain goes
/// without.
pub(crate) fn append_deflated_frame(message: Message<'_>, payload: &[u8], out: &mut impl Append) {
    append_framed(header_of(message).deflated(payload.len()), payload, out);
}

/// Appends a header and its payload, masked if the header says so.
#[inline]
pub(crate) fn append_framed(header: Header, payload: &[u8], out: &mut impl Append) {
    let length = header.encoded_len();
    let (head, body) = out.place(length + payload.len()).split_at_mut(length);
    header.encode(head).expect("as many bytes as it said are enough");
    body.copy_from_slice(payload);
    if let Some(mut mask) = header.mask {
        mask.apply(body);
    }
}

/// Appends a header alone, of a payload that is written from where it lies.
pub(crate) fn append_header(header: Header, out: &mut impl Append) {
    append_encoded(header.encoded_len(), |place| header.encode(place), out);
}
