//! What a campaign has met: every callback, every reason to end, every bound. One that is never met is a hole in the simulator.

use std::fmt;

/// One declaration for what can be met, in groups.
macro_rules! met {
    ($($group:literal: $($name:ident = $text:literal,)*;)*) => {
        /// Something that should happen in some history.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Met {
            $($(#[doc = $text] $name,)*)*
        }

        impl Met {
            /// Everything, group by group.
            pub const GROUPS: &'static [(&'static str, &'static [(Self, &'static str)])] =
                &[$(($group, &[$((Self::$name, $text),)*]),)*];
        }

        const KINDS: usize = 0 $($(+ { let _ = Met::$name; 1 })*)*;
    };
}

met! {
    "callbacks":
        Request = "request",
        Opened = "opened",
        Message = "message",
        Piece = "piece",
        Drained = "drained",
        Dropped = "dropped",
        Timer = "timer",
        Closed = "closed",
        Tick = "tick",
        Ran = "run",
    ;
    "reasons to end":
        ByPeer = "the peer closed",
        ByUs = "the application closed",
        Answered = "a later answer was given",
        Drain = "the server was drained",
        Gone = "the peer was gone",
        Broken = "the connection broke",
        Fault = "the peer broke a rule",
        Refused = "we were refused",
        Overflow = "the queue overflowed",
        NoRoomLeft = "the process had no room",
        Panicked = "the handler panicked",
    ;
    "deadlines":
        LateAnswer = "later answer",
        LateMessage = "message",
        LatePong = "pong",
        LateWrite = "write stall",
        LateClose = "close handshake",
        LateAge = "age",
        LateOpening = "opening",
        LateRequest = "head or body (408)",
        Pinged = "ping",
        Heartbeat = "heartbeat",
        Silent = "a silent connection ended",
    ;
    "bounds":
        TurnedAway = "turned away at accept",
        NoRoom = "no room to open (503)",
        StreamNoRoom = "no room for a stream (200, retry)",
        MailboxFull = "the mailbox was full",
        HeadTooLarge = "head too large (431)",
        BodyTooLarge = "body too large (413)",
        MessageTooBig = "message too big (1009)",
        PolicyClose = "reads too slowly (1008)",
        TryAgain = "no room to go on (1013)",
        InternalClose = "internal error (1011)",
        GoingAway = "going away (1001)",
        Gap = "an event named gap",
        TooManyTopics = "too many topics",
        OutOfDescriptors = "out of descriptors",
    ;
    "ways out":
        Direct = "sent to itself",
        ToOther = "sent to another",
        ToNobody = "sent to nobody",
        Pieces = "sent in pieces",
        Publish = "published",
        Deflated = "compressed",
        Remotely = "sent from outside",
        Announce = "published from outside",
        Page = "page",
        Later = "later",
        Dialled = "dialled",
        Ping = "ping",
        Close = "close",
        Panic = "panic",
        Unsubscribe = "unsubscribe",
    ;
    "guests":
        WebSocket = "WebSocket",
        Stream = "event stream",
        Plain = "plain requests",
        Hostile = "hostile",
        Deaf = "never reads",
        Slow = "reads little",
        Host = "answers our opening",
        Finish = "leaves with FIN",
        Reset = "leaves with RST",
        Leave = "leaves with FIN and reads no more",
        Carried = "a character in two pieces",
        Headless = "HEAD",
        Farewell = "a last request",
        Continue = "100-continue",
        Inflated = "a compressed message",
        Optimist = "frames behind the request",
        Held = "said all and heard all",
        Whole = "heard all that was sent before the end",
    ;
}

/// How often each was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coverage([u64; KINDS]);

impl Default for Coverage {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl Coverage {
    /// It happened.
    #[inline]
    pub const fn meet(&mut self, met: Met) {
        self.0[met as usize] += 1;
    }

    /// How often it happened.
    #[must_use]
    pub const fn of(&self, met: Met) -> u64 {
        self.0[met as usize]
    }

    /// What never happened, with its group.
    pub fn holes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = Met::GROUPS.iter().flat_map(|(group, all)| all.iter().map(move |(met, text)| (*group, *met, *text)));
        all.filter(|(_, met, _)| self.of(*met) == 0).map(|(group, _, text)| (group, text))
    }
}

impl std::ops::AddAssign for Coverage {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, all) in Met::GROUPS {
            writeln!(f, "{group}")?;
            for (met, text) in *all {
                let note = if self.of(*met) == 0 { "   ← never" } else { "" };
                writeln!(f, "  {text:<42}{:>12}{note}", self.of(*met))?;
            }
        }
        Ok(())
    }
}
