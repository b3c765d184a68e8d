//! The imaginary machine, as clients, clocks and whoever plays fate see it.

use std::cell::{RefCell, RefMut};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::calls::{Calls, Watch};
use super::faults::{Fault, FaultCounts};
use super::line::{Line, Way, take};
use super::machine::Sim;
use super::random::Random;
use super::state::{Scripted, Source, State};

/// Everything but the loop: see [the module](super).
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

impl World {
    /// A world in which nothing has happened yet; its randomness follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::driven_by(Random::new(seed))
    }

    /// The same, with this randomness.
    #[must_use]
    pub fn driven_by(random: Random) -> Self {
        Self { state: Rc::new(RefCell::new(State::new(random))) }
    }

    /// The machine to build a loop on. One world has one.
    #[must_use]
    pub fn machine(&self) -> Sim {
        Sim { state: self.state.clone(), woken: Arc::default(), edges: Vec::new() }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.state.borrow_mut().now += time;
    }

    /// What the machine's clock shows.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.state.borrow().now
    }

    /// Connects a client whose window takes any number of bytes.
    #[must_use]
    pub fn connect(&self) -> Client {
        self.client(None)
    }

    /// The same, from this address.
    #[must_use]
    pub fn connect_from(&self, address: SocketAddr) -> Client {
        self.client(Some(address))
    }

    fn client(&self, address: Option<SocketAddr>) -> Client {
        let number = self.state.borrow_mut().arrive(Line::new(Way::Open, address));
        Client { state: self.state.clone(), number }
    }

    /// The other end of the next connection that the loop has begun: [`Client::answer`] it, or [`Client::refuse`] it.
    #[must_use]
    pub fn dialled(&self) -> Option<Client> {
        let number = self.state.borrow_mut().dialled.pop_front()?;
        Some(Client { state: self.state.clone(), number })
    }

    /// Lets this fault strike at `rate` of 65,536 chances.
    pub fn set_fault(&self, fault: Fault, rate: u16) {
        self.state.borrow_mut().faults.set(fault, rate);
    }

    /// No fault strikes any more.
    pub fn calm(&self) {
        let mut state = self.state.borrow_mut();
        state.faults.calm();
        state.script.clear();
    }

    /// Lets one call fail: the `number`th from now, polls not counted, with this error. May be asked for more than one call, in
    /// order.
    pub fn fail(&self, number: u64, errno: i32) {
        let mut state = self.state.borrow_mut();
        let at = state.calls.work() + number;
        state.script.push_back((at, Scripted::Fails(errno)));
    }

    /// The same, but the call succeeds, and if it is a read or a write it moves one byte.
    pub fn shorten(&self, number: u64) {
        let mut state = self.state.borrow_mut();
        let at = state.calls.work() + number;
        state.script.push_back((at, Scripted::MovesOne));
    }

    /// Who is accepted from now on comes over a Unix socket: a read that brings less than there is room for has not
    /// drained it.
    pub fn listen_on_unix(&self) {
        self.state.borrow_mut().over_unix = true;
    }

    /// How many connections may have a descriptor (any number, until this is called).
    pub fn set_descriptors(&self, most: usize) {
        self.state.borrow_mut().descriptors = most;
    }

    /// How many connections have a descriptor.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        self.state.borrow().open_descriptors()
    }

    /// How many clients wait to be accepted.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting.len()
    }

    /// Whether the poll has something that it has not reported.
    #[must_use]
    pub fn has_edges(&self) -> bool {
        self.state.borrow().has_edges()
    }

    /// How often the loop called the machine so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.state.borrow().calls
    }

    /// Which faults have struck so far.
    #[must_use]
    pub fn faults(&self) -> FaultCounts {
        self.state.borrow().faults.counts
    }

    /// What the loop did that no program may do to its sockets, if it did.
    #[must_use]
    pub fn misuse(&self) -> Option<&'static str> {
        self.state.borrow().misuse
    }

    /// Tells every call from now on.
    pub fn watch(&self, watch: Box<dyn Watch>) {
        self.state.borrow_mut().watch = Some(watch);
    }
}

impl Client {
    fn line(&self) -> RefMut<'_, Line> {
        RefMut::map(self.state.borrow_mut(), |state| &mut state.lines[self.number])
    }

    /// Does something to the line, upon which the server's poll looks at it.
    fn happen(&self, act: impl FnOnce(&mut Line)) {
        let mut state = self.state.borrow_mut();
        act(&mut state.lines[self.number]);
        state.list(Source::Line(self.number));
    }

    /// The descriptor that the server has for it, while it has.
    #[must_use]
    pub fn descriptor(&self) -> Option<u32> {
        self.line().descriptor
    }

    /// Where it comes from, or where the loop wants to go.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.line().address
    }

    /// Answers a connection that the loop has begun.
    pub fn answer(&self) {
        self.happen(|line| line.way = Way::Open);
    }

    /// Refuses a connection that the loop has begun, in words of `connect(2)`.
    pub fn refuse(&self, errno: i32) {
        self.happen(|line| line.break_off(errno));
    }

    /// Sends bytes to the server.
    pub fn send(&self, bytes: &[u8]) {
        self.happen(|line| {
            if line.server_closed {
                // Whom bytes reach that has closed, answers with RST.
                line.reset_client();
            }
            if !line.dead {
                line.to_server.extend(bytes);
            }
        });
    }

    /// Takes what the server has sent since the last call. That makes no room: see [`Client::set_window`].
    #[must_use]
    pub fn receive(&self) -> Vec<u8> {
        std::mem::take(&mut self.line().to_client).into()
    }

    /// Takes at most `most` bytes behind those of `into`, and makes room for as many. Returns how many those were.
    pub fn take(&self, most: usize, into: &mut Vec<u8>) -> usize {
        let start = into.len();
        let taken = {
            let mut line = self.line();
            let taken = most.min(line.to_client.len());
            into.resize(start + taken, 0);
            take(&mut line.to_client, &mut into[start..])
        };
        let window = self.line().window;
        if taken > 0 && window != usize::MAX {
            self.set_window(window + taken);
        }
        taken
    }

    /// Opens the window so far that `bytes` more can be sent to this client; 0 shuts it.
    pub fn set_window(&self, bytes: usize) {
        let mut state = self.state.borrow_mut();
        let line = &mut state.lines[self.number];
        line.window = bytes;
        if bytes > 0 && std::mem::replace(&mut line.starved, false) {
            state.list(Source::Line(self.number));
        }
    }

    /// Sends FIN.
    pub fn finish(&self) {
        self.happen(|line| line.client_finished = true);
    }

    /// Closes altogether: sends FIN, and answers what the server sends from now on with RST.
    pub fn close(&self) {
        self.happen(|line| {
            (line.client_finished, line.client_closed) = (true, true);
            line.to_client.clear();
        });
    }

    /// Sends RST.
    pub fn reset(&self) {
        self.happen(|line| line.break_off(libc::ECONNRESET));
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

    /// Whether this client was sent RST: the server closed with bytes of it unread, or was sent bytes after it had closed.
    #[must_use]
    pub fn was_reset(&self) -> bool {
        self.line().client_was_reset
    }

    /// Whether a fault has ended it, or may have lost some of its bytes.
    #[must_use]
    pub fn was_struck(&self) -> bool {
        self.line().struck
    }

    /// Bytes on their way to this client.
    #[must_use]
    pub fn on_its_way(&self) -> usize {
        self.line().to_client.len()
    }

    /// Bytes that the server has not read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.line().to_server.len()
    }
}
