//! Where there is no room: at a queue's bound, at the budget, at the limits of how many.

use std::time::Duration;

use longwire_reactor::Limits;

use super::{Scenario, large};
use crate::play::{Play, Who, pattern, shown};

pub(super) const ALL: &[Scenario] = &[
    Scenario::within("overflow that ends", |limits| limits.send_queue = 2_000, overflow_that_ends),
    Scenario::within("overflow behind a long echo", long_echo, overflow_behind_a_long_echo),
    Scenario::within("overflow that drops", |limits| limits.send_queue = 2_000, overflow_that_drops),
    Scenario::within("overflow of a fragmented message", |limits| limits.send_queue = 2_000, overflow_of_pieces),
    Scenario::within("no room for a stream", |limits| limits.budget = 20_450, no_room_for_a_stream),
    Scenario::within("a newcomer finds room", |limits| limits.budget = 48_000, newcomer),
    Scenario::within("the budget is exhausted", |limits| limits.budget = 48_000, budget_exhausted),
    Scenario::within("connections per address", |limits| limits.per_address = 2, per_address),
    Scenario::within("connections in all", |limits| limits.connections = 2, connections_in_all),
    Scenario::new("out of descriptors", out_of_descriptors),
    Scenario::within("a crowd", |limits| (limits.accepts, limits.events) = (2, 2), crowd),
    Scenario::within("topics per connection", |limits| limits.topics = 2, topics_per_connection),
];

/// Something of 500 bytes for everybody in the room.
fn publish(play: &mut Play, letter: char) {
    play.on_hub(|hub| hub.publish("room", &letter.to_string().repeat(500)));
    play.settle();
}

fn published(kind: &str, letter: char) -> String {
    format!("{kind} {}", shown(letter.to_string().repeat(500).as_bytes()))
}

fn overflow_that_ends(play: &mut Play) {
    let anna = play.opens("anna", "/ws/anna?request=join+room", true);
    let (ella, ben) = (play.stream("ella", "room"), play.opens("ben", "/ws/ben?request=join+room", true));
    for who in [anna, ella] {
        play.stops_reading(who, 100);
    }
    for letter in 'a'..='f' {
        publish(play, letter);
        play.hears(ben, &[&published("text", letter)]);
        if letter <= 'b' {
            // A little more of what has begun is taken, out of the queue.
            for who in [anna, ella] {
                play.stops_reading(who, 50);
            }
            play.settle();
        }
    }
    play.reads_again(anna);
    play.reads_again(ella);
    // What had begun is finished, the rest is dropped.
    play.hears(anna, &[&published("text", 'a'), "close 1008", "end"]);
    play.hears(ella, &[&published("event", 'a'), "end"]);
    play.told(anna, &["request", "opened", "closed Overflow"]);
    play.told(ella, &["request", "opened", "closed Overflow"]);
}

/// So that it is put together, and what is not taken of it waits where it lies.
fn long_echo(limits: &mut Limits) {
    (limits.direct, limits.receive, limits.send_queue) = (1_000, 4_096, 9_000);
}

fn overflow_behind_a_long_echo(play: &mut Play) {
    let anna = play.opens("anna", "/ws/anna?request=join+room", true);
    let echo = large("binary", 9_000);
    play.stops_reading(anna, 1_000);
    play.frame(anna, 0x82, &pattern(9_000));
    play.settle();
    publish(play, 'a');
    play.reads_again(anna);
    play.hears(anna, &[&echo, &published("text", 'a')]);
    play.stops_reading(anna, 1_000);
    play.frame(anna, 0x82, &pattern(9_000));
    play.settle();
    for letter in 'b'..='e' {
        publish(play, letter);
    }
    play.reads_again(anna);
    play.hears(anna, &[&echo, "close 1008", "end"]);
    let message = large("message", 9_000);
    play.told(anna, &["request", "opened", &message, &message, "closed Overflow"]);
}

fn overflow_that_drops(play: &mut Play) {
    let anna = play.opens("anna", "/ws-dropping/anna?request=join+room", true);
    let ella = play.opens("ella", "/events-dropping/ella?request=join+room", false);
    for who in [anna, ella] {
        play.stops_reading(who, 100);
    }
    for letter in 'a'..='g' {
        publish(play, letter);
    }
    play.was_told(anna, "dropped 1");
    play.was_told(ella, "dropped 1");
    play.expects_dropped(&[anna, ella], 4);
    play.reads_again(anna);
    play.reads_again(ella);
    let heard = |kind| ['a', 'b', 'c', 'd', 'e'].map(|letter| published(kind, letter));
    let [a, b, c, d, e] = heard("text");
    play.hears(anna, &[&a, &b, &c, &d, &e]);
    let [a, b, c, d, e] = heard("event");
    play.hears(ella, &[&a, &b, &c, &d, &e, "gap 2"]);
    publish(play, 'h');
    play.hears(anna, &[&published("text", 'h')]);
    play.hears(ella, &[&published("event", 'h')]);
}

fn overflow_of_pieces(play: &mut Play) {
    let anna = play.opens("anna", "/ws-dropping/anna", true);
    play.stops_reading(anna, 1);
    let piece = format!("piece {}", "x".repeat(900));
    play.says(anna, &piece);
    play.settle();
    play.says(anna, "wake 10");
    play.settle();
    // From half the bound on she is not read; the message goes on from elsewhere and cannot be left unfinished.
    play.reads_again(anna);
    play.says(anna, "last end");
    play.hears(anna, &[&format!("text {} in 2", shown(format!("{}end", "x".repeat(900)).as_bytes()))]);
}

