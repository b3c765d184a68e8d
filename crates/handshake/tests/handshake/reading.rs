//! How tests read a head: whole, byte by byte and at every split, which must come to the same.

use longwire_handshake::{FieldSlots, Head, Limits, Refusal, Request};

pub(crate) const HOST: &str = "GET / HTTP/1.1\r\nHost: a\r\n";

pub(crate) const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// The end of the head, scanned in the steps that end at `cuts` and at last with all bytes.
pub(crate) fn scan(
    bytes: &[u8],
    limits: Limits,
    cuts: impl IntoIterator<Item = usize>,
) -> Result<Option<usize>, Refusal> {
    let mut head = Head::new(limits);
    for cut in cuts {
        if let Some(end) = head.scan(&bytes[..cut])? {
            assert!(end <= cut, "the head ends within what was seen");
            return Ok(Some(end));
        }
    }
    head.scan(bytes)
}

/// The end of the head, however the bytes arrive.
pub(crate) fn scan_every_way(bytes: &[u8], limits: Limits) -> Result<Option<usize>, Refusal> {
    let whole = scan(bytes, limits, []);
    assert_eq!(scan(bytes, limits, 0..bytes.len()), whole, "byte by byte");
    // A long head is mostly filling: there a split tells as much as the next.
    let step = 1 + bytes.len() / 256;
    for cut in (0..bytes.len()).step_by(step).chain(bytes.len().saturating_sub(8)..bytes.len()) {
        assert_eq!(scan(bytes, limits, [cut]), whole, "split at {cut}");
    }
    whole
}

/// Scans and parses, and lets `look` see the request.
pub(crate) fn read<T>(bytes: &[u8], look: impl FnOnce(&Request<'_, '_>) -> T) -> Result<T, Refusal> {
    let end = scan_every_way(bytes, Limits::default())?.ok_or(Refusal::HeadIncomplete)?;
    Request::parse(&bytes[..end], &mut FieldSlots::new()).map(|request| look(&request))
}

/// What is wrong with the head.
pub(crate) fn refused(bytes: impl AsRef<[u8]>) -> Option<Refusal> {
    read(bytes.as_ref(), |_| ()).err()
}
