//! Topics: one publication for every transport, in the order of the calls, in one write for each subscriber and turn.

use longwire_reactor::frame::{Message, Opcode};
use longwire_reactor::{Event, Id, Limits, Publication, Reply};

use crate::stage::*;

/// `/events` is a stream, anything else a WebSocket; both listen to "all" and to the topics in the query.
fn room() -> App {
    App::new()
        .on_request(|peer, request, _| {
            peer.subscribe("all");
            if let Some(topics) = request.query("topics") {
                topics.split(' ').for_each(|topic| peer.subscribe(topic));
            }
            match request.path() {
                "/events" => Reply::events(),
                "/page" => Reply::status(200),
                _ => Reply::web_socket(),
            }
        })
        .on_message(|peer, message| {
            let Message::Text(text) = message else { return };
            for act in text.split(';') {
                match act.split_once(' ').unwrap_or((act, "")) {
                    ("own", text) => peer.send(text),
                    ("all", text) => peer.publish("all", text),
                    ("others", text) => peer.publish_to_others("all", text),
                    ("topic", text) => peer.publish(text, text),
                    ("join", topic) => peer.subscribe(topic),
                    ("leave", topic) => peer.unsubscribe(topic),
                    ("count", topic) => {
                        let count = peer.subscribers(topic).to_string();
                        peer.send(&count);
                    }
                    _ => unreachable!("{act}"),
                }
            }
        })
}

#[test]
fn each_transport_gets_its_form() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/");
    let (stream, _) = stage.events("/events");
    stage.on.with_hub(|hub| {
        hub.publish("all", "text\nin lines");
        hub.publish("all", &[0u8, 255, 16][..]);
        hub.publish("all", Event::data("event").id(Id::new("9").unwrap()));
        hub.publish("all", Publication::both("for sockets", Event::data("for streams")));
    });
    assert_eq!(
        ws.all_frames(),
        [
            whole(Opcode::Text, "text\nin lines"),
            whole(Opcode::Binary, [0, 255, 16]),
            whole(Opcode::Text, "event"),
            whole(Opcode::Text, "for sockets"),
        ]
    );
    assert_eq!(
        text(&stream),
        "data: text\ndata: in lines\n\nevent: binary\ndata: AP8Q\n\nid: 9\ndata: event\n\ndata: for streams\n\n"
    );
}

#[test]
fn an_event_without_data_is_nothing_to_a_web_socket_not_even_a_write() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/");
    let before = stage.world.calls();
    stage.on.with_hub(|hub| hub.publish("all", Event::id_only(Id::new("9").unwrap())));
    assert_eq!(ws.all_frames(), []);
    assert_eq!(stage.world.calls().writes, before.writes);
}

#[test]
fn a_turns_publications_are_one_write_for_each_subscriber() {
    let mut stage = Stage::new(room());
    let sender = stage.web_socket("/");
    let mut sockets: Vec<Ws> = (0..5).map(|_| stage.web_socket("/?topics=other")).collect();
    let (stream, _) = stage.events("/events");
    for number in 0..10 {
        sender.send(format!("all {number};topic other;all {number}").as_str());
    }
    // Six own subscribers of "all", and the sender.
    assert_eq!(stage.settle().writes, 7);
    for ws in &mut sockets {
        let frames = ws.all_frames();
        assert_eq!(frames.len(), 30);
        assert_eq!(frames[..4], texts(&["0", "other", "0", "1"]));
    }
    assert_eq!(text(&stream).matches("data: ").count(), 20);
}

#[test]
fn own_replies_come_first_then_publications_in_the_order_of_the_calls() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/?topics=a+b");
    ws.send("topic b;own 1;topic a;all 2;own 3;topic b");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["1", "3", "b", "a", "2", "b"]));
}

