//! Plain requests, bodies, later answers.

use std::time::Duration;

use super::{Scenario, large};
use crate::play::{Play, get, upgrade};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new("pipelined pages", pipelined_pages),
    Scenario::within("a large page", |limits| limits.direct = 1_000, large_page),
    Scenario::new("a body by its length", body_by_length),
    Scenario::new("a body in chunks", body_in_chunks),
    Scenario::new("a body after leave", body_after_leave),
    Scenario::new("a refused upgrade, and a request behind it", refused_upgrade),
    Scenario::new("half a head", half_a_head),
    Scenario::new("silence", silence),
    Scenario::new("keep-alive", keep_alive),
    Scenario::new("later, by its timer", later_by_timer),
    Scenario::new("later, by another peer", later_by_another),
    Scenario::within("later, by its deadline", |limits| limits.later = Duration::from_secs(1), later_by_deadline),
    Scenario::new("later, for a WebSocket", later_for_a_web_socket),
    Scenario::new("an answer for the request before", answer_for_the_request_before),
    Scenario::new("later, and gone", later_and_gone),
];

fn pipelined_pages(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, [get("/page/paul"), get("/page-9/paul"), get("/none/paul"), get("/page/paul")].concat());
    play.hears(paul, &["200 a page", &large("200", 9), "404", "200 a page"]);
    let request = get("/page/paul");
    let (first, rest) = request.split_at(20);
    play.sends(paul, first);
    play.settle();
    play.sends(paul, rest);
    play.hears(paul, &["200 a page"]);
}

fn large_page(play: &mut Play) {
    let paul = play.comes("paul");
    play.stops_reading(paul, 2_000);
    play.sends(paul, [get("/page-40000/paul"), get("/page/paul")].concat());
    play.settle();
    play.told(paul, &["request"]);
    play.reads_again(paul);
    play.hears(paul, &[&large("200", 40_000), "200 a page"]);
}

fn body_by_length(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, "POST /page/paul HTTP/1.1\r\nHost: here\r\nContent-Length: 11\r\n\r\nhello");
    play.settle();
    play.sends(paul, format!(" world{}", get("/page/paul")));
    play.hears(paul, &["200 a page", "200 a page"]);
    play.told(paul, &["request hello world", "request"]);
}

fn body_in_chunks(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, "POST /page/paul HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    play.settle();
    play.sends(paul, "lo\r\n6\r\n world\r\n0\r\n");
    play.settle();
    play.sends(paul, format!("\r\n{}", get("/page/paul")));
    play.hears(paul, &["200 a page", "200 a page"]);
    play.told(paul, &["request hello world", "request"]);
}

fn body_after_leave(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, "POST /page/paul HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    play.hears(paul, &["100"]);
    play.sends(paul, "hello");
    play.hears(paul, &["200 a page"]);
    play.told(paul, &["request hello"]);
    play.sends(paul, "POST /page/paul HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999\r\n\r\n");
    play.hears(paul, &["413", "end"]);
}

fn refused_upgrade(play: &mut Play) {
    let paul = play.comes("paul");
    let wrong = upgrade("/ws/paul").replace("Version: 13", "Version: 99");
    play.sends(paul, format!("{wrong}{}", get("/page/paul")));
    play.hears(paul, &["426", "end"]);
    play.told(paul, &["request"]);
}

fn half_a_head(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, "GET / HTTP/1.1\r\nHo");
    play.waits(Duration::from_secs(9));
    play.sends(paul, "st: he");
    play.hears(paul, &[]);
    play.waits(Duration::from_secs(1));
    play.hears(paul, &["408", "end"]);
}

fn silence(play: &mut Play) {
    let paul = play.comes("paul");
    play.waits(Duration::from_secs(9));
    play.hears(paul, &[]);
    play.waits(Duration::from_secs(1));
    play.hears(paul, &["end"]);
}

