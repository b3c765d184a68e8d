//! tungstenite on mio: reads until the socket has nothing more, then flushes once; what is for everybody, when all that is ready has been
//! read. Its read buffer is 16 KiB: with the 128 KiB of its default it spends its time on clearing it.

use std::io::ErrorKind;

use longwire_peers::{LONGEST, Task, accept_key, listener, task};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::io::{Read, Write};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

enum Guest {
    Opening(TcpStream),
    Open(Box<WebSocket<TcpStream>>),
}

fn main() {
    let task = task();
    const LISTENER: Token = Token(usize::MAX - 1);
    let (mut poll, mut events) = (Poll::new().expect("a poll"), Events::with_capacity(1_024));
    let mut listener = TcpListener::from_std(listener());
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a listener");
    let mut guests: Slab<Guest> = Slab::new();
    let mut said = Vec::new();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.expect("a poll"),
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("an option");
                    let entry = guests.vacant_entry();
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(entry.key()), both).expect("a socket");
                    entry.insert(Guest::Opening(stream));
                }
                continue;
            }
            let key = event.token().0;
            let Some(guest) = guests.try_remove(key) else { continue };
            let said = if task == Task::FanOut { Some(&mut said) } else { None };
            if let Some(guest) = visit(guest, said) {
                // The slab gives the key that was freed last.
                assert_eq!(guests.insert(guest), key);
            }
        }
        if !said.is_empty() {
            guests.retain(|_, guest| tell(guest, &said));
            said.clear();
        }
    }
}

/// What somebody is told, in one flush. `false` if it is gone.
fn tell(guest: &mut Guest, said: &[Message]) -> bool {
    let Guest::Open(socket) = guest else { return true };
    said.iter().all(|message| goes_on(socket.write(message.clone()))) && goes_on(socket.flush())
}

/// Whether the socket took it, or will.
fn goes_on(written: Result<(), Error>) -> bool {
    match written {
        Ok(()) => true,
        Err(Error::Io(error)) => error.kind() == ErrorKind::WouldBlock,
        Err(_) => false,
    }
}

/// Reads all that is there. What comes is sent back, or added to what is `said` to everybody.
fn visit(guest: Guest, mut said: Option<&mut Vec<Message>>) -> Option<Guest> {
    match guest {
        Guest::Opening(mut stream) => {
            let mut head = [0; 4_096];
            match stream.read(&mut head) {
                Ok(0) => None,
                Ok(read) => {
                    let accept = accept_key(std::str::from_utf8(&head[..read]).ok()?)?;
                    stream
                        .write_all(
                            format!(
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                            )
                            .as_bytes(),
                        )
                        .ok()?;
                    let config = WebSocketConfig::default()
                        .read_buffer_size(16 << 10)
                        .max_message_size(Some(LONGEST))
                        .max_frame_size(Some(LONGEST));
                    Some(Guest::Open(Box::new(WebSocket::from_raw_socket(stream, Role::Server, Some(config)))))
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Guest::Opening(stream)),
                Err(_) => None,
            }
        }
        Guest::Open(mut socket) => {
            loop {
                match socket.read() {
                    Ok(message) if message.is_text() || message.is_binary() => match &mut said {
                        Some(said) => said.push(message),
                        None if goes_on(socket.write(message)) => {}
                        None => return None,
                    },
                    Ok(_) => {}
                    Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => return None,
                }
            }
            goes_on(socket.flush()).then_some(Guest::Open(socket))
        }
    }
}
