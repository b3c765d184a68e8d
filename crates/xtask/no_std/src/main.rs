//! One visit without std and without an allocator: a WebSocket handshake, a frame there and back, an event of a stream.
//!
//! That this links is the proof: whatever needed std, a heap or unwinding would ask for a symbol that nobody has here. The exit
//! status is the number of bytes that the visit wrote, or 0 if a step went wrong.

#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};
use core::hint::black_box;
use core::panic::PanicInfo;

use longwire_frame as frame;
use longwire_handshake as handshake;
use longwire_sse as sse;

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// What the C library's start-up code calls. `unsafe` vouches that no other `main` is linked.
#[unsafe(no_mangle)]
pub extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    visit().and_then(|written| c_int::try_from(written).ok()).filter(|written| *written < 256).unwrap_or(0)
}

fn visit() -> Option<usize> {
    Some(opening_handshake()? + frame_round_trip()? + event()?)
}

/// A request, scanned and parsed, and the 101 that answers it.
fn opening_handshake() -> Option<usize> {
    let request = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let request = black_box(request.as_slice());
    let len = handshake::Head::new(handshake::Limits::default()).scan(request).ok()??;
    let mut slots = handshake::FieldSlots::<16>::of_any_size();
    let request = handshake::Request::parse(request.get(..len)?, &mut slots).ok()?;
    let upgrade = handshake::Upgrade::from_request(&request).ok()?;
    handshake::negotiate(&request, &handshake::Origins::Same, &[]).ok()?;

    let accept = upgrade.accept();
    let response = handshake::Response {
        status: handshake::Status::SWITCHING_PROTOCOLS,
        fields: &[
            (handshake::FieldName::UPGRADE, handshake::FieldValue::WEBSOCKET),
            (handshake::FieldName::SEC_WEBSOCKET_ACCEPT, accept.value()),
        ],
        body: handshake::Body::None,
        connection: handshake::Connection::Upgrade,
    };
    let mut wire = [0; 256];
    let len = response.encode(&handshake::Date::from_unix(black_box(784_111_777)), &mut wire).ok()?;
    let proof = b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    wire.get(..len)?.windows(proof.len()).any(|window| window == proof).then_some(len)
}

/// A text frame, masked as a client does it and read as a server does it.
fn frame_round_trip() -> Option<usize> {
    let mut wire = [0; 32];
    let client = frame::Encoder::new(frame::Role::Client);
    let key = frame::Mask::new(black_box([0x37, 0xFA, 0x21, 0x3D]));
    let len = client.message(frame::Message::Text("Hello"), key, &mut wire).ok()?;

    let mut server = frame::Decoder::new(frame::Role::Server, frame::Limits::default());
    let step = server.decode(wire.get_mut(..len)?).ok()?;
    let hello = frame::Event::Text { carried: None, rest: "Hello", end: true };
    (step.consumed == len && step.event == Some(hello)).then_some(len)
}

/// An event, written and read.
fn event() -> Option<usize> {
    let mut wire = [0; 64];
    let event = sse::Event::data(black_box("one\r\ntwo")).id(sse::Id::new(black_box("7")).ok()?);
    let len = event.encode(&mut wire).ok()?;

    let mut parser = sse::Parser::new([0; 128]);
    let event = parser.parse(wire.get(..len)?).ok()?.event?;
    (event.id == "7" && event.name == "message" && event.data == "one\ntwo").then_some(len)
}
