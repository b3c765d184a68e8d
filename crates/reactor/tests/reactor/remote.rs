//! Reaching the loops from elsewhere: other threads, other loops, and the loop itself.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longwire_reactor::frame::{Message, Opcode};
use longwire_reactor::{CloseCode, Closed, Event, Full, Limits, PeerId, Remote, Reply, Server};

use crate::live::*;
use crate::stage::*;

/// Tells the test who came; `/later` waits, `/events` is a stream. Everybody listens to "all".
fn announcing(ids: Sender<PeerId>) -> App {
    let opened = ids.clone();
    App::new()
        .on_request(move |peer, request, _| {
            peer.subscribe("all");
            match request.path() {
                "/later" => {
                    ids.send(peer.id()).unwrap();
                    Reply::later()
                }
                "/events" => Reply::events(),
                _ => Reply::web_socket(),
            }
        })
        .on_opened(move |peer| opened.send(peer.id()).unwrap())
}

#[test]
fn from_another_thread_one_may_send_publish_answer_run_and_close() {
    let (ids, opened) = channel();
    let ids = Mutex::new(ids);
    let live = Live::start(move |_| announcing(ids.lock().unwrap().clone()));
    let mut ws = live.web_socket("/");
    let id = opened.recv_timeout(BOUND).unwrap();
    let mut later = live.connect();
    later.send(get("/later").as_bytes());
    let waiting = opened.recv_timeout(BOUND).unwrap();

    live.remote.send(id, "sent").unwrap();
    assert_eq!(ws.frames(1), texts(&["sent"]));
    live.remote.publish("all", Event::data("published")).unwrap();
    assert_eq!(ws.frames(1), texts(&["published"]));
    live.remote.answer(waiting, Reply::page("text/plain", &b"answered"[..])).unwrap();
    later.until(b"answered");
    let (tell, told) = channel();
    live.remote
        .run(id, move |hub| {
            hub.send_to(id, "run");
            tell.send(hub.stats().connections).unwrap();
        })
        .unwrap();
    assert_eq!(told.recv_timeout(BOUND).unwrap(), 2);
    assert_eq!(ws.frames(1), texts(&["run"]));
    live.remote.close(id, CloseCode::new(4_001).unwrap(), "closed");
    assert_eq!(ws.frames(1), [closes(CloseCode::new(4_001).unwrap(), "closed")]);
}

#[test]
fn a_callback_may_call_its_own_loop() {
    let server = Server::default();
    let remote = server.remote();
    let own = remote.clone();
    let mut stage = Stage::built(
        server,
        App::new().on_message(move |peer, message| {
            let id = peer.id();
            own.send(id, message).unwrap();
            own.run(id, move |hub| hub.send_to(id, "run")).unwrap();
            peer.send("first");
        }),
    );
    let mut ws = stage.web_socket("/");
    ws.send("second");
    stage.settle();
    assert_eq!(ws.all_frames(), texts(&["first", "second", "run"]));
}

#[test]
fn a_full_mailbox_says_so_and_close_and_drain_always_pass() {
    let server = Server::default().limits(Limits { remote: 3, ..Limits::default() });
    let remote = server.remote();
    let mut stage = Stage::built(server, App::new().on_opened(|peer| peer.subscribe("all")));
    let mut ws = stage.web_socket("/");
    let id = stage.app().opened[0];
    assert_eq!(remote.send(id, "1"), Ok(()));
    assert_eq!(remote.publish("all", "2"), Ok(()));
    assert_eq!(remote.run(id, move |hub| hub.send_to(id, "3")), Ok(()));
    assert_eq!(remote.send(id, "4"), Err(Full));
    assert_eq!(remote.publish("all", "4"), Err(Full));
    assert_eq!(remote.answer(id, Reply::status(200)), Err(Full));
    assert_eq!(remote.run(id, |_| unreachable!()).unwrap_err().to_string(), Full.to_string());
    remote.close(id, CloseCode::NORMAL, "closed");
    stage.settle();
    let frames = ws.all_frames();
    let mut sorted: Vec<String> =
        frames[..3].iter().map(|frame| String::from_utf8_lossy(&frame.payload).into()).collect();
    sorted.sort();
    assert_eq!(sorted, ["1", "2", "3"]);
    assert_eq!(frames[3], closes(CloseCode::NORMAL, "closed"));
    assert_eq!(remote.send(id, "there is room again, and nobody to send to"), Ok(()));
    ws.close(CloseCode::NORMAL);
    remote.drain();
    stage.settle();
    assert_eq!(stage.app().whys(), [Closed::ByUs]);
}

