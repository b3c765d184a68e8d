//! The imaginary machine as the loop sees it: [`Sys`] on a [`State`], faults included.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::calls::Call;
use super::faults::Fault;
use super::line::{Answer, Line, Way};
use super::state::{Scripted, Source, State};
use crate::sys::{Accepted, Edge, Sys, Token, WAKE, Wake};

/// The imaginary machine, as the loop sees it. It has one listener.
#[derive(Debug)]
pub struct Sim {
    pub(super) state: Rc<RefCell<State>>,
    pub(super) woken: Arc<Woken>,
    /// Of the poll under way.
    pub(super) edges: Vec<Edge>,
}

/// What an eventfd is: it is set, or it is not.
#[derive(Debug, Default)]
pub(super) struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Descriptors that are no connection's: the listener's, which the ladder names.
pub(super) const LISTENER: u32 = 3;

const ACCEPT: &[Fault] = &[
    Fault::AcceptAgain,
    Fault::AcceptInterrupted,
    Fault::AcceptAborted,
    Fault::AcceptProtocol,
    Fault::AcceptNoBuffers,
    Fault::AcceptNoDescriptor,
    Fault::AcceptNoFile,
];
const READ: &[Fault] =
    &[Fault::ShortRead, Fault::ReadAgain, Fault::ReadInterrupted, Fault::ReadReset, Fault::ReadTimedOut];
const WRITE: &[Fault] = &[
    Fault::ShortWrite,
    Fault::WriteAgain,
    Fault::WriteInterrupted,
    Fault::WriteReset,
    Fault::WriteBroken,
    Fault::WriteNoBuffers,
];

impl State {
    /// The errno with which this call fails, by script or by chance.
    fn struck(&mut self, call: Call, chances: &[Fault]) -> Struck {
        self.calls.count(call);
        match self.scripted() {
            Some(Scripted::Fails(errno)) => return Struck { errno: Some(errno), ..Struck::default() },
            Some(Scripted::MovesOne) => return Struck { one: true, short: true, ..Struck::default() },
            None => {}
        }
        let fault = self.faults.strike(chances);
        if let Some(fault) = fault {
            self.faults.count(fault);
        }
        let short = fault.is_some_and(|fault| fault.errno().is_none());
        Struck { errno: fault.and_then(Fault::errno), short, one: false }
    }

    fn accept(&mut self, call: Call) -> Answer {
        // Nothing can go wrong with a connection that is not there.
        let chances = if self.waiting.is_empty() { &[] } else { ACCEPT };
        let Struck { errno, .. } = self.struck(call, chances);
        let answer = self.take_waiting(call, errno);
        let descriptor = answer.ok().and_then(|line| self.lines[line].descriptor);
        let told = answer.map(|_| descriptor.unwrap_or_default() as usize);
        self.tell(call, Some(LISTENER), 0, told, errno.is_some());
        answer
    }

    fn take_waiting(&mut self, call: Call, errno: Option<i32>) -> Answer {
        match errno {
            Some(libc::EAGAIN) if !self.waiting.is_empty() => self.list(Source::Listener),
            Some(libc::ECONNABORTED | libc::EPROTO) => {
                if let Some(line) = self.waiting.pop_front() {
                    let line = &mut self.lines[line];
                    (line.server_closed, line.struck) = (true, true);
                    line.reset_client();
                }
            }
            _ => {}
        }
        if let Some(errno) = errno {
            return Err(errno);
        }
        // As on Linux, the descriptor is taken before anybody looks whether somebody waits. `shed` brings its own.
        if call == Call::Accept && self.descriptors_left() == 0 {
            return Err(libc::EMFILE);
        }
        let line = self.waiting.pop_front().ok_or(libc::EAGAIN)?;
        self.open_descriptor(line);
        Ok(line)
    }

    fn read(&mut self, number: usize, buffer: &mut [u8]) -> Answer {
        let there = self.lines[number].to_server.len();
        let Struck { errno, short, one } = self.struck(Call::Read, READ);
        let room = match (short, one) {
            (false, _) => buffer.len(),
            (true, false) => self.faults.random.between(1, buffer.len().min(there).max(1)),
            (true, true) => 1,
        };
        let line = &mut self.lines[number];
        let answer = match errno {
            Some(errno) => {
                line.fail(errno);
                Err(errno)
            }
            None => line.read(&mut buffer[..room]),
        };
        let more = (short && !self.over_unix) || errno == Some(libc::EAGAIN);
        let line = &self.lines[number];
        if more && (!line.to_server.is_empty() || line.client_finished || line.dead) {
            // What is left counts as arriving after this call: an edge is owed for it. (Not on a Unix socket, where a read
            // ends early for what came with the bytes.)
            self.list(Source::Line(number));
        }
        self.tell(Call::Read, self.lines[number].descriptor, buffer.len(), answer, short || errno.is_some());
        answer
    }

