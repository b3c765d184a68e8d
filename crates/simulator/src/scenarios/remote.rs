//! What is asked of the loop from another thread.

use longwire_reactor::CloseCode;

use super::Scenario;
use crate::play::{Play, reply};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("remote: send and publish", send_and_publish),
    Scenario::new("remote: answer", answer),
    Scenario::new("remote: close and run", close_and_run),
    Scenario::within("remote: full", |limits| limits.remote = 2, full),
];

fn send_and_publish(play: &mut Play) {
    let anna = play.opens("anna", "/ws/anna?request=join+room", true);
    let ella = play.stream("ella", "room");
    let Some(id) = play.peer("anna") else { return };
    let sent = play.remote.send(id, "one").and(play.remote.publish("room", "two")).and(play.remote.send(id, "three"));
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.hears(anna, &["text one", "text two", "text three"]);
    play.hears(ella, &["event two"]);
    let sent = play.remote.send(id, "four");
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.hears(anna, &["text four"]);
    // Whoever is gone is sent nothing, and nobody else is, either.
    play.finishes(anna);
    play.hears(anna, &["end"]);
    let next = play.web_socket("next");
    let sent = play.remote.send(id, "lost");
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.hears(next, &[]);
}

fn answer(play: &mut Play) {
    let paul = play.comes("paul");
    play.gets(paul, "/later/paul");
    play.settle();
    let Some(id) = play.peer("paul") else { return };
    let sent = play.remote.answer(id, reply("page"));
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.hears(paul, &["200 a page"]);
    play.told(paul, &["request", "closed Answered"]);
    play.gets(paul, "/later/paul");
    play.settle();
    let sent = play.remote.answer(id, reply("page"));
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.hears(paul, &[]);
}

fn close_and_run(play: &mut Play) {
    let (anna, ella) = (play.web_socket("anna"), play.stream("ella", "room"));
    let (Some(id), Some(stream)) = (play.peer("anna"), play.peer("ella")) else { return };
    let sent = play.remote.run(id, move |hub| {
        hub.send_to(id, "from the loop");
        hub.publish("room", "too");
    });
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.hears(anna, &["text from the loop"]);
    play.hears(ella, &["event too"]);
    let sent = play.remote.run(id, |_| std::panic::resume_unwind(Box::new(())));
    play.expects(sent.is_ok(), "there is room in the mailbox");
    play.says(anna, "hello");
    play.hears(anna, &["text hello"]);
    play.remote.close(id, CloseCode::NORMAL, "");
    play.remote.close(stream, CloseCode::NORMAL, "");
    play.hears(anna, &["close 1000"]);
    play.hears(ella, &["end"]);
    play.closes(anna, 1000);
    play.hears(anna, &["end"]);
    play.was_told(anna, "closed ByUs");
    play.told(ella, &["request", "opened", "closed ByUs"]);
}

fn full(play: &mut Play) {
    let anna = play.web_socket("anna");
    let Some(id) = play.peer("anna") else { return };
    let sent = [1, 2, 3].map(|number| play.remote.send(id, &format!("number {number}")).is_ok());
    play.expects(sent == [true, true, false], "two fit into the mailbox");
    play.remote.close(id, CloseCode::NORMAL, "");
    play.hears(anna, &["text number 1", "text number 2", "close 1000"]);
    play.closes(anna, 1000);
    play.hears(anna, &["end"]);
}
