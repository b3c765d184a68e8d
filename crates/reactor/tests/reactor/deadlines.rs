//! Time, to the millisecond: pings, pongs, heartbeats, stalls and timers, at the clock's start and across the moment in
//! which its 32 bits wrap.

use std::time::Duration;

use longwire_reactor::frame::Opcode;
use longwire_reactor::sys::Sys;
use longwire_reactor::sys::sim::World;
use longwire_reactor::{CloseCode, Closed, Deadline, Limits, Reply, Server};

use crate::stage::*;

const MILLISECOND: Duration = Duration::from_millis(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Runs a test in a young world and in worlds whose clock wraps while it runs.
fn at_any_hour(test: impl Fn(&dyn Fn(Limits, App) -> Stage)) {
    let wrap = Duration::from_millis(1 << 32);
    for start in [Duration::ZERO, wrap - seconds(15), wrap - MILLISECOND, wrap - seconds(60), wrap / 2 - seconds(10)] {
        test(&|limits, app| {
            let world = World::new(7);
            world.pass(start);
            Stage::in_world(world, Server::default().limits(limits), app)
        });
    }
}

fn ping() -> Frame {
    whole(Opcode::Ping, "")
}

#[test]
fn silence_is_pinged_after_thirty_seconds_and_ends_twenty_later() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let mut ws = stage.web_socket("/");
        stage.pass(seconds(30) - MILLISECOND);
        assert_eq!(ws.all_frames(), []);
        stage.pass(MILLISECOND);
        assert_eq!(ws.all_frames(), [ping()]);
        stage.pass(seconds(20) - MILLISECOND);
        assert!(!ws.client.is_closed());
        stage.pass(MILLISECOND);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Pong)]);
        assert!(ws.client.is_closed());
    });
}

#[test]
fn any_byte_is_a_sign_of_life() {
    at_any_hour(|make| {
        let limits = Limits { message_deadline: seconds(3_600), ..Limits::default() };
        let mut stage = make(limits, App::new());
        let mut ws = stage.web_socket("/");
        for byte in Sent::message("slowly") {
            stage.pass(seconds(30));
            assert_eq!(ws.all_frames(), [ping()]);
            stage.pass(seconds(20) - MILLISECOND);
            ws.client.send(&[byte]);
            stage.settle();
        }
        assert_eq!(ws.all_frames(), texts(&["slowly"]));
        assert!(stage.app().closed.is_empty());
    });
}

#[test]
fn a_pong_answers_and_the_next_silence_is_pinged_again() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let mut ws = stage.web_socket("/");
        for _ in 0..3 {
            stage.pass(seconds(30));
            assert_eq!(ws.all_frames(), [ping()]);
            stage.pass(seconds(19));
            ws.client.send(&Sent::pong(b""));
            stage.settle();
        }
        assert!(stage.app().closed.is_empty());
    });
}

#[test]
fn what_lies_in_the_kernel_is_read_before_a_deadline_kills() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let mut ws = stage.web_socket("/");
        stage.pass(seconds(30));
        assert_eq!(ws.all_frames(), [ping()]);
        // The loop was away for an hour; the pong came meanwhile.
        ws.client.send(&Sent::pong(b""));
        stage.pass(seconds(3_600));
        assert!(stage.app().closed.is_empty());
    });
}

#[test]
fn the_pong_clock_starts_when_the_pings_last_byte_has_left() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let mut ws = stage.web_socket("/");
        ws.client.set_window(1);
        stage.pass(seconds(30));
        stage.pass(seconds(25));
        ws.client.set_window(usize::MAX);
        stage.settle();
        assert_eq!(ws.all_frames(), [ping()]);
        stage.pass(seconds(20) - MILLISECOND);
        assert!(stage.app().closed.is_empty());
        stage.pass(MILLISECOND);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Pong)]);
    });
}

