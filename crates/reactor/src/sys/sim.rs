//! An imaginary machine: a clock, a network and randomness that are nothing but values, for running the real loop without a
//! socket.
//!
//! A [`Sim`] is handed to the loop; a [`World`] stays with whoever plays the clients. Time passes only when the world says
//! so, and the same acts give the same bytes.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Accepted, Edge, Sys, Token, WAKE, Wake};

/// The imaginary machine, as the loop sees it. It has one listener.
#[derive(Debug)]
pub struct Sim {
    state: Rc<RefCell<State>>,
    woken: Arc<Woken>,
}

/// The imaginary machine, as clients and clocks see it.
#[derive(Clone, Debug)]
pub struct World {
    state: Rc<RefCell<State>>,
}

/// One imaginary client's end of a connection.
#[derive(Clone, Debug)]
pub struct Client {
    state: Rc<RefCell<State>>,
    number: usize,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    random: u64,
    lines: Vec<Line>,
    /// Connections that wait to be accepted.
    waiting: VecDeque<usize>,
    listening: bool,
    announced: bool,
    calls: Calls,
}

/// How often the loop called the machine, for tests that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// [`Sys::poll`].
    pub polls: u64,
    /// [`Sys::accept`].
    pub accepts: u64,
    /// [`Sys::read`].
    pub reads: u64,
    /// [`Sys::write`].
    pub writes: u64,
}

/// One connection: bytes each way, and how far each side has gone.
#[derive(Debug)]
struct Line {
    address: Option<SocketAddr>,
    token: Option<Token>,
    to_server: VecDeque<u8>,
    to_client: Vec<u8>,
    /// How many bytes the client's side still takes.
    window: usize,
    client_finished: bool,
    client_reset: bool,
    server_finished: bool,
    server_closed: bool,
    readable: bool,
    writable: bool,
}

#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl World {
    /// A world in which nothing has happened yet; its randomness follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State { random: seed, listening: true, ..State::default() };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// The machine to build a loop on. One world has one.
    #[must_use]
    pub fn machine(&self) -> Sim {
        Sim { state: self.state.clone(), woken: Arc::default() }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.state.borrow_mut().now += time;
    }

    /// Connects a client whose window takes any number of bytes.
    #[must_use]
    pub fn connect(&self) -> Client {
        self.join(None)
    }

    /// The same, from an address.
    #[must_use]
    pub fn connect_from(&self, address: SocketAddr) -> Client {
        self.join(Some(address))
    }

    fn join(&self, address: Option<SocketAddr>) -> Client {
        let mut state = self.state.borrow_mut();
        let number = state.lines.len();
        state.lines.push(Line {
            address,
            token: None,
            to_server: VecDeque::new(),
            to_client: Vec::new(),
            window: usize::MAX,
            client_finished: false,
            client_reset: false,
            server_finished: false,
            server_closed: false,
            readable: false,
            writable: true,
        });
        state.waiting.push_back(number);
        state.announced = false;
        Client { state: self.state.clone(), number }
    }

    /// How often the loop called the machine so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.state.borrow().calls
    }
}

impl Client {
    fn line(&self) -> RefMut<'_, Line> {
        RefMut::map(self.state.borrow_mut(), |state| &mut state.lines[self.number])
    }

    /// Sends bytes to the server.
    pub fn send(&self, bytes: &[u8]) {
        let mut line = self.line();
        line.to_server.extend(bytes);
        line.readable = true;
    }

    /// Takes what the server has sent since the last call.
    #[must_use]
    pub fn receive(&self) -> Vec<u8> {
        std::mem::take(&mut self.line().to_client)
    }

    /// Opens the window so far that `bytes` more can be sent to this client; 0 shuts it.
    pub fn set_window(&self, bytes: usize) {
        let mut line = self.line();
        line.window = bytes;
        line.writable |= bytes > 0;
    }

    /// Sends FIN.
    pub fn finish(&self) {
        let mut line = self.line();
        (line.client_finished, line.readable) = (true, true);
    }

    /// Sends RST.
    pub fn reset(&self) {
        let mut line = self.line();
        (line.client_reset, line.readable, line.writable) = (true, true, true);
    }

    /// Whether the server has sent FIN.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let line = self.line();
        line.server_finished || line.server_closed
    }

    /// Whether the server has closed the connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.line().server_closed
    }

    /// Whether the server closed with bytes of this client unread, which a kernel answers with a reset.
    #[must_use]
    pub fn was_reset(&self) -> bool {
        let line = self.line();
        line.server_closed && !line.to_server.is_empty()
    }
}

