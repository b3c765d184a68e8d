//! How things end.

use std::time::Duration;

use super::Scenario;
use crate::play::{Play, get, pattern};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("close from us", close_from_us),
    Scenario::new("close from both", close_from_both),
    Scenario::new("close that is not answered", close_not_answered),
    Scenario::new("a broken rule", broken_rule),
    Scenario::new("FIN before the data is read", fin_before_the_data),
    Scenario::new("RST", reset),
    Scenario::new("the end with input unread", end_with_input_unread),
    Scenario::new("the end of one who does not leave", end_of_one_who_does_not_leave),
    Scenario::within("write stall", |limits| limits.send_queue = 50_000, write_stall),
    Scenario::new("drain", drain),
    Scenario::new("drain again", drain_again),
    Scenario::new("panic in request and opened", panic_in_request_and_opened),
    Scenario::new("panic in message and piece", panic_in_message_and_piece),
    Scenario::new("panic in timer and closed", panic_in_timer_and_closed),
    Scenario::within("panic in drained and dropped", |limits| limits.send_queue = 2_000, panic_in_drained_and_dropped),
];

fn close_from_us(play: &mut Play) {
    let anna = play.web_socket("anna");
    // What is said behind it reaches nobody, and there is no second one.
    play.says(anna, "say bye; close 1000; say no; publish all no; ping no; close 1001");
    play.hears(anna, &["text bye", "close 1000"]);
    play.says(anna, "say no");
    play.frame(anna, 0x89, b"no");
    play.settle();
    play.closes(anna, 1000);
    play.hears(anna, &["end"]);
    play.finishes(anna);
    play.was_told(anna, "closed ByUs");
}

fn close_from_both(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "close 1000");
    play.closes(anna, 1001);
    play.hears(anna, &["close 1000", "end"]);
    play.told(anna, &["request", "opened", "message close 1000", "closed ByUs"]);
}

fn close_not_answered(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "close 1000");
    play.hears(anna, &["close 1000"]);
    play.waits(Duration::from_secs(4));
    play.told(anna, &["request", "opened", "message close 1000"]);
    play.waits(Duration::from_secs(1));
    play.hears(anna, &["end"]);
    play.told(anna, &["request", "opened", "message close 1000", "closed Late(Close)"]);
}

fn broken_rule(play: &mut Play) {
    let (anna, ben) = (play.web_socket("anna"), play.web_socket("ben"));
    play.says(anna, "say first");
    play.frame(anna, 0x83, b"a reserved opcode");
    play.says(anna, "say no");
    play.hears(anna, &["text first", "close 1002", "end"]);
    play.frame(ben, 0x81, b"\xff");
    play.hears(ben, &["close 1007", "end"]);
    let paul = play.comes("paul");
    play.sends(paul, "GET / HTTP/9.9\r\n\r\n");
    play.hears(paul, &["505", "end"]);
}

fn fin_before_the_data(play: &mut Play) {
    let (paul, anna, ella) = (play.comes("paul"), play.web_socket("anna"), play.stream("ella", "news"));
    play.sends(paul, [get("/page/paul"), get("/page-9/paul")].concat());
    play.finishes(paul);
    play.hears(paul, &["200 a page", &super::large("200", 9), "end"]);
    play.says(anna, "join news");
    play.finishes(anna);
    play.finishes(ella);
    play.settle();
    play.hears(anna, &["end"]);
    play.hears(ella, &["end"]);
    play.told(anna, &["request", "opened", "message join news", "closed Gone"]);
    play.told(ella, &["request", "opened", "closed Gone"]);
    let half = play.comes("half");
    play.sends(half, "GET /pa");
    play.finishes(half);
    play.hears(half, &["end"]);
}

fn reset(play: &mut Play) {
    let (anna, ben) = (play.web_socket("anna"), play.web_socket("ben"));
    let (paul, ella) = (play.comes("paul"), play.stream("ella", "news"));
    play.stops_reading(anna, 10);
    play.says(anna, "large 30000");
    play.settle();
    for who in [anna, ella, paul] {
        play.resets(who);
    }
    play.says(ben, "hello");
    play.hears(ben, &["text hello"]);
    play.told(anna, &["request", "opened", "message large 30000", "closed Gone"]);
    play.told(ella, &["request", "opened", "closed Gone"]);
    play.forgets(anna);
    play.hears(ella, &["end"]);
    play.hears(paul, &["end"]);
}

fn end_with_input_unread(play: &mut Play) {
    let (anna, ella) = (play.web_socket("anna"), play.stream("ella", "news"));
    // Both go on talking while they are told the end. It must reach them, whatever they say.
    play.frame(anna, 0x88, &1000_u16.to_be_bytes());
    play.sends(anna, pattern(9_000));
    play.hears(anna, &["close 1000", "end"]);
    play.sends(anna, pattern(20_000));
    play.settle();
    play.finishes(anna);
    play.hears(anna, &[]);
    play.sends(ella, pattern(100));
    play.settle();
    play.hears(ella, &[]);
    let paul = play.comes("paul");
    play.sends(paul, [get("/page/paul").replace("Host: here", "Host: here\r\nConnection: close"), get("/no")].concat());
    play.sends(paul, pattern(20_000));
    play.hears(paul, &["200 a page", "end"]);
    play.sends(paul, pattern(20_000));
    play.hears(paul, &[]);
}

fn end_of_one_who_does_not_leave(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.closes(anna, 1000);
    play.hears(anna, &["close 1000", "end"]);
    play.expects_connections(&[anna], 1);
    play.waits(Duration::from_secs(2));
    play.expects_connections(&[anna], 0);
    let ben = play.web_socket("ben");
    play.closes(ben, 1000);
    play.hears(ben, &["close 1000", "end"]);
    for _ in 0..5 {
        play.sends(ben, "x");
        play.waits(Duration::from_millis(990));
    }
    play.expects_connections(&[ben], 1);
    play.waits(Duration::from_millis(100));
    play.expects_connections(&[ben], 0);
}

