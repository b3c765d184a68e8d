//! The mailbox under a model checker: every order in which two posters, a closer and the loop can take their steps.
//!
//! `remote/mailbox.rs` is compiled into this test as it ships, with loom's locks in the place of std's. Three mailboxes that
//! are wrong in the ways in which one gets them wrong show that the proofs can fail.

#[path = "../src/remote/mailbox.rs"]
mod mailbox;

use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;

use mailbox::Mailbox;

/// What the mailbox is locked with here.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::{Mutex, MutexGuard};
}

/// As in `longwire_reactor::sys`.
trait Wake: Send + Sync {
    fn wake(&self);
}

/// The machine's wake-up: it is remembered until the poll has reported it, and several are one.
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    fn new() -> Arc<Self> {
        Arc::new(Self { rung: Mutex::new(false), heard: Condvar::new() })
    }

    /// The loop sleeps in its poll. Where nobody is left who could wake it, the model checker calls it a deadlock.
    fn poll(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.heard.wait(rung).unwrap();
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(&self) {
        *self.rung.lock().unwrap() = true;
        self.heard.notify_one();
    }
}

/// What lies in the box: letters, of which two may wait, and endings, which always pass.
#[derive(Default)]
struct Tray {
    letters: Vec<u32>,
    endings: u32,
}

const MOST: usize = 2;

impl Tray {
    fn push(&mut self, letter: u32) -> bool {
        let room = self.letters.len() < MOST;
        if room {
            self.letters.push(letter);
        }
        room
    }
}

/// What the proofs are about.
trait Letterbox: Send + Sync + 'static {
    fn new(bell: Arc<Bell>) -> Self;
    /// Whether there was room.
    fn post(&self, letter: u32) -> bool;
    fn end(&self);
    fn wake(&self);
    fn collect(&self) -> Tray;
}

impl Letterbox for Mailbox<Tray> {
    fn new(bell: Arc<Bell>) -> Self {
        Self::new(bell)
    }

    fn post(&self, letter: u32) -> bool {
        self.put(|tray| tray.push(letter))
    }

    fn end(&self) {
        self.put(|tray| tray.endings += 1);
    }

    fn wake(&self) {
        self.wake();
    }

    fn collect(&self) -> Tray {
        self.collect()
    }
}

/// Runs a model in all orders of its steps, but for those that interrupt threads which could go on more than four times: faults
/// of this kind need two, and all orders take ten times as long.
fn in_every_order(model: impl Fn() + Send + Sync + 'static) {
    let mut checker = loom::model::Builder::new();
    checker.preemption_bound = Some(4);
    checker.check(model);
}

/// A loop that sleeps until it is woken gets every letter that was taken, each once, and never more than may wait.
fn no_letter_is_lost<B: Letterbox>() {
    in_every_order(|| {
        let bell = Bell::new();
        let mailbox = Arc::new(B::new(bell.clone()));
        let posters: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|letters| {
                let mailbox = mailbox.clone();
                thread::spawn(move || letters.into_iter().filter(|letter| mailbox.post(*letter)).collect::<Vec<_>>())
            })
            .collect();
        let mut collected = Vec::new();
        // The first two letters to come find room whatever the loop does.
        while collected.len() < MOST {
            bell.poll();
            let letters = mailbox.collect().letters;
            assert!(letters.len() <= MOST, "more wait than may: {letters:?}");
            collected.extend(letters);
        }
        let mut taken: Vec<u32> = posters.into_iter().flat_map(|poster| poster.join().unwrap()).collect();
        // Nobody posts any more: what was taken and not collected has woken the loop.
        while collected.len() < taken.len() {
            bell.poll();
            collected.extend(mailbox.collect().letters);
        }
        collected.sort_unstable();
        taken.sort_unstable();
        assert_eq!(collected, taken);
    });
}