#[test]
fn commands_that_wait_are_bounded_in_bytes_too() {
    let server = Server::default().limits(Limits { remote_bytes: 4_096, ..Limits::default() });
    let remote = server.remote();
    let mut stage = Stage::built(server, App::new());
    let mut ws = stage.web_socket("/");
    let id = stage.app().opened[0];
    for _ in 0..2 {
        let taken = (0..100).take_while(|_| remote.send(id, &"x".repeat(100)).is_ok()).count();
        assert!((20..40).contains(&taken), "{taken} of 100 bytes and what goes with them");
        assert_eq!(remote.publish("all", ""), Err(Full));
        stage.settle();
        assert_eq!(ws.all_frames().len(), taken);
    }
    assert_eq!(remote.send(id, &"x".repeat(1 << 20)), Ok(()), "one that is larger than the bound is admitted alone");
    assert_eq!(remote.send(id, ""), Err(Full));
    stage.settle();
    assert_eq!(ws.all_frames()[0].payload.len(), 1 << 20);
}

#[test]
fn a_stale_close_takes_nothing_from_a_live_one() {
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(server, App::new());
    stage.web_socket("/").client.reset();
    stage.settle();
    let mut ws = stage.web_socket("/");
    let [stale, live] = stage.app().opened[..] else { panic!("two were opened") };
    remote.close(live, CloseCode::NORMAL, "meant");
    remote.close(stale, CloseCode::POLICY, "stale");
    stage.settle();
    assert_eq!(ws.all_frames(), [closes(CloseCode::NORMAL, "meant")]);
}

#[test]
fn a_burst_of_commands_wakes_the_loop_once() {
    let server = Server::default();
    let remote = server.remote();
    let mut stage = Stage::built(server, App::new());
    let mut ws = stage.web_socket("/");
    let id = stage.app().opened[0];
    for _ in 0..100 {
        remote.send(id, "x").unwrap();
    }
    assert_eq!(stage.settle().writes, 1);
    assert_eq!(ws.all_frames().len(), 100);
}

#[test]
fn a_remote_outlives_its_server_and_keeps_nothing_for_it() {
    let held = Arc::new(());
    let (remote, id) = {
        let server = Server::default().limits(Limits { remote: 2, ..Limits::default() });
        let remote = server.remote();
        let mut stage = Stage::built(server, App::new());
        stage.web_socket("/");
        let (id, own, kept) = (stage.app().opened[0], remote.clone(), held.clone());
        remote.run(id, move |_| drop((own, kept))).unwrap();
        (remote, id)
    };
    for _ in 0..10 {
        let kept = held.clone();
        remote.run(id, move |_| drop(kept)).unwrap();
        remote.publish("all", "nobody").unwrap();
        remote.close(id, CloseCode::NORMAL, "");
    }
    remote.drain();
    assert_eq!(Arc::strong_count(&held), 1);
}

/// What the loops of one server share in this test: who is where.
type Everybody = Arc<Mutex<Vec<PeerId>>>;

/// `whisper` goes to everybody by name, anything else is published.
fn crossing(everybody: &Everybody) -> App {
    let (joining, whispering) = (everybody.clone(), everybody.clone());
    App::new()
        .on_opened(move |peer| {
            peer.subscribe("all");
            joining.lock().unwrap().push(peer.id());
            peer.send("open");
        })
        .on_message(move |peer, message| match message {
            Message::Text("whisper") => {
                for id in whispering.lock().unwrap().iter() {
                    peer.send_to(*id, "whispered");
                }
            }
            message => peer.publish("all", message),
        })
}

#[test]
fn publications_and_whispers_cross_the_loops() {
    for threads in [2, 3] {
        let everybody = Everybody::default();
        let shared = everybody.clone();
        let live = Live::with(threads, |server| server, move |_| crossing(&shared));
        let mut sockets: Vec<Tcp> = (0..24).map(|_| live.web_socket("/")).collect();
        for tcp in &mut sockets {
            assert_eq!(tcp.frames(1), texts(&["open"]));
        }
        // Names of peers begin with their loop.
        let mut homes: Vec<String> =
            everybody.lock().unwrap().iter().map(|id| id.to_string().split('.').next().unwrap().into()).collect();
        homes.sort();
        homes.dedup();
        assert!(homes.len() > 1, "24 connections all on one loop of {threads}");
        for number in [0, 7, 23] {
            sockets[number].say("published");
            for tcp in &mut sockets {
                assert_eq!(tcp.frames(1), texts(&["published"]));
            }
            sockets[number].say("whisper");
            for tcp in &mut sockets {
                assert_eq!(tcp.frames(1), texts(&["whispered"]));
            }
        }
        live.remote.publish("all", &b"from outside"[..]).unwrap();
        for tcp in &mut sockets {
            assert_eq!(tcp.frames(1)[0].payload, b"from outside");
        }
        sockets.into_iter().for_each(Tcp::leave);
        live.stop();
    }
}

