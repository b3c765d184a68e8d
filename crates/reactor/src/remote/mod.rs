//! Reaching the loops from any thread: a bounded mailbox for each, and the hand that drops commands into them.
//!
//! Nothing here ever waits for a loop, so that a loop may call it on itself. What has no bound by its nature (closing, which
//! every connection can be told once, and draining) is kept apart from what has.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use longwire_frame::CloseCode;

use crate::peer::{Hub, PeerId};
use crate::publication::{Parcel, Publication};
use crate::reply::Reply;
use crate::sys::Wake;

/// A loop has as many commands waiting as `Limits::remote` admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as many commands wait as may")
    }
}

impl std::error::Error for Full {}

/// What a loop is told.
#[derive(Clone)]
pub(crate) enum Command {
    Send(PeerId, Parcel),
    Publish(Arc<[(Box<str>, Parcel)]>),
    Answer(PeerId, Box<Reply>),
    Run(Once),
}

type Call = Box<dyn FnOnce(&mut Hub<'_>) + Send>;

/// Something to call once. (A command can be copied to every loop; a call is made for one.)
#[derive(Clone)]
pub(crate) struct Once(Arc<Mutex<Option<Call>>>);

impl Once {
    pub(crate) fn take(&self) -> Option<Call> {
        lock(&self.0).take()
    }
}

/// One loop's mailbox.
pub(crate) struct Mailbox {
    waker: Arc<dyn Wake>,
    most: usize,
    /// Set from the first command until the loop looks: so that a burst of commands wakes it once.
    woken: AtomicBool,
    letters: Mutex<Post>,
}

/// What lies in a mailbox.
#[derive(Default)]
pub(crate) struct Post {
    pub(crate) commands: VecDeque<Command>,
    pub(crate) closing: BTreeMap<PeerId, (CloseCode, Box<str>)>,
}

impl Mailbox {
    pub(crate) fn new(waker: Arc<dyn Wake>, most: usize) -> Self {
        Self { waker, most, woken: AtomicBool::new(false), letters: Mutex::default() }
    }

    fn post(&self, command: Command) -> Result<(), Full> {
        {
            let mut letters = lock(&self.letters);
            if letters.commands.len() >= self.most {
                return Err(Full);
            }
            letters.commands.push_back(command);
        }
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        // The flag is set after the letter lies in the box and cleared before the box is emptied: no wake-up is lost.
        if !self.woken.swap(true, Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// Empties the box.
    pub(crate) fn collect(&self) -> Post {
        self.woken.store(false, Ordering::SeqCst);
        std::mem::take(&mut *lock(&self.letters))
    }
}

/// What all loops of a server and all its remotes share.
#[derive(Default)]
pub(crate) struct Switchboard {
    mailboxes: OnceLock<Box<[Mailbox]>>,
    /// How often it was asked to drain.
    drains: AtomicU32,
}

impl std::fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switchboard").field("loops", &self.mailboxes().len()).finish_non_exhaustive()
    }
}

impl Switchboard {
    /// The loops exist now.
    pub(crate) fn open(&self, mailboxes: Vec<Mailbox>) {
        if self.mailboxes.set(mailboxes.into()).is_err() {
            unreachable!("a server is built once");
        }
    }

    pub(crate) fn mailboxes(&self) -> &[Mailbox] {
        self.mailboxes.get().map_or(&[], |mailboxes| mailboxes)
    }

    fn post(&self, home: u32, command: Command) -> Result<(), Full> {
        self.mailboxes().get(home as usize).map_or(Ok(()), |mailbox| mailbox.post(command))
    }

    fn close(&self, id: PeerId, code: CloseCode, reason: &str) {
        if let Some(mailbox) = self.mailboxes().get(id.home as usize) {
            lock(&mailbox.letters).closing.insert(id, (code, reason.into()));
            mailbox.wake();
        }
    }

    fn drains(&self) -> u32 {
        self.drains.load(Ordering::SeqCst)
    }
}

/// The other loops, seen from one.
pub(crate) struct Fellows {
    switchboard: Arc<Switchboard>,
    own: u32,
}

impl Fellows {
    pub(crate) const fn new(switchboard: Arc<Switchboard>, own: u32) -> Self {
        Self { switchboard, own }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.switchboard.mailboxes().len() < 2
    }

    pub(crate) fn own(&self) -> Option<&Mailbox> {
        self.switchboard.mailboxes().get(self.own as usize)
    }

    /// How often the server was asked to drain.
    pub(crate) fn drains(&self) -> u32 {
        self.switchboard.drains()
    }

    pub(crate) fn close(&self, id: PeerId, code: CloseCode, reason: &str) {
        self.switchboard.close(id, code, reason);
    }

    pub(crate) fn tell(&self, home: u32, command: Command) -> Result<(), Full> {
        self.switchboard.post(home, command)
    }

    /// Tells all others; returns how many had no room.
    pub(crate) fn tell_all(&self, command: &Command) -> u64 {
        let others = self.switchboard.mailboxes().iter().enumerate().filter(|(home, _)| *home != self.own as usize);
        others.map(|(_, mailbox)| u64::from(mailbox.post(command.clone()).is_err())).sum()
    }
}

/// Reaches the loops of a server from any thread, its own loops' included. Never blocks. Before the loops run nobody is there
/// to be reached: what is sent then is lost, and only [`Remote::drain`] is remembered.
#[derive(Clone, Debug)]
pub struct Remote {
    switchboard: Arc<Switchboard>,
}

impl Remote {
    pub(crate) const fn new(switchboard: Arc<Switchboard>) -> Self {
        Self { switchboard }
    }

    /// Sends to a peer, if it is still there.
    ///
    /// # Errors
    /// [`Full`] when that peer's loop has too much waiting.
    pub fn send<'p>(&self, id: PeerId, publication: impl Into<Publication<'p>>) -> Result<(), Full> {
        self.switchboard.post(id.home, Command::Send(id, Parcel::pack(&publication.into())))
    }

    /// Publishes to everybody who listens to the topic, on every loop.
    ///
    /// # Errors
    /// [`Full`] when some loop has too much waiting; the others got it.
    pub fn publish<'p>(&self, topic: &str, publication: impl Into<Publication<'p>>) -> Result<(), Full> {
        let batch: Arc<[_]> = Arc::new([(topic.into(), Parcel::pack(&publication.into()))]);
        let mut outcome = Ok(());
        for mailbox in self.switchboard.mailboxes() {
            outcome = outcome.and(mailbox.post(Command::Publish(batch.clone())));
        }
        outcome
    }

    /// Answers a request whose reply was [`Reply::later`].
    ///
    /// # Errors
    /// [`Full`] when that peer's loop has too much waiting.
    pub fn answer(&self, id: PeerId, reply: Reply) -> Result<(), Full> {
        self.switchboard.post(id.home, Command::Answer(id, Box::new(reply)))
    }

    /// Calls something on the loop that a peer belongs to.
    ///
    /// # Errors
    /// [`Full`] when that loop has too much waiting.
    pub fn run(&self, id: PeerId, call: impl FnOnce(&mut Hub<'_>) + Send + 'static) -> Result<(), Full> {
        self.switchboard.post(id.home, Command::Run(Once(Arc::new(Mutex::new(Some(Box::new(call)))))))
    }

    /// Closes a peer, as [`Out::close`](crate::Out::close) does.
    pub fn close(&self, id: PeerId, code: CloseCode, reason: &str) {
        self.switchboard.close(id, code, reason);
    }

    /// Stops the server gently: no new connections, 1001 to WebSockets, an end to streams; `run` returns when all are gone
    /// or after `Limits::drain`. A second call ends it at once.
    pub fn drain(&self) {
        self.switchboard.drains.fetch_add(1, Ordering::SeqCst);
        for mailbox in self.switchboard.mailboxes() {
            mailbox.wake();
        }
    }
}

