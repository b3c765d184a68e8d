//! §5.2: headers by themselves, there and back.

use longwire_frame::{Error, Full, Header, Mask, Opcode, Rsv};

use crate::KEY;

const LENGTHS: [(u64, usize); 10] = [
    (0, 2),
    (1, 2),
    (125, 2),
    (126, 4),
    (127, 4),
    (65_535, 4),
    (65_536, 10),
    (u32::MAX as u64, 10),
    (u32::MAX as u64 + 1, 10),
    (u64::MAX >> 1, 10),
];

fn data_headers() -> impl Iterator<Item = (Header, usize)> {
    LENGTHS.into_iter().flat_map(|(len, bytes)| {
        [true, false].into_iter().flat_map(move |fin| {
            [None, Some(Mask::new(KEY))].into_iter().flat_map(move |mask| {
                [Rsv::NONE, Rsv::RSV1, Rsv::RSV2.union(Rsv::RSV3)].into_iter().map(move |rsv| {
                    let header = Header { fin, rsv, opcode: Opcode::Binary, mask, len };
                    (header, bytes + if mask.is_some() { 4 } else { 0 })
                })
            })
        })
    })
}

#[test]
fn a_header_comes_back_as_it_was() {
    for (header, len) in data_headers() {
        assert_eq!(header.encoded_len(), len);
        let mut out = [0xEE; 20];
        assert_eq!(header.encode(&mut out), Ok(len), "{header}");
        assert!(out[len..].iter().all(|byte| *byte == 0xEE), "{header}: nothing behind it is touched");
        assert_eq!(Header::parse(&out), Ok(Some((header, len))), "{header}");
    }
}

#[test]
fn a_header_that_is_not_all_there_needs_more() {
    for (header, len) in data_headers() {
        let mut out = [0; Header::MAX_LEN];
        header.encode(&mut out).unwrap();
        for there in 0..len {
            assert_eq!(Header::parse(&out[..there]), Ok(None), "{header}, {there} bytes");
        }
    }
}

#[test]
fn an_output_that_is_too_short_is_full_and_untouched() {
    for (header, len) in data_headers() {
        for room in 0..len {
            let mut out = vec![0xEE; room];
            assert_eq!(header.encode(&mut out), Err(Full), "{header}, {room} bytes");
            assert!(out.iter().all(|byte| *byte == 0xEE), "{header}, {room} bytes");
        }
    }
}

#[test]
fn the_longest_header_has_fourteen_bytes() {
    assert_eq!(data_headers().map(|(header, _)| header.encoded_len()).max(), Some(Header::MAX_LEN));
}

#[test]
fn a_length_of_64_bits_is_no_length() {
    let header = Header { fin: true, rsv: Rsv::NONE, opcode: Opcode::Binary, mask: None, len: 1 << 63 };
    assert_eq!(header.encode(&mut [0; 14]), Err(Full));
    assert_eq!(Header::parse(&[0x82, 0x7F, 0x80]), Err(Error::LengthTooLarge));
}

#[test]
fn a_length_that_needs_fewer_bytes_is_refused() {
    for len in 0..126_u16 {
        let [high, low] = len.to_be_bytes();
        assert_eq!(Header::parse(&[0x82, 0x7E, high, low]), Err(Error::LengthNotMinimal), "{len}");
    }
    for len in [0, 1, 125, 126, 65_535_u64] {
        let mut bytes = vec![0x82, 0x7F];
        bytes.extend(len.to_be_bytes());
        assert_eq!(Header::parse(&bytes), Err(Error::LengthNotMinimal), "{len}");
        assert_eq!(Header::parse(&bytes[..8]), Err(Error::LengthNotMinimal), "{len}, certain after six zeros");
        assert_eq!(Header::parse(&bytes[..7]), Ok(None), "{len}, not yet after five");
    }
}

#[test]
fn only_six_opcodes_can_be_constructed() {
    let known: Vec<u8> = (0..=255).filter(|bits| Opcode::from_bits(*bits).is_some()).collect();
    assert_eq!(known, [0x0, 0x1, 0x2, 0x8, 0x9, 0xA]);
    for bits in known {
        let opcode = Opcode::from_bits(bits).unwrap();
        assert_eq!(opcode.bits(), bits);
        assert_eq!(opcode.is_control(), bits >= 8);
    }
}

#[test]
fn reserved_bits_are_a_set() {
    let two = Rsv::RSV1.union(Rsv::RSV3);
    assert!(two.contains(Rsv::RSV1) && two.contains(Rsv::RSV3) && two.contains(Rsv::NONE) && two.contains(two));
    assert!(!two.contains(Rsv::RSV2) && !two.contains(Rsv::ALL) && !two.is_empty() && Rsv::NONE.is_empty());
    assert_eq!(two.bits(), 0x50);
    assert_eq!(Rsv::of_first_byte(0xD1), two);
    assert_eq!((two.union(Rsv::RSV2), two.union(Rsv::RSV1)), (Rsv::ALL, two));
}