/// WebSockets on two loops: the first that came, and the first that is not at home with it.
fn apart(live: &Live, everybody: &Everybody) -> [Tcp; 2] {
    let home = |id: &PeerId| id.to_string().split('.').next().map(String::from);
    let mut first: Option<Tcp> = None;
    for _ in 0..1_000 {
        let mut tcp = live.web_socket("/");
        tcp.frames(1);
        let ids = everybody.lock().unwrap();
        match first.take() {
            Some(first) if home(&ids[0]) != home(ids.last().unwrap()) => return [first, tcp],
            earlier => first = earlier.or(Some(tcp)),
        }
    }
    panic!("all on one loop");
}

#[test]
fn what_a_turn_publishes_leaves_for_the_other_loops_when_it_becomes_much() {
    let everybody = Everybody::default();
    let shared = everybody.clone();
    let ((heard, hears), (end, ended)) = (channel(), channel());
    let hears = Arc::new(Mutex::new((hears, end)));
    let live = Live::with(
        2,
        |server| server.limits(Limits { cork: 4_096, ..Limits::default() }),
        move |_| {
            let hears = hears.clone();
            // Nobody else listens: on its own loop nothing waits for anybody.
            crossing(&shared).on_message(move |peer, message| {
                if message == Message::Text("join") {
                    peer.subscribe("much");
                    return peer.send("joined");
                }
                (0..100).for_each(|_| peer.publish("much", &"x".repeat(100)));
                // The turn goes on until somebody on the other loop has been served.
                let (hears, end) = &*hears.lock().unwrap();
                end.send(hears.recv_timeout(BOUND / 2)).unwrap();
            })
        },
    );
    let [mut publisher, mut other] = apart(&live, &everybody);
    other.say("join");
    assert_eq!(other.frames(1), texts(&["joined"]));
    publisher.say("go");
    assert_eq!(other.some_frames()[0].payload.len(), 100);
    heard.send(()).unwrap();
    assert_eq!(ended.recv_timeout(BOUND).unwrap(), Ok(()), "served before the turn had ended");
}

/// A loop, what reaches it from elsewhere, and so many who listen to "all".
fn listeners(limits: Limits, count: usize) -> (Remote, Stage, Vec<Ws>) {
    let server = Server::default().limits(limits);
    let remote = server.remote();
    let mut stage = Stage::built(server, App::new().on_opened(|peer| peer.subscribe("all")));
    let all = (0..count).map(|_| stage.web_socket("/")).collect();
    (remote, stage, all)
}

#[test]
fn what_is_sent_to_one_makes_only_that_one_hear_what_was_published_before() {
    let (remote, mut stage, mut all) = listeners(Limits::default(), 100);
    let one = stage.app().opened[0];
    for _ in 0..50 {
        remote.publish("all", "to all").unwrap();
        remote.send(one, "to one").unwrap();
    }
    let writes = stage.settle().writes;
    assert!((100..200).contains(&writes), "one for each of the others: {writes}");
    assert_eq!(all[0].all_frames(), texts(&["to all", "to one"].repeat(50)));
    assert_eq!(all[1].all_frames(), texts(&["to all"; 50]));
}

#[test]
fn what_is_said_from_elsewhere_has_no_more_of_a_turn_than_there_is_time_for() {
    let (remote, mut stage, mut all) = listeners(Limits { cork: 1_000, visit: 2_500, ..Limits::default() }, 150);
    let numbers: Vec<String> = (0..20).map(|number| format!("{number:0100}")).collect();
    numbers.iter().for_each(|number| remote.publish("all", number).unwrap());
    remote.close(stage.app().opened[0], CloseCode::NORMAL, "last");
    // Five are more than 64 times the cork, and 150 deliveries are the work of a turn.
    for end in [5, 10, 15, 20] {
        stage.turn();
        assert_eq!(all[1].frames(), texts(&numbers[end - 5..end].iter().map(String::as_str).collect::<Vec<_>>()));
        remote.publish("all", &end.to_string()).unwrap();
    }
    stage.settle();
    assert_eq!(all[1].all_frames(), texts(&["5", "10", "15", "20"]), "what was said meanwhile comes behind it");
    let first = all[0].all_frames();
    assert_eq!((first.len(), first.last()), (21, Some(&closes(CloseCode::NORMAL, "last"))));
}

