//! What a socket did not take: one connection's bytes on their way out, in the order of the calls.
//!
//! A connection owns a queue only while something is in it. A large body that the application gave away, and the rest of a long message that
//! its callback sent on, are kept as they are and written from where they lie. The queue knows how much of its front belongs to a unit (a
//! frame, an event, a head) that has begun to leave, so that the rest can be cut off without breaking one.

use std::borrow::Cow;
use std::io::IoSlice;

use crate::blocks::Blocks;
use crate::deadlines::Moment;
use crate::ledger::OBJECT;
use crate::lent::Rest;
use crate::pool::Pool;
use crate::unit;

/// The output of one connection.
pub(crate) struct Queue {
    /// The rest of a frame that has begun, in the message that its peer sent: it goes before all else, and cannot be cut off.
    front: Option<Rest>,
    bytes: Blocks,
    /// So many bytes at the front cannot be cut off: the rest of a unit that has begun to leave, or what was said before
    /// the WebSocket or the stream was open.
    begun: usize,
    /// What follows `bytes`: a body, and how much of it has left. Nothing is queued behind it.
    body: Cow<'static, [u8]>,
    sent: usize,
    /// The latest pong of a peer that does not read: it supersedes those before it (RFC 6455 §5.5.3) and goes last.
    pong: Vec<u8>,
    /// Publications that wait for the end of a fragmented message of ours (RFC 6455 §5.4).
    held: Vec<u8>,
    /// Messages or events that were dropped and not told to the application yet.
    pub(crate) untold: u32,
    /// Events that were dropped since the last `gap` was sent.
    pub(crate) gap: u32,
    /// When the peer last took a byte.
    pub(crate) progress: Moment,
}

