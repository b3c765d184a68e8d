//! `Content`: where the body of a request ends (RFC 9112 §6). All that request smuggling lives on is refused here.

use crate::fields::Fields;
use crate::grammar::{decimal, elements};
use crate::{Refusal, Version};

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// No body: neither Content-Length nor Transfer-Encoding is there.
    None,
    /// So many bytes; zero is a body of no bytes.
    Length(u64),
    /// The chunked coding, and no other around it.
    Chunked,
}

impl Content {
    pub(crate) fn of(fields: Fields<'_, '_>, version: Version) -> Result<Self, Refusal> {
        let length = fields.single("content-length").map_err(|_| Refusal::ContentLengthRepeated)?;
        let coding = fields.single("transfer-encoding").map_err(|_| Refusal::TransferEncodingRepeated)?;
        match (length, coding) {
            (None, None) => Ok(Self::None),
            // §6.3 item 5: anything but digits leaves the length open, so a list or a sign is refused.
            (Some(length), None) => decimal(length).map(Self::Length).ok_or(Refusal::BadContentLength),
            // §6.1: a 1.0 message with a transfer coding has a faulty framing, whatever else it says.
            (_, Some(_)) if version == Version::Http10 => Err(Refusal::TransferEncodingInHttp10),
            // §6.3 item 3: two lengths are an attempt at smuggling.
            (Some(_), Some(_)) => Err(Refusal::TwoLengths),
            (None, Some(coding)) => chunked(coding).map(|()| Self::Chunked),
        }
    }
}

/// §6.3 item 4: the final coding of a request is chunked, or its length cannot be known. §6.1: and it is applied once. §7.1: with
/// parameters it is not chunked.
fn chunked(codings: &[u8]) -> Result<(), Refusal> {
    let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if elements(codings).filter(is_chunked).count() != 1 || !elements(codings).last().as_ref().is_some_and(is_chunked) {
        return Err(Refusal::ChunkedNotFinal);
    }
    match elements(codings).count() {
        // An empty element may be read over, but not everybody does: one word is the one form that all read alike.
        1 if is_chunked(&codings) => Ok(()),
        1 => Err(Refusal::ChunkedNotFinal),
        // §6.1: what cannot be decoded is 501.
        _ => Err(Refusal::TransferCodingUnknown),
    }
}
