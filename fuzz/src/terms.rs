//! Properties of what two ends agree on about compression: `longwire-handshake`'s `Deflate` and `DeflateOffer` against a naive reader.

use longwire_handshake::client::{Fault, Opening, OriginForm, check_response};
use longwire_handshake::{ClientWindow, Deflate, DeflateOffer, FieldSlots, FieldValue, Request, Upgrade, WindowBits};

use crate::choices;
use crate::naive::extensions::{Terms, read};
use crate::naive::request::latin_1;

/// What is offered is answered as RFC 7692 has it, and an answer is taken only if it may be given to the offer, whatever our own
/// terms are.
///
/// Choices: what is not taken over, as the server wants it (bits 0 and 1) and as the client asks for it (2 and 3), what the client says
/// of its window (4 and 5), whether it offers nothing (6); the windows that the server wants, one in each half of the byte; those
/// that the client asks for. The rest is the value of the field, as an offer and as an answer.
pub fn deflate_terms(data: &[u8]) {
    let Some(([flags, wanted, asked], value)) = choices(data) else { return };
    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return;
    }
    let naive = read(&latin_1(value.trim_ascii()));
    let terms: Option<Vec<Option<Terms>>> = naive.map(|all| all.iter().map(Terms::read).collect());
    let wanted = Deflate {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: window(wanted),
        client_max_window_bits: window(wanted >> 4),
    };
    serve(wanted, value, terms.as_deref().filter(|terms| !terms.is_empty()));
    let asked = DeflateOffer {
        server_no_context_takeover: flags & 4 != 0,
        client_no_context_takeover: flags & 8 != 0,
        server_max_window_bits: window(asked),
        client_max_window_bits: match (flags >> 4 & 3, window(asked >> 4)) {
            (0, _) => ClientWindow::Unsaid,
            (1, Some(bits)) => ClientWindow::AtMost(bits),
            _ => ClientWindow::Any,
        },
    };
    ask((flags & 0x40 == 0).then_some(asked), value, terms.as_deref());
}

/// Half of the numbers are sizes, the others say nothing.
const fn window(bits: u8) -> Option<WindowBits> {
    WindowBits::new(bits & 0xF)
}

/// A server answers the first offer that it can (§5.1).
fn serve(wanted: Deflate, value: &[u8], offers: Option<&[Option<Terms>]>) {
    let front = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: ";
    let head = [front, value, b"\r\n\r\n"].concat();
    let mut slots = FieldSlots::new();
    let request = Request::parse(&head, &mut slots).expect("nothing is wrong with the head");
    let upgrade = Upgrade::from_request(&request);
    assert_eq!(upgrade.is_ok(), offers.is_some());
    let (Ok(upgrade), Some(offers)) = (upgrade, offers) else { return };
    let least = |one: Option<u8>, other: Option<u8>| one.into_iter().chain(other).min();
    let server_wants = wanted.server_max_window_bits.map(WindowBits::get);
    let client_wants = wanted.client_max_window_bits.map(WindowBits::get);
    let mut possible = offers.iter().flatten().map(|offer| {
        let terms = Terms {
            server_no_context_takeover: offer.server_no_context_takeover || wanted.server_no_context_takeover,
            client_no_context_takeover: offer.client_no_context_takeover || wanted.client_no_context_takeover,
            server_max_window_bits: least(offer.server_max_window_bits, server_wants),
            client_max_window_bits: offer.client_max_window_bits.and_then(|bits| least(bits, client_wants).map(Some)),
        };
        assert!(terms.may_answer(offer));
        terms
    });
    // zlib cannot compress with a window of 8 bits.
    let expected = possible.find(|terms| terms.server_max_window_bits != Some(8));
    let answer = wanted.answer(upgrade.extensions());
    let written = answer.map(|answer| answer.value(&mut [0; Deflate::MAX_LEN]).as_str().to_owned());
    let written = written.map(|answer| read(&answer).expect("our own answer is well-formed"));
    assert_eq!(
        written.map(|answer| answer.iter().map(Terms::read).collect::<Vec<_>>()),
        expected.map(|it| vec![Some(it)])
    );
}

/// A client takes one answer at most, to what it has offered (§5.1).
fn ask(asked: Option<DeflateOffer>, value: &[u8], answers: Option<&[Option<Terms>]>) {
    let opening = Opening {
        host: FieldValue::literal("a"),
        target: OriginForm::literal("/"),
        key: *b"the sample nonce",
        protocols: &[],
        origin: None,
        deflate: asked,
        fields: &[],
    };
    let front = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: ";
    let opened = check_response(&[front, value, b"\r\n\r\n"].concat(), &opening);
    let offered = asked.map(|asked| Terms {
        server_no_context_takeover: asked.server_no_context_takeover,
        client_no_context_takeover: asked.client_no_context_takeover,
        server_max_window_bits: asked.server_max_window_bits.map(WindowBits::get),
        client_max_window_bits: match asked.client_max_window_bits {
            ClientWindow::Unsaid => None,
            ClientWindow::Any => Some(None),
            ClientWindow::AtMost(bits) => Some(Some(bits.get())),
        },
    });
    let expected = match (answers, offered) {
        (Some([]), _) => Ok(None),
        (Some([Some(answer)]), Some(offered)) if answer.may_answer(&offered) => Ok(Some(Terms {
            // §7.1.1.2 and §7.1.2.2: what the client has announced it does, whatever is answered.
            client_no_context_takeover: answer.client_no_context_takeover || offered.client_no_context_takeover,
            client_max_window_bits: match (answer.client_max_window_bits, offered.client_max_window_bits) {
                (Some(Some(answered)), Some(Some(offered))) => Some(Some(answered.min(offered))),
                (answered, Some(Some(offered))) => answered.flatten().map(Some).or(Some(Some(offered))),
                (answered, _) => answered,
            },
            ..*answer
        })),
        _ => Err(Fault::Extensions),
    };
    let agreed = opened.map(|opened| {
        opened.deflate.map(|agreed| Terms {
            server_no_context_takeover: agreed.server_no_context_takeover,
            client_no_context_takeover: agreed.client_no_context_takeover,
            server_max_window_bits: agreed.server_max_window_bits.map(WindowBits::get),
            client_max_window_bits: agreed.client_max_window_bits.map(|bits| Some(bits.get())),
        })
    });
    assert_eq!(agreed, expected);
}
