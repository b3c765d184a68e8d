//! A loop over mio that is as bare as one can be: edges, one read for each that was not filled, and a call with what came.

use std::io::{ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

/// What is kept for one connection.
pub struct Line<U> {
    stream: TcpStream,
    /// What the socket has not taken.
    waiting: Vec<u8>,
    /// The program's own.
    pub user: U,
}

impl<U> Line<U> {
    /// Sends at once; what the socket does not take waits for its edge. `false` if the connection is lost.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        if !self.waiting.is_empty() {
            self.waiting.extend_from_slice(bytes);
            return true;
        }
        match self.stream.write(bytes) {
            Ok(taken) => self.waiting.extend_from_slice(&bytes[taken..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.waiting.extend_from_slice(bytes),
            Err(_) => return false,
        }
        true
    }

    fn resume(&mut self) -> bool {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.is_empty() || self.send(&waiting)
    }
}

/// Serves until it is killed: `came` is called with everybody, who it is, and the bytes that came; `false` ends the connection.
pub fn serve<U: Default>(mut came: impl FnMut(&mut Slab<Line<U>>, usize, &mut [u8]) -> bool) -> ! {
    const LISTENER: Token = Token(usize::MAX - 1);
    let (mut poll, mut events) = (Poll::new().expect("a poll"), Events::with_capacity(1_024));
    let mut listener = TcpListener::from_std(crate::listener());
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a listener");
    let mut lines: Slab<Line<U>> = Slab::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.expect("a poll"),
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("an option");
                    let entry = lines.vacant_entry();
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(entry.key()), both).expect("a socket");
                    entry.insert(Line { stream, waiting: Vec::new(), user: U::default() });
                }
                continue;
            }
            let key = event.token().0;
            let Some(line) = lines.get_mut(key) else { continue };
            let mut goes_on = !event.is_writable() || line.resume();
            while goes_on && event.is_readable() {
                let Some(line) = lines.get_mut(key) else { break };
                match line.stream.read(&mut buffer) {
                    Ok(0) => goes_on = false,
                    Ok(read) => {
                        goes_on = came(&mut lines, key, &mut buffer[..read]);
                        if read < buffer.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => goes_on = false,
                }
            }
            if !goes_on {
                lines.try_remove(key);
            }
        }
    }
}
