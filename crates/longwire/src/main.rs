//! `longwire`: WebSocket, Server-Sent Events and plain HTTP on one port.
//!
//! This file reads the command line and runs what it asks for. What is served lies in `site.rs` and `routes/`, the words of
//! the command line in `options.rs`.

#![forbid(unsafe_code)]

mod options;
mod routes;
mod serve;
mod site;

use std::process::ExitCode;

use clap::Parser;

use options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    env_logger::Builder::new().filter_level(options.log).format_target(false).init();
    match options.command() {
        Command::Serve(serve) => serve::serve(serve),
    }
}
