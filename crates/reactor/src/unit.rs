//! Where one thing that was sent ends and the next begins, told from the bytes: a frame, an event, or a response's head. They are our
//! own bytes, so there is nothing to refuse here.
//!
//! Their first bytes tell them apart: a head begins with `H`, an event with a lower-case letter, a colon or a line's end, and no frame of ours
//! begins with one of these (RFC 6455 §5.2: that would be a reserved opcode, or a reserved bit that nobody has given a meaning).

use longwire_frame::Header;

/// Where the units end that follow each other from `start` on. `bytes_from` gives the bytes from a place on, of which `whole` is
/// the end; that of the last unit may lie behind it, as a frame's whose payload is not here.
pub(crate) fn ends<B: Iterator<Item = u8> + Clone>(
    bytes_from: impl Fn(usize) -> B,
    start: usize,
    whole: usize,
) -> impl Iterator<Item = usize> {
    let end_of = move |at: usize| (at < whole).then(|| at + length(bytes_from(at)));
    std::iter::successors(end_of(start), move |at| end_of(*at))
}

/// The same for bytes that lie in one piece.
pub(crate) fn ends_in(bytes: &[u8], start: usize) -> impl Iterator<Item = usize> {
    ends(|at| bytes[at..].iter().copied(), start, bytes.len())
}

/// The length of the unit that begins these bytes: of any bytes at least 1. Too few for a unit count as one.
fn length(mut bytes: impl Iterator<Item = u8> + Clone) -> usize {
    match bytes.clone().next() {
        None => 0,
        Some(b'H') => through(&mut bytes, b"\r\n\r\n"),
        // An event without any field is an empty line.
        Some(b'\n') => 1,
        Some(b':' | b'a'..=b'z') => through(&mut bytes, b"\n\n"),
        Some(_) => {
            let mut header = [0; Header::MAX_LEN];
            let mut length = 0;
            for (place, byte) in header.iter_mut().zip(bytes) {
                *place = byte;
                length += 1;
            }
            match Header::parse(&header[..length]) {
                Ok(Some((header, length))) => length + header.len as usize,
                Ok(None) | Err(_) => length,
            }
        }
    }
}

/// Bytes up to and with `end`, which repeats itself in no other way than from its start; all if it is not there.
fn through(bytes: &mut impl Iterator<Item = u8>, end: &[u8]) -> usize {
    let (mut count, mut matched) = (0, 0);
    for byte in bytes {
        count += 1;
        matched = match byte {
            byte if byte == end[matched] => matched + 1,
            byte if byte == end[0] => 1,
            _ => 0,
        };
        if matched == end.len() {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use longwire_frame::Message;
    use longwire_sse::{Comment, Event};

    use super::{ends, ends_in, length};
    use crate::encode::{append_encoded, append_frame};
    use crate::publication::Publication;

    #[test]
    fn each_unit_ends_where_the_next_begins() {
        let mut units: Vec<Vec<u8>> = vec![
            b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n".to_vec(),
            b"\x88\x02\x03\xe8".to_vec(),
            b"\x01\x03abc".to_vec(),
            b"\x80\x00".to_vec(),
            // A client's frame.
            b"\x81\x81\x01\x02\x03\x04H".to_vec(),
        ];
        for size in [0, 1, 125, 126, 65_535, 65_536] {
            let mut frame = Vec::new();
            append_frame(Message::Binary(&vec![b'\n'; size]), &mut frame);
            units.push(frame);
        }
        for event in [
            Event::data("a\nb\n\nc"),
            Event::data(""),
            Event::retry_only(std::time::Duration::from_secs(1)),
            Event::default(),
        ] {
            let mut bytes = Vec::new();
            Publication::from(event).encode_event(&mut bytes);
            units.push(bytes);
        }
        let (beat, mut comment) = (Comment::HEARTBEAT, Vec::new());
        append_encoded(beat.encoded_len(), |place| beat.encode(place), &mut comment);
        units.push(comment);
        for unit in &units {
            for next in &units {
                let both = [unit.as_slice(), next].concat();
                assert_eq!(length(both.iter().copied()), unit.len(), "{unit:02x?} before {next:02x?}");
            }
            assert_eq!(length(unit.iter().copied()), unit.len());
        }
        assert_eq!(length([0x81].into_iter()), 1);
        let all = units.concat();
        let at = |count: usize| units[..count].iter().map(Vec::len).sum::<usize>();
        assert!(ends_in(&all, 0).eq((1..=units.len()).map(at)));
        assert!(ends(|from| all[from..].iter().copied(), at(2), all.len()).eq((3..=units.len()).map(at)));
        assert_eq!(ends_in(&all, all.len()).next(), None);
        assert_eq!(ends_in(b"\x81\x05he", 0).collect::<Vec<_>>(), [7]);
    }
}