/// Locks; a thread that panicked while it held the lock left the letters whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Bell(AtomicU32);

    impl Wake for Bell {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn loops(count: usize, most: usize) -> (Arc<Switchboard>, Vec<Arc<Bell>>) {
        let bells: Vec<Arc<Bell>> = (0..count).map(|_| Arc::default()).collect();
        let switchboard = Arc::new(Switchboard::default());
        switchboard.open(bells.iter().map(|bell| Mailbox::new(bell.clone(), most)).collect());
        (switchboard, bells)
    }

    fn rung(bells: &[Arc<Bell>]) -> Vec<u32> {
        bells.iter().map(|bell| bell.0.load(Ordering::SeqCst)).collect()
    }

    fn peer(home: u32, request: u32) -> PeerId {
        PeerId { home, slot: 0, request }
    }

    #[test]
    fn a_burst_wakes_once_until_the_loop_has_looked() {
        let (switchboard, bells) = loops(1, 10);
        let remote = Remote::new(switchboard.clone());
        remote.send(peer(0, 1), "one").unwrap();
        remote.send(peer(0, 1), "two").unwrap();
        remote.close(peer(0, 1), CloseCode::NORMAL, "");
        remote.drain();
        assert_eq!(rung(&bells), [1]);
        let post = switchboard.mailboxes()[0].collect();
        assert_eq!((post.commands.len(), post.closing.len()), (2, 1));
        remote.send(peer(0, 1), "three").unwrap();
        assert_eq!(rung(&bells), [2]);
    }

    #[test]
    fn commands_are_bounded_but_closing_is_not() {
        let (switchboard, _) = loops(2, 2);
        let remote = Remote::new(switchboard.clone());
        assert_eq!(remote.send(peer(0, 1), "one"), Ok(()));
        assert_eq!(remote.publish("t", "two"), Ok(()));
        assert_eq!(remote.answer(peer(0, 1), Reply::status(200)), Err(Full));
        assert_eq!(remote.publish("t", "three"), Err(Full), "one loop is full …");
        let posts: Vec<Post> = switchboard.mailboxes().iter().map(Mailbox::collect).collect();
        assert_eq!((posts[0].commands.len(), posts[1].commands.len()), (2, 2), "… and the other has got it");
        for request in 0..1_000 {
            remote.close(peer(1, request % 10), CloseCode::NORMAL, "");
        }
        assert_eq!(switchboard.mailboxes()[1].collect().closing.len(), 10, "a connection can be told once");
    }

    #[test]
    fn a_loop_tells_the_others_and_not_itself() {
        let (switchboard, bells) = loops(3, 1);
        let fellows = Fellows::new(switchboard.clone(), 1);
        assert!(!fellows.is_empty());
        let command = Command::Publish(Arc::new([]));
        assert_eq!(fellows.tell_all(&command), 0);
        assert_eq!(rung(&bells), [1, 0, 1]);
        assert_eq!(fellows.tell_all(&command), 2, "so many had no room");
        assert_eq!(fellows.tell(7, command), Ok(()), "a loop that there is not takes nothing");
        assert!(Fellows::new(loops(1, 1).0, 0).is_empty());
    }

    #[test]
    fn what_is_to_be_called_is_called_once_however_often_it_is_copied() {
        let (switchboard, _) = loops(1, 10);
        Remote::new(switchboard.clone()).run(peer(0, 1), |_| ()).unwrap();
        let post = switchboard.mailboxes()[0].collect();
        let Some(Command::Run(once)) = post.commands.front() else { panic!("a call was posted") };
        let copy = once.clone();
        assert!(once.take().is_some() && copy.take().is_none());
    }

    #[test]
    fn before_the_loops_exist_nothing_is_told_but_a_drain_is_remembered() {
        let switchboard = Arc::new(Switchboard::default());
        let remote = Remote::new(switchboard.clone());
        assert_eq!(remote.publish("t", "nobody"), Ok(()));
        remote.close(peer(0, 1), CloseCode::NORMAL, "");
        remote.drain();
        assert_eq!(Fellows::new(switchboard, 0).drains(), 1);
    }
}
