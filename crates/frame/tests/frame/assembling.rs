//! Pieces put together, in lent memory and on the heap.

use longwire_frame::{Assembler, Event, Full, Message, Opcode, Rsv};

fn text(carried: Option<char>, rest: &str, end: bool) -> Event<'_> {
    Event::Text { carried, rest, end }
}

fn binary(bytes: &[u8], end: bool) -> Event<'_> {
    Event::Binary { bytes, end }
}

#[test]
fn a_message_that_arrived_whole_is_not_copied() {
    let mut assembler = Assembler::new(&mut []);
    let whole = String::from("no memory needed");
    let Ok(Some(Message::Text(out))) = assembler.push(text(None, &whole, true)) else { panic!() };
    assert_eq!(out.as_ptr(), whole.as_ptr());
    let Ok(Some(Message::Binary(out))) = assembler.push(binary(whole.as_bytes(), true)) else { panic!() };
    assert_eq!(out.as_ptr(), whole.as_ptr());
}

#[test]
fn pieces_become_a_message() {
    let mut memory = [0; 16];
    let mut assembler = Assembler::new(&mut memory);
    for _ in 0..3 {
        assert_eq!(assembler.push(text(None, "a", false)), Ok(None));
        assert_eq!(assembler.push(Event::Ping(b"between")), Ok(None));
        assert_eq!(assembler.push(text(Some('€'), "b", false)), Ok(None));
        assert_eq!(assembler.push(text(Some('é'), "", true)), Ok(Some(Message::Text("a€bé"))));
        assert_eq!(assembler.push(binary(&[1], false)), Ok(None));
        assert_eq!(assembler.push(binary(&[], true)), Ok(Some(Message::Binary(&[1]))));
    }
}

#[test]
fn a_character_that_was_cut_is_the_whole_of_a_short_message() {
    let mut memory = [0; 4];
    assert_eq!(Assembler::new(&mut memory).push(text(Some('€'), "", true)), Ok(Some(Message::Text("€"))));
}

#[test]
fn a_message_that_does_not_fit_is_full_from_its_first_byte_too_many_to_its_end() {
    let mut memory = [0; 3];
    let mut assembler = Assembler::new(&mut memory);
    assert_eq!(assembler.push(binary(b"abc", false)), Ok(None));
    assert_eq!(assembler.push(binary(b"d", false)), Err(Full));
    assert_eq!(assembler.push(binary(b"", false)), Err(Full));
    assert_eq!(assembler.push(binary(b"e", true)), Err(Full));
    assert_eq!(assembler.push(binary(b"ab", false)), Ok(None));
    assert_eq!(assembler.push(binary(b"c", true)), Ok(Some(Message::Binary(b"abc"))));
    assert_eq!(assembler.push(text(None, "four", false)), Err(Full));
    assert_eq!(assembler.push(text(None, "", true)), Err(Full));
    assert_eq!(assembler.push(text(None, "ab", false)), Ok(None));
    assert_eq!(assembler.push(text(None, "c", true)), Ok(Some(Message::Text("abc"))));
}

#[test]
fn a_piece_of_the_other_kind_begins_a_message() {
    let mut memory = [0; 4];
    let mut assembler = Assembler::new(&mut memory);
    assert_eq!(assembler.push(binary(&[0xFF], false)), Ok(None));
    assert_eq!(assembler.push(text(None, "t", false)), Ok(None));
    assert_eq!(assembler.push(text(None, "u", true)), Ok(Some(Message::Text("tu"))));
}

#[test]
fn an_extensions_payload_is_not_assembled() {
    let mut assembler = Assembler::new(&mut []);
    let extended = Event::Extended { rsv: Rsv::RSV1, opcode: Opcode::Text, bytes: b"x", end: true };
    assert_eq!(assembler.push(extended), Ok(None));
}

#[cfg(feature = "alloc")]
mod on_the_heap {
    use longwire_frame::Assembly;

    use super::*;

    #[test]
    fn a_message_that_arrived_whole_is_not_copied() {
        let mut assembly = Assembly::new();
        let whole = String::from("no memory needed");
        let Some(Message::Text(out)) = assembly.push(text(None, &whole, true)) else { panic!() };
        assert_eq!(out.as_ptr(), whole.as_ptr());
        let Some(Message::Binary(out)) = assembly.push(binary(whole.as_bytes(), true)) else { panic!() };
        assert_eq!(out.as_ptr(), whole.as_ptr());
        assert_eq!(assembly.capacity(), 0);
    }

