//! What an application sends in pieces, and receives in pieces.

use std::time::Duration;

use longwire_reactor::frame::{Message, Opcode};
use longwire_reactor::{CloseCode, Closed, Piece, Reply};

use crate::stage::*;

/// `+text` sends a piece, `.text` the last one, anything else a message; everybody listens to "all".
fn by_hand() -> App {
    App::new().on_opened(|peer| peer.subscribe("all")).on_message(|peer, message| {
        let Message::Text(text) = message else { return peer.piece(message, false) };
        match text.split_at_checked(1) {
            Some(("+", rest)) => peer.piece(rest, false),
            Some((".", rest)) => peer.piece(rest, true),
            Some(("#", rest)) => peer.piece(rest.as_bytes(), true),
            _ => peer.send(text),
        }
    })
}

#[test]
fn a_message_in_pieces_is_one_message_in_frames() {
    let mut stage = Stage::new(by_hand());
    let mut ws = stage.web_socket("/");
    for word in ["+one ", "+", "+two ", ".three", "whole", ".alone"] {
        ws.send(word);
    }
    stage.settle();
    assert_eq!(
        ws.all_frames(),
        [
            part(Opcode::Text, "one "),
            part(Opcode::Continuation, ""),
            part(Opcode::Continuation, "two "),
            whole(Opcode::Continuation, "three"),
            whole(Opcode::Text, "whole"),
            whole(Opcode::Text, "alone"),
        ]
    );
}

#[test]
fn whole_messages_and_publications_wait_for_the_last_piece_in_order() {
    let mut stage = Stage::new(by_hand());
    let mut ws = stage.web_socket("/");
    let id = stage.app().opened[0];
    ws.send("+begun ");
    stage.settle();
    stage.on.with_hub(|hub| hub.publish("all", "published"));
    stage.on.with_hub(|hub| hub.send_to(id, &b"sent"[..]));
    ws.send("whole");
    ws.client.send(&Sent::ping(b"control frames may go between"));
    stage.settle();
    assert_eq!(ws.all_frames(), [part(Opcode::Text, "begun "), pong("control frames may go between")]);
    ws.send(".ended");
    stage.settle();
    assert_eq!(
        ws.all_frames(),
        [
            whole(Opcode::Continuation, "ended"),
            whole(Opcode::Text, "published"),
            whole(Opcode::Binary, "sent"),
            whole(Opcode::Text, "whole"),
        ]
    );
    ws.send("as ever");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["as ever"]));
    assert_eq!(stage.on.stats().pinned as usize, pinned_by_a_subscription());
}

/// What a peer pins that listens to one topic and nothing else.
fn pinned_by_a_subscription() -> usize {
    let mut stage = Stage::new(by_hand());
    let _ws = stage.web_socket("/");
    stage.on.stats().pinned as usize
}

#[test]
fn a_piece_of_the_other_kind_ends_the_connection_with_1011() {
    let mut stage = Stage::new(by_hand());
    let mut ws = stage.web_socket("/");
    ws.send("+text ");
    ws.send("#bytes");
    stage.settle();
    let frames = ws.all_frames();
    assert_eq!(frames[0], part(Opcode::Text, "text "));
    assert_eq!(code_of(&frames[1]), Some(1011));
    assert_eq!(stage.app().whys(), [Closed::ByUs]);
}

#[test]
fn a_close_in_mid_message_drops_what_was_held_and_the_connection_ends() {
    for by_peer in [false, true] {
        let mut stage = Stage::new(by_hand());
        let mut ws = stage.web_socket("/");
        let id = stage.app().opened[0];
        ws.send("+half");
        stage.settle();
        stage.on.with_hub(|hub| hub.publish("all", "held"));
        assert_eq!(ws.all_frames(), [part(Opcode::Text, "half")]);
        if by_peer {
            ws.close(CloseCode::NORMAL);
        } else {
            stage.on.with_hub(|hub| hub.close(id, CloseCode::NORMAL, ""));
            ws.close(CloseCode::NORMAL);
        }
        stage.settle();
        assert_eq!(ws.all_frames(), [closes(CloseCode::NORMAL, "")], "by the peer: {by_peer}");
        assert!(ws.client.is_finished(), "by the peer: {by_peer}");
        stage.pass(Duration::from_secs(6));
        assert!(ws.client.is_closed(), "by the peer: {by_peer}");
        assert_eq!(stage.on.stats().connections, 0);
    }
}

