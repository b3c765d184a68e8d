//! `counterpart`: the library as third-party suites meet it. They want a server that says how it read a request, that sends any
//! events and closes with any code, and a client that does as the server tells it; the program `longwire` has none of these,
//! and shall have none.
//!
//! ```text
//! counterpart serve                             listens on a free loopback port and says where
//! counterpart visit ADDRESS PATH [PROTOCOL…]    opens a WebSocket, and tells on standard output how it ended
//! counterpart cases ADDRESS no-takeover|takeover  is the client that Autobahn's fuzzing server wants
//! ```

#![forbid(unsafe_code)]

mod cases;
mod reading;
mod serve;
mod streams;
mod visit;

use std::io;
use std::process::ExitCode;

use longwire_reactor::{Deflate, Limits};

const USAGE: &str = "usage: counterpart serve | counterpart visit ADDRESS PATH [PROTOCOL…] | counterpart cases ADDRESS no-takeover|takeover";

fn main() -> ExitCode {
    env_logger::Builder::new().filter_level(log::LevelFilter::Info).format_target(false).init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words[..] {
        ["serve"] => serve::run(),
        ["visit", address, path, ref protocols @ ..] => visit::run(address, path, protocols),
        ["cases", address, keeps @ ("takeover" | "no-takeover")] => cases::run(address, keeps == "takeover"),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The library's own, but for messages of 64 MiB, long lists of events, and streams that nobody reads while they are written.
/// What is compressed begins with Autobahn's smallest messages, of 16 bytes, and above the numbers of libwebsockets' counter: that client
/// agrees to compression, and then has no room for it.
fn limits() -> Limits {
    let mut limits =
        Limits { body: 16 << 20, send_queue: 64 << 20, budget: 1 << 30, deflate_from: 16, ..Limits::default() };
    limits.message.message = 64 << 20;
    limits
}

/// Both sides keep their windows, unless the other end wants it otherwise.
const KEEPING: Deflate =
    Deflate { server_no_context_takeover: false, client_no_context_takeover: false, ..Deflate::DEFAULT };
