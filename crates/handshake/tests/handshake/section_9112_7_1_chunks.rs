//! RFC 9112 §7.1: bodies in chunks.

use longwire_handshake::{Chunks, Part, Refusal};
use serde::Deserialize;

use crate::vectors::{Bytes, Refused};

#[derive(Deserialize)]
struct Table {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    section: String,
    reason: String,
    bytes: Bytes,
    limit: Option<u32>,
    body: Option<Bytes>,
    rest: Option<String>,
    refused: Option<Refused>,
}

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
fn the_vectors_of_this_section() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/chunks.json");
    let table: Table = serde_json::from_str(&std::fs::read_to_string(path).expect("the table")).expect("vectors");
    for vector in table.vectors {
        let (id, bytes) = (&vector.id, vector.bytes.to_vec());
        assert!(vector.section.starts_with("RFC ") && !vector.reason.is_empty(), "{id}");
        let steps = if bytes.len() < 200 { 1..bytes.len() + 1 } else { bytes.len() - 1..bytes.len() + 1 };
        for step in steps {
            match (decode(&bytes, step, vector.limit.unwrap_or(65_536)), &vector.refused) {
                (Ok(seen), None) => {
                    let rest = vector.rest.as_ref().map_or(0, String::len);
                    let (body, left) = seen.unwrap_or_else(|| panic!("{id} has no end"));
                    assert_eq!((body, left), (vector.body.as_ref().expect(id).to_vec(), rest), "{id}");
                }
                (Err(refusal), Some(refused)) => refused.check(id, refusal),
                (seen, _) => panic!("{id}: {seen:?}"),
            }
        }
    }
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

/// The line that ends a trailer field without a colon is not the empty line that ends the body.
#[test]
fn a_trailer_without_a_colon_does_not_end_the_body() {
    assert_eq!(decode(b"0\r\nTrailer\r\n", 1, 5), Err(Refusal::BadChunk));
    assert!(decode(b"0\r\nTrailer:\r\n\r\n", 1, 5).unwrap().is_some());
}

/// Sizes, extensions and trailers: 16 KiB, and eight bytes more for each of the body.
#[test]
fn what_is_no_data_has_a_limit_that_is_inclusive() {
    for data in ["", "x", "xy"] {
        let chunk = if data.is_empty() { String::new() } else { format!("{}\r\n{data}\r\n", data.len()) };
        let most = (16 << 10) + 8 * data.len();
        let coded = |lines: usize| {
            let filling = lines - (chunk.len() - data.len()) - "0;\r\n\r\n".len();
            format!("{chunk}0;{}\r\n\r\n", "x".repeat(filling)).into_bytes()
        };
        assert_eq!(decode(&coded(most), 1, 5), Ok(Some((data.as_bytes().to_vec(), 0))));
        assert_eq!(decode(&coded(most + 1), 1, 5), Err(Refusal::BadChunk), "{data:?}");
    }
}

#[test]
fn many_small_chunks_are_no_attack() {
    let fine = [b"1\r\nx\r\n".repeat(20_000).as_slice(), b"0\r\n\r\n"].concat();
    assert!(decode(&fine, 7, 20_000).unwrap().is_some());
}