#[test]
fn a_peer_with_something_held_is_still_pinged_and_found_dead() {
    let mut stage = Stage::new(by_hand());
    let mut ws = stage.web_socket("/");
    ws.send("+half");
    stage.settle();
    stage.on.with_hub(|hub| hub.publish("all", "held"));
    stage.pass(Duration::from_secs(31));
    assert_eq!(ws.all_frames(), [part(Opcode::Text, "half"), whole(Opcode::Ping, "")]);
    stage.pass(Duration::from_secs(21));
    assert!(ws.client.is_closed());
}

#[test]
fn a_paused_peer_with_something_held_is_read_again_when_the_rest_is_out() {
    let limits = longwire_reactor::Limits { send_queue: 1_000, ..Default::default() };
    let mut stage = Stage::with(limits, by_hand());
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    ws.send(format!("+{}", "x".repeat(600)).as_str());
    stage.settle();
    stage.on.with_hub(|hub| hub.publish("all", "held"));
    ws.client.set_window(usize::MAX);
    stage.settle();
    ws.send(".end");
    stage.settle();
    assert_eq!(ws.all_frames()[1..], [whole(Opcode::Continuation, "end"), whole(Opcode::Text, "held")]);
}

/// Writes what arrives in pieces into the user value and sends it back, marked, at the end.
fn in_pieces() -> App {
    App::new().on_request(|_, _, _| Reply::web_socket().pieces()).on_piece(|peer, piece| {
        let end = match piece {
            Piece::Text { carried, rest, end } => {
                peer.user.extend(carried);
                peer.user.push_str(rest);
                end
            }
            Piece::Binary { bytes, end } => {
                peer.user.push_str(&format!("{bytes:?}"));
                end
            }
        };
        if end {
            peer.out.send(&*peer.user);
            peer.user.clear();
        }
    })
}

#[test]
fn pieces_are_handed_through_as_they_arrive() {
    let text = "a\u{e9}\u{20ac}\u{1f600}z";
    let bytes = [Sent::message(text), Sent::parts(&[Message::Text("x"), Message::Text("y")])].concat();
    for step in 1..=bytes.len() {
        let mut stage = Stage::new(in_pieces());
        let mut ws = stage.web_socket("/");
        for part in bytes.chunks(step) {
            ws.client.send(part);
            stage.settle();
        }
        assert_eq!(ws.all_frames(), texts(&[text, "xy"]), "in steps of {step}");
        assert!(stage.app().messages.is_empty());
        assert_eq!(stage.on.stats().messages_in, 2);
    }
}

#[test]
fn binary_comes_in_pieces_too_and_nothing_is_kept_between_them() {
    let mut stage = Stage::new(in_pieces());
    let mut ws = stage.web_socket("/");
    ws.client.send(&Sent::raw(0x02, &[1, 2]));
    stage.settle();
    assert_eq!(stage.on.stats().pinned, 0);
    ws.client.send(&Sent::raw(0x80, &[3]));
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["[1, 2][3]"]));
}

#[test]
fn a_reason_is_cut_and_a_ping_payload_too() {
    let mut stage = Stage::new(App::new().on_message(|peer, _| {
        peer.ping(&[7; 200]);
        peer.close(CloseCode::NORMAL, &"\u{e9}".repeat(100));
        peer.send("never");
        peer.ping(b"never");
    }));
    let mut ws = stage.web_socket("/");
    ws.send("go");
    stage.settle();
    assert_eq!(ws.all_frames(), [whole(Opcode::Ping, [7; 125]), closes(CloseCode::NORMAL, &"\u{e9}".repeat(61))]);
}

#[test]
fn a_stale_id_reaches_nobody() {
    let mut stage = Stage::new(App::new());
    let first = stage.web_socket("/");
    let stale = stage.app().opened[0];
    first.client.finish();
    stage.settle();
    let mut second = stage.web_socket("/");
    let fresh = stage.app().opened[1];
    assert_ne!(stale, fresh);
    stage.on.with_hub(|hub| {
        hub.send_to(stale, "for somebody else");
        hub.answer_to(stale, Reply::status(500));
        hub.close(stale, CloseCode::NORMAL, "");
        hub.send_to(fresh, "for you");
    });
    stage.settle();
    assert_eq!(second.all_frames(), texts(&["for you"]));
}