/// Anna holds almost the whole budget, and does not read it.
fn hog(play: &mut Play) -> Who {
    let anna = play.web_socket("anna");
    play.stops_reading(anna, 0);
    play.says(anna, "large 46000");
    play.settle();
    anna
}

/// Each holds too little to be sent away for it, and all together hold what there is.
fn no_room_for_a_stream(play: &mut Play) {
    let (ella, ben, paul) = (play.comes("ella"), play.comes("ben"), play.comes("paul"));
    play.settle();
    let many: Vec<Who> = (0..18).map(|number| play.web_socket(&format!("anna{number}"))).collect();
    for who in &many {
        play.stops_reading(*who, 0);
        play.says(*who, "large 500");
        play.settle();
    }
    for who in [ella, ben, paul] {
        many.iter().for_each(|one| play.needs(who, *one));
    }
    play.gets(ella, "/events/ella");
    play.hears(ella, &["200 stream", "retry", "end"]);
    play.upgrades(ben, "/ws/ben");
    play.hears(ben, &["503", "end"]);
    play.gets(paul, "/page/paul");
    play.hears(paul, &["200 a page"]);
    for who in &many {
        play.reads_again(*who);
        play.hears(*who, &[&large("binary", 500)]);
    }
    let next = play.stream("next", "room");
    play.on_hub(|hub| hub.publish("room", "there is room again"));
    play.hears(next, &["event there is room again"]);
}

/// Who holds it all makes room for somebody new.
fn newcomer(play: &mut Play) {
    let anna = hog(play);
    let ella = play.stream("ella", "room");
    play.needs(anna, ella);
    play.reads_again(anna);
    play.hears(anna, &["close 1013", "end"]);
    play.told(anna, &["request", "opened", "message large 46000", "closed NoRoom"]);
    play.on_hub(|hub| hub.publish("room", "there is room"));
    play.hears(ella, &["event there is room"]);
}

fn budget_exhausted(play: &mut Play) {
    let ben = play.web_socket("ben");
    let anna = hog(play);
    play.needs(ben, anna);
    play.needs(anna, ben);
    play.stops_reading(ben, 0);
    play.says(ben, "large 5000");
    play.settle();
    // The greediest goes.
    play.told(anna, &["request", "opened", "message large 46000", "closed NoRoom"]);
    play.reads_again(ben);
    play.hears(ben, &[&large("binary", 5_000)]);
    play.reads_again(anna);
    play.hears(anna, &["close 1013", "end"]);
}

fn per_address(play: &mut Play) {
    let (one, two) = (play.comes_from("one", "192.0.2.1:1000"), play.comes_from("two", "192.0.2.1:1001"));
    let other = play.comes_from("other", "192.0.2.2:1000");
    let home = play.comes_from("home", "127.0.0.1:1000");
    let three = play.comes_from("three", "192.0.2.1:1002");
    play.needs(three, one);
    play.needs(three, two);
    play.hears(three, &["end"]);
    play.finishes(three);
    play.waits(Duration::from_millis(100));
    for who in [one, two, other] {
        play.gets(who, "/page/who");
        play.hears(who, &["200 a page"]);
    }
    play.finishes(one);
    play.hears(one, &["end"]);
    let four = play.comes_from("four", "192.0.2.1:1003");
    play.gets(four, "/page/four");
    play.hears(four, &["200 a page"]);
    play.finishes(home);
    play.hears(home, &["end"]);
}

fn connections_in_all(play: &mut Play) {
    let (one, two) = (play.web_socket("one"), play.web_socket("two"));
    let three = play.comes("three");
    play.needs(three, one);
    play.needs(three, two);
    play.hears(three, &["end"]);
    play.finishes(three);
    // Where a fault has ended one of the two, the third is there in its stead, or will be.
    play.waits(Duration::from_millis(100));
    play.finishes(two);
    play.hears(two, &["end"]);
    let four = play.web_socket("four");
    play.says(four, "hello");
    play.hears(four, &["text hello"]);
}

fn out_of_descriptors(play: &mut Play) {
    let (one, two) = (play.web_socket("one"), play.web_socket("two"));
    play.world.set_descriptors(2);
    let three = play.comes("three");
    play.needs(three, one);
    play.needs(three, two);
    play.hears(three, &["end"]);
    // There is one descriptor again, and whoever waits is taken at once.
    let four = play.comes("four");
    play.finishes(two);
    play.hears(two, &["end"]);
    play.expects_in_peace(
        play.world.waiting() == 0,
        "a descriptor that is freed serves who waits, without waiting for the timer",
    );
    play.gets(four, "/page/four");
    play.hears(four, &["200 a page"]);
    play.world.set_descriptors(usize::MAX);
    play.says(one, "hello");
    play.hears(one, &["text hello"]);
}

fn crowd(play: &mut Play) {
    let crowd: Vec<Who> = (0..7).map(|number| play.comes(&format!("number {number}"))).collect();
    for who in &crowd {
        play.gets(*who, "/page/anybody");
    }
    for who in &crowd {
        play.hears(*who, &["200 a page"]);
    }
}

fn topics_per_connection(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "join a; join b; join c; join a");
    play.settle();
    play.expects_dropped(&[anna], 1);
    for topic in ["a", "b", "c"] {
        play.on_hub(|hub| hub.publish(topic, topic));
    }
    play.hears(anna, &["text a", "text b"]);
}