#[test]
fn publish_to_others_leaves_out_the_publisher_only() {
    let mut stage = Stage::new(room());
    let (mut one, mut two) = (stage.web_socket("/"), stage.web_socket("/"));
    one.send("all a;others b;all c;others d;others e;all f");
    stage.settle();
    assert_eq!(one.all_frames(), texts(&["a", "c", "f"]));
    assert_eq!(two.all_frames(), texts(&["a", "b", "c", "d", "e", "f"]));
}

#[test]
fn what_a_turn_publishes_beyond_the_cork_leaves_before_its_end_once_and_in_order() {
    let mut stage = Stage::with(Limits { cork: 4_096, ..Limits::default() }, room());
    let (mut ws, mut other) = (stage.web_socket("/?topics=a"), stage.web_socket("/"));
    let (stream, _) = stage.events("/events");
    let names: Vec<String> = (0..1_000).map(|number| format!("{number:>50}")).collect();
    let early = stage.on.with_hub(|hub| {
        for (number, name) in names.iter().enumerate() {
            hub.publish(if number % 10 == 0 { "a" } else { "all" }, name);
        }
        ws.frames()
    });
    assert!((900..1_000).contains(&early.len()), "{} before the end", early.len());
    let expected: Vec<Frame> = names.iter().map(|name| whole(Opcode::Text, name)).collect();
    assert_eq!([early, ws.all_frames()].concat(), expected);
    let not_of_a = |(number, frame): (usize, Frame)| (number % 10 != 0).then_some(frame);
    let expected: Vec<Frame> = expected.into_iter().enumerate().filter_map(not_of_a).collect();
    assert_eq!(other.all_frames(), expected);
    let event = |frame: &Frame| format!("data: {}\n\n", String::from_utf8_lossy(&frame.payload));
    assert!(text(&stream) == expected.iter().map(event).collect::<String>());
}

#[test]
fn however_many_topics_a_turn_publishes_to_what_waits_is_bounded_in_all() {
    let mut stage = Stage::with(Limits { cork: 4_000, ..Limits::default() }, room());
    let topics: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let mut ws = stage.web_socket(&format!("/?topics={}", topics[..99].join("+")));
    let early = stage.on.with_hub(|hub| {
        topics[..99].iter().for_each(|topic| hub.publish(topic, &"x".repeat(100)));
        ws.frames().len()
    });
    // A few dozen of some 130 bytes each are 4,000, whosesoever they are.
    assert!((60..99).contains(&early), "{early} before the end");
    assert_eq!(early + ws.all_frames().len(), 99);
}

#[test]
fn what_is_said_to_many_leaves_sooner_and_who_says_it_waits() {
    let mut stage = Stage::with(Limits { cork: 1_000, visit: 100_000, ..Limits::default() }, room());
    let sender = stage.web_socket("/");
    let mut many: Vec<Ws> = (0..149).map(|_| stage.web_socket("/")).collect();
    let message = format!("all {}", "x".repeat(100));
    sender.client.send(&Sent::message(message.as_str()).repeat(10));
    // With the fifth, 150 listeners are owed more than 64 times what is collected; and 150 writes are enough for a visit.
    let heard = |many: &mut [Ws]| many.iter_mut().map(|ws| ws.frames().len()).collect::<Vec<_>>();
    let writes = |stage: &mut Stage| {
        let before = stage.world.calls().writes;
        stage.turn();
        stage.world.calls().writes - before
    };
    assert_eq!(writes(&mut stage), 150);
    assert_eq!(heard(&mut many), [5; 149]);
    assert_eq!(writes(&mut stage), 150);
    assert_eq!(heard(&mut many), [5; 149]);
    assert_eq!(stage.settle().writes, 0);
}

