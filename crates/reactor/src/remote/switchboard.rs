//! The mailboxes of all loops of a server, as its remotes and its loops see them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use longwire_frame::CloseCode;

use super::Full;
use super::mailbox::Mailbox;
use super::post::{Batch, Command, Post, Room};
use crate::Limits;
use crate::peer_id::PeerId;
use crate::sys::Wake;

/// What all loops of a server and all its remotes share.
#[derive(Default)]
pub(crate) struct Switchboard {
    lines: OnceLock<Lines>,
    /// How often it was asked to drain.
    drains: AtomicU32,
}

/// A mailbox for each loop, and how much may wait in each.
struct Lines {
    mailboxes: Box<[Mailbox<Post>]>,
    room: Room,
}

impl std::fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switchboard").field("loops", &self.mailboxes().len()).finish_non_exhaustive()
    }
}

impl Switchboard {
    /// The loops exist now: this is what wakes each.
    pub(crate) fn open(&self, wakers: impl IntoIterator<Item = Arc<dyn Wake>>, limits: &Limits) {
        let mailboxes = wakers.into_iter().map(Mailbox::new).collect();
        if self.lines.set(Lines { mailboxes, room: Room::new(limits) }).is_err() {
            unreachable!("a server is built once");
        }
    }

    fn mailboxes(&self) -> &[Mailbox<Post>] {
        self.lines.get().map_or(&[], |lines| &lines.mailboxes)
    }

    /// Gives a command to one loop.
    pub(super) fn post(&self, home: u32, command: Command) -> Result<(), Full> {
        let Some(lines) = self.lines.get() else { return Ok(()) };
        let Some(mailbox) = lines.mailboxes.get(home as usize) else { return Ok(()) };
        mailbox.put(|post| post.push(command, lines.room)).or_else(|(returned, told)| {
            // Here, out of the box: a call may hold what calls us again when it is dropped.
            drop(returned);
            told
        })
    }

    /// Gives publications to all loops but one. Returns how many have no room.
    pub(super) fn publish(&self, batch: &Batch, except: Option<u32>) -> usize {
        let homes = (0..self.mailboxes().len() as u32).filter(|home| Some(*home) != except);
        homes.filter(|home| self.post(*home, Command::Publish(batch.clone(), 0)).is_err()).count()
    }

    pub(super) fn close(&self, id: PeerId, code: CloseCode, reason: &str) {
        if let Some(mailbox) = self.mailboxes().get(id.home as usize) {
            mailbox.put(|post| post.close(id, code, reason));
        }
    }

    pub(super) fn drain(&self) {
        self.drains.fetch_add(1, Ordering::SeqCst);
        self.mailboxes().iter().for_each(Mailbox::wake);
    }
}

/// The switchboard, seen from one loop.
pub(crate) struct Fellows {
    switchboard: Arc<Switchboard>,
    own: u32,
}

impl Fellows {
    pub(crate) const fn new(switchboard: Arc<Switchboard>, own: u32) -> Self {
        Self { switchboard, own }
    }

    /// How many loops there are, this one included.
    pub(crate) fn loops(&self) -> usize {
        self.switchboard.mailboxes().len()
    }

    /// Whether there is no other loop.
    pub(crate) fn is_empty(&self) -> bool {
        self.loops() < 2
    }

    /// Empties this loop's mailbox.
    pub(crate) fn collect(&self) -> Post {
        self.switchboard.mailboxes().get(self.own as usize).map(Mailbox::collect).unwrap_or_default()
    }

    /// How often the server was asked to drain.
    pub(crate) fn drains(&self) -> u32 {
        self.switchboard.drains.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self, id: PeerId, code: CloseCode, reason: &str) {
        self.switchboard.close(id, code, reason);
    }

    pub(crate) fn tell(&self, home: u32, command: Command) -> Result<(), Full> {
        self.switchboard.post(home, command)
    }

    /// Publishes on all others. Returns how many of the publications found no room, each counted on each loop.
    pub(crate) fn publish(&self, batch: &Batch) -> u64 {
        (self.switchboard.publish(batch, Some(self.own)) * batch.len()) as u64
    }
}

