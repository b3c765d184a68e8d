//! Properties of `longwire-handshake`.

use longwire_handshake::client::{Fault, Opening, OriginForm, check_response};
use longwire_handshake::{
    Accept, Body, Connection, Date, Deflate, DeflateOffer, FieldName, FieldSlots, FieldValue, Head, Limits, Origins,
    Refusal, Request, Response, Status, Token, Upgrade, Version, negotiate,
};

use crate::{arrivals, choices};

/// The end of a head, or its fault, is the same however the bytes arrive; what is found is refused, or it is a request on which
/// everybody agrees.
///
/// Choices: the limits; the packets.
pub fn head(data: &[u8]) {
    let Some(([limits, cut], bytes)) = choices(data) else { return };
    let limits = match limits % 3 {
        0 => Limits::default(),
        1 => Limits { head: 300, fields: 5, target: 40 },
        _ => Limits { head: 48, fields: 2, target: 8 },
    };
    let [whole, others @ ..] = arrivals(bytes, cut).map(|packets| scan(limits, &packets));
    for other in others {
        assert_eq!(other, whole);
    }
    match whole {
        Err(refusal) => answer(refusal),
        Ok(None) => assert!(bytes.len() < limits.head as usize),
        Ok(Some(len)) => {
            let head = &bytes[..len];
            assert!(len <= limits.head as usize && head.ends_with(b"\r\n\r\n"));
            assert_eq!(scan(limits, &[head]), whole, "what follows makes no difference");
            let lines = lines(head, limits);
            match Request::parse(head, &mut FieldSlots::new()) {
                Ok(request) => agree(&lines, &request),
                Err(refusal) => answer(refusal),
            }
        }
    }
}

fn scan(limits: Limits, packets: &[&[u8]]) -> Result<Option<usize>, Refusal> {
    let mut head = Head::new(limits);
    let mut received = Vec::new();
    for packet in packets {
        received.extend_from_slice(packet);
        let verdict = head.scan(&received);
        if verdict != Ok(None) {
            assert_eq!(head.scan(&received), verdict, "asked again, it says the same");
            return verdict;
        }
    }
    Ok(None)
}

/// The lines of a head, as the naivest reader sees them: each ends with CRLF, no other byte controls anything, and the limits
/// hold.
fn lines(head: &[u8], limits: Limits) -> Vec<String> {
    let head = head.strip_prefix(b"\r\n").unwrap_or(head);
    assert!(head.iter().all(|byte| !matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127)));
    let text: String = head.iter().copied().map(char::from).collect();
    let lines: Vec<String> =
        text.strip_suffix("\r\n\r\n").expect("a blank line").split("\r\n").map(str::to_owned).collect();
    assert!(lines.iter().all(|line| !line.is_empty() && !line.contains(['\r', '\n'])));
    assert!(lines[1..].iter().all(|line| !line.starts_with([' ', '\t'])), "no line is folded");
    assert!(lines.len() - 1 <= usize::from(limits.fields));
    assert!(lines[0].split(' ').nth(1).is_none_or(|target| target.chars().count() <= limits.target as usize));
    lines
}

/// Smuggling begins where two readers disagree: the request is what the lines say.
fn agree(lines: &[String], request: &Request<'_, '_>) {
    assert_eq!(request.fields().count(), lines.len() - 1);
    assert_eq!(lines[0].split(' ').count(), 3);
    assert_eq!(lines[0].split(' ').next(), Some(request.method()));

    let count = |name: &str| {
        let of_name = |line: &&String| line.split(':').next().is_some_and(|start| start.eq_ignore_ascii_case(name));
        let naive = lines[1..].iter().filter(of_name).count();
        assert_eq!(request.field_values(name).count(), naive);
        naive
    };
    assert!(count("host") == 1 || (count("host") == 0 && request.version() == Version::Http10));
    assert!(count("content-length") + count("transfer-encoding") <= 1);
    for field in request.fields() {
        assert!(!field.name.is_empty() && Token::new(field.name).is_some());
        assert_eq!(field.value.trim_ascii(), field.value);
    }
    assert!(request.path() == "*" || request.path().starts_with('/'));
    // No address has less than two bytes.
    let told = request.forwarded_for().count() + request.x_forwarded_for().count();
    assert!(told * 2 <= lines.iter().map(String::len).sum());
    assert!(!(request.keep_alive() && request.names_websocket()));
    let _ =
        (request.query(), request.cookie("a"), request.origin(), request.last_event_id(), request.expects_continue());
}

/// A refusal has an answer, which can be written and read, and which is the last of its connection.
fn answer(refusal: Refusal) {
    let head = written(&refusal.response());
    assert!((400..=505).contains(&refusal.status().code()));
    assert!(!refusal.section().is_empty() && !refusal.to_string().is_empty());
    assert!(head.contains("\r\nConnection: close\r\n") || head.contains("\r\nConnection: Upgrade, close\r\n"));
    assert_eq!(refusal.status() == Status::METHOD_NOT_ALLOWED, head.contains("\r\nAllow: "));
    assert_eq!(refusal.status() == Status::UPGRADE_REQUIRED, head.contains("\r\nUpgrade: websocket\r\n"));
}

/// The head of an answer, as a client finds it.
fn written(response: &Response<'_>) -> String {
    let mut out = vec![0; response.encoded_len()];
    assert_eq!(response.encode(&Date::from_unix(0), &mut out), Ok(out.len()));
    let len = Head::new(Limits::default()).scan(&out).expect("our own answer is well-formed").expect("and whole");
    assert_eq!(len, response.encoded_head_len());
    String::from_utf8(out[..len].to_vec()).expect("our own answer is text")
}

