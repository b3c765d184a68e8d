//! `longwire`: WebSocket, Server-Sent Events and plain HTTP on one port.
//!
//! This file reads the command line and runs what it asks for. What is served lies in `site.rs` and `routes/`, the words of
//! the command line in `options.rs`, what is written down in `access.rs`, `lines.rs` and `panics.rs`.

#![forbid(unsafe_code)]

mod access;
mod heap;
mod lines;
mod listen;
mod load;
mod options;
mod panics;
mod routes;
mod serve;
mod site;

use std::process::ExitCode;

use options::{Command, Options};

fn main() -> ExitCode {
    heap::settle();
    let options = Options::read(std::env::args_os().collect()).unwrap_or_else(|error| error.exit());
    env_logger::Builder::new().filter_level(options.log).format_target(false).init();
    panics::log_panics();
    match options.command() {
        Command::Serve(serve) => serve::serve(serve),
        Command::Load(options) => load::load(options),
    }
}