fn keep_alive(play: &mut Play) {
    let paul = play.comes("paul");
    play.gets(paul, "/page/paul");
    play.hears(paul, &["200 a page"]);
    play.waits(Duration::from_secs(70));
    play.gets(paul, "/page/paul");
    play.hears(paul, &["200 a page"]);
    play.waits(Duration::from_secs(74));
    play.hears(paul, &[]);
    play.waits(Duration::from_secs(1));
    play.hears(paul, &["end"]);
}

fn later_by_timer(play: &mut Play) {
    let paul = play.comes("paul");
    play.sends(paul, [get("/later/paul?request=wake+50&timer=answer+me+page"), get("/page/paul")].concat());
    play.hears(paul, &["200 a page", "200 a page"]);
    play.told(paul, &["request", "timer", "closed Answered", "request"]);
}

fn later_by_another(play: &mut Play) {
    let (paul, anna) = (play.comes("paul"), play.web_socket("anna"));
    play.needs(paul, anna);
    play.gets(paul, "/later/paul");
    play.settle();
    play.says(anna, "answer paul page");
    play.says(anna, "answer paul page-9");
    play.hears(paul, &["200 a page"]);
    play.told(paul, &["request", "closed Answered"]);
}

fn later_by_deadline(play: &mut Play) {
    let (paul, anna) = (play.comes("paul"), play.web_socket("anna"));
    play.gets(paul, "/later/paul");
    play.waits(Duration::from_millis(900));
    play.hears(paul, &[]);
    play.waits(Duration::from_millis(200));
    play.hears(paul, &["503"]);
    play.says(anna, "answer paul page");
    play.gets(paul, "/page/paul");
    play.hears(paul, &["200 a page"]);
    play.told(paul, &["request", "closed Late(Answer)", "request"]);
}

fn later_for_a_web_socket(play: &mut Play) {
    let anna = play.comes("anna");
    play.upgrades(anna, "/later/anna?request=join+room;+wake+50&timer=answer+anna+ws");
    play.says(anna, "said early");
    play.hears(anna, &["101", "text said early"]);
    play.on_hub(|hub| hub.publish("room", "welcome"));
    play.hears(anna, &["text welcome"]);
    let ella = play.comes("ella");
    play.gets(ella, "/later/ella?request=join+room;+wake+50&timer=answer+ella+events");
    play.hears(ella, &["200 stream"]);
    play.on_hub(|hub| hub.publish("room", "all"));
    play.hears(anna, &["text all"]);
    play.hears(ella, &["event all"]);
    play.told(ella, &["request", "timer", "opened"]);
}

fn answer_for_the_request_before(play: &mut Play) {
    let paul = play.comes("paul");
    play.gets(paul, "/later/paul");
    play.settle();
    let Some(before) = play.peer("paul") else { return };
    play.on_hub(|hub| hub.answer_to(before, crate::play::reply("page")));
    play.hears(paul, &["200 a page"]);
    play.gets(paul, "/later/paul");
    play.settle();
    // Whoever still holds the old name must not answer the new request.
    play.on_hub(|hub| hub.answer_to(before, crate::play::reply("page-9")));
    play.hears(paul, &[]);
    if let Some(now) = play.peer("paul") {
        play.on_hub(|hub| hub.answer_to(now, crate::play::reply("page")));
    }
    play.hears(paul, &["200 a page"]);
}

fn later_and_gone(play: &mut Play) {
    let (paul, rosa) = (play.comes("paul"), play.comes("rosa"));
    play.gets(paul, "/later/paul?request=wake+500&timer=answer+paul+page");
    play.gets(rosa, "/later/rosa");
    play.settle();
    // Who only says that it will ask for nothing more is still answered.
    play.finishes(paul);
    play.resets(rosa);
    play.hears(paul, &["200 a page", "end"]);
    play.told(paul, &["request", "timer", "closed Answered"]);
    play.told(rosa, &["request", "closed Gone"]);
    play.hears(rosa, &["end"]);
}
