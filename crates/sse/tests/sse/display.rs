//! What a log says: the values as they stand on the wire, and the faults with their reasons.

use longwire_sse::{Error, Full, Id, Line, NotAnId, NotOneLine};

#[test]
fn values_are_their_text() {
    let (id, line) = (Id::try_from("7").unwrap(), Line::try_from("token").unwrap());
    assert_eq!((id.as_ref(), line.as_ref()), ("7", "token"));
    assert_eq!(format!("{id} {id:>3}|{line:6}|"), "7   7|token |", "padded as any text is");
    assert_eq!(Id::try_from(" 7"), Err(NotAnId::BlankAtEnd));
    assert_eq!(Line::try_from("token\n"), Err(NotOneLine));
}

/// §9.2.6 has no bounds; this one comes of it all the same, and is told apart by what did not fit.
#[test]
fn faults_say_what_was_too_long_and_where_the_rule_stands() {
    for (error, what) in [(Error::DataTooLong, "data"), (Error::NameTooLong, "name"), (Error::IdTooLong, "id")] {
        assert_eq!(error.to_string(), format!("the {what} of an event is longer than the memory for it"));
        assert_eq!(error.section(), "9.2.6");
    }
}

#[test]
fn mistakes_say_which_rule_was_broken() {
    assert_eq!(NotAnId::TooLong.to_string(), format!("not an id: more than {} bytes", Id::MAX_LEN));
    assert_eq!(NotAnId::ControlCharacter.to_string(), "not an id: it holds a control character");
    assert_eq!(NotAnId::BlankAtEnd.to_string(), "not an id: a blank at one of its ends");
    assert_eq!(NotOneLine.to_string(), "not one line: the text holds CR, LF or NUL");
    assert_eq!(Full.to_string(), "the output is full");
}
