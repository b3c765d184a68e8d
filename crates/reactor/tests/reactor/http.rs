//! Plain requests: keep-alive and pipelining, answers of any size under a small window, and the clock of a request.

use std::time::Duration;

use longwire_reactor::{FieldValue, Limits, Reply};

use crate::stage::*;

/// `/big` is 300,000 bytes, `/none` is 204, `/missing` 404, `/text` a line, `/target` the target; any other path is its own answer, with the query's name and the body.
pub(crate) fn pages() -> App {
    App::new().on_request(|_, request, body| match request.path() {
        "/big" => Reply::page("text/plain", vec![b'b'; 300_000]),
        "/none" => Reply::status(204),
        "/text" => Reply::text("hällo\n"),
        "/target" | "/target/" => Reply::text(request.target().to_owned()).with_status(201),
        "/missing" => Reply::status(404),
        "/field" => Reply::page("text/plain", &b"x"[..]).field("X-More", FieldValue::literal("yes")),
        path => {
            let name = request.query("name").unwrap_or_default();
            let body = format!("{} {path} {name}|{}", request.method(), String::from_utf8_lossy(body));
            Reply::page("text/plain", body.into_bytes())
        }
    })
}

/// Cuts answers apart by their length: status, head and body of each.
pub(crate) fn answers(mut received: &str, head_only: bool) -> Vec<(u16, String, String)> {
    let mut all = Vec::new();
    while !received.is_empty() {
        let (head, rest) = received.split_once("\r\n\r\n").expect("a whole head");
        let status = head.strip_prefix("HTTP/1.1 ").expect("a status line")[..3].parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = if head_only { 0 } else { length.map_or(0, |length| length.parse().unwrap()) };
        all.push((status, head.to_owned(), rest[..length].to_owned()));
        received = &rest[length..];
    }
    all
}

#[test]
fn a_page_has_a_date_a_type_and_a_length_and_the_connection_stays() {
    let mut stage = Stage::new(pages());
    let (client, answer) = stage.ask(get("/a?name=b+c"));
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n\
         GET /a b c|"
    );
    stage.pass(Duration::from_secs(60));
    assert!(stage.ask_on(&client, get("/again")).contains("Date: Thu, 01 Jan 2026 00:01:00 GMT\r\n"));
    assert!(!client.is_finished());
}

#[test]
fn a_date_is_of_the_second_in_which_it_is_sent() {
    let mut stage = Stage::new(pages());
    let (client, _) = stage.ask(get("/"));
    // The world begins at 0.6 s. A wall clock that was read late in one second and early in the next would say the same twice.
    for (after, date) in
        [(300, "00:00:00"), (110, "00:00:01"), (980, "00:00:01"), (20, "00:00:02"), (1_990, "00:00:04")]
    {
        stage.pass(Duration::from_millis(after));
        let answer = stage.ask_on(&client, get("/"));
        assert!(answer.contains(&format!("Date: Thu, 01 Jan 2026 {date} GMT\r\n")), "{date}: {answer}");
    }
    assert!(!client.is_finished());
}

#[test]
fn text_is_plain_and_utf_8_whether_it_is_borrowed_or_owned() {
    let mut stage = Stage::new(pages());
    let (client, answer) = stage.ask(get("/text"));
    assert!(answer.contains("Content-Type: text/plain; charset=utf-8\r\nContent-Length: 7\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhällo\n"), "{answer}");
    let answer = stage.ask_on(&client, get("/target"));
    assert!(
        answer.starts_with("HTTP/1.1 201 ") && answer.contains("charset=utf-8\r\nContent-Length: 7\r\n"),
        "{answer}"
    );
}

