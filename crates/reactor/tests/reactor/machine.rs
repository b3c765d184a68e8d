//! The real machine alone, without a loop.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use longwire_reactor::Limits;
use longwire_reactor::sys::{Listener, Mio, Sys};

use crate::live::BOUND;

#[test]
fn a_sleep_ends_in_time_and_is_one() {
    let mut machine = Mio::new(Vec::new(), &Limits::default()).expect("a machine");
    for wait in [20, 60, 20, 40].map(Duration::from_millis) {
        let until = machine.now() + wait;
        assert_eq!(machine.poll(8, Some(until), |edge| panic!("{edge:?}")).expect("a poll"), 1, "its own");
        assert!((until..until + BOUND).contains(&machine.now()));
    }
}

#[test]
fn a_sleep_that_should_be_over_is_none() {
    let mut machine = Mio::new(Vec::new(), &Limits::default()).expect("a machine");
    let begun = machine.now();
    for until in [Duration::ZERO, Duration::from_nanos(1), begun] {
        machine.poll(8, Some(until), |edge| panic!("{edge:?}")).expect("a poll");
    }
    assert!(machine.now() - begun < BOUND);
}

#[test]
fn what_it_has_taken_tells_whether_there_may_be_more() {
    let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let connect = || listeners.each_ref().map(|at| TcpStream::connect(at.local_addr().unwrap()).expect("it listens"));
    let ours = listeners.iter().map(|listener| Listener::from(listener.try_clone().expect("a descriptor")));
    let mut machine = Mio::new(ours.collect(), &Limits::default()).expect("a machine");
    let _first = connect();
    let (until, mut told) = (machine.now() + Duration::from_millis(50), 0);
    while told < 2 {
        machine.poll(2, Some(until), |_| told += 1).expect("a poll");
    }
    // Now both listeners have something to tell again, and the alarm that was set has rung.
    let _second = connect();
    std::thread::sleep(Duration::from_millis(100));
    let mut take = || machine.poll(2, Some(Duration::ZERO), |_| told += 1).expect("a poll");
    assert_eq!([take(), take(), take()], [2, 1, 0]);
    assert_eq!(told, 4);
}