#[test]
fn a_peer_that_never_reads_is_ended_by_the_write_stall() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let ws = stage.web_socket("/");
        ws.client.set_window(3);
        ws.send("hello");
        stage.settle();
        stage.pass(seconds(30) - MILLISECOND);
        assert!(stage.app().closed.is_empty());
        ws.client.set_window(1);
        stage.settle();
        stage.pass(seconds(30) - MILLISECOND);
        assert!(stage.app().closed.is_empty(), "any byte taken is progress");
        stage.pass(MILLISECOND);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::WriteStall)]);
        assert!(ws.client.is_closed());
    });
}

#[test]
fn a_slow_page_and_a_slow_stream_stall_too() {
    at_any_hour(|make| {
        let app = App::new().on_request(|peer, request, _| match request.path() {
            "/events" => {
                peer.subscribe("all");
                Reply::events()
            }
            _ => Reply::page("text/plain", vec![0; 100_000]),
        });
        let mut stage = make(Limits::default(), app);
        let (stream, _) = stage.events("/events");
        let page = stage.connect();
        page.set_window(1_000);
        stream.set_window(1);
        page.send(get("/page").as_bytes());
        stage.on.with_hub(|hub| hub.publish("all", "x"));
        stage.settle();
        stage.pass(seconds(30) - MILLISECOND);
        assert!(!page.is_closed() && !stream.is_closed());
        stage.pass(MILLISECOND);
        assert!(page.is_closed() && stream.is_closed());
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::WriteStall)]);
    });
}

#[test]
fn the_peer_has_five_seconds_for_its_close() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new().on_message(|peer, _| peer.close(CloseCode::NORMAL, "")));
        let ws = stage.web_socket("/");
        stage.pass(seconds(20));
        ws.send("close");
        stage.settle();
        for _ in 0..4 {
            stage.pass(seconds(1));
            ws.send("not yet");
            stage.settle();
        }
        stage.pass(seconds(1) - MILLISECOND);
        assert!(stage.app().closed.is_empty());
        stage.pass(MILLISECOND);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Close)]);
    });
}

#[test]
fn a_message_has_a_minute_from_its_first_byte() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let mut ws = stage.web_socket("/");
        stage.pass(seconds(25));
        ws.client.send(&Sent::raw(0x01, b"begun"));
        stage.settle();
        for _ in 0..5 {
            stage.pass(seconds(10));
            ws.client.send(&Sent::raw(0x00, b"x"));
            stage.settle();
        }
        stage.pass(seconds(10) - MILLISECOND);
        assert_eq!(ws.all_frames(), []);
        stage.pass(MILLISECOND);
        assert_eq!(ws.all_frames(), [closes(CloseCode::POLICY, "message too slow")]);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Message)]);
        assert!(ws.client.is_finished());
    });
}

#[test]
fn nor_may_it_begin_with_nothing_or_go_on_with_nothing() {
    let empty = [Sent::raw(0x01, b""), Sent::raw(0x00, b"")];
    let long = Sent::raw(0x82, &[0; 60_000]);
    let header = long.len() - 60_000;
    // Under `pieces` nothing is put together here; the clock is the same.
    for path in ["/", "/pieces"] {
        // What begins the message, and what keeps the connection alive: fragments and pongs between fragments, single bytes
        // of the payload, or nothing but our patience.
        for (begun, then, ping) in [
            (&empty[0][..], &*empty[1], 30),
            (&empty[0], &Sent::pong(b""), 30),
            (&long[..header], &[0], 30),
            (&long[..header], &[], 3_600),
            (&long[..header + 10], &[], 3_600),
        ] {
            at_any_hour(|make| {
                let limits = Limits { ping: seconds(ping), ..Limits::default() };
                let app = App::new().on_request(|_, request, _| match request.path() {
                    "/pieces" => Reply::web_socket().pieces(),
                    _ => Reply::web_socket(),
                });
                let mut stage = make(limits, app);
                let mut ws = stage.web_socket(path);
                stage.pass(seconds(10));
                ws.client.send(begun);
                stage.settle();
                for _ in 0..5 {
                    stage.pass(seconds(10));
                    ws.client.send(then);
                    stage.settle();
                }
                stage.pass(seconds(10) - MILLISECOND);
                assert_eq!(ws.all_frames(), []);
                stage.pass(MILLISECOND);
                assert_eq!(ws.all_frames(), [closes(CloseCode::POLICY, "message too slow")]);
                assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Message)]);
            });
        }
    }
}