/// Endings and the call to drain pass a box that is full, and each of them wakes the loop.
fn endings_and_drains_pass<B: Letterbox>() {
    in_every_order(|| {
        let bell = Bell::new();
        let mailbox = Arc::new(B::new(bell.clone()));
        let drains = Arc::new(AtomicU32::new(0));
        assert!(mailbox.post(1) && mailbox.post(2) && !mailbox.post(3));
        let closer = thread::spawn({
            let mailbox = mailbox.clone();
            move || mailbox.end()
        });
        let drainer = thread::spawn({
            let (mailbox, drains) = (mailbox.clone(), drains.clone());
            move || {
                drains.fetch_add(1, Ordering::SeqCst);
                mailbox.wake();
            }
        });
        let mut seen = (Vec::new(), 0, 0);
        while seen != (vec![1, 2], 1, 1) {
            bell.poll();
            let tray = mailbox.collect();
            seen.0.extend(tray.letters);
            seen.1 += tray.endings;
            seen.2 = drains.load(Ordering::SeqCst);
        }
        closer.join().unwrap();
        drainer.join().unwrap();
    });
}

#[test]
fn the_mailbox_loses_no_letter_and_holds_no_more_than_it_may() {
    no_letter_is_lost::<Mailbox<Tray>>();
}

#[test]
fn endings_and_drains_always_pass_and_always_wake() {
    endings_and_drains_pass::<Mailbox<Tray>>();
}

/// What can be got wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The loop is woken before the letter lies in the box.
    WakesTooEarly,
    /// The flag is cleared after the box was emptied.
    ClearsTooLate,
    /// Whether there is room is asked before the hand is in the box.
    AsksOutside,
}

/// A mailbox with one fault.
struct Wrong<const FAULT: u8> {
    bell: Arc<Bell>,
    woken: Mutex<bool>,
    inside: Mutex<Tray>,
}

impl<const FAULT: u8> Wrong<FAULT> {
    fn has(fault: Fault) -> bool {
        fault as u8 == FAULT
    }

    fn look(&self) {
        *self.woken.lock().unwrap() = false;
    }
}

impl<const FAULT: u8> Letterbox for Wrong<FAULT> {
    fn new(bell: Arc<Bell>) -> Self {
        Self { bell, woken: Mutex::default(), inside: Mutex::default() }
    }

    fn post(&self, letter: u32) -> bool {
        if Self::has(Fault::WakesTooEarly) {
            self.wake();
        }
        let posted = if Self::has(Fault::AsksOutside) {
            let room = self.inside.lock().unwrap().letters.len() < MOST;
            if room {
                self.inside.lock().unwrap().letters.push(letter);
            }
            room
        } else {
            self.inside.lock().unwrap().push(letter)
        };
        if !Self::has(Fault::WakesTooEarly) {
            self.wake();
        }
        posted
    }

    fn end(&self) {
        self.inside.lock().unwrap().endings += 1;
        self.wake();
    }

    fn wake(&self) {
        if !std::mem::replace(&mut *self.woken.lock().unwrap(), true) {
            self.bell.wake();
        }
    }

    fn collect(&self) -> Tray {
        if !Self::has(Fault::ClearsTooLate) {
            self.look();
        }
        let tray = std::mem::take(&mut *self.inside.lock().unwrap());
        if Self::has(Fault::ClearsTooLate) {
            self.look();
        }
        tray
    }
}

#[test]
#[should_panic(expected = "deadlock")]
fn to_wake_before_the_letter_lies_in_the_box_is_found() {
    no_letter_is_lost::<Wrong<{ Fault::WakesTooEarly as u8 }>>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn to_clear_the_flag_after_emptying_is_found() {
    no_letter_is_lost::<Wrong<{ Fault::ClearsTooLate as u8 }>>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn to_clear_the_flag_after_emptying_loses_endings_too() {
    endings_and_drains_pass::<Wrong<{ Fault::ClearsTooLate as u8 }>>();
}

#[test]
#[should_panic(expected = "more wait than may")]
fn to_ask_for_room_from_outside_is_found() {
    no_letter_is_lost::<Wrong<{ Fault::AsksOutside as u8 }>>();
}
