//! One imaginary connection, as two kernels see it: bytes each way, how far each side has gone, and what a poll would say.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::SocketAddr;

use crate::sys::{Edge, Token};

/// What a system call comes to: a number, or an error's.
pub(super) type Answer = Result<usize, i32>;

/// How far a connection that the loop makes has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// Nobody has answered yet.
    Dialled,
    Open,
}

/// See the top of this file. The loop's side is called the server's even where it has dialled.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) way: Way,
    pub(super) address: Option<SocketAddr>,
    /// As long as the loop holds the socket.
    pub(super) descriptor: Option<u32>,
    pub(super) token: Option<Token>,
    /// It stands on the poll's ready list.
    pub(super) listed: bool,
    /// What the server has not read.
    pub(super) to_server: VecDeque<u8>,
    /// What the server has written and the client has not taken.
    pub(super) to_client: VecDeque<u8>,
    /// How many bytes more the server's kernel takes.
    pub(super) window: usize,
    /// A write or a poll found no room: when it comes, that is an edge.
    pub(super) starved: bool,
    /// The client has sent FIN …
    pub(super) client_finished: bool,
    /// … or has closed altogether: what is written to it is answered with RST.
    pub(super) client_closed: bool,
    /// The server has sent FIN.
    pub(super) server_finished: bool,
    pub(super) server_closed: bool,
    /// Nothing goes through any more, in either direction.
    pub(super) dead: bool,
    /// What the next call answers, once.
    pub(super) error: Option<i32>,
    /// The client was sent RST.
    pub(super) client_was_reset: bool,
    /// A fault ended it: neither side did.
    pub(super) struck: bool,
}

impl Line {
    pub(super) const fn new(way: Way, address: Option<SocketAddr>) -> Self {
        Self {
            way,
            address,
            descriptor: None,
            token: None,
            listed: false,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            window: usize::MAX,
            starved: false,
            client_finished: false,
            client_closed: false,
            server_finished: false,
            server_closed: false,
            dead: false,
            error: None,
            client_was_reset: false,
            struck: false,
        }
    }

    /// What a poll says of it now, if anything.
    pub(super) fn edge(&mut self, token: Token) -> Option<Edge> {
        if self.way == Way::Dialled && !self.dead {
            return None;
        }
        let edge = Edge {
            token,
            readable: !self.to_server.is_empty() || self.client_finished || self.dead,
            writable: self.dead || self.server_finished || self.window > 0,
            read_closed: self.client_finished || self.dead,
            broken: self.error.is_some(),
        };
        self.starved |= !edge.writable;
        (edge.readable || edge.writable).then_some(edge)
    }

    /// The connection breaks, and `errno` says why.
    pub(super) fn break_off(&mut self, errno: i32) {
        (self.dead, self.error) = (true, Some(errno));
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Answer {
        if !self.to_server.is_empty() {
            // What had arrived before the end is read before the end.
            return Ok(take(&mut self.to_server, buffer));
        }
        match self.error.take() {
            Some(errno) => Err(errno),
            None if self.dead || self.client_finished => Ok(0),
            None => Err(libc::EAGAIN),
        }
    }

    /// Takes at most `most` bytes. `Ok` may be followed by a reset from a client that is gone.
    pub(super) fn write(&mut self, buffers: &[IoSlice<'_>], most: usize) -> Answer {
        if let Some(errno) = self.error.take() {
            return Err(errno);
        }
        if self.dead || self.server_finished {
            return Err(libc::EPIPE);
        }
        if self.way == Way::Dialled || self.window == 0 {
            self.starved = true;
            return Err(libc::EAGAIN);
        }
        let most = most.min(self.window);
        let mut written = 0;
        for buffer in buffers {
            let taken = buffer.len().min(most - written);
            if !self.client_closed {
                self.to_client.extend(&buffer[..taken]);
            }
            written += taken;
        }
        if self.window != usize::MAX {
            self.window -= written;
        }
        self.starved |= written < buffers.iter().map(|buffer| buffer.len()).sum();
        if self.client_closed {
            self.break_off(libc::EPIPE);
        }
        Ok(written)
    }

    /// The server gives its descriptor back. `true` if bytes were unread: then a reset destroys what is on its way.
    pub(super) fn close(&mut self) -> bool {
        let unread = !self.to_server.is_empty() && !self.dead;
        if unread {
            self.reset_client();
        }
        (self.server_closed, self.token) = (true, None);
        self.to_server = VecDeque::new();
        unread
    }

    /// The client is sent RST: what it has not taken yet is gone.
    pub(super) fn reset_client(&mut self) {
        self.to_client.clear();
        (self.client_was_reset, self.dead) = (true, true);
    }
}

/// Moves bytes from the front of a queue to the front of a buffer.
pub(super) fn take(from: &mut VecDeque<u8>, into: &mut [u8]) -> usize {
    let taken = into.len().min(from.len());
    let (front, back) = from.as_slices();
    let first = taken.min(front.len());
    into[..first].copy_from_slice(&front[..first]);
    into[first..taken].copy_from_slice(&back[..taken - first]);
    from.drain(..taken);
    taken
}