#[test]
fn a_message_that_begins_where_another_ended_has_a_minute_of_its_own() {
    at_any_hour(|make| {
        let mut stage = make(Limits::default(), App::new());
        let mut ws = stage.web_socket("/");
        ws.client.send(&Sent::raw(0x01, b"begun"));
        stage.settle();
        for _ in 0..13 {
            stage.pass(seconds(10));
            ws.client.send(&[Sent::raw(0x80, b"ended"), Sent::raw(0x01, b"begun")].concat());
            stage.settle();
        }
        assert_eq!(ws.all_frames(), texts(&["begunended"; 13]));
        stage.pass(seconds(25));
        ws.client.send(&Sent::raw(0x00, b"x"));
        stage.pass(seconds(35) - MILLISECOND);
        assert!(stage.app().closed.is_empty());
        stage.pass(MILLISECOND);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Message)]);
    });
}

#[test]
fn who_sleeps_for_months_knows_what_time_it_is() {
    for days in [24, 25, 40, 49, 50] {
        let mut stage = Stage::new(App::new());
        stage.settle();
        let before = stage.on.with_hub(|hub| hub.unix_time());
        stage.pass(Duration::from_secs(days * 24 * 3_600));
        assert_eq!(stage.on.with_hub(|hub| hub.unix_time()) - before, days * 24 * 3_600);
    }
}

#[test]
fn a_message_that_ends_in_time_ends_its_clock() {
    for path in ["/", "/pieces"] {
        let app = App::new().on_request(|_, request, _| match request.path() {
            "/pieces" => Reply::web_socket().pieces(),
            _ => Reply::web_socket(),
        });
        let mut stage = Stage::new(app);
        let ws = stage.web_socket(path);
        for last in [Sent::raw(0x80, b""), Sent::raw(0x80, b"x")] {
            ws.client.send(&Sent::raw(0x01, b""));
            stage.pass(seconds(29));
            ws.client.send(&last[..2]);
            stage.pass(seconds(29));
            ws.client.send(&last[2..]);
            stage.pass(seconds(29));
        }
        assert!(stage.app().closed.is_empty(), "{path}");
    }
}

#[test]
fn the_maximum_age_is_told_with_1001() {
    for age in [2, 100] {
        at_any_hour(|make| {
            let limits = Limits { max_age: Some(seconds(age)), ..Limits::default() };
            let app = App::new().on_request(|_, request, _| match request.path() {
                "/events" => Reply::events(),
                _ => Reply::web_socket(),
            });
            let mut stage = make(limits, app);
            let mut ws = stage.web_socket("/");
            let (stream, _) = stage.events("/events");
            for _ in 0..age - 1 {
                stage.pass(seconds(1));
                ws.client.send(&Sent::pong(b""));
                stage.settle();
            }
            stage.pass(seconds(1) - MILLISECOND);
            assert!(stage.app().closed.is_empty());
            assert_eq!(ws.all_frames(), []);
            stage.pass(MILLISECOND);
            assert_eq!(code_of(&ws.all_frames()[0]), Some(1001));
            assert!(stream.is_finished());
            assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Age); 2]);
        });
    }
}

#[test]
fn the_applications_timer_comes_once_and_can_be_moved() {
    at_any_hour(|make| {
        let app = App::new()
            .on_opened(|peer| peer.wake_after(seconds(100)))
            .on_message(|peer, _| peer.wake_after(seconds(5)))
            .on_timer(|peer| peer.send("timer"));
        let mut stage = make(Limits::default(), app);
        let mut ws = stage.web_socket("/");
        stage.pass(seconds(1));
        ws.send("sooner");
        stage.settle();
        stage.pass(seconds(5) - MILLISECOND);
        assert_eq!(ws.all_frames(), []);
        stage.pass(MILLISECOND);
        assert_eq!(ws.all_frames(), texts(&["timer"]));
        stage.pass(seconds(20));
        assert_eq!(stage.app().timers, 1);
    });
}