#[test]
fn a_letter_that_takes_a_whole_turn_makes_nobody_deaf_to_what_is_said_meanwhile() {
    let (remote, mut stage, mut all) = listeners(Limits { cork: 100, visit: 100, ..Limits::default() }, 10);
    let said = ["one", "two", "three"].map(|word| format!("{word:100}"));
    remote.publish("all", &said[0]).unwrap();
    remote.publish("all", &said[1]).unwrap();
    stage.turn();
    remote.publish("all", &said[2]).unwrap();
    // The second letter is all that there is time for, so that the mailbox is not opened in the turn that hears of it.
    stage.turn();
    assert_eq!(all[0].all_frames(), texts(&[&*said[0], &*said[1]]));
    let now = stage.world.now();
    let _ = stage.on.turn(Some(Duration::from_secs(1))).expect("a turn");
    assert_eq!(stage.world.now(), now, "it does not sleep over it");
    assert_eq!(all[0].all_frames(), texts(&[&*said[2]]));
}

#[test]
fn what_was_said_before_a_server_is_stopped_is_heard_before() {
    let (remote, mut stage, mut all) = listeners(Limits { cork: 100, visit: 100, ..Limits::default() }, 10);
    let said: Vec<String> = (0..20).map(|number| format!("{number:100}")).collect();
    said.iter().for_each(|text| remote.publish("all", text).unwrap());
    remote.drain();
    stage.turn();
    remote.publish("all", "what is said afterwards is for nobody").unwrap();
    stage.settle();
    let last = closes(CloseCode::GOING_AWAY, "server is stopping");
    let expected: Vec<Frame> = said.iter().map(|text| whole(Opcode::Text, text)).chain([last]).collect();
    assert_eq!(all[0].all_frames(), expected);
    let (tell, told) = channel();
    all.iter().for_each(|ws| ws.client.reset());
    remote.run(stage.app().opened[0], move |_| tell.send(()).unwrap()).unwrap();
    stage.settle();
    assert!(stage.ended && told.recv_timeout(BOUND).is_ok());
}

#[test]
fn a_batch_from_another_loop_is_whole_and_in_order_in_however_many_turns_it_is_told() {
    let everybody = Everybody::default();
    let shared = everybody.clone();
    let tiny = |server: Server| server.limits(Limits { cork: 4_096, visit: 1, ..Limits::default() });
    let live = Live::with(2, tiny, move |_| {
        crossing(&shared).on_message(|peer, message| {
            if message == Message::Text("join") {
                peer.subscribe("much");
                return peer.send("joined");
            }
            (0..500).for_each(|number| peer.publish("much", &format!("{number:0100}")));
        })
    });
    let [mut publisher, mut other] = apart(&live, &everybody);
    other.say("join");
    assert_eq!(other.frames(1), texts(&["joined"]));
    publisher.say("go");
    let numbers: Vec<String> = (0..500).map(|number| format!("{number:0100}")).collect();
    assert_eq!(other.frames(500), texts(&numbers.iter().map(String::as_str).collect::<Vec<_>>()));
}

#[test]
fn publications_that_another_loop_has_no_room_for_are_counted() {
    let everybody = Everybody::default();
    let shared = everybody.clone();
    let (dropped, drops) = channel();
    let dropped = Mutex::new(dropped);
    let set = |server: Server| server.limits(Limits { remote: 0, ..Limits::default() });
    let live = Live::with(2, set, move |_| {
        let dropped = dropped.lock().unwrap().clone();
        crossing(&shared)
            .on_message(|peer, message| (0..3).for_each(|_| peer.publish("all", message)))
            .on_closed(move |hub, _, _, _| dropped.send(hub.stats().dropped).unwrap())
    });
    let mut publisher = live.web_socket("/");
    publisher.frames(1);
    publisher.say("published");
    assert_eq!(publisher.frames(3), texts(&["published"; 3]));
    publisher.leave();
    assert_eq!(drops.recv_timeout(BOUND).unwrap(), 3);
}

