//! Sessions with everything in them, as they came over the wire: however they are cut, the same is heard and the same answered.
//!
//! Every cut in two is tried. Cuts in up to twelve pieces are drawn; `PROPTEST_CASES` says how many (docs/testing.md).

use longwire_frame::{Error, Role, Rsv};
use proptest::prelude::*;

use crate::properties::{LIMITS, Story, tell};
use crate::{masked, unmasked};

/// A session in one direction, and what comes of it.
struct Session {
    role: Role,
    negotiated: Rsv,
    bytes: Vec<u8>,
    lines: usize,
    replies: usize,
    fault: Option<Error>,
}

/// What both roles may hear: a text with a character across two frames and a Ping across both; the longest control frames; a
/// length of two bytes; the empty message; a Pong that nobody asked for; a message of an extension; a Close with a reason.
fn frames(frame: impl Fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let text = "aé€𐍈".as_bytes();
    [
        frame(0x81, b"Hello"),
        frame(0x01, &text[..2]),
        frame(0x89, b"between"),
        frame(0x00, &text[2..7]),
        frame(0x89, &[0xFF; 125]),
        frame(0x80, &text[7..]),
        frame(0x82, &[7; 200]),
        frame(0x81, b""),
        frame(0x8A, b""),
        frame(0xC1, &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]),
        frame(0x41, &[0xF2, 0x48]),
        frame(0x80, &[0xCD, 0xC9, 0xC9, 0x07, 0x00]),
        frame(0x88, b"\x03\xE8bye"),
        b"late".to_vec(),
    ]
    .concat()
}

fn sessions() -> [Session; 4] {
    let (client, server) = (frames(masked), frames(unmasked));
    let extension = client.windows(2).position(|bytes| bytes == [0xC1, 0x87]).expect("the first frame with RSV1");
    let not_utf8 = [masked(0x01, b"\xE2\x82"), masked(0x89, b""), masked(0x80, b"\xE2\x82")].concat();
    [
        Session {
            role: Role::Server,
            negotiated: Rsv::RSV1,
            lines: 10,
            replies: 3,
            fault: None,
            bytes: client.clone(),
        },
        Session { role: Role::Client, negotiated: Rsv::RSV1, lines: 10, replies: 3, fault: None, bytes: server },
        // Where no extension was negotiated, the same bytes are a fault.
        Session {
            role: Role::Server,
            negotiated: Rsv::NONE,
            lines: 7,
            replies: 3,
            fault: Some(Error::ReservedBits),
            bytes: client[..extension + 3].to_vec(),
        },
        Session {
            role: Role::Server,
            negotiated: Rsv::NONE,
            lines: 1,
            replies: 2,
            fault: Some(Error::NotUtf8),
            bytes: not_utf8,
        },
    ]
}

impl Session {
    fn cut(&self, cuts: &[usize]) -> Story {
        tell(self.role, self.negotiated, &self.bytes, cuts)
    }
}

/// How many frames these are.
fn count(replies: &[u8]) -> usize {
    let mut rest = replies;
    let mut count = 0;
    while let [first, second, ..] = rest {
        assert!(first & 0x80 != 0 && second & 0x7F <= 125, "control frames");
        let key = if second & 0x80 != 0 { 4 } else { 0 };
        rest = &rest[2 + key + usize::from(second & 0x7F)..];
        count += 1;
    }
    count
}

#[test]
fn whole_they_say_what_they_should() {
    assert!(frames(masked).len() > LIMITS.message as usize, "longer than a message may be");
    for session in sessions() {
        let story = session.cut(&[usize::MAX]);
        assert_eq!(story.fault, session.fault);
        assert_eq!((story.lines.len(), count(&story.replies)), (session.lines, session.replies), "{:#?}", story.lines);
    }
}

#[test]
fn every_cut_in_two_tells_the_same() {
    for session in sessions() {
        let whole = session.cut(&[usize::MAX]);
        for at in 1..session.bytes.len() {
            assert_eq!(session.cut(&[at, usize::MAX]), whole, "cut at {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cuts_tell_the_same(which in 0..4_usize, cuts in prop::collection::vec(any::<prop::sample::Index>(), 2..12)) {
        let session = &sessions()[which];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(session.bytes.len())).collect();
        cuts.sort_unstable();
        let sizes: Vec<usize> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let sizes = [&cuts[..1], &sizes, &[usize::MAX]].concat();
        prop_assert_eq!(session.cut(&sizes), session.cut(&[usize::MAX]));
    }
}