fn write_stall(play: &mut Play) {
    let (anna, paul) = (play.web_socket("anna"), play.comes("paul"));
    play.stops_reading(anna, 10);
    play.says(anna, "large 30000");
    play.stops_reading(paul, 10);
    play.gets(paul, "/page-30000/paul");
    play.told(paul, &["request"]);
    play.waits(Duration::from_secs(28));
    play.expects_connections(&[anna, paul], 2);
    play.waits(Duration::from_secs(3));
    play.told(anna, &["request", "opened", "message large 30000", "closed Late(WriteStall)"]);
    play.expects_connections(&[anna, paul], 0);
    play.forgets(anna);
    play.forgets(paul);
}

fn drain(play: &mut Play) {
    let (anna, ella) = (play.web_socket("anna"), play.stream("ella", "news"));
    let (silent, half, later) = (play.comes("silent"), play.comes("half"), play.comes("later"));
    let next = play.comes("next");
    play.gets(next, "/page/next");
    play.hears(next, &["200 a page"]);
    play.sends(half, "GET /page/half HTTP/1.1\r\n");
    play.gets(later, "/later/later?request=wake+300&timer=answer+later+page");
    play.settle();
    // Who has come and was not accepted yet is not turned away by a reset.
    let waiting = play.comes("waiting");
    play.gets(waiting, "/page/waiting");
    play.remote.drain();
    play.hears(anna, &["close 1001"]);
    play.hears(ella, &["retry", "end"]);
    play.hears(silent, &["end"]);
    play.hears(next, &["end"]);
    play.hears_one_of(waiting, &[&["200 a page", "end"], &["end"]]);
    play.sends(half, "Host: here\r\n\r\n");
    play.hears(half, &["200 a page", "end"]);
    play.hears(later, &["200 a page", "end"]);
    play.closes(anna, 1001);
    play.hears(anna, &["end"]);
    for who in [anna, ella, silent, next, waiting, half, later] {
        play.finishes(who);
    }
    play.has_ended();
    play.told(anna, &["request", "opened", "closed Drained"]);
    play.told(ella, &["request", "opened", "closed Drained"]);
    play.told(later, &["request", "timer", "closed Answered"]);
}

fn drain_again(play: &mut Play) {
    let (anna, paul) = (play.web_socket("anna"), play.comes("paul"));
    play.gets(paul, "/later/paul");
    play.told(paul, &["request"]);
    play.remote.drain();
    play.hears(anna, &["close 1001"]);
    play.remote.drain();
    play.has_ended();
    play.told(anna, &["request", "opened", "closed Drained"]);
    play.told(paul, &["request", "closed Drained"]);
    play.hears(anna, &["end"]);
    play.hears(paul, &["end"]);
}

fn panic_in_request_and_opened(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, [get("/page/paul?request=panic"), get("/page/paul")].concat());
    play.hears(paul, &["500", "end"]);
    let anna = play.comes("anna");
    play.upgrades(anna, "/ws/anna?opened=say+half;+panic");
    play.hears(anna, &["101", "close 1011", "end"]);
    play.told(anna, &["request", "opened", "closed Panicked"]);
    let ella = play.comes("ella");
    play.gets(ella, "/events/ella?opened=event+half;+panic");
    play.hears(ella, &["200 stream", "end"]);
    play.told(ella, &["request", "opened", "closed Panicked"]);
}

fn panic_in_message_and_piece(play: &mut Play) {
    let (anna, ben) = (play.web_socket("anna"), play.web_socket("ben"));
    play.says(anna, "say whole");
    play.says(anna, "say half; close 1000; panic");
    play.says(anna, "say no");
    play.hears(anna, &["text whole", "close 1011", "end"]);
    play.told(
        anna,
        &["request", "opened", "message say whole", "message say half; close 1000; panic", "closed Panicked"],
    );
    play.says(ben, "hello");
    play.hears(ben, &["text hello"]);
    let carl = play.opens("carl", "/pieces/carl?piece=panic", true);
    play.frame(carl, 0x01, b"one");
    play.frame(carl, 0x80, b"two");
    play.hears(carl, &["close 1011", "end"]);
}

fn panic_in_timer_and_closed(play: &mut Play) {
    let anna = play.opens("anna", "/ws/anna?opened=wake+50&timer=panic&closed=panic", true);
    let paul = play.comes("paul");
    play.sends(paul, [get("/later/paul?request=wake+50&timer=panic"), get("/page/paul")].concat());
    play.hears(paul, &["500", "end"]);
    play.told(paul, &["request", "timer", "closed Panicked"]);
    play.hears(anna, &["close 1011", "end"]);
    play.told(anna, &["request", "opened", "timer", "closed Panicked"]);
}

fn panic_in_drained_and_dropped(play: &mut Play) {
    let anna = play.web_socket("anna");
    play.says(anna, "on drained panic");
    play.settle();
    play.stops_reading(anna, 0);
    play.says(anna, "say waits");
    play.settle();
    play.reads_again(anna);
    play.hears(anna, &["text waits", "close 1011", "end"]);
    let ben = play.opens("ben", "/ws-dropping/ben?request=join+room&dropped=panic", true);
    play.stops_reading(ben, 0);
    for _ in 0..3 {
        play.on_hub(|hub| hub.publish("room", &"x".repeat(1_500)));
        play.settle();
    }
    play.reads_again(ben);
    let heard = format!("text {}", crate::play::shown(&[b'x'; 1_500]));
    play.hears(ben, &[&heard, &heard, "close 1011", "end"]);
}