#[test]
fn a_timer_that_always_asks_again_does_not_stop_the_loop() {
    let app = App::new().on_opened(|peer| peer.wake_after(Duration::ZERO)).on_timer(|peer| {
        peer.user.push('x');
        if peer.user.len() < 1_000 {
            peer.wake_after(Duration::ZERO);
        }
    });
    let mut stage = Stage::new(app);
    let client = stage.connect();
    client.send(upgrade("/").as_bytes());
    for _ in 0..10 {
        stage.turn();
    }
    assert!(stage.app().timers <= 10, "{} in ten turns", stage.app().timers);
}

#[test]
fn more_timers_than_one_turn_fires_all_come_once() {
    let app = App::new().on_opened(|peer| peer.wake_after(seconds(1))).on_timer(|peer| peer.send("timer"));
    let mut stage = Stage::with(Limits { events: 4, ..Limits::default() }, app);
    let clients: Vec<_> = (0..50).map(|_| stage.connect()).collect();
    clients.iter().for_each(|client| client.send(upgrade("/").as_bytes()));
    stage.settle();
    for turn in 1..=13 {
        let _ = stage.on.turn(None).unwrap();
        assert_eq!(stage.app().timers, (turn * 4).min(50));
        assert_eq!(stage.on.machine().now(), seconds(1), "no turn sleeps while a timer is due");
    }
    stage.pass(seconds(5));
    for client in clients {
        let mut ws = Ws::new(client);
        assert!(ws.skip_head());
        assert_eq!(ws.all_frames(), texts(&["timer"]));
    }
}

#[test]
fn a_timer_dies_with_its_peer_and_with_its_request() {
    let app = App::new().on_request(|peer, request, _| {
        peer.wake_after(seconds(1));
        match request.path() {
            "/page" => Reply::status(200),
            _ => Reply::web_socket(),
        }
    });
    let mut stage = Stage::new(app);
    let (page, _) = stage.ask(get("/page"));
    let ws = stage.web_socket("/");
    ws.client.finish();
    stage.settle();
    stage.pass(seconds(2));
    assert_eq!(stage.app().timers, 0);
    assert!(!page.is_closed());
}

#[test]
fn a_timer_of_one_request_does_not_wake_the_next() {
    let app = App::new().on_request(|peer, request, _| match request.path() {
        "/page" => {
            peer.wake_after(seconds(1));
            Reply::status(200)
        }
        _ => Reply::web_socket(),
    });
    let mut stage = Stage::new(app);
    let (client, _) = stage.ask(get("/page"));
    assert!(stage.ask_on(&client, upgrade("/socket")).starts_with("HTTP/1.1 101 "));
    stage.pass(seconds(2));
    assert_eq!(stage.app().timers, 0);
}

