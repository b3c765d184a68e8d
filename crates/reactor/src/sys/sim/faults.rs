//! What can go wrong: each kind with a rate, and with a counter that shows that it did.

use super::random::Random;

/// One declaration for the kinds, their names and what a system call says of them.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $errno:expr;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Fault {
            /// All kinds, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// In words.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What the system call answers, if it fails.
            #[must_use]
            pub const fn errno(self) -> Option<i32> {
                match self {
                    $(Self::$name => $errno,)*
                }
            }
        }
    };
}

faults! {
    /// A read brings less than is there; the rest counts as arriving just afterwards.
    ShortRead = "short read", None;
    /// A read finds nothing, and what is there counts as arriving just afterwards.
    ReadAgain = "EAGAIN on read", Some(libc::EAGAIN);
    /// A signal comes before a read.
    ReadInterrupted = "EINTR on read", Some(libc::EINTR);
    /// The connection turns out to be reset.
    ReadReset = "ECONNRESET on read", Some(libc::ECONNRESET);
    /// The kernel has given the peer up.
    ReadTimedOut = "ETIMEDOUT on read", Some(libc::ETIMEDOUT);
    /// A write takes less than it could; room comes just afterwards.
    ShortWrite = "short write", None;
    /// A write takes nothing; room comes just afterwards.
    WriteAgain = "EAGAIN on write", Some(libc::EAGAIN);
    /// A signal comes before a write.
    WriteInterrupted = "EINTR on write", Some(libc::EINTR);
    /// The connection turns out to be reset.
    WriteReset = "ECONNRESET on write", Some(libc::ECONNRESET);
    /// The peer is gone.
    WriteBroken = "EPIPE on write", Some(libc::EPIPE);
    /// The kernel has no memory for what is written.
    WriteNoBuffers = "ENOBUFS on write", Some(libc::ENOBUFS);
    /// Nobody seems to wait; who does counts as arriving just afterwards.
    AcceptAgain = "EAGAIN on accept", Some(libc::EAGAIN);
    /// A signal comes before an accept.
    AcceptInterrupted = "EINTR on accept", Some(libc::EINTR);
    /// Who waited first has gone meanwhile.
    AcceptAborted = "ECONNABORTED on accept", Some(libc::ECONNABORTED);
    /// Who waited first broke a rule of the protocol.
    AcceptProtocol = "EPROTO on accept", Some(libc::EPROTO);
    /// The kernel has no memory for a connection.
    AcceptNoBuffers = "ENOBUFS on accept", Some(libc::ENOBUFS);
    /// The process has no descriptor left, whatever the count says.
    AcceptNoDescriptor = "EMFILE on accept", Some(libc::EMFILE);
    /// The system has no descriptor left.
    AcceptNoFile = "ENFILE on accept", Some(libc::ENFILE);
    /// The poll cannot look after one more socket.
    RegisterFailed = "ENOSPC on register", Some(libc::ENOSPC);
    /// There is no way to an address.
    ConnectFailed = "ENETUNREACH on connect", Some(libc::ENETUNREACH);
    /// A signal comes before a poll: no events, no time.
    PollInterrupted = "EINTR on poll", Some(libc::EINTR);
    /// The events of one poll come in another order.
    Reordered = "events reordered", None;
    /// An event is reported again by the next poll.
    Duplicated = "event duplicated", None;
    /// An event is not reported yet.
    Delayed = "event delayed", None;
    /// An event that nothing stands behind.
    Spurious = "spurious event", None;
    /// An event of a socket that is closed already.
    Stale = "stale event", None;
    /// A wake-up is reported by a later poll only.
    WakeDelayed = "wake-up delayed", None;
    /// A wake-up is reported twice.
    WakeDoubled = "wake-up doubled", None;
    /// The process is not run for some seconds.
    Late = "a late return from poll", None;
    /// The machine is suspended for minutes.
    Leap = "the clock leaps", None;
    /// The clock does not go on for some polls.
    Stall = "the clock stands still", None;
}

const KINDS: usize = Fault::ALL.len();

/// How often each kind of fault has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultCounts([u64; KINDS]);

impl Default for FaultCounts {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl FaultCounts {
    /// Every kind with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.iter().copied().zip(self.0)
    }

    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl std::ops::AddAssign for FaultCounts {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

/// The rates, and what came of them.
#[derive(Debug)]
pub(super) struct Faults {
    /// Of 65,536 chances.
    rates: [u16; KINDS],
    any: bool,
    pub(super) counts: FaultCounts,
    pub(super) random: Random,
}

impl Faults {
    pub(super) fn new(random: Random) -> Self {
        Self { rates: [0; KINDS], any: false, counts: FaultCounts::default(), random }
    }

    pub(super) fn set(&mut self, fault: Fault, rate: u16) {
        self.rates[fault as usize] = rate;
        self.any = self.rates != [0; KINDS];
    }

    pub(super) fn calm(&mut self) {
        (self.rates, self.any) = ([0; KINDS], false);
    }

    /// Whether one of these happens now. No two of them can.
    #[inline]
    pub(super) fn strike(&mut self, chances: &[Fault]) -> Option<Fault> {
        if !self.any { None } else { self.draw(chances) }
    }

    fn draw(&mut self, chances: &[Fault]) -> Option<Fault> {
        let mut ticket = (self.random.draw() & 0xffff) as u32;
        for fault in chances {
            let rate = u32::from(self.rates[*fault as usize]);
            if ticket < rate {
                return Some(*fault);
            }
            ticket -= rate;
        }
        None
    }

    /// Whether this happens now; if so, it is counted.
    #[inline]
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        let struck = self.strike(&[fault]).is_some();
        if struck {
            self.count(fault);
        }
        struck
    }

    pub(super) fn count(&mut self, fault: Fault) {
        self.counts.0[fault as usize] += 1;
    }
}

/// What a system call's error is called in a manual; numbers that no call here answers are just numbers.
#[must_use]
pub fn errno_name(errno: i32) -> std::borrow::Cow<'static, str> {
    let name = match errno {
        libc::EAGAIN => "EAGAIN",
        libc::EINTR => "EINTR",
        libc::ECONNRESET => "ECONNRESET",
        libc::ECONNREFUSED => "ECONNREFUSED",
        libc::ECONNABORTED => "ECONNABORTED",
        libc::ETIMEDOUT => "ETIMEDOUT",
        libc::EPIPE => "EPIPE",
        libc::EPROTO => "EPROTO",
        libc::ENOBUFS => "ENOBUFS",
        libc::ENOMEM => "ENOMEM",
        libc::EMFILE => "EMFILE",
        libc::ENFILE => "ENFILE",
        libc::ENOSPC => "ENOSPC",
        libc::ENETUNREACH => "ENETUNREACH",
        libc::EHOSTUNREACH => "EHOSTUNREACH",
        libc::ENOTCONN => "ENOTCONN",
        libc::EBADF => "EBADF",
        other => return other.to_string().into(),
    };
    name.into()
}
