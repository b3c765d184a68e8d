//! What a socket did not take: one connection's bytes on their way out, in the order of the calls.
//!
//! A connection owns a queue only while something is in it. A large body that the application gave away is kept as it
//! is and written from where it lies.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::IoSlice;

use crate::deadlines::Moment;

/// The output of one connection.
pub(crate) struct Queue {
    bytes: VecDeque<u8>,
    /// What follows `bytes`: a body, and how much of it has left. Nothing is queued behind it.
    body: Cow<'static, [u8]>,
    sent: usize,
    /// Publications that wait for the end of a fragmented message of ours (RFC 6455 §5.4).
    held: Vec<u8>,
    /// When the peer last took a byte.
    pub(crate) progress: Moment,
}

impl Queue {
    pub(crate) fn new(now: Moment) -> Self {
        Self { bytes: VecDeque::new(), body: Cow::Borrowed(&[]), sent: 0, held: Vec::new(), progress: now }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + (self.body.len() - self.sent) + self.held.len()
    }

    /// Whether nothing can be written now.
    pub(crate) fn is_drained(&self) -> bool {
        self.bytes.is_empty() && self.sent == self.body.len()
    }

    /// Bytes that this queue pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        let body = match &self.body {
            Cow::Owned(body) => body.capacity(),
            Cow::Borrowed(_) => 0,
        };
        size_of::<Self>() + self.bytes.capacity() + self.held.capacity() + body
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Appends a body, `sent` bytes of which have left already.
    pub(crate) fn push_body(&mut self, body: Cow<'static, [u8]>, sent: usize) {
        debug_assert!(self.sent == self.body.len(), "one body at a time");
        (self.body, self.sent) = (body, sent);
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
    pub(crate) fn slices(&self) -> [IoSlice<'_>; 3] {
        let (front, back) = self.bytes.as_slices();
        [IoSlice::new(front), IoSlice::new(back), IoSlice::new(&self.body[self.sent..])]
    }

    /// The socket took `taken` bytes.
    pub(crate) fn advance(&mut self, taken: usize, now: Moment) {
        let from_bytes = taken.min(self.bytes.len());
        self.bytes.drain(..from_bytes);
        self.sent += taken - from_bytes;
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
