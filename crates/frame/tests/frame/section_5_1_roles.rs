//! §5.1: a client masks every frame, a server none, and each refuses what the other may not send.

use longwire_frame::{Connection, Encoder, Error, Limits, Mask, Message, Reply, Role};

use crate::{KEY, masked, unmasked};

#[test]
fn a_server_refuses_what_is_not_masked() {
    for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8A] {
        let mut server = Connection::server(Limits::DEFAULT);
        let mut frame = unmasked(first, b"");
        let fault = server.receive(&mut frame, &mut Reply::new(), Mask::NONE);
        assert_eq!(fault, Err(Error::Unmasked), "{first:#x}");
    }
}

#[test]
fn a_client_refuses_what_is_masked() {
    for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8A] {
        let mut client = Connection::client(Limits::DEFAULT);
        let mut frame = masked(first, b"");
        let fault = client.receive(&mut frame, &mut Reply::new(), Mask::new(KEY));
        assert_eq!(fault, Err(Error::Masked), "{first:#x}");
    }
}

#[test]
fn a_server_masks_nothing_even_with_a_key() {
    let mut out = [0; 32];
    let written = Encoder::new(Role::Server).message(Message::Text("hi"), Mask::new(KEY), &mut out).unwrap();
    assert_eq!(out[..written], unmasked(0x81, b"hi"));
}

#[test]
fn a_client_masks_everything_even_without_a_key() {
    let client = Encoder::new(Role::Client);
    let mut out = [0; 32];
    let written = client.message(Message::Text("hi"), Mask::NONE, &mut out).unwrap();
    assert_eq!(out[..written], [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    let written = client.ping(b"hi", Mask::new(KEY), &mut out).unwrap();
    assert_eq!(out[..written], masked(0x89, b"hi"));
}

#[test]
fn a_client_masks_its_replies_with_the_key_it_is_lent() {
    let mut client = Connection::client(Limits::DEFAULT);
    let mut reply = Reply::new();
    client.receive(&mut unmasked(0x89, b"are you there"), &mut reply, Mask::new(KEY)).unwrap();
    assert_eq!(reply.as_bytes(), masked(0x8A, b"are you there"));
    client.receive(&mut unmasked(0x88, &[0x03, 0xE8]), &mut reply, Mask::new(KEY)).unwrap();
    assert_eq!(reply.as_bytes(), masked(0x88, &[0x03, 0xE8]));
}
