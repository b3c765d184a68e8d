//! What a socket did not take: one connection's bytes on their way out, in the order of the calls.
//!
//! A connection owns a queue only while something is in it. A large body that the application gave away is kept as it
//! is and written from where it lies.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::IoSlice;

use crate::deadlines::Moment;

/// A queue that became small gives back what it has beyond this.
const KEPT: usize = 16 << 10;

/// The output of one connection.
pub(crate) struct Queue {
    bytes: VecDeque<u8>,
    /// What follows `bytes`: a body, and how much of it has left. Nothing is queued behind it.
    body: Cow<'static, [u8]>,
    sent: usize,
    /// The latest pong of a peer that does not read: it supersedes those before it (RFC 6455 §5.5.3) and goes last.
    pong: Vec<u8>,
    /// Publications that wait for the end of a fragmented message of ours (RFC 6455 §5.4).
    held: Vec<u8>,
    /// When the peer last took a byte.
    pub(crate) progress: Moment,
}

impl Queue {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            bytes: VecDeque::new(),
            body: Cow::Borrowed(&[]),
            sent: 0,
            pong: Vec::new(),
            held: Vec::new(),
            progress: now,
        }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + (self.body.len() - self.sent) + self.pong.len() + self.held.len()
    }

    /// Whether nothing can be written now.
    pub(crate) fn is_drained(&self) -> bool {
        self.bytes.is_empty() && self.sent == self.body.len() && self.pong.is_empty()
    }

    /// Bytes that this queue pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        let body = match &self.body {
            Cow::Owned(body) => body.capacity(),
            Cow::Borrowed(_) => 0,
        };
        size_of::<Self>() + self.bytes.capacity() + self.pong.capacity() + self.held.capacity() + body
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        debug_assert!(self.sent == self.body.len(), "nothing is queued behind a body");
        self.settle_body();
        self.bytes.extend(bytes);
    }

    /// Puts a pong in the place of the one that waits.
    pub(crate) fn set_pong(&mut self, frame: &[u8]) {
        self.pong.clear();
        self.pong.extend_from_slice(frame);
    }

    /// A Close goes out, and nothing may follow it (§5.5.1).
    pub(crate) fn forget_pong(&mut self) {
        self.pong.clear();
    }

    /// Appends a body, `sent` bytes of which have left already.
    pub(crate) fn push_body(&mut self, body: Cow<'static, [u8]>, sent: usize) {
        debug_assert!(self.sent == self.body.len(), "one body at a time");
        self.settle_body();
        (self.body, self.sent) = (body, sent);
    }

    /// Whatever comes behind a body must not overtake it.
    fn settle_body(&mut self) {
        if self.sent < self.body.len() {
            self.bytes.extend(&self.body[self.sent..]);
            self.body = Cow::Borrowed(&[]);
            self.sent = 0;
        }
    }

    /// Keeps bytes back until [`Queue::release`].
    pub(crate) fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Takes what was held back.
    pub(crate) fn release(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// What to write next, in order.
    pub(crate) fn slices(&self) -> [IoSlice<'_>; 4] {
        let (front, back) = self.bytes.as_slices();
        [front, back, &self.body[self.sent..], &self.pong].map(IoSlice::new)
    }

    /// The socket took `taken` bytes.
    pub(crate) fn advance(&mut self, taken: usize, now: Moment) {
        let from_bytes = taken.min(self.bytes.len());
        self.bytes.drain(..from_bytes);
        if self.bytes.capacity() > KEPT && self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(self.bytes.len() * 2);
        }
        let from_body = (taken - from_bytes).min(self.body.len() - self.sent);
        self.sent += from_body;
        let from_pong = taken - from_bytes - from_body;
        if from_pong > 0 {
            // A pong that has begun cannot be superseded any more.
            self.bytes.extend(self.pong.drain(..).skip(from_pong));
        }
        if self.sent == self.body.len() {
            self.body = Cow::Borrowed(&[]);
            self.sent = 0;
        }
        if taken > 0 {
            self.progress = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue, step: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while !queue.is_drained() {
            let all: Vec<u8> = queue.slices().iter().flat_map(|slice| slice.to_vec()).collect();
            let taken = step.min(all.len());
            out.extend_from_slice(&all[..taken]);
            queue.advance(taken, Moment(1));
        }
        out
    }

    #[test]
    fn bytes_leave_in_order_whatever_the_socket_takes() {
        for step in 1..9 {
            let mut queue = Queue::new(Moment(0));
            queue.push(b"head ");
            queue.push(b"more ");
            queue.push_body(Cow::Borrowed(b"the body"), 4);
            assert_eq!(queue.len(), 14);
            assert_eq!(drain(&mut queue, step), b"head more body");
            assert_eq!(queue.len(), 0);
        }
    }

    #[test]
    fn only_the_latest_pong_leaves_unless_one_has_begun() {
        let mut queue = Queue::new(Moment(0));
        queue.push(b"data ");
        queue.set_pong(b"one");
        queue.set_pong(b"two");
        queue.advance(6, Moment(1));
        queue.set_pong(b"three");
        assert_eq!(drain(&mut queue, 2), b"wothree");
    }

    #[test]
    fn held_bytes_count_but_do_not_leave() {
        let mut queue = Queue::new(Moment(0));
        queue.hold(b"later");
        assert!(queue.is_drained());
        assert_eq!(queue.len(), 5);
        let held = queue.release();
        queue.push(&held);
        assert_eq!(drain(&mut queue, 2), b"later");
    }
}
