//! Properties of the values of `longwire-frame`: headers, masks, text in pieces.

use longwire_frame::{Error, Header, Mask, Utf8};

use crate::{arrivals, choices};

/// A header that is understood is written back byte for byte; a verdict never changes with the bytes that follow.
pub fn frame_header(data: &[u8]) {
    let verdict = Header::parse(data);
    if let Ok(Some((header, len))) = verdict {
        let mut out = [0; Header::MAX_LEN];
        assert_eq!(header.encode(&mut out), Ok(len));
        assert_eq!(header.encoded_len(), len);
        assert_eq!(out[..len], data[..len]);
        assert!(header.encode(&mut out[..len - 1]).is_err(), "one byte short");
        assert!(!header.to_string().is_empty());
    }
    let first = (0..=data.len()).find_map(|len| match Header::parse(&data[..len]) {
        Ok(None) => None,
        verdict => Some((len, verdict)),
    });
    match first {
        None => assert_eq!(verdict, Ok(None)),
        Some((_, first)) => assert_eq!(verdict, first),
    }
    if let (Some((at, _)), Ok(Some((_, len)))) = (first, verdict) {
        assert_eq!(at, len, "a header is complete with its last byte and no sooner");
    }
}

/// Text in pieces is what std makes of it whole, and it fails at the first byte that cannot be completed.
pub fn utf8(data: &[u8]) {
    let Some(([cut], text)) = choices(data) else { return };
    for packets in arrivals(text, cut) {
        let mut utf8 = Utf8::new();
        let mut read = String::new();
        let mut at = 0;
        let verdict = packets.iter().try_for_each(|packet| {
            at += packet.len();
            let (carried, rest) = utf8.push(packet)?;
            read.extend(carried);
            read.push_str(rest);
            Ok::<_, Error>(())
        });
        match (str::from_utf8(text), verdict) {
            (Ok(text), verdict) => {
                assert_eq!((verdict, utf8.finish()), (Ok(()), Ok(())));
                assert_eq!(read, text);
            }
            (Err(error), Ok(())) => {
                assert_eq!(error.error_len(), None, "the text ends within a character, or it would have failed before");
                assert_eq!(read.as_bytes(), &text[..error.valid_up_to()]);
                assert!(utf8.finish().is_err());
            }
            (Err(error), Err(_)) => {
                let start = error.valid_up_to();
                let hopeless = (start + 1..=text.len())
                    .find(|&end| str::from_utf8(&text[start..end]).is_err_and(|error| error.error_len().is_some()))
                    .expect("a text that has failed holds a byte that cannot be completed");
                let last = packets.iter().scan(0, |end, packet| Some(std::mem::replace(end, *end + packet.len())));
                let packet_start = last.take_while(|start| *start < at).last().unwrap_or(0);
                assert!(
                    (packet_start + 1..=at).contains(&hopeless),
                    "it failed in the packet of byte {hopeless}, up to {at}"
                );
                assert!(text.starts_with(read.as_bytes()), "what was handed out before is a part of the text");
            }
        }
    }
}

/// The fast masking is the naive one, at every alignment and in pieces, and undoes itself.
///
/// Choices: the key; where in memory the payload begins; where it is cut.
pub fn mask(data: &[u8]) {
    let Some(([a, b, c, d, offset, cut], payload)) = choices(data) else { return };
    let key = Mask::new([a, b, c, d]);
    let mut naive = payload.to_vec();
    let mut naive_mask = key;
    naive_mask.apply_naive(&mut naive);

    let offset = usize::from(offset % 64);
    let mut memory = vec![0; offset];
    memory.extend_from_slice(payload);
    let fast = &mut memory[offset..];
    let mut fast_mask = key;
    let (front, back) = fast.split_at_mut(usize::from(cut).min(payload.len()));
    fast_mask.apply(front);
    fast_mask.apply(back);
    assert_eq!(fast, naive);
    assert_eq!(fast_mask, naive_mask, "turned by as much");

    let mut again = key;
    again.apply(fast);
    assert_eq!(fast, payload);
}
