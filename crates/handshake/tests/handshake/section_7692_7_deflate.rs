//! RFC 7692 §5 and §7.1: permessage-deflate, offered, answered, and the answer checked.

use longwire_handshake::client::{Fault, Opening, OriginForm, check_response};
use longwire_handshake::*;

use crate::reading::{UPGRADE, read};
use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 7692 §5", "RFC 7692 §7"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}

/// What a server that wants `ours` answers to the value of the field.
fn answer(ours: Deflate, offers: &str) -> Option<Deflate> {
    let head = format!("{UPGRADE}Sec-WebSocket-Extensions: {offers}\r\n\r\n");
    read(head.as_bytes(), |request| ours.answer(Upgrade::from_request(request).expect("an upgrade").extensions()))
        .expect("a valid request")
}

fn text(agreed: Deflate) -> String {
    agreed.value(&mut [0; Deflate::MAX_LEN]).as_str().to_owned()
}

fn bits(bits: u8) -> Option<WindowBits> {
    Some(WindowBits::new(bits).expect("8 to 15"))
}

fn opening(deflate: Option<DeflateOffer>) -> Opening<'static> {
    Opening {
        host: FieldValue::literal("a"),
        target: OriginForm::literal("/"),
        key: *b"the sample nonce",
        protocols: &[],
        origin: None,
        deflate,
        fields: &[],
    }
}

/// What a client that offered this makes of a 101 with these fields.
fn opened(offer: Option<DeflateOffer>, fields: &str) -> Result<Option<Deflate>, Fault> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{fields}\r\n"
    );
    check_response(head.as_bytes(), &opening(offer)).map(|opened| opened.deflate)
}

/// The same for one field whose value this is, behind the name.
fn answered(offer: DeflateOffer, parameters: &str) -> Result<Option<Deflate>, Fault> {
    opened(Some(offer), &format!("Sec-WebSocket-Extensions: permessage-deflate{parameters}\r\n"))
}

fn flags() -> impl Iterator<Item = (bool, bool)> {
    [false, true].into_iter().flat_map(|one| [false, true].map(|other| (one, other)))
}

/// The value of the field that offers this.
fn offered(offer: DeflateOffer) -> String {
    let mut request = vec![0; opening(Some(offer)).encoded_len()];
    assert_eq!(opening(Some(offer)).encode(&mut request), Ok(request.len()));
    let request = String::from_utf8(request).expect("UTF-8");
    let value = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    value.expect("an offer is written").to_owned()
}

/// Every offer that can be made.
fn offers() -> impl Iterator<Item = DeflateOffer> {
    let clients = [ClientWindow::Unsaid, ClientWindow::Any]
        .into_iter()
        .chain((8..=15).map(|number| ClientWindow::AtMost(WindowBits::new(number).expect("8 to 15"))));
    let clients: Vec<_> = clients.collect();
    flags().flat_map(move |(server_no_context_takeover, client_no_context_takeover)| {
        let clients = clients.clone();
        std::iter::once(None).chain((8..=15).map(bits)).flat_map(move |server_max_window_bits| {
            clients.clone().into_iter().map(move |client_max_window_bits| DeflateOffer {
                server_no_context_takeover,
                client_no_context_takeover,
                server_max_window_bits,
                client_max_window_bits,
            })
        })
    })
}

#[test]
fn section_5_every_offer_has_an_answer_that_its_client_accepts_unless_it_demands_8_bits() {
    let some = [None, bits(9), bits(12), bits(15)];
    let mut seen = 0;
    for offer in offers() {
        let value = offered(offer);
        for ((server_takeover, client_takeover), (server, client)) in
            flags().flat_map(|flags| some.into_iter().flat_map(move |one| some.map(move |other| (flags, (one, other)))))
        {
            let ours = Deflate {
                server_no_context_takeover: !server_takeover,
                client_no_context_takeover: !client_takeover,
                server_max_window_bits: server,
                client_max_window_bits: client,
            };
            let head = format!("{UPGRADE}Sec-WebSocket-Extensions: {value}\r\n\r\n");
            let mut slots = FieldSlots::new();
            let request = Request::parse(head.as_bytes(), &mut slots).expect("a request");
            let agreed = ours.answer(Upgrade::from_request(&request).expect("an upgrade").extensions());
            let Some(agreed) = agreed else {
                assert_eq!(offer.server_max_window_bits, Some(WindowBits::MIN), "{offer:?} and {ours:?}");
                continue;
            };
            let field = format!("Sec-WebSocket-Extensions: {}\r\n", text(agreed));
            assert_eq!(opened(Some(offer), &field), Ok(Some(agreed)), "{offer:?} and {ours:?}");
            // Nobody's wish for less memory is passed over, if it may be said.
            assert_eq!(
                agreed.server_no_context_takeover,
                offer.server_no_context_takeover || ours.server_no_context_takeover
            );
            assert_eq!(
                agreed.client_no_context_takeover,
                offer.client_no_context_takeover || ours.client_no_context_takeover
            );
            let smallest = |one: Option<WindowBits>, other: Option<WindowBits>| {
                one.unwrap_or(WindowBits::MAX).min(other.unwrap_or(WindowBits::MAX))
            };
            assert_eq!(
                agreed.server_max_window_bits.unwrap_or(WindowBits::MAX),
                smallest(offer.server_max_window_bits, server)
            );
            let client = match offer.client_max_window_bits {
                ClientWindow::Unsaid => WindowBits::MAX,
                ClientWindow::Any => smallest(None, client),
                ClientWindow::AtMost(most) => smallest(Some(most), client),
            };
            assert_eq!(agreed.client_max_window_bits.unwrap_or(WindowBits::MAX), client);
            seen += 1;
        }
    }
    assert_eq!(seen, 4 * 8 * 10 * 64, "all but those of 8 bits");
}

