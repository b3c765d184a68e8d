//! One says it, many hear it.

use super::Scenario;
use crate::play::{Play, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("publish to three transports", three_transports),
    Scenario::new("publish to others", to_others),
    Scenario::new("publish behind own replies", behind_own_replies),
    Scenario::new("publish during a fragmented message", during_a_fragmented_message),
    Scenario::new("topics are left", topics_are_left),
    Scenario::new("topics of a request that opens nothing", of_a_request_that_opens_nothing),
    Scenario::new("publish from closed", from_closed),
    Scenario::new("publish before a close", before_a_close),
];

/// Somebody on a WebSocket who listens.
fn listener(play: &mut Play, name: &str) -> Who {
    play.opens(name, &format!("/ws/{name}?request=join+room"), true)
}

fn three_transports(play: &mut Play) {
    let (anna, ben) = (listener(play, "anna"), listener(play, "ben"));
    let ella = play.stream("ella", "room");
    let host = play.dials();
    play.picks_up(host);
    play.hears(host, &["opening"]);
    play.says(host, "join room");
    play.settle();
    for who in [ben, ella, host] {
        play.needs(who, anna);
    }
    play.says(anna, "publish room hello");
    play.says(anna, "publish room again");
    for who in [anna, ben, host] {
        play.hears(who, &["text hello", "text again"]);
    }
    play.hears(ella, &["event hello", "event again"]);
}

fn to_others(play: &mut Play) {
    let (anna, ben) = (listener(play, "anna"), listener(play, "ben"));
    play.needs(ben, anna);
    play.needs(anna, ben);
    play.says(anna, "others room from anna; publish room to all");
    play.hears(ben, &["text from anna", "text to all"]);
    play.hears(anna, &["text to all"]);
    play.says(ben, "publish room to all; others room from ben");
    play.hears(ben, &["text to all"]);
    play.hears(anna, &["text to all", "text from ben"]);
}

fn behind_own_replies(play: &mut Play) {
    let (anna, ben) = (listener(play, "anna"), listener(play, "ben"));
    play.needs(ben, anna);
    play.says(anna, "publish room one; say reply; publish room two; to ben direct");
    play.hears(anna, &["text reply", "text one", "text two"]);
    play.hears(ben, &["text direct", "text one", "text two"]);
}

fn during_a_fragmented_message(play: &mut Play) {
    let (anna, ben) = (listener(play, "anna"), play.web_socket("ben"));
    play.needs(anna, ben);
    play.says(anna, "piece one ");
    play.settle();
    play.says(ben, "publish room two");
    play.settle();
    play.says(ben, "to anna three");
    play.settle();
    play.frame(anna, 0x89, b"in between");
    play.hears(anna, &["pong in between"]);
    play.says(anna, "last four");
    play.hears(anna, &["text one four in 2", "text two", "text three"]);
}

fn topics_are_left(play: &mut Play) {
    let (anna, ben) = (listener(play, "anna"), play.web_socket("ben"));
    play.needs(anna, ben);
    play.says(anna, "publish room mine; leave room");
    play.hears(anna, &["text mine"]);
    play.says(ben, "publish room unheard");
    play.settle();
    play.says(anna, "join room; join room");
    play.settle();
    play.says(ben, "publish room heard once");
    play.hears(anna, &["text heard once"]);
    play.says(anna, "join second");
    play.settle();
    play.says(ben, "publish second a; publish room b; publish second c");
    play.hears(anna, &["text a", "text b", "text c"]);
    // Whoever leaves one of two topics has what was published in both, once.
    play.says(anna, "publish room d; publish second e; leave second; publish second no");
    play.hears(anna, &["text d", "text e"]);
    // Whoever comes late, in the same turn, does not hear what was before.
    let carl = listener(play, "carl");
    play.needs(anna, carl);
    play.says(ben, "publish room before; join room; publish room after");
    play.hears(anna, &["text before", "text after"]);
    play.needs(ben, anna);
    play.hears(ben, &["text after"]);
    play.needs(carl, ben);
    play.hears(carl, &["text before", "text after"]);
}

fn of_a_request_that_opens_nothing(play: &mut Play) {
    let anna = play.comes("anna");
    play.gets(anna, "/page/anna?request=join+secret");
    play.hears(anna, &["200 a page"]);
    play.upgrades(anna, "/ws/anna?request=join+open");
    play.hears(anna, &["101"]);
    play.on_hub(|hub| hub.publish("secret", "for somebody else"));
    play.on_hub(|hub| hub.publish("open", "for anna"));
    play.hears(anna, &["text for anna"]);
}

fn from_closed(play: &mut Play) {
    let anna = play.opens("anna", "/ws/anna?request=join+room&closed=room+anna+left", true);
    let ben = listener(play, "ben");
    play.needs(ben, anna);
    play.finishes(anna);
    play.hears(anna, &["end"]);
    play.hears(ben, &["text anna left"]);
}

fn before_a_close(play: &mut Play) {
    let (anna, ella) = (listener(play, "anna"), play.stream("ella", "room"));
    play.says(anna, "publish room last words; close 1000");
    play.hears(anna, &["text last words", "close 1000"]);
    play.says(anna, "say nothing");
    play.on_hub(|hub| hub.publish("room", "too late"));
    play.closes(anna, 1000);
    play.hears(anna, &["end"]);
    play.needs(ella, anna);
    play.hears(ella, &["event last words", "event too late"]);
}
