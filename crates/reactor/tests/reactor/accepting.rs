//! What may go wrong when somebody new comes: no descriptors, connections that are gone again, and no room.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use longwire_reactor::sys::sim::{Client, Sim, World};
use longwire_reactor::sys::{Accepted, Edge, Sys, Token, Wake};
use longwire_reactor::{Limits, Loop, Reply, Server, Turn};

use crate::stage::*;

/// What the next calls of `accept` and `shed` fail with, each.
#[derive(Clone, Default)]
struct Failures {
    accept: Rc<RefCell<VecDeque<i32>>>,
    shed: Rc<RefCell<VecDeque<i32>>>,
}

fn next(failures: &RefCell<VecDeque<i32>>) -> io::Result<()> {
    failures.borrow_mut().pop_front().map_or(Ok(()), |number| Err(io::Error::from_raw_os_error(number)))
}

/// The imaginary machine, with accepts that fail. As on Linux, a listener whose accept has failed gives no further edge.
struct Failing {
    sim: Sim,
    failures: Failures,
}

impl Sys for Failing {
    type Socket = usize;

    fn listeners(&self) -> usize {
        self.sim.listeners()
    }

    fn poll(&mut self, most: usize, until: Option<Duration>, note: impl FnMut(Edge)) -> io::Result<usize> {
        self.sim.poll(most, until, note)
    }

    fn accept(&mut self, listener: usize) -> io::Result<Accepted<usize>> {
        next(&self.failures.accept)?;
        self.sim.accept(listener)
    }

    fn shed(&mut self, listener: usize) -> io::Result<()> {
        next(&self.failures.shed)?;
        self.sim.shed(listener)
    }

    fn stop_listening(&mut self, listener: usize) {
        self.sim.stop_listening(listener);
    }

    fn register(&mut self, socket: &usize, token: Token) -> io::Result<()> {
        self.sim.register(socket, token)
    }

    fn connect(&mut self, address: SocketAddr, source: Option<IpAddr>) -> io::Result<usize> {
        self.sim.connect(address, source)
    }

    fn connected(&mut self, socket: &usize) -> io::Result<()> {
        self.sim.connected(socket)
    }

    fn read(&mut self, socket: &usize, buffer: &mut [u8]) -> io::Result<usize> {
        self.sim.read(socket, buffer)
    }

    fn write(&mut self, socket: &usize, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.sim.write(socket, buffers)
    }

    fn shutdown(&mut self, socket: &usize) {
        self.sim.shutdown(socket);
    }

    fn close(&mut self, socket: usize) {
        self.sim.close(socket);
    }

    fn now(&self) -> Duration {
        self.sim.now()
    }

    fn wall(&self) -> Duration {
        self.sim.wall()
    }

    fn entropy(&mut self, bytes: &mut [u8]) {
        self.sim.entropy(bytes);
    }

    fn waker(&self) -> Arc<dyn Wake> {
        self.sim.waker()
    }
}

/// A loop on such a machine.
struct Door {
    world: World,
    failures: Failures,
    on: Loop<App, Failing>,
}

impl Door {
    fn new() -> Self {
        let (world, failures) = (World::new(7), Failures::default());
        let machine = Failing { sim: world.machine(), failures: failures.clone() };
        let on = Server::default().build_on(machine, App::new());
        Self { world, failures, on }
    }

    fn turn(&mut self) {
        assert_eq!(self.on.turn(Some(Duration::ZERO)).expect("a poll"), Turn::Goes);
    }

    /// Somebody comes; the loop looks, and looks again.
    fn arrive(&mut self) -> Client {
        let client = self.world.connect();
        self.turn();
        self.turn();
        client
    }
}

#[test]
fn out_of_descriptors_the_surplus_is_closed_and_accepting_goes_on() {
    for number in [libc::EMFILE, libc::ENFILE] {
        let mut door = Door::new();
        door.failures.accept.borrow_mut().push_back(number);
        let (surplus, next) = (door.world.connect(), door.world.connect());
        door.turn();
        assert!(surplus.is_closed() && !next.is_closed());
        assert_eq!((door.on.stats().refused, door.on.stats().accepted), (1, 1));
    }
}

#[test]
fn where_nothing_can_be_shed_it_is_tried_again_by_time_and_when_somebody_leaves() {
    let starve = |door: &mut Door| {
        door.failures.accept.borrow_mut().push_back(libc::EMFILE);
        door.failures.shed.borrow_mut().push_back(libc::EMFILE);
        door.arrive()
    };
    let mut door = Door::new();
    starve(&mut door);
    let accepts = door.world.calls().accepts;
    (0..100).for_each(|_| door.turn());
    assert_eq!(door.world.calls().accepts, accepts, "it does not spin");
    door.world.pass(Duration::from_millis(100));
    door.turn();
    assert_eq!(door.on.stats().accepted, 1, "a timer has tried again");

    let mut door = Door::new();
    let leaves = door.arrive();
    starve(&mut door);
    leaves.finish();
    door.turn();
    door.turn();
    assert_eq!(door.on.stats().accepted, 2, "a descriptor was free again");
}

#[test]
fn a_connection_that_is_gone_before_it_is_accepted_stops_nobody() {
    for number in [libc::ECONNABORTED, libc::EINTR, libc::EPROTO, libc::ENOBUFS, libc::ENOMEM] {
        let mut door = Door::new();
        door.failures.accept.borrow_mut().extend([number; 3]);
        door.arrive();
        // Some are tried again at once, those that may last a little later.
        for _ in 0..3 {
            door.world.pass(Duration::from_millis(100));
            door.turn();
        }
        assert_eq!(door.on.stats().accepted, 1, "{}", io::Error::from_raw_os_error(number));
    }
}

#[test]
fn a_stream_without_room_is_told_when_to_come_back() {
    let app = App::new().on_request(|_, request, _| match request.path() {
        "/events" => Reply::events(),
        _ => Reply::web_socket(),
    });
    let mut stage = Stage::with(Limits { budget: 100_000, ..Limits::default() }, app);
    let (stream, socket) = (stage.connect(), stage.connect());
    stage.settle();
    let mut others = Vec::new();
    while stage.on.stats().refused == 0 {
        others.push(stage.connect());
        stage.settle();
        assert!(others.len() < 1_000, "the slots themselves count");
    }
    assert!(stage.ask_on(&socket, upgrade("/")).starts_with("HTTP/1.1 503 "));
    let answer = stage.ask_on(&stream, get("/events"));
    let (head, block) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
    let wait = block.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\n\n")).expect("a time");
    assert!((1_000..5_000).contains(&wait.parse().expect("a number")), "{wait}");
    assert!(stream.is_finished() && stage.app().opened.is_empty());
}
