//! Event streams.

use std::time::Duration;

use super::Scenario;
use crate::play::Play;

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("events", events),
    Scenario::new("heartbeat", heartbeat),
    Scenario::within("a stream that is too old", |limits| limits.max_age = Some(Duration::from_secs(3)), too_old),
];

fn events(play: &mut Play) {
    let ella = play.comes("ella");
    play.gets(ella, "/events/ella?opened=event+welcome;+wake+500&timer=event+later;+close+1000");
    play.hears(ella, &["200 stream", "event welcome"]);
    play.waits(Duration::from_millis(500));
    play.hears(ella, &["event later", "end"]);
    play.finishes(ella);
    play.told(ella, &["request", "opened", "timer", "closed ByUs"]);
}

fn heartbeat(play: &mut Play) {
    let ella = play.stream("ella", "news");
    play.waits(Duration::from_secs(14));
    play.on_hub(|hub| hub.publish("news", "one"));
    play.hears(ella, &["event one"]);
    play.waits(Duration::from_secs(14));
    play.hears(ella, &[]);
    play.waits(Duration::from_secs(1));
    play.hears(ella, &["beat"]);
    play.waits(Duration::from_secs(15));
    play.hears(ella, &["beat"]);
    play.finishes(ella);
    play.hears(ella, &["end"]);
    play.told(ella, &["request", "opened", "closed Gone"]);
}

fn too_old(play: &mut Play) {
    let (ella, anna) = (play.stream("ella", "news"), play.web_socket("anna"));
    play.waits(Duration::from_secs(3));
    play.hears(ella, &["end"]);
    play.hears(anna, &["close 1001", "end"]);
    play.told(ella, &["request", "opened", "closed Late(Age)"]);
    play.told(anna, &["request", "opened", "closed Late(Age)"]);
}
