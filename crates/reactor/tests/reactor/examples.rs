//! The examples do what they say.

use std::time::Duration;

use longwire_reactor::{CloseCode, Server};

use crate::http::answers;
use crate::stage::*;

// The examples as they stand there: only their `main` is not called, for it listens on a fixed port.
#[expect(dead_code, reason = "its main is not called")]
#[path = "../../examples/chat.rs"]
mod chat;
#[expect(dead_code, reason = "its main is not called")]
#[path = "../../examples/clock.rs"]
mod clock;
#[expect(dead_code, reason = "its main is not called")]
#[path = "../../examples/echo.rs"]
mod echo;
#[expect(dead_code, reason = "its main is not called")]
#[path = "../../examples/poll.rs"]
mod poll;
#[expect(dead_code, reason = "its main is not called")]
#[path = "../../examples/tokens.rs"]
mod tokens;
#[expect(dead_code, reason = "its main is not called")]
#[path = "../../examples/whisper.rs"]
mod whisper;

#[test]
fn they_are_as_short_as_promised() {
    for (name, text, most) in [
        ("echo", include_str!("../../examples/echo.rs"), 16),
        ("chat", include_str!("../../examples/chat.rs"), 26),
        ("clock", include_str!("../../examples/clock.rs"), 25),
    ] {
        assert!(text.lines().count() <= most, "{name}");
    }
}

#[test]
fn echo_sends_everything_back() {
    let mut stage = Stage::new(echo::Echo);
    let mut ws = stage.web_socket("/");
    ws.send("hello");
    ws.send(&[0u8, 1][..]);
    stage.settle();
    assert_eq!(ws.all_frames()[0], texts(&["hello"])[0]);
}

#[test]
fn chat_tells_everybody_who_came_and_what_was_said() {
    let mut stage = Stage::new(chat::Chat);
    let (mut ada, mut bob) = (stage.web_socket("/"), stage.web_socket("/"));
    for (ws, text) in [(&ada, "Ada"), (&bob, "Bob"), (&ada, "hello")] {
        ws.send(text);
        stage.settle();
    }
    assert_eq!(ada.all_frames(), texts(&["Ada came in", "Bob came in", "Ada: hello"]));
    assert_eq!(bob.all_frames(), texts(&["Bob came in", "Ada: hello"]));
    bob.send(&[1u8][..]);
    stage.settle();
    assert_eq!(bob.all_frames(), [closes(CloseCode::UNSUPPORTED, "text only")]);
}

#[test]
fn clock_says_every_second() {
    let mut stage = Stage::built(Server::on_machine().tick(Duration::from_secs(1)), clock::Clock);
    let (client, _) = stage.events("/");
    for _ in 0..3 {
        stage.pass(Duration::from_secs(1));
    }
    assert_eq!(text(&client), "data: 1767225601\n\ndata: 1767225602\n\ndata: 1767225603\n\n");
}

#[test]
fn poll_waits_for_news_but_not_for_ever() {
    let mut stage = Stage::new(poll::Poll::default());
    let (one, first) = stage.ask(get("/"));
    let (two, second) = stage.ask(get("/"));
    assert_eq!(first + &second, "");
    two.finish();
    stage.settle();
    let (_, answer) = stage.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nnews");
    assert!(answer.starts_with("HTTP/1.1 204 "));
    assert!(text(&one).ends_with("\r\n\r\nnews"));
    stage.ask_on(&one, get("/"));
    stage.pass(Duration::from_secs(30));
    assert_eq!(answers(&text(&one), false)[0].0, 204);
}

#[test]
fn tokens_come_word_by_word() {
    let mut stage = Stage::new(tokens::Tokens);
    let (client, first) = stage.events("/?text=one+two%20three");
    assert_eq!(first, "event: token\ndata: one \n\n");
    stage.pass(Duration::from_millis(40));
    assert_eq!(text(&client), "event: token\ndata: two \n\n");
    for _ in 0..5 {
        stage.pass(Duration::from_millis(40));
    }
    assert_eq!(text(&client), "event: token\ndata: three\n\nevent: done\ndata:\n\n");
    assert!(client.is_finished());
}

#[test]
fn whisper_reaches_one_and_leaving_is_told_to_all() {
    let mut stage = Stage::new(whisper::Whisper::default());
    let mut sockets: Vec<Ws> = ["Ada", "Bob", "Cy"]
        .iter()
        .map(|name| {
            let ws = stage.web_socket("/");
            ws.send(*name);
            stage.settle();
            ws
        })
        .collect();
    sockets[0].send("Bob hello there");
    sockets[0].send("Dan are you there");
    sockets[2].client.finish();
    stage.settle();
    assert_eq!(sockets[0].all_frames(), texts(&["there is no Dan", "Cy left"]));
    assert_eq!(sockets[1].all_frames(), texts(&["Ada whispers: hello there", "Cy left"]));
}