impl Queue {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            front: None,
            bytes: Blocks::default(),
            begun: 0,
            body: Cow::Borrowed(&[]),
            sent: 0,
            pong: Vec::new(),
            held: Vec::new(),
            untold: 0,
            gap: 0,
            progress: now,
        }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        let front = self.front.as_ref().map_or(0, Rest::len);
        front + self.bytes.len() + (self.body.len() - self.sent) + self.pong.len() + self.held.len()
    }

    /// Whether nothing can be written now.
    pub(crate) fn is_drained(&self) -> bool {
        self.front.is_none() && self.bytes.len() == 0 && self.sent == self.body.len() && self.pong.is_empty()
    }

    /// Whether there is nothing to keep it for.
    pub(crate) fn is_over(&self) -> bool {
        self.len() == 0 && self.untold == 0 && self.gap == 0
    }

    /// Bytes that this queue pins, itself included.
    pub(crate) fn pinned(&self) -> usize {
        let body = match &self.body {
            Cow::Owned(body) => body.capacity(),
            Cow::Borrowed(_) => 0,
        };
        // Itself, and each of its buffers, is an object on the heap.
        let buffers = [self.pong.capacity(), self.held.capacity(), body];
        let objects = 2 + buffers.iter().filter(|capacity| **capacity > 0).count();
        let front = self.front.as_ref().map_or(0, Rest::pinned);
        size_of::<Self>() + front + self.bytes.pinned() + objects * OBJECT + buffers.iter().sum::<usize>()
    }

    /// Bytes that would be pinned beside those that are, if so many more came.
    pub(crate) fn growth(&self, more: usize) -> usize {
        self.bytes.growth(more)
    }

    /// The same for what is held back: a buffer that grows is there twice for a moment.
    pub(crate) fn growth_of_held(&self, more: usize) -> usize {
        growth(self.held.len(), self.held.capacity(), more)
    }

    /// Appends whole units.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.push_rest(bytes, 0, &mut Pool::default());
    }

    /// Appends the rest of what has begun to leave: `begun` bytes of it must go whatever happens.
    pub(crate) fn push_rest(&mut self, bytes: &[u8], begun: usize, pool: &mut Pool) {
        if begun > 0 {
            self.begun = self.bytes.len() + begun;
        }
        debug_assert!(self.sent == self.body.len(), "nothing is queued behind a body");
        self.settle_body();
        self.bytes.push(bytes, pool);
    }

    /// Keeps the rest of a frame that has begun. Nothing else waits.
    pub(crate) fn push_front(&mut self, rest: Rest) {
        debug_assert!(self.is_drained(), "what has begun to leave is behind nothing");
        self.front = Some(rest);
    }

    /// Nothing that is here now can be cut off.
    pub(crate) fn keep_all(&mut self) {
        self.begun = self.bytes.len();
    }

    /// Puts a pong in the place of the one that waits.
    pub(crate) fn set_pong(&mut self, frame: &[u8]) {
        self.pong.clear();
        self.pong.extend_from_slice(frame);
    }

    /// A Close goes out, and nothing may follow it (RFC 6455 §5.5.1).
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
            self.bytes.push(&self.body[self.sent..], &mut Pool::default());
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

    /// Whether a unit has begun whose end is not here.
    pub(crate) fn awaits_rest(&self) -> bool {
        self.begun > self.bytes.len()
    }

    /// What to write next, in order: fills `parts`, which are at least four, and returns how many there are.
    pub(crate) fn fill<'q>(&'q self, parts: &mut [IoSlice<'q>]) -> usize {
        let (mut count, last) = (0, parts.len() - 2);
        if let Some(rest) = &self.front {
            (parts[0], count) = (IoSlice::new(rest.bytes()), 1);
        }
        let (blocks, all) = self.bytes.fill(&mut parts[count..last]);
        count += blocks;
        for part in [&self.body[self.sent..], &self.pong] {
            // What stands behind blocks that find no place must not overtake them.
            if all && !part.is_empty() {
                parts[count] = IoSlice::new(part);
                count += 1;
            }
        }
        count
    }

    /// The socket took `taken` bytes; `units` if what is behind the part that has begun are whole frames or events.
    pub(crate) fn advance(&mut self, taken: usize, now: Moment, units: bool, pool: &mut Pool) {
        if taken > 0 {
            self.progress = now;
        }
        let from_front = self.front.as_mut().map_or(0, |rest| rest.advance(taken));
        if let Some(rest) = self.front.take_if(|rest| rest.is_little()) {
            // What has begun is copied after all, and its memory is free.
            self.begun = rest.bytes().len();
            self.bytes.push_front(rest.bytes());
            rest.give_back(&mut pool.messages);
        }
        let taken = taken - from_front;
        let from_bytes = taken.min(self.bytes.len());
        self.begin(from_bytes, units);
        self.bytes.advance(from_bytes, pool);
        let from_body = (taken - from_bytes).min(self.body.len() - self.sent);
        self.sent += from_body;
        let from_pong = taken - from_bytes - from_body;
        if from_pong > 0 {
            // A pong that has begun cannot be superseded any more.
            self.begun = self.pong.len() - from_pong;
            self.bytes.push(&std::mem::take(&mut self.pong)[from_pong..], pool);
        }
        if self.sent == self.body.len() {
            self.body = Cow::Borrowed(&[]);
            self.sent = 0;
        }
    }

    /// So many bytes leave: finds the end of the unit in which that ends.
    fn begin(&mut self, leaving: usize, units: bool) {
        if leaving == self.bytes.len() {
            self.begun = 0;
            return;
        }
        if units && self.begun < leaving {
            let end = self.ends().find(|end| *end >= leaving);
            self.begun = end.map_or(leaving, |end| end.min(self.bytes.len()));
        }
        self.begun = self.begun.saturating_sub(leaving);
    }

    /// Where the units end that have not begun to leave.
    fn ends(&self) -> impl Iterator<Item = usize> {
        unit::ends(|at| self.bytes.bytes_from(at), self.begun, self.bytes.len())
    }

    /// Drops what has not begun to leave and need not. Returns how many frames or events that were.
    pub(crate) fn cut(&mut self) -> u64 {
        let dropped = self.ends().count();
        self.bytes.truncate(self.begun);
        (self.pong, self.held) = (Vec::new(), Vec::new());
        (self.untold, self.gap) = (0, 0);
        dropped as u64
    }

    /// Drops everything: what has begun stays unfinished.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.progress);
    }
}

