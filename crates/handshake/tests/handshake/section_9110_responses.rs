//! RFC 9110, as far as answers go: the status line (RFC 9112 §4), Date, Connection, lengths, and what a status demands.

use longwire_handshake::*;

const DATE: &str = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";

fn encoded(response: &Response<'_>) -> String {
    let date = Date::from_unix(0);
    let mut out = vec![0; response.encoded_len()];
    assert_eq!(response.encode(&date, &mut out), Ok(out.len()));
    let mut head = vec![0; response.encoded_head_len()];
    assert_eq!(response.encode_head(&date, &mut head), Ok(head.len()));
    assert!(out.starts_with(&head), "the head is the same without the body");
    for short in 0..out.len() {
        assert_eq!(response.encode(&date, &mut vec![0; short]), Err(Full), "{short}");
    }
    assert_eq!(response.encode(&date, &mut vec![0; out.len() + 1]), Ok(out.len()));
    String::from_utf8(out).expect("UTF-8")
}

/// The answer to a fault, as bytes.
pub(crate) fn answer(refusal: Refusal) -> String {
    encoded(&refusal.response())
}

fn plain(status: Status, body: Body<'_>, connection: Connection) -> String {
    encoded(&Response { status, fields: &[], body, connection })
}

#[test]
fn a_response_is_a_status_line_fields_and_a_body() {
    let name = FieldName::literal("X-Empty");
    let fields = [(FieldName::CONTENT_TYPE, FieldValue::literal("text/plain")), (name, FieldValue::default())];
    let response =
        Response { status: Status::OK, fields: &fields, body: Body::Bytes(b"ok\n"), connection: Connection::KeepAlive };
    let head = format!("HTTP/1.1 200 OK\r\n{DATE}Content-Type: text/plain\r\nX-Empty:\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(encoded(&response), format!("{head}ok\n"));
}

#[test]
fn a_status_without_a_reason_keeps_its_blank() {
    let status = Status::new(299).expect("in range");
    assert!(plain(status, Body::None, Connection::KeepAlive).starts_with("HTTP/1.1 299 \r\n"));
    assert_eq!(status.to_string(), "299");
    assert_eq!([99, 600, 0, u16::MAX].map(Status::new), [None; 4]);
}

#[test]
fn the_connection_says_what_becomes_of_it() {
    for (connection, line) in [
        (Connection::KeepAlive, ""),
        (Connection::EchoKeepAlive, "Connection: keep-alive\r\n"),
        (Connection::Close, "Connection: close\r\n"),
    ] {
        let expected = format!("HTTP/1.1 200 OK\r\n{DATE}{line}Content-Length: 0\r\n\r\n");
        assert_eq!(plain(Status::OK, Body::None, connection), expected);
    }
    let switching = plain(Status::SWITCHING_PROTOCOLS, Body::None, Connection::Upgrade);
    assert_eq!(switching, format!("HTTP/1.1 101 Switching Protocols\r\n{DATE}Connection: Upgrade\r\n\r\n"));
}

#[test]
fn a_stream_ends_with_its_connection() {
    let head = plain(Status::OK, Body::Stream, Connection::KeepAlive);
    assert_eq!(head, format!("HTTP/1.1 200 OK\r\n{DATE}Connection: close\r\n\r\n"));
}

#[test]
fn a_length_can_be_said_without_a_body() {
    let head = plain(Status::OK, Body::LengthOnly(u64::MAX), Connection::KeepAlive);
    assert!(head.ends_with("\r\nContent-Length: 18446744073709551615\r\n\r\n"), "{head}");
}

#[test]
fn a_status_without_content_has_none_and_no_length() {
    for code in [100, 101, 103, 204, 304] {
        let status = Status::new(code).expect("in range");
        for body in [Body::None, Body::Bytes(b"body"), Body::Stream, Body::LengthOnly(7)] {
            let head = plain(status, body, Connection::KeepAlive);
            assert!(head.ends_with("GMT\r\n\r\n"), "{code}: {head}");
        }
    }
    let reset = plain(Status::RESET_CONTENT, Body::Bytes(b"body"), Connection::KeepAlive);
    assert!(reset.ends_with("\r\nContent-Length: 0\r\n\r\n"), "{reset}");
}

#[test]
fn a_405_has_allow_and_a_401_a_challenge_whoever_writes_it() {
    let lacking = plain(Status::METHOD_NOT_ALLOWED, Body::None, Connection::KeepAlive);
    assert!(lacking.contains("\r\nAllow: GET, HEAD\r\n"), "{lacking}");
    let lacking = plain(Status::UNAUTHORIZED, Body::None, Connection::KeepAlive);
    assert!(lacking.contains("\r\nWWW-Authenticate: Bearer realm=\"server\"\r\n"), "{lacking}");
    for (status, name) in [(Status::METHOD_NOT_ALLOWED, "aLLOW"), (Status::UNAUTHORIZED, "www-authenticate")] {
        let fields = [(FieldName::literal(name), FieldValue::literal("given"))];
        let response = Response { status, fields: &fields, body: Body::None, connection: Connection::KeepAlive };
        let head = encoded(&response);
        let count = head.to_ascii_lowercase().matches(&format!("\n{}:", name.to_ascii_lowercase())).count();
        assert!(count == 1 && head.contains(&format!("\r\n{name}: given\r\n")), "{head}");
    }
}

#[test]
fn what_the_response_writes_itself_is_not_written_twice() {
    let value = FieldValue::literal("x");
    let fields = ["date", "Connection", "CONTENT-LENGTH", "Transfer-Encoding", "X"]
        .map(|name| (FieldName::literal(name), value));
    let response =
        Response { status: Status::OK, fields: &fields, body: Body::None, connection: Connection::KeepAlive };
    assert_eq!(encoded(&response), format!("HTTP/1.1 200 OK\r\n{DATE}X: x\r\nContent-Length: 0\r\n\r\n"));
}

#[test]
fn a_value_is_one_line_without_blanks_at_its_ends() {
    for text in ["", "a", "a b", "a\tb", "\u{e9}", "\u{1f980}", "a: b, \"c\""] {
        assert_eq!(FieldValue::new(text).map(FieldValue::as_str), Ok(text));
    }
    for text in ["a\rb", "a\nb", "a\0b", "a\u{b}b", "a\u{7f}", " a", "a ", "\ta", "a\t", " ", "a\r\nX: y"] {
        assert_eq!(FieldValue::new(text), Err(NotOneLine), "{text:?}");
    }
    for text in ["", "a b", "a:", "a\r", "\u{e9}", "a,b"] {
        assert_eq!(Token::new(text), None, "{text:?}");
    }
}

#[test]
fn every_refusal_answers_in_words_and_closes() {
    for refusal in Refusal::ALL {
        let text = answer(*refusal);
        let (head, body) = text.split_once("\r\n\r\n").expect("a blank line");
        let status = refusal.status();
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")) && (400..=599).contains(&status.code()), "{head}");
        assert!(!status.reason().is_empty());
        assert!(
            head.contains("\r\nConnection: close\r\n") || head.contains("\r\nConnection: Upgrade, close\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{head}");
        assert!(head.ends_with(&format!("\r\nContent-Length: {}", body.len())), "{head}");
        assert_eq!(body, format!("{refusal} ({})\n", refusal.section()));
    }
    assert!(Refusal::HostNotAllowed.to_string().contains("--allow-host"));
}

/// §5.6.7, against a calendar that counts day by day.
#[test]
fn dates_are_those_of_the_calendar() {
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut year, mut month, mut day) = (1970, 0, 1);
    for days in 0..160_000_u64 {
        let second = days * 7919 % 86_400;
        let expected = format!(
            "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
            weekdays[days as usize % 7],
            months[month],
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        assert_eq!(Date::from_unix(days * 86_400 + second).as_str(), expected);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
        (year, month, day) = match (day == length, month == 11) {
            (false, _) => (year, month, day + 1),
            (true, false) => (year, month + 1, 1),
            (true, true) => (year + 1, 0, 1),
        };
    }
    assert!(year > 2400);
    assert_eq!(Date::from_unix(253_402_300_799).as_str(), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_eq!(Date::from_unix(u64::MAX), Date::from_unix(253_402_300_799));
}
