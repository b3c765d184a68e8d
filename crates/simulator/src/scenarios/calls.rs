//! The loop dials.

use std::time::Duration;

use super::Scenario;
use crate::play::Play;

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("connect", connect),
    Scenario::new("connect, and the server does not close", connect_to_one_that_stays),
    Scenario::new("connect, and be refused", refused),
    Scenario::new("connect, and hear nothing", unanswered),
    Scenario::new("connect, and be told no", told_no),
];

fn connect(play: &mut Play) {
    let host = play.dials();
    play.settle();
    play.picks_up(host);
    play.hears(host, &["opening"]);
    play.says(host, "hello");
    play.hears(host, &["text hello"]);
    play.frame(host, 0x89, b"hi");
    play.hears(host, &["pong hi"]);
    play.says(host, "piece one ");
    play.says(host, "say two");
    play.says(host, "last three");
    play.hears(host, &["text one three in 2", "text two"]);
    play.says(host, "close 1000");
    play.hears(host, &["close 1000"]);
    play.closes(host, 1000);
    // The server's end comes first.
    play.hears(host, &[]);
    play.finishes(host);
    play.hears(host, &["end"]);
}

fn connect_to_one_that_stays(play: &mut Play) {
    let host = play.dials();
    play.settle();
    play.picks_up(host);
    play.hears(host, &["opening"]);
    play.says(host, "close 1000");
    play.hears(host, &["close 1000"]);
    play.closes(host, 1000);
    play.hears(host, &[]);
    play.waits(Duration::from_secs(2));
    play.hears(host, &["end"]);
}

fn refused(play: &mut Play) {
    let host = play.dials();
    play.settle();
    play.refuses(host);
    play.told(host, &["closed Refused"]);
    play.hears(host, &["end"]);
}

fn unanswered(play: &mut Play) {
    let host = play.dials();
    play.waits(Duration::from_secs(9));
    play.told(host, &[]);
    play.waits(Duration::from_secs(1));
    play.told(host, &["closed Late(Opening)"]);
    play.hears(host, &["end"]);
}

fn told_no(play: &mut Play) {
    let host = play.dials();
    play.picks_up(host);
    play.sends(host, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    play.hears(host, &["opening", "end"]);
    play.told(host, &["closed Refused"]);
}