#[test]
fn the_target_is_what_was_sent() {
    let mut stage = Stage::new(pages());
    let (client, _) = stage.ask(get("/target"));
    for target in [
        "/target",
        "/target?",
        "/target?a=%20b&c?d",
        "/target/?",
        "HTTP://LocalHost:80/target?a",
        "https://localhost/target",
    ] {
        let answer = stage.ask_on(&client, get(target));
        assert!(answer.ends_with(&format!("\r\n\r\n{target}")), "{answer}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order_in_one_write() {
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    let paths: Vec<String> = (0..16).map(|number| format!("/{number}")).collect();
    client.send(paths.iter().map(|path| get(path)).collect::<String>().as_bytes());
    let calls = stage.settle();
    assert_eq!((calls.reads, calls.writes), (1, 1));
    let bodies: Vec<String> = answers(&text(&client), false).into_iter().map(|(_, _, body)| body).collect();
    assert_eq!(bodies, paths.iter().map(|path| format!("GET {path} |")).collect::<Vec<_>>());
}

#[test]
fn requests_arrive_the_same_at_every_split() {
    let bytes = [get("/a"), get("/missing"), get("/none"), get("/b?name=%41")].concat();
    let whole = Stage::new(pages()).ask(&bytes).1;
    assert_eq!(answers(&whole, false).len(), 4);
    for at in 1..bytes.len() {
        let mut stage = Stage::new(pages());
        let (client, first) = stage.ask(&bytes[..at]);
        assert_eq!(first + &stage.ask_on(&client, &bytes[at..]), whole, "split at {at}");
    }
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    let all: String = bytes.chars().map(|byte| stage.ask_on(&client, byte.to_string())).collect();
    assert_eq!(all, whole);
}

#[test]
fn head_is_answered_like_get_without_the_body() {
    let mut stage = Stage::new(pages());
    for path in ["/a", "/big", "/missing"] {
        let (_, got) = stage.ask(get(path));
        let (client, answer) = stage.ask(get(path).replace("GET", "HEAD"));
        let (head, _) = got.split_once("\r\n\r\n").unwrap();
        let length = |head: &str| head.lines().find(|line| line.starts_with("Content-Length")).map(String::from);
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        if path != "/a" {
            assert_eq!(length(&answer), length(head));
        }
        assert!(
            stage.ask_on(&client, get("/next")).starts_with("HTTP/1.1 200 "),
            "the next answer stands where it should"
        );
    }
}

#[test]
fn refusals_to_head_have_no_body_either() {
    let mut stage = Stage::new(App::new());
    let (_, answer) = stage.ask(upgrade("/").replace("GET", "HEAD"));
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn not_even_where_the_head_was_not_understood() {
    for (request, status) in [
        ("HEAD /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("\r\nHEAD /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("\r\nHEAD / HTTP/1.1\r\n\r\n", 400),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400),
        ("HEAD / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
    ] {
        for split in 0..request.len() - 1 {
            let mut stage = Stage::new(pages());
            let (client, first) = stage.ask(&request[..split]);
            let answer = first + &stage.ask_on(&client, &request[split..]);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?} at {split}: {answer}");
            assert!(answer.ends_with("\r\n\r\n"), "{request:?} at {split}: {answer}");
            assert!(client.is_finished());
        }
    }
}

#[test]
fn statuses_and_fields_are_said() {
    let mut stage = Stage::new(pages());
    let (_, answer) = stage.ask(get("/missing"));
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n") && answer.ends_with("\r\n\r\n404 Not Found\n"));
    let (_, answer) = stage.ask(get("/none"));
    assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n") && !answer.contains("Content-"), "{answer}");
    let (_, answer) = stage.ask(get("/field"));
    assert!(answer.contains("\r\nX-More: yes\r\n"));
}

#[test]
fn connection_close_and_http_1_0_are_the_last() {
    for (request, said) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "Connection: close\r\n"),
        ("GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n"),
        ("GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Connection: close\r\n"),
    ] {
        let mut stage = Stage::new(pages());
        let (client, answer) = stage.ask([request, &get("/never")].concat());
        assert_eq!(answers(&answer, false).len(), 1, "{answer}");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(said), "{answer}");
        assert!(client.is_finished());
    }
    let mut stage = Stage::new(pages());
    let (client, answer) = stage.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(answer.contains("Connection: keep-alive\r\n") && !client.is_finished(), "{answer}");
    assert!(stage.ask_on(&client, get("/next")).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_large_page_leaves_under_any_window_and_what_is_behind_it_waits() {
    for window in [1_000, 65_536, 299_999, 1 << 20] {
        let mut stage = Stage::new(pages());
        let client = stage.connect();
        client.set_window(window);
        client.send([get("/big"), get("/second"), get("/big"), get("/last")].concat().as_bytes());
        let mut received = String::new();
        for _ in 0..2_000 {
            stage.settle();
            received.push_str(&text(&client));
            client.set_window(window);
        }
        let answers = answers(&received, false);
        let lengths: Vec<usize> = answers.iter().map(|(_, _, body)| body.len()).collect();
        assert_eq!(lengths, [300_000, 13, 300_000, 11], "window {window}");
        assert_eq!(stage.on.stats().pinned, 0);
    }
}

#[test]
fn a_large_page_stands_behind_all_that_waits_however_many_blocks_that_are() {
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    client.set_window(0);
    for _ in 0..150 {
        client.send(get("/small").as_bytes());
        stage.settle();
    }
    client.send([get("/big"), get("/last")].concat().as_bytes());
    stage.settle();
    client.set_window(usize::MAX);
    stage.settle();
    let received = text(&client);
    let lengths: Vec<usize> = answers(&received, false).iter().map(|(_, _, body)| body.len()).collect();
    assert_eq!(lengths, [[12].repeat(150), vec![300_000, 11]].concat());
}

#[test]
fn a_page_that_does_not_leave_pauses_its_reader() {
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    client.set_window(1_000);
    client.send(get("/big").repeat(50).as_bytes());
    for _ in 0..20 {
        client.send(get("/big").repeat(1_000).as_bytes());
        stage.settle();
    }
    // One page and one buffer of input, not one page for each request.
    assert!(stage.on.stats().pinned < 600_000, "{}", stage.on.stats().pinned);
    assert_eq!(stage.on.stats().requests, 1);
}

#[test]
fn a_half_closed_client_still_gets_its_answers() {
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    client.set_window(1_000);
    client.send([get("/big"), get("/last")].concat().as_bytes());
    client.finish();
    stage.settle();
    client.set_window(usize::MAX);
    stage.settle();
    let answers = answers(&text(&client), false);
    assert_eq!(answers.iter().map(|(_, _, body)| body.len()).collect::<Vec<_>>(), [300_000, 11]);
    assert!(client.is_closed());
    let (client, answer) = stage.ask("GET / HTTP/1.1\r\nHos");
    client.finish();
    stage.settle();
    assert!(answer.is_empty() && client.is_closed(), "half a request never will be one");
}

#[test]
fn a_head_too_slow_is_answered_with_408_and_a_silent_client_with_nothing() {
    let mut stage = Stage::new(pages());
    let (slow, silent) = (stage.connect(), stage.connect());
    stage.settle();
    for byte in get("/").bytes().take(9) {
        slow.send(&[byte]);
        stage.pass(Duration::from_millis(1_100));
    }
    assert!(slow.receive().is_empty() && !silent.is_closed());
    slow.send(b"x");
    stage.pass(Duration::from_millis(100));
    assert!(text(&slow).starts_with("HTTP/1.1 408 "), "the deadline is absolute");
    assert!(slow.is_finished());
    assert!(silent.is_closed() && silent.receive().is_empty());
    stage.pass(Duration::from_secs(3));
    assert_eq!(stage.on.stats().connections, 0);
}

#[test]
fn the_second_heads_deadline_runs_from_its_first_byte() {
    let mut stage = Stage::new(pages());
    let (client, _) = stage.ask(get("/"));
    stage.pass(Duration::from_secs(60));
    client.send(b"GET ");
    stage.settle();
    stage.pass(Duration::from_millis(9_999));
    assert!(client.receive().is_empty());
    stage.pass(Duration::from_millis(1));
    assert!(text(&client).starts_with("HTTP/1.1 408 "));
}

#[test]
fn between_requests_a_connection_may_wait_75_seconds() {
    let mut stage = Stage::new(pages());
    let (client, _) = stage.ask(get("/"));
    stage.pass(Duration::from_millis(74_999));
    assert!(stage.ask_on(&client, get("/")).starts_with("HTTP/1.1 200 "));
    stage.pass(Duration::from_millis(75_000));
    assert!(client.is_closed() && client.receive().is_empty());
}

#[test]
fn the_wait_between_requests_begins_when_the_answer_has_left() {
    let mut stage = Stage::new(pages());
    let client = stage.connect();
    client.set_window(1_000);
    client.send(get("/big").as_bytes());
    for _ in 0..10 {
        stage.pass(Duration::from_secs(10));
        client.set_window(10_000);
        stage.settle();
    }
    client.set_window(usize::MAX);
    stage.settle();
    assert_eq!(answers(&text(&client), false).len(), 1);
    stage.pass(Duration::from_secs(1));
    assert!(stage.ask_on(&client, get("/next")).starts_with("HTTP/1.1 200 "));
}

#[test]
fn what_is_no_request_is_refused_and_is_the_last() {
    for (bytes, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("\0GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ] {
        let mut stage = Stage::new(pages());
        let (client, answer) = stage.ask([bytes, &get("/never")].concat());
        let answers = answers(&answer, false);
        assert_eq!((answers.len(), answers[0].0), (1, status), "{bytes:?}");
        assert!(answers[0].1.contains("Connection: close"), "{bytes:?}");
        assert!(client.is_finished(), "{bytes:?}");
    }
}

#[test]
fn heads_have_their_limits() {
    let mut stage = Stage::new(pages());
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(20_000));
    assert!(stage.ask(&long).1.starts_with("HTTP/1.1 431 "));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100));
    assert!(stage.ask(&many).1.starts_with("HTTP/1.1 431 "));
    assert!(stage.ask(get(&"/x".repeat(5_000))).1.starts_with("HTTP/1.1 414 "));
    let limits =
        Limits { head: longwire_reactor::handshake::Limits { head: 60, ..Default::default() }, ..Limits::default() };
    let mut stage = Stage::with(limits, pages());
    let fits = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(60 - 27));
    assert_eq!(fits.len(), 60);
    assert!(stage.ask(&fits).1.starts_with("HTTP/1.1 200 "));
    assert!(stage.ask(fits.replace("GET /", "GET /x")).1.starts_with("HTTP/1.1 431 "));
}