#[test]
fn every_connection_has_a_live_deadline() {
    // Whatever a peer has begun, an hour of silence ends it, unless it answers pings or we talk to it.
    let begun: &[(&str, Vec<u8>)] = &[
        ("nothing", vec![]),
        ("an empty line", b"\r\n".to_vec()),
        ("half a head", get("/")[..10].into()),
        ("a page", get("/page").into()),
        ("a page and half a head", [get("/page"), get("/page")[..9].into()].concat().into()),
        ("a body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx".to_vec()),
        ("chunks", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx".to_vec()),
        ("a later answer", get("/later").into()),
        ("a refusal", b"nonsense\r\n\r\n".to_vec()),
        ("a WebSocket", upgrade("/").into()),
        ("half a frame header", [upgrade("/").as_bytes(), &[0x81]].concat()),
        ("half a message", [upgrade("/").as_bytes(), &Sent::raw(0x01, b"x")].concat()),
        ("half a binary frame", [upgrade("/").as_bytes(), &Sent::raw(0x82, &[0; 60_000])[..40_000]].concat()),
        ("a fault", [upgrade("/").as_bytes(), &[0xff]].concat()),
        ("a Close", [upgrade("/").into_bytes(), Sent::close(None)].concat()),
    ];
    for (name, bytes) in begun {
        for window in [usize::MAX, 0, 10] {
            let app = App::new().on_request(|_, request, _| match request.path() {
                "/page" => Reply::status(200),
                "/later" => Reply::later(),
                _ => Reply::web_socket(),
            });
            let mut stage = Stage::new(app);
            let client = stage.connect();
            client.set_window(window);
            client.send(bytes);
            stage.settle();
            for _ in 0..360 {
                stage.pass(seconds(10));
            }
            assert!(client.is_closed(), "{name}, window {window}");
            assert_eq!((stage.on.stats().connections, stage.on.stats().pinned), (0, 0), "{name}, window {window}");
            assert_eq!(
                stage.app().opened.len().max(usize::from(*name == "a later answer")),
                stage.app().closed.len(),
                "{name}"
            );
        }
    }
}

#[test]
fn an_imaginary_poll_sleeps_exactly_until_the_next_deadline() {
    let mut stage = Stage::new(App::new());
    let mut ws = stage.web_socket("/");
    for _ in 0..20 {
        let _ = stage.on.turn(None).unwrap();
        if !ws.frames().is_empty() {
            break;
        }
    }
    let polls = stage.world.calls().polls;
    assert!(polls < 30, "{polls} polls for one ping");
}

#[test]
fn however_slow_the_turns_are_deadlines_fire() {
    let mut stage = Stage::new(App::new());
    let flood = stage.web_socket("/");
    let half = stage.connect();
    half.send(b"GET / HTTP/1.1\r\n");
    for _ in 0..8 {
        stage.world.pass(Duration::from_secs(2));
        flood.send(&[0; 100_000]);
        stage.turn();
    }
    assert!(text(&half).starts_with("HTTP/1.1 408 "));
}

/// "+…" goes on with a message of ours, "…" is echoed; everybody listens to "all".
fn in_pieces() -> App {
    App::new().on_opened(|peer| peer.subscribe("all")).on_message(|peer, message| {
        let text = str::from_utf8(message.as_bytes()).unwrap();
        match text.strip_prefix('+') {
            Some(rest) => peer.piece(rest, false),
            None => peer.send(text),
        }
    })
}

#[test]
fn what_is_held_back_is_no_stall_of_the_peers() {
    at_any_hour(|stage| {
        let mut stage = stage(Limits::default(), in_pieces());
        let mut ws = stage.web_socket("/");
        ws.send("+begun ");
        stage.settle();
        stage.on.with_hub(|hub| hub.publish("all", "waits for the end of the message"));
        for _ in 0..4 {
            stage.pass(seconds(10));
            ws.client.send(&Sent::pong(b""));
            stage.settle();
        }
        ws.frames();
        // Now something waits for the peer, and its clock begins.
        ws.client.set_window(10);
        ws.send(format!("+{}", "x".repeat(100)).as_str());
        stage.settle();
        stage.pass(seconds(30) - MILLISECOND);
        assert!(stage.app().closed.is_empty(), "{:?}", stage.app().whys());
        stage.pass(MILLISECOND);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::WriteStall)]);
    });
}