    #[test]
    fn pieces_become_a_message_and_the_memory_is_used_again() {
        let mut assembly = Assembly::reusing(vec![0xEE; 64]);
        for _ in 0..3 {
            assert_eq!(assembly.push(text(None, "a", false)), None);
            assert_eq!(assembly.push(Event::Ping(b"between")), None);
            assert_eq!(assembly.push(text(Some('€'), "b", true)), Some(Message::Text("a€b")));
            assembly.clear();
            assert_eq!(assembly.push(binary(&[1], false)), None);
            assert_eq!(assembly.push(binary(&[2, 3], true)), Some(Message::Binary(&[1, 2, 3])));
            assembly.clear();
            assert!(assembly.is_empty());
            assert_eq!(assembly.capacity(), 64);
        }
        assert_eq!(assembly.into_memory().capacity(), 64);
    }

    #[test]
    fn a_place_is_read_into_and_filled() {
        let mut assembly = Assembly::new();
        assembly.push_binary(b"ab");
        assembly.place(4)[..2].copy_from_slice(b"cd");
        assert_eq!(assembly.message(), Message::Binary(b"ab"), "not yet part of it");
        assembly.fill(2);
        assembly.push_binary(b"efghi");
        assert_eq!(assembly.message(), Message::Binary(b"abcdefghi"));
        assembly.fill(usize::MAX);
        assert_eq!(assembly.message().len(), 9, "no more than there is");
    }

    #[test]
    fn for_what_room_was_made_nothing_is_moved() {
        let mut assembly = Assembly::new();
        assembly.push_text(None, "another message");
        assembly.reserve(1_000);
        let capacity = assembly.capacity();
        let place = assembly.place(1).as_ptr();
        assert!(capacity >= 1_000);
        for _ in 0..1_000 {
            assembly.place(1)[0] = 7;
            assembly.fill(1);
        }
        assembly.reserve(0);
        assert_eq!(assembly.message(), Message::Binary(&[7; 1_000]));
        assert_eq!(assembly.capacity(), capacity);
        let memory = assembly.into_memory();
        assert_eq!(memory.as_ptr(), place);
    }

    #[test]
    fn a_long_binary_message_begins_in_mid_page() {
        const LEAD: usize = 2 << 10;
        let beginning: Vec<u8> = (0..=255).collect();
        let mut assembly = Assembly::new();
        assembly.push_binary(&beginning);
        assembly.reserve((1 << 20) - beginning.len());
        assert_eq!(assembly.message(), Message::Binary(&beginning), "it was moved as it was");
        assert_eq!(assembly.capacity(), (1 << 20) + LEAD);
        assert_eq!(assembly.spare(), (1 << 20) - beginning.len());
        assembly.place(3).copy_from_slice(b"end");
        assembly.fill(3);
        let whole = [&beginning, b"end".as_slice()].concat();
        let memory = assembly.into_memory();
        assert_eq!(memory[LEAD..], whole);

        let mut assembly = Assembly::reusing(memory);
        assert_eq!((assembly.spare(), assembly.is_empty()), (1 << 20, true));
        assembly.push_binary(b"again");
        assembly.push_text(None, "text begins where its memory does");
        assert_eq!(assembly.spare(), assembly.capacity() - 33);
        assembly.push_binary(b"and bytes");
        assert_eq!(assembly.message(), Message::Binary(b"and bytes"));
        assert_eq!(assembly.into_memory()[LEAD..], *b"and bytes");
    }

    #[test]
    fn a_short_binary_message_begins_where_its_memory_does() {
        let mut assembly = Assembly::new();
        assembly.push_binary(b"short");
        assembly.reserve((64 << 10) - 6);
        assert_eq!((assembly.capacity(), assembly.spare()), ((64 << 10) - 1, (64 << 10) - 6));
        assert_eq!(assembly.into_memory(), b"short");
    }

    #[test]
    fn memory_that_was_used_is_not_zeroed_again() {
        let mut assembly = Assembly::reusing(vec![0xEE; 8]);
        assert_eq!(assembly.place(8), [0xEE; 8]);
        assert_eq!(assembly.place(10), [0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0, 0]);
    }

    #[test]
    fn a_piece_of_the_other_kind_begins_a_message() {
        let mut assembly = Assembly::new();
        assembly.push_binary(&[0xFF]);
        assembly.push_text(None, "t");
        assert_eq!(assembly.message(), Message::Text("t"));
        assembly.push_binary(&[0xFE]);
        assert_eq!(assembly.message(), Message::Binary(&[0xFE]));
    }
}