#[test]
fn to_see_that_listeners_are_owed_nothing_is_work_too() {
    let mut stage = Stage::with(
        Limits { cork: 1_000, visit: 10_000, ..Limits::default() },
        App::new().on_opened(|peer| peer.subscribe("all")).on_message(|peer, _| {
            // To a WebSocket it is nothing.
            peer.publish("all", Event::default());
        }),
    );
    let mut all: Vec<Ws> = (0..100).map(|_| stage.web_socket("/")).collect();
    all[0].client.send(&Sent::message("").repeat(1_000));
    stage.turn();
    let told = stage.app().messages.len();
    assert!(
        (20..60).contains(&told),
        "until what is noted of them is a thousand bytes, and a hundred were looked after: {told}"
    );
    // Nothing is read or written meanwhile.
    (0..50).for_each(|_| stage.turn());
    assert_eq!(stage.app().messages.len(), 1_000);
    assert!(all[1].frames().is_empty());
}

#[test]
fn more_parts_than_the_kernel_takes_are_one_write_all_the_same() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/?topics=other");
    let before = stage.world.calls().writes;
    stage.on.with_hub(|hub| {
        for _ in 0..1_000 {
            hub.publish("all", "a");
            hub.publish("other", "b");
        }
    });
    assert_eq!(stage.world.calls().writes - before, 1);
    assert_eq!(ws.all_frames(), texts(&["a", "b"].repeat(1_000)));
}

#[test]
fn beyond_the_cork_publish_to_others_leaves_out_the_publisher_only() {
    for cork in [1, 64, 300] {
        let mut stage = Stage::with(Limits { cork, ..Limits::default() }, room());
        let (mut one, mut two) = (stage.web_socket("/"), stage.web_socket("/"));
        let names: Vec<String> = (0..300).map(|number| number.to_string()).collect();
        let is_others = |number: usize| number.is_multiple_of(3) || (100..200).contains(&number);
        let act = |(number, name)| format!("{} {name}", if is_others(number) { "others" } else { "all" });
        one.send(names.iter().enumerate().map(act).collect::<Vec<_>>().join(";").as_str());
        stage.settle();
        let all = names.iter().map(|name| whole(Opcode::Text, name));
        let own = all.clone().enumerate().filter_map(|(number, frame)| (!is_others(number)).then_some(frame));
        assert_eq!(one.all_frames(), own.collect::<Vec<_>>(), "cork {cork}");
        assert_eq!(two.all_frames(), all.collect::<Vec<_>>(), "cork {cork}");
    }
}

#[test]
fn who_joins_behind_what_left_in_mid_turn_gets_what_follows() {
    for cork in [1, 64, 4_096] {
        let mut stage = Stage::with(Limits { cork, ..Limits::default() }, room());
        let (mut one, mut two) = (stage.web_socket("/"), stage.web_socket("/?topics=x"));
        one.send("topic x;topic x;join x;topic x;all 1;leave x;topic x;all 2;topic x");
        stage.settle();
        assert_eq!(one.all_frames(), texts(&["x", "1", "2"]), "cork {cork}");
        assert_eq!(two.all_frames(), texts(&["x", "x", "x", "1", "x", "2", "x"]), "cork {cork}");
    }
}

#[test]
fn a_subscription_begins_and_ends_with_its_call() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/");
    ws.send("topic x;join x;topic x;own in;leave x;topic x;own out;join x;join x;topic x");
    stage.settle();
    let frames = ws.all_frames();
    assert_eq!(frames.iter().filter(|frame| **frame == texts(&["x"])[0]).count(), 2, "{frames:?}");
    ws.send("count x;leave x;count x;leave x;leave never;count never");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["1", "0", "0"]));
}

#[test]
fn leaving_one_topic_repeats_nothing_of_another() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/?topics=a+b");
    ws.send("topic a;topic b;leave a;topic a;topic b");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["a", "b", "b"]));
}

#[test]
fn publications_come_before_what_is_sent_after_leaving() {
    let mut stage = Stage::new(room());
    let mut ws = stage.web_socket("/?topics=a");
    ws.send("topic a;leave a;own later");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["a", "later"]));
}

