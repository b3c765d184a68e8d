//! What the log is told of things that can happen in masses: a line a second for each kind at most, with the number of those that
//! were left out. A storm of faults must not become a storm of lines.

use std::fmt::Arguments;

use log::Level;

use crate::deadlines::Moment;

/// Between two lines of one kind, in milliseconds.
const PAUSE: u32 = 1_000;

/// A kind of thing that can happen in masses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// A callback panicked.
    Panic,
    /// Accepting failed for lack of descriptors or memory.
    Accept,
    /// The application sent a piece of the other kind in mid-message.
    Piece,
    /// The process has no room: connections end.
    NoRoom,
    /// Somebody came who was not admitted.
    Refused,
}

const KINDS: [Notice; 5] = [Notice::Panic, Notice::Accept, Notice::Piece, Notice::NoRoom, Notice::Refused];

impl Notice {
    const fn level(self) -> Level {
        match self {
            Self::Panic | Self::Piece => Level::Error,
            Self::Accept | Self::NoRoom | Self::Refused => Level::Warn,
        }
    }

    /// What those that were left out are called.
    const fn name(self) -> &'static str {
        match self {
            Self::Panic => "panics of the handler",
            Self::Accept => "failures to accept",
            Self::Piece => "pieces of the other kind",
            Self::NoRoom => "connections without room",
            Self::Refused => "connections that were refused",
        }
    }
}

/// When each kind was told last, and how many were left out since.
#[derive(Clone, Copy, Default)]
struct Told {
    last: Option<Moment>,
    left_out: u32,
}

/// The notices of one loop.
#[derive(Default)]
pub(crate) struct Notices {
    told: [Told; KINDS.len()],
}

impl Notices {
    /// Tells it, unless its kind was told within the last second: then it is only counted.
    #[cold]
    pub(crate) fn tell(&mut self, now: Moment, notice: Notice, words: Arguments<'_>) {
        let told = &mut self.told[notice as usize];
        if told.last.is_some_and(|last| now.since(last) < PAUSE) {
            told.left_out += 1;
        } else {
            told.last = Some(now);
            log::log!(notice.level(), "{words}");
        }
    }

    /// Tells how many were left out, where a second has passed since.
    pub(crate) fn catch_up(&mut self, now: Moment) {
        for notice in KINDS {
            let told = &mut self.told[notice as usize];
            if told.left_out > 0 && told.last.is_none_or(|last| now.since(last) >= PAUSE) {
                log::log!(notice.level(), "{} more {}", told.left_out, notice.name());
                *told = Told { last: Some(now), left_out: 0 };
            } else if told.left_out == 0 {
                // Moments cannot be compared for ever.
                told.last = told.last.filter(|last| now.since(*last) < PAUSE);
            }
        }
    }

    /// How many wait to be told as a number.
    #[cfg(test)]
    fn left_out(&self, notice: Notice) -> u32 {
        self.told[notice as usize].left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_and_then_the_number_of_the_others() {
        let mut notices = Notices::default();
        for at in 0..10_000 {
            notices.tell(Moment(at / 20), Notice::Panic, format_args!("it happened"));
        }
        assert_eq!(notices.left_out(Notice::Panic), 9_999);
        notices.catch_up(Moment(999));
        assert_eq!(notices.left_out(Notice::Panic), 9_999, "not before a second has passed");
        notices.catch_up(Moment(1_000));
        assert_eq!(notices.left_out(Notice::Panic), 0);
        notices.tell(Moment(1_500), Notice::Panic, format_args!("once more"));
        assert_eq!(notices.left_out(Notice::Panic), 1, "the number was a line, too");
        notices.tell(Moment(1_500), Notice::Accept, format_args!("another kind"));
        assert_eq!(notices.left_out(Notice::Accept), 0, "kinds do not wait for each other");
        notices.catch_up(Moment(2_500));
        notices.catch_up(Moment(3_500));
        // Thirty days later.
        notices.tell(Moment(30 * 24 * 3_600_000), Notice::Panic, format_args!("again"));
        assert_eq!(notices.left_out(Notice::Panic), 0, "what was told long ago does not count");
    }

    #[test]
    fn every_kind_has_a_place_of_its_own() {
        for (at, notice) in KINDS.iter().enumerate() {
            assert_eq!(*notice as usize, at);
        }
    }
}
