//! RFC 9112 §7.1: bodies in chunks.

use longwire_handshake::{Chunks, Part, Refusal};

/// Decodes in steps of `step` bytes: the body and what was left over.
fn decode(coded: &[u8], step: usize, most: u32) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
    let (mut chunks, mut body, mut used) = (Chunks::new(most), Vec::new(), 0);
    for mut piece in coded.chunks(step) {
        loop {
            let (part, taken) = chunks.decode(piece)?;
            used += taken;
            piece = &piece[taken..];
            match part {
                Part::Data(data) => body.extend_from_slice(data),
                Part::More => break,
                Part::End => return Ok(Some((body, coded.len() - used))),
            }
        }
    }
    Ok(None)
}

#[test]
fn chunks_are_joined_however_they_arrive() {
    let coded = b"4 ;x\r\nWiki\r\n6;name=\"v\"\r\npedia \r\nB\r\nin \r\nchunks\r\n0\r\nTrailer: x\r\n\r\nGET";
    for step in 1..=coded.len() {
        let (body, _) = decode(coded, step, 100).unwrap().expect("whole");
        assert_eq!(body, b"Wikipedia in \r\nchunks");
    }
    assert_eq!(decode(coded, coded.len(), 100).unwrap().unwrap().1, 3);
    assert_eq!(decode(b"0\r\n\r\n", 1, 0), Ok(Some((Vec::new(), 0))));
    assert_eq!(decode(b"5\r\nabc", 2, 10), Ok(None));
}

#[test]
fn the_limit_is_inclusive_and_checked_before_a_size_can_wrap() {
    assert!(decode(b"5\r\nabcde\r\n0\r\n\r\n", 1, 5).unwrap().is_some());
    assert_eq!(decode(b"6\r\n", 1, 5), Err(Refusal::BodyTooLarge));
    assert_eq!(decode(b"3\r\nabc\r\n3\r\n", 1, 5), Err(Refusal::BodyTooLarge));
    assert_eq!(decode(b"ffffffffffffffff\r\n", 1, u32::MAX), Err(Refusal::BodyTooLarge));
    assert_eq!(decode(b"10000000000000000\r\n", 1, u32::MAX), Err(Refusal::BadChunk));
}

#[test]
fn what_is_no_chunk_is_refused() {
    for bad in [
        &b"\r\n"[..],
        b";x\r\n",
        b"x\r\n",
        b"0x5\r\n",
        b"+5\r\n",
        b" 5\r\n",
        b"5\nabcde",
        b"5\r\nabcdeX",
        b"5\r\nabcde\rX",
        b"5;\n",
        b"5\rX",
        b"0\r\nA: b\nC",
        b"0\r\n\rX",
        b"5;\x00\r\n",
        b"5 5\r\nabcde",
        b"0\r\nno colon\r\n",
        b"0\r\n: no name\r\n",
        b"0\r\n blank: first\r\n",
    ] {
        assert_eq!(decode(bad, 1, 100), Err(Refusal::BadChunk), "{:?}", String::from_utf8_lossy(bad));
    }
    let endless = [b"5;".as_slice(), &[b'x'; 20_000]].concat();
    assert_eq!(decode(&endless, 7, 100), Err(Refusal::BadChunk));
    let trailers = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(3_000)].concat();
    assert_eq!(decode(&trailers, 7, 100), Err(Refusal::BadChunk));
    let fine = [b"1\r\nx\r\n".repeat(20_000).as_slice(), b"0\r\n\r\n"].concat();
    assert!(decode(&fine, 7, 20_000).unwrap().is_some());
}
