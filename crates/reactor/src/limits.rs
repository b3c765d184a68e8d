//! Every limit that a peer can meet, in one place: its default, its unit and what it stops.
//!
//! No value means "unlimited"; only `max_age` can be off. Times are measured on the monotonic clock and may be at most 24 days.

use std::time::Duration;

use longwire_frame as frame;
use longwire_handshake as handshake;

/// What a server admits. `Limits::default()` suits a public server with 256 MiB to spend.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Request heads: bytes (16 KiB), fields (100), target (8 KiB). Stops heads that never end.
    pub head: handshake::Limits,
    /// From the first byte of a head, or from accept, to its blank line (10 s). Stops slow heads.
    pub head_deadline: Duration,
    /// Request body, in bytes (1 MiB; more is answered with 413). Stops bodies held for nothing.
    pub body: u32,
    /// From the end of the head to the end of the body (30 s). Stops slow bodies.
    pub body_deadline: Duration,
    /// How long `Reply::later` may take (60 s; then 503).
    pub later: Duration,
    /// How long a connection may wait between two requests (75 s).
    pub keep_alive: Duration,
    /// Messages: bytes (1 MiB, inclusive) and parts (131,072). Stops endless and finely chopped messages.
    pub message: frame::Limits,
    /// From a message's first byte to its last (60 s). Stops slow messages.
    pub message_deadline: Duration,
    /// What one connection may have queued, in bytes (1 MiB). A message is admitted whole while the queue is below it; at the
    /// bound the connection ends, or drops what comes ([`Reply::dropping`](crate::Reply::dropping)).
    pub send_queue: usize,
    /// How long a queue may wait without the peer taking a byte (30 s). Stops peers that never read.
    pub write_stall: Duration,
    /// Silence on a WebSocket after which it is pinged (30 s).
    pub ping: Duration,
    /// How long the answer to that ping may take, from the ping's last byte (20 s). Finds dead peers.
    pub pong: Duration,
    /// Silence on an event stream after which a comment is sent (15 s). Keeps proxies from cutting it.
    pub heartbeat: Duration,
    /// How long a WebSocket or a stream may live (off).
    pub max_age: Option<Duration>,
    /// How long the peer's Close may take after ours (5 s).
    pub close: Duration,
    /// After our last byte: how long to read on for the peer's FIN in silence (2 s) …
    pub linger_idle: Duration,
    /// … and in all (5 s). Without it unread input would destroy our last bytes.
    pub linger: Duration,
    /// Connections per process (16,384).
    pub connections: usize,
    /// Of these, from one address, or from one IPv6 network of 64 bits (1,024). Loopback addresses and trusted proxies are not
    /// counted. Stops one host from taking everybody's place.
    pub per_address: usize,
    /// Topics that one connection may subscribe to (100).
    pub topics: usize,
    /// Bytes that all connections of the process may pin (256 MiB). Beyond it nobody new is admitted, and the greediest
    /// connections end. What is resident is more by what malloc keeps of what was freed: with glibc start your server with
    /// `MALLOC_MMAP_THRESHOLD_=32768` in its environment, as `longwire` does.
    pub budget: usize,
    /// So many bytes read are enough for a visit, and others have their turn (64 KiB; its last read may bring as much more as
    /// [`receive`](Self::receive)); what comes out of them where they are compressed counts, too. Of a
    /// long message that is read straight into its place it reads four times as many: they are only copied.
    pub visit: usize,
    /// The loop's shared receive buffer, in bytes (256 KiB; at least 64).
    pub receive: usize,
    /// From this payload size on a message is written at once, without a copy (16 KiB), unless more that has come is about to be
    /// answered with it.
    pub direct: usize,
    /// What collects in the shared send buffer before it is written in mid-visit (256 KiB).
    pub cork: usize,
    /// From this size on a message is compressed, where that was agreed on (1 KiB). What fits into a packet gains nothing.
    pub deflate_from: usize,
    /// Events taken from one poll (1,024).
    pub events: usize,
    /// Connections taken from one listener in one turn (64).
    pub accepts: usize,
    /// The listener's backlog (1,024).
    pub backlog: u32,
    /// Bytes the kernel may hold unsent for one connection (64 KiB): `TCP_NOTSENT_LOWAT`.
    pub kernel_unsent: u32,
    /// Bytes the kernel may hold unread for one connection (256 KiB; Linux keeps as much again for its own books, and grants no
    /// more than `net.core.rmem_max`, which is 208 KiB on many machines): `SO_RCVBUF`.
    pub kernel_unread: u32,
    /// Commands that may wait for a loop (1,024); then `Remote` answers [`Full`](crate::Full).
    pub remote: usize,
    /// Bytes that such commands may pin for each loop (16 MiB). A command is admitted whole while what waits is below it. Stops
    /// a loop that is busy from being told more than it can ever do.
    pub remote_bytes: usize,
    /// How long a drained server waits for its connections (10 s).
    pub drain: Duration,
}

impl Limits {
    /// The same, but without the numbers with which no loop could go on.
    pub(crate) fn workable(mut self) -> Self {
        self.receive = self.receive.max(64);
        self.visit = self.visit.max(1);
        self.events = self.events.max(1);
        self.accepts = self.accepts.max(1);
        self.send_queue = self.send_queue.max(1);
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            head: handshake::Limits::default(),
            head_deadline: seconds(10),
            body: 1 << 20,
            body_deadline: seconds(30),
            later: seconds(60),
            keep_alive: seconds(75),
            message: frame::Limits::default(),
            message_deadline: seconds(60),
            send_queue: 1 << 20,
            write_stall: seconds(30),
            ping: seconds(30),
            pong: seconds(20),
            heartbeat: seconds(15),
            max_age: None,
            close: seconds(5),
            linger_idle: seconds(2),
            linger: seconds(5),
            connections: 16_384,
            per_address: 1_024,
            topics: 100,
            budget: 256 << 20,
            visit: 64 << 10,
            receive: 256 << 10,
            direct: 16 << 10,
            cork: 256 << 10,
            deflate_from: 1 << 10,
            events: 1_024,
            accepts: 64,
            backlog: 1_024,
            kernel_unsent: 64 << 10,
            kernel_unread: 256 << 10,
            remote: 1_024,
            remote_bytes: 16 << 20,
            drain: seconds(10),
        }
    }
}