#[test]
fn later_answers_cross_the_loops() {
    let waiting: Everybody = Everybody::default();
    let shared = waiting.clone();
    let live = Live::with(
        2,
        |server| server,
        move |_| {
            let waiting = shared.clone();
            App::new().on_request(move |peer, request, _| {
                let mut waiting = waiting.lock().unwrap();
                if request.path() == "/give" {
                    for id in waiting.drain(..) {
                        peer.answer_to(id, Reply::page("text/plain", &b"given"[..]));
                    }
                    return Reply::status(200);
                }
                waiting.push(peer.id());
                Reply::later()
            })
        },
    );
    let mut clients: Vec<Tcp> = (0..12).map(|_| live.connect()).collect();
    for tcp in &mut clients {
        tcp.send(get("/later").as_bytes());
    }
    // Every client's request is there before the one that answers: each connection is asked until all wait.
    let begun = std::time::Instant::now();
    while waiting.lock().unwrap().len() < clients.len() {
        assert!(begun.elapsed() < BOUND);
        std::thread::yield_now();
    }
    let mut giver = live.connect();
    giver.send(get("/give").as_bytes());
    giver.head();
    for tcp in &mut clients {
        tcp.until(b"given");
    }
}

#[test]
fn a_hub_closes_peers_of_every_loop() {
    let everybody = Everybody::default();
    let shared = everybody.clone();
    let live = Live::with(2, |server| server, move |_| crossing(&shared));
    let mut sockets: Vec<Tcp> = (0..24).map(|_| live.web_socket("/")).collect();
    for tcp in &mut sockets {
        assert_eq!(tcp.frames(1), texts(&["open"]));
    }
    let all = everybody.lock().unwrap().clone();
    let code = CloseCode::new(4_001).unwrap();
    live.remote.run(all[0], move |hub| all.iter().for_each(|id| hub.close(*id, code, "everybody goes"))).unwrap();
    for mut tcp in sockets {
        assert_eq!(tcp.frames(1), [closes(code, "everybody goes")]);
        tcp.send(&Sent::close(None));
        assert!(tcp.rest().is_empty());
    }
    live.stop();
}

#[test]
fn the_tick_runs_on_the_first_loop_only() {
    let (ticks, ticked) = channel();
    let ticks = Mutex::new(ticks);
    let set = |server: Server| server.tick(Duration::from_millis(1));
    let live = Live::with(3, set, move |number| {
        let ticks = ticks.lock().unwrap().clone();
        App::new().on_tick(move |_| {
            // Nobody listens any more when the server is on its way down.
            let _ = ticks.send(number);
        })
    });
    let numbers: Vec<usize> = (0..5).map(|_| ticked.recv_timeout(BOUND).unwrap()).collect();
    assert_eq!(numbers, [0; 5]);
    live.stop();
}

#[test]
fn what_one_thread_says_keeps_its_order_whether_or_not_it_meets_one_turn() {
    for together in [false, true] {
        let (ids, opened) = channel();
        let server = Server::default();
        let remote = server.remote();
        let mut stage = Stage::built(server, announcing(ids));
        let then = |stage: &mut Stage| {
            if !together {
                stage.settle();
            }
        };

        let (client, _) = stage.ask(get("/later"));
        let id = opened.try_recv().unwrap();
        remote.answer(id, Reply::events()).unwrap();
        then(&mut stage);
        remote.send(id, Event::data("first")).unwrap();
        then(&mut stage);
        remote.publish("all", Event::data("second")).unwrap();
        then(&mut stage);
        remote.send(id, Event::data("third")).unwrap();
        stage.settle();
        let answer = text(&client);
        let events = answer.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(events, "data: first\n\ndata: second\n\ndata: third\n\n", "together: {together}");
        assert_eq!(opened.try_recv(), Ok(id));

        let mut ws = stage.web_socket("/");
        let id = opened.try_recv().unwrap();
        remote.publish("all", "1").unwrap();
        then(&mut stage);
        remote.send(id, "2").unwrap();
        then(&mut stage);
        remote.close(id, CloseCode::NORMAL, "first");
        then(&mut stage);
        remote.close(id, CloseCode::POLICY, "second");
        stage.settle();
        let said = [Message::Text("1"), Message::Text("2")].map(|message| message.as_bytes().to_vec());
        let frames = ws.all_frames();
        assert_eq!(frames.iter().take(2).map(|frame| frame.payload.clone()).collect::<Vec<_>>(), said);
        assert_eq!(frames[2..], [closes(CloseCode::NORMAL, "first")], "together: {together}");

        let (client, _) = stage.ask(get("/later"));
        let id = opened.try_recv().unwrap();
        remote.answer(id, Reply::text("the answer")).unwrap();
        then(&mut stage);
        remote.close(id, CloseCode::NORMAL, "");
        stage.settle();
        assert!(text(&client).ends_with("\r\n\r\nthe answer"), "together: {together}");
    }
}