    fn write(&mut self, number: usize, buffers: &[IoSlice<'_>]) -> Answer {
        let offered: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        let Struck { errno, short, one } = self.struck(Call::Write, WRITE);
        let most = match (short, one) {
            (false, _) => offered,
            (true, false) => self.faults.random.below(offered),
            (true, true) => offered.min(1),
        };
        let line = &mut self.lines[number];
        self.misuse = self.misuse.or(line.server_finished.then_some("a write after our FIN"));
        let answer = match errno {
            Some(errno) => {
                line.fail(errno);
                Err(errno)
            }
            // A kernel does not answer 0 where bytes were offered.
            None if short && most == 0 && offered > 0 => {
                line.fail(libc::EAGAIN);
                Err(libc::EAGAIN)
            }
            None => line.write(buffers, most),
        };
        if (short || errno == Some(libc::EAGAIN)) && line.window > 0 {
            // Room comes after this call.
            self.list(Source::Line(number));
        }
        if self.lines[number].dead {
            self.list(Source::Line(number));
        }
        self.tell(Call::Write, self.lines[number].descriptor, offered, answer, short || errno.is_some());
        answer
    }

    fn register(&mut self, number: usize, token: Token) -> Answer {
        let Struck { errno, .. } = self.struck(Call::Register, &[Fault::RegisterFailed]);
        self.tell(Call::Register, self.lines[number].descriptor, 0, errno.map_or(Ok(0), Err), errno.is_some());
        if let Some(errno) = errno {
            self.lines[number].struck = true;
            return Err(errno);
        }
        self.misuse = self.misuse.or(self.lines[number].token.is_some().then_some("a socket registered twice"));
        self.lines[number].token = Some(token);
        self.list(Source::Line(number));
        Ok(0)
    }

    fn connect(&mut self, address: SocketAddr) -> Answer {
        let Struck { errno, .. } = self.struck(Call::Connect, &[Fault::ConnectFailed]);
        let errno = errno.or((self.descriptors_left() == 0).then_some(libc::EMFILE));
        let answer = match errno {
            Some(errno) => Err(errno),
            None => {
                let number = self.lines.len();
                self.lines.push(Line::new(Way::Dialled, Some(address)));
                self.open_descriptor(number);
                self.dialled.push_back(number);
                Ok(number)
            }
        };
        let descriptor = answer.ok().and_then(|number| self.lines[number].descriptor);
        self.tell(Call::Connect, None, 0, answer.map(|_| descriptor.unwrap_or_default() as usize), errno.is_some());
        answer
    }

    fn connected(&mut self, number: usize) -> Answer {
        let Struck { errno, .. } = self.struck(Call::Connected, &[]);
        let line = &mut self.lines[number];
        line.struck |= errno.is_some();
        let answer = match (errno.or_else(|| line.error.take()), line.way) {
            (Some(errno), _) => Err(errno),
            (None, Way::Dialled) => Err(libc::ENOTCONN),
            (None, Way::Open) => Ok(0),
        };
        self.tell(Call::Connected, self.lines[number].descriptor, 0, answer, errno.is_some());
        answer
    }

    fn shutdown(&mut self, number: usize) {
        self.calls.count(Call::Shutdown);
        self.misuse = self.misuse.or(self.lines[number].server_finished.then_some("a second FIN of ours"));
        self.lines[number].server_finished = true;
        // Linux wakes whoever polls the socket.
        self.list(Source::Line(number));
        self.tell(Call::Shutdown, self.lines[number].descriptor, 0, Ok(0), false);
    }

    fn close(&mut self, number: usize) {
        self.calls.count(Call::Close);
        self.outdate(self.lines[number].token);
        let unread = self.lines[number].close();
        self.tell(Call::Close, self.lines[number].descriptor, 0, Ok(usize::from(unread)), false);
        self.close_descriptor(number);
    }
}

/// What strikes a call.
#[derive(Default)]
struct Struck {
    errno: Option<i32>,
    /// It moves less than it could …
    short: bool,
    /// … and no more than one byte.
    one: bool,
}

impl Line {
    /// What an error that was put upon a read or a write means from here on.
    fn fail(&mut self, errno: i32) {
        match errno {
            libc::EAGAIN => self.starved = true,
            libc::EINTR => {}
            // The connection stands, but the loop cannot know what has become of its bytes.
            libc::ENOBUFS => self.struck = true,
            _ => {
                (self.dead, self.struck) = (true, true);
                self.to_server.clear();
                self.reset_client();
            }
        }
    }
}

/// An answer as the standard library would give it.
fn given(answer: Answer) -> io::Result<usize> {
    answer.map_err(io::Error::from_raw_os_error)
}

impl Sys for Sim {
    type Socket = usize;

