//! §9.2.5, parsing an event stream: line ends, the byte order mark, the encoding. And the bounds of the memory.

use longwire_sse::{Error, Line, NotOneLine, Parser};
use proptest::prelude::*;

use crate::reading::{Seen, events, read_packets, read_streams};
use crate::reference;

#[test]
fn the_vectors_of_this_section() {
    crate::vectors::run("9.2.5");
}

#[test]
fn a_line_holds_no_line_end_and_no_nul() {
    for text in ["\n", "\r", "\0", "a\nb", "a\r", "\r\na", "a\0"] {
        assert_eq!(Line::new(text), Err(NotOneLine), "{text:?}");
    }
    for text in ["", " ", "a: b", "\u{2028}", "\u{2029}", "\u{85}", "\u{B}\u{C}\u{1C}\t", "…"] {
        assert_eq!(Line::new(text).map(Line::as_str), Ok(text));
    }
}

#[test]
fn an_event_is_handed_out_with_the_byte_that_ends_it() {
    for (stream, end) in [("data: a\n\n", 9), ("data: a\r\r", 9), ("data: a\r\n\r\n", 10), ("data: a\n\r\n", 9)] {
        let mut parser = Parser::new([0; 64]);
        let step = parser.parse(stream.as_bytes()).unwrap();
        assert_eq!(step.consumed, end, "{stream:?}: a CR is not kept waiting for its LF");
        assert!(step.event.is_some());
    }
}

/// Memory of 64 bytes: 8 for an id, 8 for a name, 32 for data.
#[test]
fn a_value_may_fill_its_place_to_the_last_byte() {
    let read = |stream: &str| read_small(&[stream.as_bytes()]).map(|seen| seen.len());
    for (field, place, error) in
        [("id", 8, Error::IdTooLong), ("event", 8, Error::NameTooLong), ("data", 32, Error::DataTooLong)]
    {
        for len in [place - 1, place] {
            assert_eq!(read(&format!("{field}: {}\ndata\n\n", "x".repeat(len - usize::from(field == "data")))), Ok(1));
        }
        assert_eq!(read(&format!("{field}: {}\n\n", "x".repeat(place + 1))), Err(error));
    }
    let full = format!("id: 12345678\nevent: 12345678\ndata: {}\ndata: {}\n\n", "x".repeat(16), "y".repeat(15));
    assert_eq!(read(&full.repeat(3)), Ok(3), "all places at once, and again");
}

#[test]
fn an_id_has_1024_bytes_at_most_and_data_the_rest() {
    let read = |field: &str, len: usize| {
        let stream = format!("{field}: {}\n\n", "x".repeat(len));
        read_packets(&mut Parser::new(vec![0; 16 * 1024]), [stream.as_bytes()], &mut Vec::new())
    };
    assert_eq!((read("id", 1024), read("id", 1025)), (Ok(()), Err(Error::IdTooLong)));
    assert_eq!((read("event", 1024), read("event", 1025)), (Ok(()), Err(Error::NameTooLong)));
    assert_eq!((read("data", 12 * 1024), read("data", 12 * 1024 + 1)), (Ok(()), Err(Error::DataTooLong)));
}

#[test]
fn a_replacement_needs_room_too() {
    let stream = |len: usize| [b"data: \xFF".as_slice(), &vec![b'x'; len], b"\n\n"].concat();
    assert_eq!(read_small(&[&stream(29)]), Ok(vec![Seen::new("", "message", &format!("\u{FFFD}{}", "x".repeat(29)))]));
    assert_eq!(read_small(&[&stream(30)]), Err(Error::DataTooLong));
    assert_eq!(read_small(&[b"id: \xFF12345\ndata\n\n"]).map(|seen| seen.len()), Ok(1));
    assert_eq!(read_small(&[b"id: \xFF123456\ndata\n\n"]), Err(Error::IdTooLong));
    assert_eq!(read_small(&[b"event: \xFF123456\ndata\n\n"]), Err(Error::NameTooLong));
}