impl Drop for Fellows {
    /// The loop is gone. What waits for it goes, too: a call may hold a remote, and thereby the box that it lies in.
    fn drop(&mut self) {
        if let Some(mailbox) = self.switchboard.mailboxes().get(self.own as usize) {
            drop(mailbox.put(|post| std::mem::replace(post, Post::gone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::Reply;
    use crate::remote::Parcel;
    use crate::remote::Remote;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Bell(AtomicU32);

    impl Wake for Bell {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn loops(count: usize, limits: &Limits) -> (Arc<Switchboard>, Vec<Arc<Bell>>) {
        let bells: Vec<Arc<Bell>> = (0..count).map(|_| Arc::default()).collect();
        let switchboard = Arc::new(Switchboard::default());
        switchboard.open(bells.iter().map(|bell| bell.clone() as Arc<dyn Wake>), limits);
        (switchboard, bells)
    }

    fn most(remote: usize) -> Limits {
        Limits { remote, ..Limits::default() }
    }

    fn rung(bells: &[Arc<Bell>]) -> Vec<u32> {
        bells.iter().map(|bell| bell.0.load(Ordering::SeqCst)).collect()
    }

    /// How many commands and closings wait for each loop.
    fn waiting(switchboard: &Arc<Switchboard>) -> Vec<(usize, usize)> {
        let posts = switchboard.mailboxes().iter().map(|mailbox| mailbox.collect().open());
        let is_closing = |command: &Command| matches!(command, Command::End(..));
        posts
            .map(|all| all.into_iter().partition::<Vec<_>, _>(is_closing))
            .map(|(closings, commands)| (commands.len(), closings.len()))
            .collect()
    }

    fn peer(home: u32, slot: u32) -> PeerId {
        PeerId { home, slot, request: 1 }
    }

    #[test]
    fn a_burst_wakes_once_until_the_loop_has_looked() {
        let (switchboard, bells) = loops(1, &most(10));
        let remote = Remote::new(switchboard.clone());
        remote.send(peer(0, 0), "one").unwrap();
        remote.send(peer(0, 0), "two").unwrap();
        remote.close(peer(0, 0), CloseCode::NORMAL, "");
        remote.drain();
        assert_eq!(rung(&bells), [1]);
        assert_eq!(waiting(&switchboard), [(2, 1)]);
        remote.send(peer(0, 0), "three").unwrap();
        assert_eq!(rung(&bells), [2]);
    }

    #[test]
    fn commands_are_bounded_but_closing_is_not() {
        let (switchboard, _) = loops(2, &most(2));
        let remote = Remote::new(switchboard.clone());
        assert_eq!(remote.send(peer(0, 0), "one"), Ok(()));
        assert_eq!(remote.publish("t", "two"), Ok(()));
        assert_eq!(remote.answer(peer(0, 0), Reply::status(200)), Err(Full));
        assert_eq!(remote.publish("t", "three"), Err(Full), "one loop is full …");
        remote.close(peer(0, 0), CloseCode::NORMAL, "");
        assert_eq!(waiting(&switchboard), [(2, 1), (2, 0)], "… and the other has got it");
    }

    #[test]
    fn bytes_are_bounded_too() {
        let (switchboard, _) = loops(1, &Limits { remote_bytes: 1_000, ..Limits::default() });
        let remote = Remote::new(switchboard.clone());
        let long = "x".repeat(1_000);
        assert_eq!(remote.send(peer(0, 0), &long), Ok(()), "whole, from below the bound");
        assert_eq!(remote.send(peer(0, 0), ""), Err(Full));
        assert_eq!(waiting(&switchboard), [(1, 0)]);
        assert_eq!(remote.send(peer(0, 0), &long), Ok(()), "what was collected counts no more");
    }

    #[test]
    fn a_loop_tells_the_others_and_not_itself() {
        let (switchboard, bells) = loops(3, &most(1));
        let fellows = Fellows::new(switchboard.clone(), 1);
        assert!(!fellows.is_empty());
        let publication = || ("t".into(), Parcel::pack(&"x".into()));
        let batch: Batch = Arc::new([publication(), publication()]);
        assert_eq!(fellows.publish(&batch), 0);
        assert_eq!(rung(&bells), [1, 0, 1]);
        assert_eq!(fellows.publish(&batch), 4, "two publications for two loops had no room");
        assert_eq!(fellows.tell(7, Command::Publish(batch, 0)), Ok(()), "a loop that there is not takes nothing");
        assert!(Fellows::new(loops(1, &most(1)).0, 0).is_empty());
    }

    /// Sends when it is dropped.
    struct Last(Remote);

    impl Drop for Last {
        fn drop(&mut self) {
            let _ = self.0.send(peer(0, 0), "and another thing");
        }
    }

    #[test]
    fn a_call_that_is_refused_may_call_again_when_it_is_dropped() {
        let (switchboard, _) = loops(1, &most(0));
        let remote = Remote::new(switchboard);
        let last = Last(remote.clone());
        assert_eq!(remote.run(peer(0, 0), move |_| drop(last)), Err(Full));
    }

    #[test]
    fn before_the_loops_exist_nothing_is_told_but_a_drain_is_remembered() {
        let switchboard = Arc::new(Switchboard::default());
        let remote = Remote::new(switchboard.clone());
        assert_eq!(remote.publish("t", "nobody"), Ok(()));
        remote.close(peer(0, 0), CloseCode::NORMAL, "");
        remote.drain();
        assert_eq!(Fellows::new(switchboard, 0).drains(), 1);
    }
}
