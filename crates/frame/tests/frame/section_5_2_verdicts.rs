//! §5.1, §5.2, §5.4, §5.5: what is to be said of a frame's first two bytes, of all of them, in every situation.
//!
//! The table below was written from the RFC and knows nothing of the decoder. The first line that fits holds; the order
//! of the lines is the order in which the wire shows what they look at.

use longwire_frame::{Decoder, Error, Limits, Role, Rsv, Step};

use crate::{masked, unmasked};

/// Both bytes bit by bit (`-` is either), who receives, whether a message is open; then the fault.
/// `FRRROOOO MLLLLLLL`
#[rustfmt::skip]
const TABLE: [(&str, Option<Role>, Option<bool>, Error); 24] = [
    // §5.2: opcodes 3 to 7 and 11 to 15 are reserved.
    ("----0011 --------", None, None, Error::ReservedOpcode),
    ("----01-- --------", None, None, Error::ReservedOpcode),
    ("----1011 --------", None, None, Error::ReservedOpcode),
    ("----11-- --------", None, None, Error::ReservedOpcode),
    // §5.5: control frames are not fragmented.
    ("0---1--- --------", None, None, Error::FragmentedControl),
    // RFC 7692 §6: an extension's bit stands on the first frame of a message.
    ("-1--1--- --------", None, None, Error::MisplacedBits),
    ("--1-1--- --------", None, None, Error::MisplacedBits),
    ("---11--- --------", None, None, Error::MisplacedBits),
    ("-1--0000 --------", None, None, Error::MisplacedBits),
    ("--1-0000 --------", None, None, Error::MisplacedBits),
    ("---10000 --------", None, None, Error::MisplacedBits),
    // §5.4: a continuation continues something, and only a continuation does.
    ("----0000 --------", None, Some(false), Error::NothingToContinue),
    ("----0001 --------", None, Some(true), Error::UnfinishedMessage),
    ("----0010 --------", None, Some(true), Error::UnfinishedMessage),
    // §5.1: a client masks, a server does not.
    ("-------- 0-------", Some(Role::Server), None, Error::Unmasked),
    ("-------- 1-------", Some(Role::Client), None, Error::Masked),
    // §5.5: control frames have at most 125 bytes.
    ("----1000 -111111-", None, None, Error::LongControl),
    ("----1001 -111111-", None, None, Error::LongControl),
    ("----1010 -111111-", None, None, Error::LongControl),
    // §5.5.1: a Close begins with two bytes, if with any.
    ("----1000 -0000001", None, None, Error::ShortClose),
    // §10.4, with a limit of 100 bytes: these lengths are beyond it, but for an extension's message, which may have 176.
    ("-0000--- -110011-", None, None, Error::MessageTooBig), // 102, 103
    ("-0000--- -1100101", None, None, Error::MessageTooBig), // 101
    ("-0000--- -1101---", None, None, Error::MessageTooBig), // 104 to 111
    ("-0000--- -1110---", None, None, Error::MessageTooBig), // 112 to 119
];
/// The rest of the lengths beyond the limit, 120 to 125; 126 and 127 announce a longer field.
const REST: [&str; 3] = ["-0000--- -11110--", "-0000--- -1111100", "-0000--- -1111101"];

/// Bits that matter, and what they must be.
fn pattern(text: &str) -> (u16, u16) {
    text.bytes().filter(|letter| *letter != b' ').fold((0, 0), |(mask, value), letter| {
        (mask << 1 | u16::from(letter != b'-'), value << 1 | u16::from(letter == b'1'))
    })
}

#[test]
fn all_first_two_bytes_in_every_situation_get_the_verdict_of_the_table() {
    let limits = Limits { message: 100, parts: 10 };
    let lines: Vec<_> = TABLE
        .into_iter()
        .chain(REST.map(|text| (text, None, None, Error::MessageTooBig)))
        .map(|(text, role, open, error)| (pattern(text), role, open, error))
        .collect();
    let mut verdicts = 0_u32;
    for role in [Role::Server, Role::Client] {
        for negotiated in (0..8).map(|bits| Rsv::of_first_byte(bits << 4)) {
            for open in [false, true] {
                let fitting: Vec<_> = lines
                    .iter()
                    .filter(|line| line.1.is_none_or(|only| only == role) && line.2.is_none_or(|only| only == open))
                    .collect();
                let mut decoder = Decoder::new(role, limits).negotiated(negotiated);
                if open {
                    let mut begun = if role == Role::Server { masked(0x02, b"") } else { unmasked(0x02, b"") };
                    decoder.decode(&mut begun).unwrap();
                }
                assert_eq!(decoder.message_open(), open);
                for pair in 0..=u16::MAX {
                    let mut bytes = pair.to_be_bytes();
                    let foreign = bytes[0] & 0x70 & !negotiated.bits() != 0;
                    // How many of the two bytes the verdict needs, and the verdict.
                    let verdict = if foreign {
                        Some((1, Error::ReservedBits)) // §5.2: zero unless negotiated
                    } else {
                        fitting
                            .iter()
                            .find(|((mask, value), ..)| pair & mask == *value)
                            .map(|((mask, _), .., error)| (if mask & 0xFF == 0 { 1 } else { 2 }, *error))
                    };
                    let one = decoder.clone().decode(&mut bytes[..1]).err();
                    let mut second = decoder.clone();
                    let two = second.decode(&mut bytes);
                    let situation = || format!("{role:?}, {negotiated} negotiated, open {open}: {pair:04x}");
                    match verdict {
                        Some((1, error)) => assert_eq!((one, two), (Some(error), Err(error)), "{}", situation()),
                        Some((_, error)) => assert_eq!((one, two), (None, Err(error)), "{}", situation()),
                        None => assert_eq!((one, welcome(bytes_of(pair), two)), (None, true), "{}", situation()),
                    }
                    verdicts += 1;
                }
            }
        }
    }
    assert_eq!(verdicts, 65_536 * 2 * 8 * 2);
}

const fn bytes_of(pair: u16) -> [u8; 2] {
    pair.to_be_bytes()
}

/// Whether two bytes that may begin a frame were taken as they should be: a header that is complete is consumed, with a
/// control frame only if that is complete as well.
fn welcome([first, second]: [u8; 2], step: Result<Step<'_>, Error>) -> bool {
    let Ok(step) = step else { return false };
    let (masked, short, control) = (second & 0x80 != 0, second & 0x7F, first & 0x08 != 0);
    let complete = !masked && short < 126 && (short == 0 || !control);
    // An empty frame is the end of something, or brings nothing.
    let event = complete && short == 0 && (control || first & 0x80 != 0);
    step.consumed == if complete { 2 } else { 0 } && step.event.is_some() == event
}