#[test]
fn section_5_1_the_first_acceptable_offer_wins_whatever_the_others_say() {
    let ours = Deflate { server_no_context_takeover: false, client_no_context_takeover: false, ..Deflate::DEFAULT };
    let agreed = answer(
        ours,
        "permessage-deflate; server_max_window_bits=8, x, permessage-deflate; client_max_window_bits=9, permessage-deflate",
    );
    assert_eq!(agreed.map(text).as_deref(), Some("permessage-deflate; client_max_window_bits=9"));
}

#[test]
fn section_7_1_a_server_that_wants_nothing_answers_what_was_asked_and_no_more() {
    let ours = Deflate { server_no_context_takeover: false, client_no_context_takeover: false, ..Deflate::DEFAULT };
    for asked in ["", "; server_no_context_takeover", "; client_no_context_takeover", "; server_max_window_bits=9"] {
        let offer = format!("permessage-deflate{asked}");
        assert_eq!(answer(ours, &offer).map(text), Some(offer));
    }
    assert_eq!(
        answer(ours, "permessage-deflate; client_max_window_bits").map(text).as_deref(),
        Some("permessage-deflate")
    );
}

#[test]
fn section_7_1_2_1_a_server_that_wants_a_small_window_says_so_unasked_and_takes_no_larger_one() {
    let ours = Deflate { server_max_window_bits: bits(10), ..Deflate::DEFAULT };
    for (offer, answered) in [("", 10), ("; server_max_window_bits=15", 10), ("; server_max_window_bits=9", 9)] {
        let agreed = answer(ours, &format!("permessage-deflate{offer}")).expect("accepted");
        assert_eq!(agreed.server_max_window_bits, bits(answered), "{offer}");
    }
}

#[test]
fn section_7_1_2_2_the_clients_window_is_not_spoken_of_unless_it_was_offered() {
    let ours = Deflate { client_max_window_bits: bits(10), ..Deflate::DEFAULT };
    for (offer, answered) in [
        ("", None),
        ("; client_max_window_bits", bits(10)),
        ("; client_max_window_bits=15", bits(10)),
        ("; client_max_window_bits=8", bits(8)),
    ] {
        let agreed = answer(ours, &format!("permessage-deflate{offer}")).expect("accepted");
        assert_eq!(agreed.client_max_window_bits, answered, "{offer}");
    }
}

#[test]
fn section_7_1_the_longest_answer_is_as_long_as_is_said() {
    let longest = Deflate { server_max_window_bits: bits(15), client_max_window_bits: bits(15), ..Deflate::DEFAULT };
    assert_eq!(text(longest).len(), Deflate::MAX_LEN);
    assert_eq!(
        text(longest),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; \
         client_max_window_bits=15"
    );
}

#[test]
fn section_7_1_an_offer_is_written_as_it_is_meant() {
    assert_eq!(offered(DeflateOffer::DEFAULT), "permessage-deflate; client_max_window_bits");
    for offer in offers() {
        let head = format!("{UPGRADE}Sec-WebSocket-Extensions: {}\r\n\r\n", offered(offer));
        let mut slots = FieldSlots::new();
        let request = Request::parse(head.as_bytes(), &mut slots).expect("a request");
        let read: Vec<_> = Upgrade::from_request(&request)
            .expect("an upgrade")
            .extensions()
            .map(|one| DeflateOffer::parse(&one))
            .collect();
        assert_eq!(read, [Some(offer)]);
    }
    let mut plain = vec![0; opening(None).encoded_len()];
    assert_eq!(opening(None).encode(&mut plain), Ok(plain.len()));
    assert!(!String::from_utf8_lossy(&plain).contains("Extensions"), "nothing is offered unasked");
}