impl Sys for Sim {
    type Socket = usize;

    fn listeners(&self) -> usize {
        1
    }

    fn poll(&mut self, edges: &mut Vec<Edge>, most: usize, timeout: Option<Duration>) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.calls.polls += 1;
        let before = edges.len();
        if self.woken.0.swap(false, Ordering::SeqCst) {
            edges.push(Edge { token: WAKE, readable: true, ..Edge::default() });
        }
        if state.listening && !state.waiting.is_empty() && !state.announced {
            state.announced = true;
            edges.push(Edge { token: 0, readable: true, ..Edge::default() });
        }
        for line in &mut state.lines {
            let Some(token) = line.token else { continue };
            if edges.len() - before >= most {
                break;
            }
            if line.readable || line.writable {
                let read_closed = line.client_finished || line.client_reset;
                let broken = line.client_reset;
                edges.push(Edge { token, readable: line.readable, writable: line.writable, read_closed, broken });
                (line.readable, line.writable) = (false, false);
            }
        }
        // Nothing will happen unless time passes, so it does.
        if edges.len() == before
            && let Some(timeout) = timeout
        {
            state.now += timeout;
        }
        Ok(())
    }

    fn accept(&mut self, _: usize) -> io::Result<Accepted<usize>> {
        let mut state = self.state.borrow_mut();
        state.calls.accepts += 1;
        let socket = state.waiting.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        Ok(Accepted { socket, address: state.lines[socket].address, loopback: false, short_read_drains: true })
    }

    fn shed(&mut self, listener: usize) -> io::Result<()> {
        self.accept(listener).map(|accepted| self.close(accepted.socket))
    }

    fn stop_listening(&mut self, _: usize) {
        self.state.borrow_mut().listening = false;
    }

    fn register(&mut self, socket: &usize, token: Token) -> io::Result<()> {
        let line = &mut self.state.borrow_mut().lines[*socket];
        line.token = Some(token);
        line.writable = true;
        Ok(())
    }

    fn connect(&mut self, _: SocketAddr) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn connected(&mut self, _: &usize) -> io::Result<()> {
        Ok(())
    }

    fn peer_address(&self, socket: &usize) -> Option<SocketAddr> {
        self.state.borrow().lines[*socket].address
    }

    fn read(&mut self, socket: &usize, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        state.calls.reads += 1;
        let line = &mut state.lines[*socket];
        if line.client_reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if line.to_server.is_empty() {
            return if line.client_finished { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let taken = buffer.len().min(line.to_server.len());
        for (place, byte) in buffer.iter_mut().zip(line.to_server.drain(..taken)) {
            *place = byte;
        }
        Ok(taken)
    }

    fn write(&mut self, socket: &usize, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        state.calls.writes += 1;
        let line = &mut state.lines[*socket];
        if line.client_reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if line.window == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut written = 0;
        for buffer in buffers {
            let taken = buffer.len().min(line.window);
            line.to_client.extend_from_slice(&buffer[..taken]);
            line.window -= if line.window == usize::MAX { 0 } else { taken };
            written += taken;
        }
        Ok(written)
    }

    fn shutdown(&mut self, socket: &usize) {
        self.state.borrow_mut().lines[*socket].server_finished = true;
    }

    fn close(&mut self, socket: usize) {
        let line = &mut self.state.borrow_mut().lines[socket];
        line.server_closed = true;
        line.token = None;
    }

    fn now(&self) -> Duration {
        self.state.borrow().now
    }

    fn wall(&self) -> Duration {
        // 2026-01-01T00:00:00Z, when every world begins.
        Duration::from_secs(1_767_225_600) + self.state.borrow().now
    }

    fn entropy(&mut self, bytes: &mut [u8]) {
        let random = &mut self.state.borrow_mut().random;
        for byte in bytes {
            // SplitMix64: nobody may rely on it being unguessable, everybody on its being repeatable.
            *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (*random ^ (*random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed ^ (mixed >> 31)) as u8;
        }
    }

    fn waker(&self) -> Arc<dyn Wake> {
        self.woken.clone()
    }
}