#[test]
fn a_subscription_asked_for_in_request_needs_a_101_or_a_stream() {
    let mut stage = Stage::new(room());
    let counts = |stage: &mut Stage| stage.on.with_hub(|hub| (hub.subscribers("all"), hub.subscribers("x")));
    let (page, _) = stage.ask(get("/page?topics=x"));
    assert_eq!(counts(&mut stage), (0, 0));
    stage.ask(upgrade("/?topics=x").replace("13", "99"));
    assert_eq!(counts(&mut stage), (0, 0));
    assert!(stage.ask_on(&page, upgrade("/")).starts_with("HTTP/1.1 101 "));
    assert_eq!(counts(&mut stage), (1, 0), "what the page's request wanted is forgotten");
    let (stream, _) = stage.events("/events?topics=x");
    assert_eq!(counts(&mut stage), (2, 1));
    page.finish();
    stream.finish();
    stage.settle();
    assert_eq!(counts(&mut stage), (0, 0));
}

#[test]
fn a_connection_has_at_most_so_many_topics() {
    let mut stage = Stage::with(Limits { topics: 3, ..Limits::default() }, room());
    let mut ws = stage.web_socket("/?topics=a+b+c+d");
    ws.send("count all;count a;count b;count c;join c;count c;leave a;join c;count c");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["1", "1", "1", "0", "0", "1"]));
    ws.client.finish();
    stage.settle();
    assert_eq!(stage.on.stats().pinned, 0);
}

#[test]
fn publications_wait_behind_a_queue_in_order() {
    let mut stage = Stage::new(room());
    let (mut slow, mut quick) = (stage.web_socket("/"), stage.web_socket("/"));
    slow.client.set_window(5);
    quick.send("all one");
    stage.settle();
    slow.send("own two;all three");
    stage.settle();
    quick.send("all four");
    stage.settle();
    slow.client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(slow.all_frames(), texts(&["one", "two", "three", "four"]));
    assert_eq!(quick.all_frames(), texts(&["one", "three", "four"]));
}

#[test]
fn one_that_went_in_the_turn_of_a_publication_disturbs_nobody() {
    let mut stage = Stage::new(room());
    let mut sockets: Vec<Ws> = (0..10).map(|_| stage.web_socket("/")).collect();
    sockets[0].send("all hello");
    sockets[1].client.finish();
    sockets[5].client.reset();
    sockets[9].client.send(&[0xff]);
    stage.settle();
    for (number, ws) in sockets.iter_mut().enumerate() {
        if ![1, 5, 9].contains(&number) {
            assert_eq!(ws.all_frames(), texts(&["hello"]), "{number}");
        }
    }
}

#[test]
fn closed_can_tell_those_who_are_left() {
    let app = room().on_closed(|hub, _, _, why| hub.publish("all", &format!("{why:?}")));
    let mut stage = Stage::new(app);
    let (mut one, two) = (stage.web_socket("/"), stage.web_socket("/"));
    two.client.finish();
    stage.settle();
    assert_eq!(one.all_frames(), texts(&["Gone"]));
}

#[test]
fn a_topic_without_listeners_costs_nothing() {
    let mut stage = Stage::new(room());
    for number in 0..10_000 {
        stage.on.with_hub(|hub| hub.publish(&number.to_string(), "nobody listens"));
    }
    assert_eq!((stage.on.stats().published, stage.on.stats().pinned), (10_000, 0));
}

#[test]
fn a_request_may_name_a_topic_twice_and_what_is_beyond_the_limit_is_counted() {
    let app = App::new().on_request(|peer, _, _| {
        ["a", "a", "b", "c"].into_iter().for_each(|topic| peer.subscribe(topic));
        Reply::web_socket()
    });
    let mut stage = Stage::with(Limits { topics: 2, ..Limits::default() }, app);
    let mut ws = stage.web_socket("/");
    stage.on.with_hub(|hub| ["a", "b", "c"].into_iter().for_each(|topic| hub.publish(topic, topic)));
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["a", "b"]));
    assert_eq!(stage.on.stats().dropped, 1);
}
