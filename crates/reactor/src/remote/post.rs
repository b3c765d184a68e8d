//! What lies in a mailbox: commands, bounded in number and in bytes; and endings, at most one for each slot of the loop.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use longwire_frame::{Close, CloseCode};

use super::Full;
use crate::Limits;
use crate::peer::Hub;
use crate::peer_id::PeerId;
use crate::remote::Parcel;
use crate::reply::Reply;

/// What a loop is told.
pub(crate) enum Command {
    Send(PeerId, Parcel),
    /// All of a batch from here on.
    Publish(Batch, usize),
    Answer(PeerId, Box<Reply>),
    Run(Call),
    End(Closing),
}

/// Topics, and what was published to each. One copy is on its way to all loops.
pub(crate) type Batch = Arc<[(Box<str>, Parcel)]>;

/// Something to call on a loop.
pub(crate) type Call = Box<dyn FnOnce(&mut Hub<'_>) + Send>;

impl Command {
    /// Bytes that it pins while it waits. A shared batch counts in each mailbox, as if it were alone.
    fn bytes(&self) -> usize {
        let beside = match self {
            Self::Send(_, parcel) => parcel.bytes(),
            Self::Publish(batch, _) => batch.iter().map(|(topic, parcel)| topic.len() + parcel.bytes()).sum(),
            Self::Answer(_, reply) => reply.bytes(),
            Self::Run(call) => size_of_val(&**call),
            Self::End(closing) => closing.reason.len(),
        };
        size_of::<Self>() + beside
    }
}

/// How much may wait for one loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) commands: usize,
    pub(crate) bytes: usize,
}

impl Room {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { commands: limits.remote, bytes: limits.remote_bytes }
    }
}

/// See the top of this file.
#[derive(Default)]
pub(crate) struct Post {
    commands: Vec<Command>,
    /// What the commands pin.
    bytes: usize,
    closings: BTreeMap<u32, Closing>,
    /// The loop is gone, and nobody will collect this.
    is_gone: bool,
}

/// A peer that is to be closed.
pub(crate) struct Closing {
    pub(crate) id: PeerId,
    pub(crate) code: CloseCode,
    pub(crate) reason: Box<str>,
}

impl Post {
    /// What lies in the mailbox of a loop that is gone: nothing, for ever.
    pub(crate) fn gone() -> Self {
        Self { is_gone: true, ..Self::default() }
    }

    /// Takes a command whole while what waits is below its bounds; otherwise gives it back, with what its sender is told:
    /// whatever it holds must not be dropped with a hand in the box.
    pub(crate) fn push(&mut self, command: Command, room: Room) -> Result<(), (Command, Result<(), Full>)> {
        if self.is_gone {
            return Err((command, Ok(())));
        }
        if self.commands.len() >= room.commands || self.bytes >= room.bytes {
            return Err((command, Err(Full)));
        }
        self.bytes += command.bytes();
        self.commands.push(command);
        Ok(())
    }

    /// Notes that a peer is to be closed. There is always room: of the requests that ever used a slot only the latest may still
    /// live, so there is at most one note for each slot, however many ids of the past an application closes.
    pub(crate) fn close(&mut self, id: PeerId, code: CloseCode, reason: &str) {
        // Of two for one peer the first stands, as it does where both are called on the loop.
        let stands = |noted: &Closing| noted.id.request.wrapping_sub(id.request).cast_signed() >= 0;
        if !self.is_gone && !self.closings.get(&id.slot).is_some_and(stands) {
            let reason = Close::new(code, reason).reason.into();
            self.closings.insert(id.slot, Closing { id, code, reason });
        }
    }

    /// All of it, in the order in which the loop does it.
    pub(crate) fn open(self) -> VecDeque<Command> {
        let mut all = VecDeque::from(self.commands);
        all.extend(self.closings.into_values().map(Command::End));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn peer(slot: u32, request: u32) -> PeerId {
        PeerId { home: 0, slot, request }
    }

    fn text(length: usize) -> Command {
        Command::Send(peer(0, 1), Parcel::pack(&"x".repeat(length).as_str().into()))
    }

    #[test]
    fn commands_are_bounded_in_number_and_in_bytes() {
        let mut post = Post::default();
        let room = Room { commands: 3, bytes: usize::MAX };
        for _ in 0..3 {
            assert!(post.push(text(0), room).is_ok());
        }
        assert!(post.push(text(0), room).is_err());

        // Taken whole while it is below: the bound and one command at most.
        let mut post = Post::default();
        let room = Room { commands: usize::MAX, bytes: 100 + size_of::<Command>() };
        assert!(post.push(text(99), room).is_ok(), "below");
        assert!(post.push(text(1 << 20), room).is_ok(), "and one more, of any size");
        assert!(post.push(text(0), room).is_err(), "above");
        let mut post = Post::default();
        assert!(post.push(text(100), room).is_ok());
        assert!(post.push(text(0), room).is_err(), "at");
        assert_eq!(post.open().len(), 1);
    }

    #[test]
    fn whatever_a_command_holds_is_counted() {
        let held = |command: Command| command.bytes() - size_of::<Command>();
        assert_eq!(held(text(1_000)), 1_000);
        let event = longwire_sse::Event::data("12345").name(longwire_sse::Line::literal("name"));
        let both = Parcel::pack(&crate::Publication::both("123", event));
        assert_eq!(held(Command::Publish(Arc::new([("topic".into(), both)]), 0)), 5 + 3 + 5 + 4);
        let value = longwire_handshake::FieldValue::literal("value");
        let owned = Reply::page("text/plain", vec![0; 500]).field("X-Name", value);
        assert!(held(Command::Answer(peer(0, 1), Box::new(owned))) > 500 + 5);
        let literal = Reply::page("text/plain", [0; 500].as_slice());
        assert!(held(Command::Answer(peer(0, 1), Box::new(literal))) < 500, "it is part of the program");
        let big = [0_u8; 4_096];
        assert_eq!(held(Command::Run(Box::new(move |_| assert_eq!(big[0], 0)))), 4_096);
    }

    #[test]
    fn a_slot_is_closed_for_the_latest_request_in_it() {
        let mut post = Post::default();
        for request in 0..10_000 {
            post.close(peer(request % 10, request), CloseCode::NORMAL, "once");
        }
        post.close(peer(3, 13), CloseCode::NORMAL, "long ago");
        post.close(peer(9, 9_999), CloseCode::POLICY, "twice");
        post.close(peer(10, 1), CloseCode::POLICY, &"r".repeat(1 << 20));
        // The numbers of requests start again after four thousand millions.
        post.close(peer(20, u32::MAX), CloseCode::NORMAL, "before");
        post.close(peer(20, 2), CloseCode::NORMAL, "after");
        post.close(peer(20, u32::MAX), CloseCode::NORMAL, "before");
        let closings = post.open().into_iter().map(|command| match command {
            Command::End(closing) => closing,
            _ => unreachable!("nothing else was put in"),
        });
        let closings: Vec<Closing> = closings.collect();
        let requests: Vec<u32> = closings.iter().map(|closing| closing.id.request).collect();
        assert_eq!(requests[..10], (9_990..10_000).collect::<Vec<_>>());
        assert_eq!(requests[10..], [1, 2]);
        assert_eq!((closings[9].code, &*closings[9].reason), (CloseCode::NORMAL, "once"));
        assert_eq!((closings[10].code, closings[10].reason.len()), (CloseCode::POLICY, Close::MAX_REASON));
    }
}
