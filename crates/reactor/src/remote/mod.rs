//! Reaching the loops from any thread: a bounded mailbox for each, and the hand that drops commands into them.
//!
//! Nothing here ever waits for a loop, so that a loop may call it on itself. What needs no bound by its nature (closing, which
//! every connection can be told once, and draining) always passes; everything else may be [`Full`].

mod mailbox;
mod parcel;
mod post;
mod switchboard;

use std::sync::Arc;

use longwire_frame::CloseCode;

use crate::peer::Hub;
use crate::peer_id::PeerId;
use crate::publication::Publication;
use crate::reply::Reply;
use crate::sys::Wake;

pub(crate) use parcel::Parcel;
pub(crate) use post::{Batch, Command};
pub(crate) use switchboard::{Fellows, Switchboard};

/// What the mailbox is locked with. (The test with the model checker puts its own here.)
mod sync {
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}

/// As much waits for a loop as `Limits::remote` and `Limits::remote_bytes` admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as much waits for the loop as may")
    }
}

impl std::error::Error for Full {}

/// Reaches the loops of a server from any thread, its own loops' included. Never blocks. Before the loops run nobody is there
/// to be reached, nor when they have ended: what is sent then is lost, and only [`Remote::drain`] is remembered.
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
    /// What one thread sends, publishes and answers arrives in that order; closings are done behind all that waits with them.
    ///
    /// # Errors
    /// [`Full`] when that peer's loop has too much waiting.
    pub fn send<'p>(&self, id: PeerId, publication: impl Into<Publication<'p>>) -> Result<(), Full> {
        self.switchboard.post(id.home, Command::Send(id, Parcel::pack(&publication.into())))
    }

    /// Publishes to everybody who listens to the topic, on every loop. (Where a callback publishes and another loop has too much waiting, its
    /// subscribers miss it, and only [`Stats::dropped`](crate::Stats::dropped) tells.)
    ///
    /// # Errors
    /// [`Full`] when some loop has too much waiting; the others got it.
    pub fn publish<'p>(&self, topic: &str, publication: impl Into<Publication<'p>>) -> Result<(), Full> {
        let batch: Batch = Arc::new([(topic.into(), Parcel::pack(&publication.into()))]);
        if self.switchboard.publish(&batch, None) > 0 { Err(Full) } else { Ok(()) }
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
        self.switchboard.post(id.home, Command::Run(Box::new(call)))
    }

    /// Closes a peer, as [`Out::close`](crate::Out::close) does.
    pub fn close(&self, id: PeerId, code: CloseCode, reason: &str) {
        self.switchboard.close(id, code, reason);
    }

    /// Stops the server gently: no new connections, 1001 to WebSockets, an end to streams; `run` returns when all are gone
    /// or after `Limits::drain`. A second call ends it at once.
    pub fn drain(&self) {
        self.switchboard.drain();
    }
}