/// What a buffer that doubles allocates to take `more`.
pub(crate) fn growth(len: usize, capacity: usize, more: usize) -> usize {
    if len + more <= capacity { 0 } else { (len + more).max(2 * capacity).max(64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue, step: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while !queue.is_drained() {
            let mut parts = [IoSlice::new(&[]); 6];
            let count = queue.fill(&mut parts);
            let all: Vec<u8> = parts[..count].iter().flat_map(|part| part.to_vec()).collect();
            let taken = step.min(all.len());
            out.extend_from_slice(&all[..taken]);
            queue.advance(taken, Moment(1), false, &mut Pool::default());
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
        queue.advance(6, Moment(1), false, &mut Pool::default());
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

    #[test]
    fn what_is_cut_off_are_whole_units_behind_the_one_that_has_begun() {
        let units: [&[u8]; 4] = [b"\x81\x03one", b"\x82\x02\x00\x01", b"\x89\x00", b"\x81\x05three"];
        let all = units.concat();
        for taken in 0..all.len() {
            let mut queue = Queue::new(Moment(0));
            queue.push(&all);
            queue.advance(taken, Moment(1), true, &mut Pool::default());
            let mut whole = 0;
            let ended = units.iter().take_while(|unit| (whole < taken, whole += unit.len()).0).count();
            assert_eq!(queue.cut(), (units.len() - ended) as u64, "{taken}");
            let kept: usize = units[..ended].iter().map(|unit| unit.len()).sum();
            assert_eq!(drain(&mut queue, 1), all[taken..kept.max(taken)], "{taken}");
        }
    }

    #[test]
    fn what_was_said_before_is_kept() {
        let mut queue = Queue::new(Moment(0));
        queue.push(b"HTTP/1.1 200 OK\r\n\r\na page");
        queue.push_rest(b"HTTP/1.1 101 \r\n\r\n\x81\x01x", 17, &mut Pool::default());
        queue.advance(3, Moment(1), true, &mut Pool::default());
        assert_eq!(queue.cut(), 1);
        assert_eq!(drain(&mut queue, 9), b"P/1.1 200 OK\r\n\r\na pageHTTP/1.1 101 \r\n\r\n");
    }

    #[test]
    fn a_cut_gives_its_memory_back() {
        let mut queue = Queue::new(Moment(0));
        let event = [b"data: ".as_slice(), &[b'x'; 1_000], b"\n\n"].concat();
        (0..1_000).for_each(|_| queue.push(&event));
        queue.advance(10, Moment(1), true, &mut Pool::default());
        assert!(queue.pinned() > 1_000_000);
        assert_eq!(queue.cut(), 999);
        assert!(queue.pinned() < 2_000, "{}", queue.pinned());
        assert_eq!(queue.len(), event.len() - 10);
    }

    #[test]
    fn what_it_pins_is_itself_and_each_buffer_by_capacity() {
        let mut queue = Queue::new(Moment(0));
        let bare = size_of::<Queue>() + 2 * OBJECT;
        assert_eq!(queue.pinned(), bare);
        queue.set_pong(b"pong");
        let pong = queue.pong.capacity() + OBJECT;
        assert_eq!(queue.pinned(), bare + pong);
        queue.hold(b"held back");
        let held = queue.held.capacity() + OBJECT;
        assert_eq!(queue.pinned(), bare + pong + held);
        queue.push_body(Cow::Owned(Vec::with_capacity(1_000)), 0);
        assert_eq!(queue.pinned(), bare + pong + held + 1_000 + OBJECT);
        queue.clear();
        assert_eq!((queue.pinned(), queue.len()), (bare, 0));
    }

    #[test]
    fn a_buffer_that_grows_is_asked_for_as_a_whole() {
        for (len, capacity, more, grows) in
            [(0, 0, 1, 64), (60, 64, 4, 0), (60, 64, 5, 128), (60, 64, 100, 160), (0, 40, 41, 80), (0, 0, 65, 65)]
        {
            assert_eq!(growth(len, capacity, more), grows, "{more} behind {len} of {capacity}");
        }
        let mut queue = Queue::new(Moment(0));
        queue.hold(&[0; 64]);
        let capacity = queue.held.capacity();
        assert_eq!(queue.growth_of_held(capacity - 64), 0);
        assert_eq!(queue.growth_of_held(capacity - 63), 2 * capacity);
    }

    #[test]
    fn a_unit_whose_end_is_not_here_is_awaited() {
        let mut queue = Queue::new(Moment(0));
        queue.push_rest(b"its end", 7, &mut Pool::default());
        assert!(!queue.awaits_rest());
        queue.push_rest(b"a part", 9, &mut Pool::default());
        assert!(queue.awaits_rest());
        queue.push(b"its");
        assert!(!queue.awaits_rest());
    }

    #[test]
    fn what_stands_behind_the_blocks_has_its_places() {
        let mut queue = Queue::new(Moment(0));
        (0..10).for_each(|_| queue.push(&[b'x'; 64 << 10]));
        let blocks = queue.bytes.slices().count();
        queue.push_body(Cow::Borrowed(b"the body"), 0);
        queue.set_pong(b"the pong");
        for places in 4..blocks + 5 {
            let mut parts = vec![IoSlice::new(&[]); places];
            let count = queue.fill(&mut parts);
            let (written, behind) = parts[..count].split_at((places - 2).min(blocks));
            assert!(written.iter().all(|part| part[0] == b'x'));
            let due: &[&[u8]] = if written.len() == blocks { &[b"the body", b"the pong"] } else { &[] };
            assert!(behind.iter().map(|part| &**part).eq(due.iter().copied()), "{places} places");
        }
    }
}