    fn listeners(&self) -> usize {
        1
    }

    fn poll(&mut self, most: usize, until: Option<Duration>, note: impl FnMut(Edge)) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        state.calls.count(Call::Poll);
        if state.faults.strikes(Fault::PollInterrupted) {
            return Ok(0);
        }
        let edges = &mut self.edges;
        if self.woken.0.swap(false, Ordering::SeqCst) {
            let delayed = state.faults.strikes(Fault::WakeDelayed);
            if !delayed {
                edges.push(Edge { token: WAKE, readable: true, ..Edge::default() });
                state.tell_edge(None, edges[0]);
            }
            // Whatever happens to it, an eventfd does not forget.
            if delayed || state.faults.strikes(Fault::WakeDoubled) {
                self.woken.wake();
            }
        }
        state.report(edges, most);
        state.wait(until, !edges.is_empty());
        drop(state);
        let count = edges.len();
        edges.drain(..).for_each(note);
        Ok(count)
    }

    fn accept(&mut self, _: usize) -> io::Result<Accepted<usize>> {
        let mut state = self.state.borrow_mut();
        let socket = given(state.accept(Call::Accept))?;
        let address = state.lines[socket].address;
        let loopback = address.is_some_and(|address| address.ip().is_loopback());
        Ok(Accepted { socket, address, loopback, short_read_drains: !state.over_unix })
    }

    fn shed(&mut self, _: usize) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let socket = given(state.accept(Call::Shed))?;
        // It was not the client's doing, nor the loop's.
        state.lines[socket].struck = true;
        state.close(socket);
        Ok(())
    }

    fn stop_listening(&mut self, _: usize) {
        self.state.borrow_mut().stop_listening();
    }

    fn register(&mut self, socket: &usize, token: Token) -> io::Result<()> {
        given(self.state.borrow_mut().register(*socket, token)).map(drop)
    }

    fn connect(&mut self, address: SocketAddr, _: Option<IpAddr>) -> io::Result<usize> {
        given(self.state.borrow_mut().connect(address))
    }

    fn connected(&mut self, socket: &usize) -> io::Result<()> {
        given(self.state.borrow_mut().connected(*socket)).map(drop)
    }

    #[inline]
    fn read(&mut self, socket: &usize, buffer: &mut [u8]) -> io::Result<usize> {
        given(self.state.borrow_mut().read(*socket, buffer))
    }

    #[inline]
    fn write(&mut self, socket: &usize, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        given(self.state.borrow_mut().write(*socket, buffers))
    }

    fn shutdown(&mut self, socket: &usize) {
        self.state.borrow_mut().shutdown(*socket);
    }

    fn close(&mut self, socket: usize) {
        self.state.borrow_mut().close(socket);
    }

    fn now(&self) -> Duration {
        self.state.borrow().now
    }

    fn wall(&self) -> Duration {
        // 2026-01-01T00:00:00.6Z, when every world begins: seconds of the two clocks do not begin together.
        Duration::from_millis(1_767_225_600_600) + self.state.borrow().now
    }

    fn entropy(&mut self, bytes: &mut [u8]) {
        let random = &mut self.state.borrow_mut().entropy;
        for bytes in bytes.chunks_mut(8) {
            bytes.copy_from_slice(&random.draw().to_le_bytes()[..bytes.len()]);
        }
    }

    fn waker(&self) -> Arc<dyn Wake> {
        self.woken.clone()
    }
}