#[test]
fn a_message_that_we_do_not_read_is_not_too_slow() {
    let limits = Limits { send_queue: 10_000, receive: 1_000, ..Limits::default() };
    let mut stage = Stage::with(limits, App::new().on_opened(|peer| peer.subscribe("all")));
    let mut ws = stage.web_socket("/");
    ws.client.set_window(0);
    let message = Sent::message("y".repeat(3_000).as_str());
    ws.client.send(&message[..500]);
    stage.settle();
    stage.on.with_hub(|hub| (0..7).for_each(|_| hub.publish("all", "x".repeat(996).as_str())));
    stage.settle();
    // More than half the queue waits, so what comes now is left in the kernel for longer than a message may take.
    ws.client.send(&message[500..]);
    for _ in 0..80 {
        ws.client.set_window(80);
        stage.pass(seconds(1));
    }
    assert!(stage.app().messages.is_empty() && stage.app().closed.is_empty(), "{:?}", stage.app().whys());
    ws.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(stage.app().messages.len(), 1);
    assert_eq!(ws.frames().iter().filter(|frame| frame.payload.len() == 996).count(), 7);
}

#[test]
fn what_is_held_back_does_not_hold_back_the_ping() {
    let app = in_pieces().on_request(|_, _, _| Reply::web_socket().dropping());
    let mut stage = Stage::with(Limits { send_queue: 1_000, ..Limits::default() }, app);
    let mut ws = stage.web_socket("/");
    ws.send("+half");
    stage.settle();
    // What waits for the end of our message fills the queue.
    stage.on.with_hub(|hub| (0..3).for_each(|_| hub.publish("all", "x".repeat(600).as_str())));
    for _ in 0..10 {
        stage.pass(seconds(30));
        let pings = ws.frames().iter().filter(|frame| frame.opcode == Opcode::Ping).count();
        assert_eq!(pings, 1);
        ws.client.send(&Sent::pong(b""));
        stage.settle();
    }
    assert!(stage.app().closed.is_empty(), "{:?}", stage.app().whys());
    (0..51).for_each(|_| stage.pass(seconds(1)));
    assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Pong)]);
}

#[test]
fn a_month_in_which_nobody_came_confuses_nobody() {
    let mut stage = Stage::new(App::new());
    stage.settle();
    let day = seconds(24 * 3_600);
    for _ in 0..3 {
        let asleep = stage.world.now();
        let _ = stage.on.turn(None).expect("an imaginary poll does not fail");
        assert_eq!(stage.world.now() - asleep, day, "nothing keeps it awake, but moments must be comparable");
    }
    stage.world.pass(27 * day);
    let client = stage.connect();
    stage.settle();
    stage.pass(Limits::default().head_deadline);
    assert!(client.is_closed(), "it said nothing");
}

#[test]
fn what_is_begun_between_turns_begins_then() {
    at_any_hour(|stage| {
        let mut stage = stage(Limits::default(), App::new());
        // Nobody has turned it yet.
        let wall = stage.on.machine().wall().as_secs();
        assert_eq!(stage.on.with_hub(|hub| hub.unix_time()), wall);
        let mut ws = stage.web_socket("/");
        let id = stage.app().opened[0];
        stage.world.pass(2 * Limits::default().close);
        stage.on.with_hub(|hub| hub.close(id, CloseCode::NORMAL, ""));
        stage.settle();
        assert!(!ws.client.is_closed(), "it has had no time to answer");
        assert_eq!(ws.all_frames(), [closes(CloseCode::NORMAL, "")]);
        stage.pass(Limits::default().close);
        assert_eq!(stage.app().whys(), [Closed::Late(Deadline::Close)]);
    });
}

#[test]
fn a_stall_between_two_turns_is_one_whatever_was_done_meanwhile() {
    let app = App::new().on_opened(|peer| peer.wake_after(seconds(1)));
    let mut stage = Stage::with(Limits { events: 4, ..Limits::default() }, app);
    let all: Vec<Ws> = (0..9).map(|_| stage.web_socket("/")).collect();
    all.iter().for_each(|ws| ws.send("hello"));
    for _ in 0..10 {
        stage.world.pass(seconds(1));
        stage.on.with_hub(|hub| hub.unix_time());
    }
    stage.turn();
    assert_eq!((stage.app().messages.len(), stage.app().timers), (4, 0), "what has arrived is read first");
    stage.settle();
    assert_eq!((stage.app().messages.len(), stage.app().timers), (9, 9));
}
