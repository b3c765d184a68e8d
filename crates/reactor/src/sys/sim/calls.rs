//! What the loop asked of the imaginary machine: counted always, told one by one to whoever watches.

use std::fmt;
use std::time::Duration;

use super::faults::errno_name;
use crate::sys::Edge;

/// One declaration for the calls, their names in a trace and their counters.
macro_rules! calls {
    ($($name:ident = $method:literal, $counter:ident;)*) => {
        /// A system call.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Call {
            $(#[doc = concat!("[`Sys::", $method, "`](crate::sys::Sys::", $method, ").")] $name,)*
        }

        impl Call {
            /// All calls.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in a trace.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $method,)*
                }
            }
        }

        /// How often the loop called the machine.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Calls {
            $(#[doc = concat!("[`Sys::", $method, "`](crate::sys::Sys::", $method, ").")] pub $counter: u64,)*
        }

        impl Calls {
            /// How often it made this call.
            #[must_use]
            pub const fn of(&self, call: Call) -> u64 {
                match call {
                    $(Call::$name => self.$counter,)*
                }
            }

            /// All calls but polls.
            #[must_use]
            pub const fn work(&self) -> u64 {
                0 $(+ self.$counter)* - self.polls
            }

            pub(super) const fn count(&mut self, call: Call) {
                match call {
                    $(Call::$name => self.$counter += 1,)*
                }
            }
        }

        impl std::ops::Sub for Calls {
            type Output = Self;

            fn sub(self, earlier: Self) -> Self {
                Self { $($counter: self.$counter - earlier.$counter),* }
            }
        }

        impl std::ops::AddAssign for Calls {
            fn add_assign(&mut self, other: Self) {
                $(self.$counter += other.$counter;)*
            }
        }
    };
}

calls! {
    Poll = "poll", polls;
    Accept = "accept", accepts;
    Shed = "shed", sheds;
    Register = "register", registers;
    Connect = "connect", connects;
    Connected = "connected", checks;
    Read = "read", reads;
    Write = "write", writes;
    Shutdown = "shutdown", shutdowns;
    Close = "close", closes;
}

impl Call {
    /// Every error that this call may answer and the loop may have to survive.
    #[must_use]
    pub const fn errors(self) -> &'static [i32] {
        match self {
            Self::Accept | Self::Shed => &[
                libc::EAGAIN,
                libc::EINTR,
                libc::ECONNABORTED,
                libc::EPROTO,
                libc::ENOBUFS,
                libc::ENOMEM,
                libc::EMFILE,
                libc::ENFILE,
            ],
            Self::Register => &[libc::ENOSPC, libc::ENOMEM],
            Self::Connect => &[libc::EMFILE, libc::ENFILE, libc::ENETUNREACH, libc::ENOBUFS],
            Self::Connected => &[libc::ECONNREFUSED, libc::ETIMEDOUT, libc::EHOSTUNREACH],
            Self::Read => &[libc::EAGAIN, libc::EINTR, libc::ECONNRESET, libc::ETIMEDOUT, libc::EHOSTUNREACH],
            Self::Write => &[libc::EAGAIN, libc::EINTR, libc::ECONNRESET, libc::EPIPE, libc::ENOBUFS, libc::ETIMEDOUT],
            Self::Poll | Self::Shutdown | Self::Close => &[],
        }
    }
}

/// A call and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which call.
    pub call: Call,
    /// The descriptor that it was about, as small numbers as Linux would give.
    pub descriptor: Option<u32>,
    /// How much was asked for: bytes of room, or bytes to write.
    pub asked: usize,
    /// What was answered: bytes, or the new descriptor, or an error's number.
    pub outcome: Result<usize, i32>,
    /// Whether a fault had its hand in it.
    pub struck: bool,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.call.name())?;
        f.write_str("(")?;
        if let Some(descriptor) = self.descriptor {
            write!(f, "{descriptor}")?;
        }
        f.write_str(")")?;
        match (self.call, self.outcome) {
            (_, Err(errno)) => write!(f, " = {}", errno_name(errno))?,
            (Call::Read | Call::Write, Ok(moved)) => write!(f, " = {moved} of {}", self.asked)?,
            (Call::Accept | Call::Connect, Ok(descriptor)) => write!(f, " = {descriptor}")?,
            (Call::Close, Ok(1..)) => f.write_str(", with bytes unread: a reset")?,
            _ => {}
        }
        if self.struck { f.write_str(" (fault)") } else { Ok(()) }
    }
}

/// Looks on while the loop uses the machine. It must not touch the world.
pub trait Watch {
    /// A call was made.
    fn done(&mut self, now: Duration, done: &Done);

    /// A poll reported this edge; no descriptor is the eventfd that wakes, or one that is closed already.
    fn edge(&mut self, now: Duration, descriptor: Option<u32>, edge: Edge);
}