fn switching(upgrade: &Upgrade<'_, '_>, protocol: Option<&str>) -> String {
    let accept = upgrade.accept();
    let mut fields =
        vec![(FieldName::UPGRADE, FieldValue::WEBSOCKET), (FieldName::SEC_WEBSOCKET_ACCEPT, accept.value())];
    if let Some(protocol) = protocol.and_then(Token::new) {
        fields.push((FieldName::SEC_WEBSOCKET_PROTOCOL, protocol.into()));
    }
    written(&Response {
        status: Status::SWITCHING_PROTOCOLS,
        fields: &fields,
        body: Body::None,
        connection: Connection::Upgrade,
    })
}

/// A request is upgraded or refused: what is upgraded keeps to every clause, what is refused has an answer.
///
/// Choice: whose pages may connect.
pub fn upgrade(data: &[u8]) {
    const OURS: [&str; 2] = ["chat", "superchat"];
    let Some(([origins], bytes)) = choices(data) else { return };
    let origins = match origins % 3 {
        0 => Origins::Same,
        1 => Origins::Listed(&["https://good.example"]),
        _ => Origins::Any,
    };
    let Ok(Some(len)) = Head::new(Limits::default()).scan(bytes) else { return };
    let mut slots = FieldSlots::new();
    let Ok(request) = Request::parse(&bytes[..len], &mut slots) else { return };
    let verdicts = (Upgrade::from_request(&request), negotiate(&request, &origins, &OURS));
    let (upgrade, negotiated) = match verdicts {
        (Ok(upgrade), Ok(negotiated)) => (upgrade, negotiated),
        (Err(refusal), _) | (_, Err(refusal)) => return answer(refusal),
    };

    assert_eq!((request.method(), request.version()), ("GET", Version::Http11));
    assert!(request.names_websocket() && !request.keep_alive());
    let key = request.field("sec-websocket-key").expect("an upgrade has a key");
    let letters = key.strip_suffix("==").expect("16 bytes are 22 letters and two signs for what is missing");
    assert!(letters.len() == 22 && letters.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)));
    assert_eq!(upgrade.accept(), Accept::for_key(key));
    // RFC 6455 §1.3 has this example.
    assert_eq!(key == "dGhlIHNhbXBsZSBub25jZQ==", upgrade.accept().as_str() == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(request.field_values("sec-websocket-version").collect::<Vec<_>>(), [b"13"]);
    assert!(upgrade.protocols().all(|protocol| Token::new(protocol).is_some()));
    if let Some(agreed) = Deflate::DEFAULT.answer(upgrade.extensions()) {
        assert!(agreed.value(&mut [0; Deflate::MAX_LEN]).as_str().starts_with("permessage-deflate; server_no_context"));
        assert!(agreed.server_max_window_bits.is_none_or(|bits| bits.get() > 8));
        assert!(upgrade.extensions().any(|offer| offer.name() == "permessage-deflate"));
    }
    let params: usize = upgrade.extensions().map(|extension| 1 + extension.params().count()).sum();
    assert!(params <= len, "no more than stands there");
    if let Some(protocol) = negotiated.protocol {
        assert!(OURS.contains(&protocol) && upgrade.protocols().any(|theirs| theirs == protocol));
    }
    if let (Origins::Listed(listed), Some(origin)) = (origins, request.origin()) {
        assert!(listed.contains(&origin));
    }
    switching(&upgrade, negotiated.protocol);
}

/// A response is accepted only if a server that knew the key can have sent it; our own server's is.
///
/// Choices: the key; how many subprotocols the client offers, and whether compression (bit 6).
pub fn client_response(data: &[u8]) {
    const OFFERED: [Token<'static>; 2] = [Token::literal("chat"), Token::literal("superchat")];
    let Some((choices, response)) = choices::<17>(data) else { return };
    let (key, protocols) = choices.split_first_chunk::<16>().expect("17 bytes");
    let deflate = (protocols[0] & 0x40 != 0).then_some(DeflateOffer::DEFAULT);
    let protocols = &OFFERED[..usize::from(protocols[0] & 0x3F) % 3];
    let opening = Opening {
        host: FieldValue::literal("localhost"),
        target: OriginForm::literal("/chat?a=b"),
        key: *key,
        protocols,
        origin: None,
        deflate,
        fields: &[],
    };

    let mut request = vec![0; opening.encoded_len()];
    assert_eq!(opening.encode(&mut request), Ok(request.len()));
    let mut slots = FieldSlots::new();
    let request = Request::parse(&request, &mut slots).expect("our own request is well-formed");
    let upgrade = Upgrade::from_request(&request).expect("our own request is an opening handshake");
    assert!(upgrade.protocols().eq(protocols.iter().map(|protocol| protocol.as_str())));
    let ours = switching(&upgrade, upgrade.protocols().last());
    let opened = check_response(ours.as_bytes(), &opening).expect("our own answer is accepted");
    assert_eq!(opened.protocol, upgrade.protocols().last());

    match check_response(response, &opening) {
        Ok(opened) => {
            let text = String::from_utf8_lossy(response);
            assert!(text.contains(upgrade.accept().as_str()), "the proof stands there");
            assert!(text.contains(" 101"));
            assert!(opened.deflate.is_none() || deflate.is_some() && text.contains("permessage-deflate"));
            assert!(opened.protocol.is_none_or(|chosen| upgrade.protocols().any(|offered| offered == chosen)));
        }
        Err(Fault::NotSwitching(status)) => assert_ne!(status, Status::SWITCHING_PROTOCOLS),
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
}