#[test]
fn section_5_1_what_was_not_offered_fails_the_connection() {
    let field = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    assert_eq!(opened(None, field), Err(Fault::Extensions));
    assert_eq!(opened(None, ""), Ok(None));
    let ours = DeflateOffer::DEFAULT;
    assert_eq!(opened(Some(ours), ""), Ok(None), "declined, and goes without");
    assert_eq!(opened(Some(ours), "Sec-WebSocket-Extensions:\r\n"), Ok(None));
    assert_eq!(opened(Some(ours), "Sec-WebSocket-Extensions: x-other\r\n"), Err(Fault::Extensions));
    assert_eq!(opened(Some(ours), &field.repeat(2)), Err(Fault::Extensions), "accepted twice");
    assert_eq!(answered(ours, ", permessage-deflate"), Err(Fault::Extensions), "accepted twice");
    assert_eq!(answered(ours, ", x-other"), Err(Fault::Extensions));
    assert_eq!(answered(ours, ", ;"), Err(Fault::Extensions), "malformed behind what is fine");
}

#[test]
fn section_7_1_an_answer_that_is_not_understood_fails_the_connection() {
    let ours = DeflateOffer::DEFAULT;
    for parameters in [
        "; x",
        "; x=1",
        "; server_no_context_takeover=1",
        "; server_no_context_takeover; server_no_context_takeover",
        "; client_no_context_takeover=0",
        "; client_no_context_takeover; client_no_context_takeover",
        "; server_max_window_bits",
        "; server_max_window_bits=7",
        "; server_max_window_bits=16",
        "; server_max_window_bits=010",
        "; server_max_window_bits=9; server_max_window_bits=9",
        "; client_max_window_bits",
        "; client_max_window_bits=16",
        "; client_max_window_bits=9; client_max_window_bits=9",
    ] {
        assert_eq!(answered(ours, parameters), Err(Fault::Extensions), "{parameters}");
    }
}

#[test]
fn section_7_1_1_an_answer_must_grant_what_was_demanded_and_may_demand() {
    let ours = DeflateOffer { server_no_context_takeover: true, ..DeflateOffer::DEFAULT };
    assert_eq!(answered(ours, ""), Err(Fault::Extensions), "our demand was passed over");
    let agreed = answered(ours, "; server_no_context_takeover; client_no_context_takeover").expect("granted");
    assert_eq!(agreed, Some(Deflate::DEFAULT));
    // Ours about ourselves is a hint, and needs no answer.
    let ours = DeflateOffer { client_no_context_takeover: true, ..DeflateOffer::DEFAULT };
    assert!(answered(ours, "").is_ok());
}

#[test]
fn section_7_1_2_an_answer_must_not_exceed_the_windows_that_were_offered() {
    let offer = |server, client_max_window_bits| DeflateOffer {
        server_max_window_bits: server,
        client_max_window_bits,
        ..DeflateOffer::DEFAULT
    };
    let ten = ClientWindow::AtMost(WindowBits::new(10).expect("10"));
    for (offer, parameters, fine) in [
        (offer(bits(10), ClientWindow::Unsaid), "", false),
        (offer(bits(10), ClientWindow::Unsaid), "; server_max_window_bits=11", false),
        (offer(bits(10), ClientWindow::Unsaid), "; server_max_window_bits=10", true),
        (offer(bits(10), ClientWindow::Unsaid), "; server_max_window_bits=8", true),
        (offer(None, ClientWindow::Unsaid), "; server_max_window_bits=8", true),
        (offer(None, ClientWindow::Unsaid), "; client_max_window_bits=15", false),
        (offer(None, ClientWindow::Any), "; client_max_window_bits=8", true),
        (offer(None, ten), "; client_max_window_bits=11", false),
        (offer(None, ten), "; client_max_window_bits=10", true),
        (offer(None, ten), "; client_max_window_bits=8", true),
        (offer(None, ten), "", true),
    ] {
        assert_eq!(answered(offer, parameters).is_ok(), fine, "{offer:?}: {parameters}");
    }
    // §7.1.2.2: what the client has announced holds whatever is answered.
    for (parameters, window) in [("", 10), ("; client_max_window_bits=10", 10), ("; client_max_window_bits=9", 9)] {
        let agreed = answered(offer(None, ten), parameters).expect("an answer that is fine").expect("compression");
        assert_eq!(agreed.client_max_window_bits, bits(window), "{parameters}");
    }
}
