//! Messages on one WebSocket, in every way that they come and go.

use std::time::Duration;

use longwire_reactor::sys::sim::Fault;

use super::{Scenario, large};
use crate::play::{Play, pattern, upgrade};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("echo", echo),
    Scenario::new("ping and pong", ping_and_pong),
    Scenario::new("pong after a stall", pong_after_a_stall),
    Scenario::new("pieces in", pieces_in),
    Scenario::new("pieces out", pieces_out),
    Scenario::within("large out", |limits| limits.direct = 1_000, large_out),
    Scenario::within("large in", |limits| (limits.direct, limits.receive) = (1_000, 4_096), large_in),
    Scenario::within("slow visit", |limits| (limits.visit, limits.receive) = (64, 64), slow_visit),
    Scenario::within("slow reader", |limits| limits.send_queue = 10_000, slow_reader),
    Scenario::new("frames behind the request", frames_behind_the_request),
    Scenario::within("over a Unix socket", |limits| limits.receive = 512, over_a_unix_socket),
    Scenario::new("pongs of one who does not read", pongs_coalesce),
    Scenario::new("a pong behind much", pong_behind_much),
    Scenario::new("events of one who is gone", events_of_one_who_is_gone),
];

fn echo(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "hello");
    play.hears(anna, &["text hello"]);
    play.frame(anna, 0x82, &pattern(100));
    play.hears(anna, &[&large("binary", 100)]);
    play.says(anna, "one");
    play.says(anna, "two");
    play.hears(anna, &["text one", "text two"]);
    play.closes(anna, 1000);
    play.hears(anna, &["close 1000", "end"]);
    let message = large("message", 100);
    let told = ["request", "opened", "message hello", &message, "message one", "message two", "closed ByPeer(1000)"];
    play.told(anna, &told);
}

fn ping_and_pong(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.frame(anna, 0x89, b"hi");
    play.hears(anna, &["pong hi"]);
    play.says(anna, "ping are you there?");
    play.hears(anna, &["ping are you there?"]);
    play.frame(anna, 0x8a, b"are you there?");
    play.waits(Duration::from_secs(29));
    play.hears(anna, &[]);
    play.waits(Duration::from_secs(1));
    play.hears(anna, &["ping"]);
    play.frame(anna, 0x8a, b"");
    play.waits(Duration::from_secs(30));
    play.hears(anna, &["ping"]);
    play.waits(Duration::from_secs(20));
    play.hears(anna, &["end"]);
    play.told(anna, &["request", "opened", "message ping are you there?", "closed Late(Pong)"]);
}

fn pong_after_a_stall(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.waits(Duration::from_secs(30));
    play.hears(anna, &["ping"]);
    play.frame(anna, 0x8a, b"");
    // The machine sleeps, and the pong lies in the socket when it wakes up.
    play.world.pass(Duration::from_secs(25));
    play.says(anna, "still here");
    play.hears(anna, &["text still here"]);
    play.told(anna, &["request", "opened", "message still here"]);
}

fn pieces_in(play: &mut Play) {
    for kind in ["ws", "pieces"] {
        let anna = play.opens(kind, &format!("/{kind}/{kind}"), true);
        play.frame(anna, 0x01, b"one ");
        play.settle();
        play.frame(anna, 0x89, b"between");
        play.hears(anna, &["pong between"]);
        play.frame(anna, 0x00, b"two ");
        play.frame(anna, 0x80, b"three");
        let heard = if kind == "ws" { "text one two three" } else { "binary one two three" };
        play.hears(anna, &[heard]);
        let told = if kind == "ws" { "message one two three" } else { "pieces one two three" };
        play.told(anna, &["request", "opened", told]);
    }
}

fn pieces_out(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "piece one ");
    play.says(anna, "say two");
    play.frame(anna, 0x89, b"between");
    play.hears(anna, &["pong between"]);
    play.says(anna, "piece three ");
    play.says(anna, "last four");
    play.hears(anna, &["text one three four in 3", "text two"]);
}

fn large_out(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "large 50000");
    play.hears(anna, &[&large("binary", 50_000)]);
    play.stops_reading(anna, 7_000);
    play.says(anna, "say first; large 20000; say last");
    play.settle();
    play.reads_again(anna);
    play.hears(anna, &["text first", &large("binary", 20_000), "text last"]);
}

