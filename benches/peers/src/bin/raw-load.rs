//! Loads `floor`: so many connections, so many messages under way on each, and every byte compared. It speaks as `longwire load` does in
//! its closed loop: what one read has brought back is sent anew in one write. Prints one line of JSON.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Parser;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use procfs::process::Process;

#[derive(Parser)]
struct Options {
    address: SocketAddr,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    size: usize,
    #[arg(long)]
    in_flight: usize,
    /// Milliseconds that count, and those before.
    #[arg(long)]
    duration: u64,
    #[arg(long)]
    warm_up: u64,
    #[arg(long)]
    server_pid: i32,
}

struct Line {
    stream: TcpStream,
    /// Bytes of all that was to be sent that have been, and of what was expected that have come.
    sent: usize,
    owed: usize,
    heard: usize,
}

/// Nanoseconds of processor that a process has had.
fn taken(pid: i32) -> u64 {
    let tasks = Process::new(pid).and_then(|process| process.tasks()).expect("the server");
    tasks.flatten().filter_map(|task| task.schedstat().ok()).map(|stat| stat.sum_exec_runtime).sum()
}

fn main() {
    let options = Options::parse();
    let message: Vec<u8> = (0..options.size).map(|at| (at * 7 + 13) as u8).collect();
    // So that any part of the endless repetition is one slice.
    let stream_of = message.repeat(2 + (512 << 10) / options.size.max(1));
    let mut buffer = vec![0; 256 << 10];
    let mut poll = Poll::new().expect("a poll");
    let at_first = taken(options.server_pid);
    let mut lines: Vec<Line> = (0..options.connections)
        .map(|number| {
            if number % 5 == 4 {
                // 5,000 a second, as the other load does.
                std::thread::sleep(Duration::from_millis(1));
            }
            let stream = std::net::TcpStream::connect(options.address).expect("a connection");
            stream.set_nonblocking(true).expect("a mode");
            stream.set_nodelay(true).expect("an option");
            let mut stream = TcpStream::from_std(stream);
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(number), both).expect("a socket");
            Line { stream, sent: 0, owed: options.size * options.in_flight, heard: 0 }
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let accepted = taken(options.server_pid) - at_first;
    let mut events = Events::with_capacity(1_024);
    let begun = Instant::now();
    let (begin, end) =
        (Duration::from_millis(options.warm_up), Duration::from_millis(options.warm_up + options.duration));
    let (mut messages, mut at_begin) = (0_u64, None);
    for line in &mut lines {
        send(line, &stream_of, options.size);
    }
    loop {
        let now = begun.elapsed();
        if now >= begin && at_begin.is_none() {
            at_begin = Some((messages, taken(options.server_pid), now));
        }
        if now >= end {
            break;
        }
        match poll.poll(&mut events, Some(Duration::from_millis(5))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.expect("a poll"),
        }
        for event in &events {
            let line = &mut lines[event.token().0];
            if event.is_readable() {
                loop {
                    match line.stream.read(&mut buffer) {
                        Ok(0) => panic!("the server has closed a connection"),
                        Ok(read) => {
                            let from = line.heard % options.size;
                            assert!(stream_of[from..from + read] == buffer[..read], "an echo is not what was sent");
                            let whole = |heard: usize| heard / options.size;
                            let more = whole(line.heard + read) - whole(line.heard);
                            line.heard += read;
                            line.owed += more * options.size;
                            messages += more as u64;
                            if read < buffer.len() {
                                break;
                            }
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            send(line, &stream_of, options.size);
        }
    }
    let (before, taken_before, then) = at_begin.expect("a window");
    let (messages, cpu) = (messages - before, taken(options.server_pid) - taken_before);
    println!(
        "{}",
        serde_json::json!({
            "messages": messages,
            "messages_per_second": messages as f64 / (begun.elapsed() - then).as_secs_f64(),
            "server": { "cpu_seconds": cpu as f64 / 1e9, "messages_per_cpu_second": messages as f64 * 1e9 / cpu as f64,
                "cpu_per_handshake": accepted as f64 / 1e3 / options.connections as f64,
            },
        })
    );
}

fn send(line: &mut Line, stream_of: &[u8], size: usize) {
    while line.owed > 0 {
        let from = line.sent % size;
        let most = line.owed.min(stream_of.len() - from);
        match line.stream.write(&stream_of[from..from + most]) {
            Ok(taken) => {
                line.sent += taken;
                line.owed -= taken;
                if taken < most {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}
