//! §5.5: control frames, and what they oblige us to.

use longwire_frame::{Connection, Event, Limits, Mask, Reply};

use crate::{masked, unmasked};

#[test]
fn a_ping_is_answered_with_its_own_payload() {
    let mut server = Connection::server(Limits::DEFAULT);
    let mut reply = Reply::new();
    for len in [0, 1, 7, 124, 125] {
        let payload = vec![0xA5; len];
        let mut frame = masked(0x89, &payload);
        let step = server.receive(&mut frame, &mut reply, Mask::NONE).unwrap();
        assert_eq!(step.event, Some(Event::Ping(&payload)));
        assert_eq!(reply.as_bytes(), unmasked(0x8A, &payload));
    }
}

#[test]
fn a_reply_is_gone_with_the_next_call() {
    let mut server = Connection::server(Limits::DEFAULT);
    let mut reply = Reply::new();
    server.receive(&mut masked(0x89, b"?"), &mut reply, Mask::NONE).unwrap();
    assert!(!reply.is_empty());
    server.receive(&mut [], &mut reply, Mask::NONE).unwrap();
    assert!(reply.is_empty() && reply.as_bytes().is_empty());
}

#[test]
fn a_pong_calls_for_nothing() {
    let mut server = Connection::server(Limits::DEFAULT);
    let mut reply = Reply::new();
    let mut frame = masked(0x8A, b"unasked");
    let step = server.receive(&mut frame, &mut reply, Mask::NONE).unwrap();
    assert_eq!(step.event, Some(Event::Pong(b"unasked")));
    assert!(reply.is_empty());
}

#[test]
fn an_unfinished_control_frame_is_left_with_the_caller_as_it_came() {
    let mut server = Connection::server(Limits::DEFAULT);
    let whole = masked(0x89, &[7; 125]);
    assert_eq!(whole.len(), Reply::MAX_LEN);
    for there in 0..whole.len() {
        let mut frame = whole[..there].to_vec();
        let step = server.receive(&mut frame, &mut Reply::new(), Mask::NONE).unwrap();
        assert_eq!((step.consumed, step.event), (0, None), "{there} bytes");
        assert_eq!(frame, whole[..there], "{there} bytes: nothing has been unmasked");
    }
}

#[test]
fn the_largest_masked_reply_fits() {
    let mut client = Connection::client(Limits::DEFAULT);
    let mut reply = Reply::new();
    client.receive(&mut unmasked(0x89, &[7; 125]), &mut reply, Mask::new(crate::KEY)).unwrap();
    assert_eq!(reply.as_bytes(), masked(0x8A, &[7; 125]));
    assert_eq!(reply.as_bytes().len(), Reply::MAX_LEN);
}
