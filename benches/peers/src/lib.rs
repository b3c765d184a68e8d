//! What all peers share: how they are called, how a WebSocket is opened, and who is in the room of a fan-out.
//!
//! A peer is one program that is called as `NAME echo` or `NAME fan-out`, listens on a free port of 127.0.0.1, says which on its first
//! line, and serves on one thread until it is killed.

#![forbid(unsafe_code)]

mod opening;
mod room;
mod sink;
mod turns;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

pub use opening::{accept_key, opened};
pub use room::{Room, Said};
pub use sink::{echo, listen, talk};
pub use turns::{Line, serve};

/// The longest message that is taken.
pub const LONGEST: usize = 2 << 20;

/// What a peer does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It goes back to its sender.
    Echo,
    /// It goes to everybody.
    FanOut,
}

/// What the command line says.
pub fn task() -> Task {
    match std::env::args().nth(1).as_deref() {
        Some("echo") => Task::Echo,
        Some("fan-out") => Task::FanOut,
        _ => {
            eprintln!("echo or fan-out?");
            std::process::exit(2);
        }
    }
}

/// Listens on a free port, and says which.
pub fn listener() -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
    socket.listen(4_096).expect("a backlog");
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true).expect("a mode");
    println!("{}", listener.local_addr().expect("an address"));
    std::io::stdout().flush().expect("an output");
    listener
}

/// Runs a server of tokio's on one thread: `serve` is called with every connection that is accepted.
pub fn run<F: Future<Output = ()> + Send + 'static>(mut serve: impl FnMut(tokio::net::TcpStream) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener()).expect("a listener");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("an option");
            tokio::spawn(tokio::task::unconstrained(serve(stream)));
        }
    });
}

/// The same for who has a function for each task: both are called behind the opening handshake.
pub fn run_tasks<E, F>(echo: fn(tokio::net::TcpStream) -> E, fan_out: fn(tokio::net::TcpStream, Room) -> F)
where
    E: Future<Output = ()> + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (task, room) = (task(), Room::default());
    run(move |stream| {
        let room = room.clone();
        async move {
            let Some(stream) = opened(stream).await else { return };
            match task {
                Task::Echo => echo(stream).await,
                Task::FanOut => fan_out(stream, room).await,
            }
        }
    });
}