#[test]
fn what_is_ignored_needs_no_memory() {
    let junk = "x".repeat(10_000);
    let stream = format!(":{junk}\n{junk}: {junk}\n{junk}\nretry: {}\nid: \0{junk}\n\n", "0".repeat(10_000));
    assert_eq!(read_small(&[stream.as_bytes()]), Ok(vec![]));
    let mut none = Parser::new([]);
    assert_eq!(read_packets(&mut none, [stream.as_bytes()], &mut Vec::new()), Ok(()), "not a byte of it");
}

#[test]
fn an_id_is_too_long_before_it_is_ignored() {
    let stream = b"id: 123456789\0\n\n";
    assert_eq!(read_small(&[stream]), Err(Error::IdTooLong));
    assert_eq!(read_small(&stream.chunks(1).collect::<Vec<_>>()), Err(Error::IdTooLong), "the NUL had not come yet");
}

#[test]
fn a_failed_stream_stays_failed_until_it_ends() {
    let mut parser = Parser::new([0; 64]);
    parser.parse(b"id: 7\n\n").unwrap();
    let long = [b"data: ".as_slice(), &[b'x'; 33]].concat();
    assert_eq!(parser.parse(&long), Err(Error::DataTooLong));
    assert_eq!(parser.parse(b"\n\ndata: a\n\n"), Err(Error::DataTooLong));
    parser.end_of_stream();
    assert_eq!(parser.last_event_id(), "7");
    assert!(parser.parse(b"data: a\n\n").unwrap().event.is_some());
}

#[test]
fn the_memory_may_be_an_array_a_vec_or_lent() {
    let mut lent = [0; 64];
    let mut seen = Vec::new();
    read_packets(&mut Parser::new([0; 64]), [b"data\n\n".as_slice()], &mut seen).unwrap();
    read_packets(&mut Parser::new(vec![0; 64]), [b"data\n\n".as_slice()], &mut seen).unwrap();
    read_packets(&mut Parser::new(&mut lent[..]), [b"data\n\n".as_slice()], &mut seen).unwrap();
    assert_eq!(seen.len(), 3);
}

fn read_small(packets: &[&[u8]]) -> Result<Vec<Seen>, Error> {
    let mut seen = Vec::new();
    read_packets(&mut Parser::new([0; 64]), packets.iter().copied(), &mut seen).map(|()| seen)
}

/// Bytes that are likely to mean something: words of the format, line ends, broken UTF-8.
pub(crate) fn stream_bytes() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 26] = [
        b"data",
        b"event",
        b"id",
        b"retry",
        b"dat",
        b":",
        b": ",
        b":",
        b" ",
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\0",
        b"0",
        b"9",
        b"x",
        b"\xEF\xBB\xBF",
        b"\xEF\xBB",
        b"\xEF",
        b"\xE2\x80",
        b"\xF0\x9F\x98\x80",
        b"\xFF",
        b"\xED\xA0\x80",
        b"\xC2",
    ];
    let word = prop_oneof![9 => prop::sample::select(&WORDS[..]).prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 1..4)];
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn the_parser_agrees_with_the_reference(streams in prop::collection::vec(stream_bytes(), 1..3)) {
        prop_assert_eq!(read_streams(&streams, |stream| vec![stream]), reference::read_streams(&streams));
    }

    #[test]
    fn packets_make_no_difference(stream in stream_bytes(), size in 1..9_usize) {
        let whole = read_streams(&[&stream], |stream| vec![stream]);
        prop_assert_eq!(read_streams(&[&stream], |stream| stream.chunks(size).collect()), whole);
    }

    #[test]
    fn packets_make_no_difference_where_memory_is_short(stream in stream_bytes(), size in 1..9_usize, memory in 0..96_usize) {
        let read = |size: usize| {
            let mut seen = Vec::new();
            let verdict = read_packets(&mut Parser::new(vec![0; memory]), stream.chunks(size), &mut seen);
            (verdict, seen)
        };
        prop_assert_eq!(read(size), read(usize::MAX));
    }
}

#[test]
fn an_event_of_all_characters() {
    let all: String = ('\0'..=char::MAX).filter(|c| !matches!(c, '\r' | '\n')).step_by(997).collect();
    assert_eq!(events(format!("data: {all}\n\n")), [Seen::new("", "message", &all)]);
}