fn large_in(play: &mut Play) {
    let anna = play.web_socket("anna");
    let frame = play.bytes_of(anna, 0x82, &pattern(20_000));
    for step in frame.chunks(5_500) {
        play.sends(anna, step);
        play.settle();
    }
    play.hears(anna, &[&large("binary", 20_000)]);
    let frame = play.bytes_of(anna, 0x81, &pattern(9_000));
    let (first, rest) = frame.split_at(3);
    play.sends(anna, first);
    play.settle();
    play.sends(anna, rest);
    play.hears(anna, &[&large("text", 9_000)]);
}

fn slow_visit(play: &mut Play) {
    let (anna, ben) = (play.web_socket("anna"), play.web_socket("ben"));
    // More than a visit takes: one edge, many visits.
    play.frame(anna, 0x82, &pattern(2_000));
    play.says(ben, "me, too");
    play.says(anna, "after all");
    play.hears(ben, &["text me, too"]);
    play.hears(anna, &[&large("binary", 2_000), "text after all"]);
}

fn slow_reader(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.stops_reading(anna, 0);
    play.says(anna, "large 4000");
    play.says(anna, "large 4000");
    // She is not read any more from half the bound on.
    play.says(anna, "large 4000");
    play.says(anna, "say read at last");
    play.settle();
    play.says(anna, "say what came while nobody read");
    play.told(anna, &["request", "opened", "message large 4000", "message large 4000"]);
    play.reads_again(anna);
    let large = large("binary", 4_000);
    play.hears(anna, &[&large, &large, &large, "text read at last", "text what came while nobody read"]);
    play.was_told(anna, "drained");
}

fn frames_behind_the_request(play: &mut Play) {
    let anna = play.comes("anna");
    let (hello, ping) = (play.bytes_of(anna, 0x81, b"hello"), play.bytes_of(anna, 0x89, b""));
    play.sends(anna, [upgrade("/ws/anna?opened=say+welcome").as_bytes(), &hello, &ping].concat());
    play.hears(anna, &["101", "text welcome", "text hello", "pong"]);
}

fn over_a_unix_socket(play: &mut Play) {
    play.world.listen_on_unix();
    let anna = play.web_socket("anna");
    play.says(anna, "hello");
    play.hears(anna, &["text hello"]);
    play.frame(anna, 0x82, &pattern(1_500));
    play.says(anna, "and more");
    play.hears(anna, &[&large("binary", 1_500), "text and more"]);
    play.finishes(anna);
    play.hears(anna, &["end"]);
}

/// So often the machine reports what is not so.
fn confused(play: &Play, rate: u16) {
    for fault in [Fault::Stale, Fault::Spurious, Fault::Duplicated] {
        play.world.set_fault(fault, rate);
    }
}

fn pong_behind_much(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.stops_reading(anna, 0);
    // Each in a visit of its own: that is more blocks than one write takes.
    let echo = large("text", 400);
    for _ in 0..100 {
        play.frame(anna, 0x81, &pattern(400));
        play.settle();
    }
    play.frame(anna, 0x89, b"?");
    play.settle();
    play.reads_again(anna);
    let due: Vec<&str> = [echo.as_str()].repeat(100).into_iter().chain(["pong ?"]).collect();
    play.hears(anna, &due);
}

fn events_of_one_who_is_gone(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.finishes(anna);
    play.hears(anna, &["end"]);
    // Whoever has her place now must not be taken for her.
    confused(play, 20_000);
    let paul = play.comes("paul");
    play.gets(paul, "/later/paul?request=wake+100&timer=answer+paul+page");
    play.hears(paul, &["200 a page"]);
    play.upgrades(paul, "/ws/paul");
    play.hears(paul, &["101"]);
    play.says(paul, "hello");
    play.hears(paul, &["text hello"]);
    confused(play, 0);
}

fn pongs_coalesce(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.stops_reading(anna, 3);
    play.says(anna, "say begun");
    play.settle();
    for number in b"123" {
        play.frame(anna, 0x89, &[*number]);
        play.settle();
    }
    play.reads_again(anna);
    play.hears(anna, &["text begun", "pong 3"]);
    play.frame(anna, 0x89, b"4");
    play.hears(anna, &["pong 4"]);
}
