//! What must be true of a history, seen from outside the loop: who was promised what, and what has arrived.
//!
//! The application writes down what it says, guests hold what they hear against it. A [`Record`] is one request or one connection
//! of our own, from the callback that began it to the one that ended it.

use std::collections::VecDeque;

use longwire_reactor::{Closed, PeerId};

use crate::coverage::{Coverage, Met};
use crate::words::{Kind, Word};

/// Topics that there are.
pub(crate) const TOPICS: [&str; 4] = ["north", "east", "south", "west"];

/// How far a request has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// The application was asked; what it answered opens something, if the loop agrees.
    Asked,
    /// It will answer later.
    Later,
    /// We have dialled.
    Dialled,
    WebSocket,
    Events,
    /// It was answered, or has ended.
    Over,
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: PeerId,
    pub(crate) guest: usize,
    pub(crate) state: State,
    /// Words sent in callbacks, and how many have arrived.
    pub(crate) sent: u32,
    pub(crate) received: u32,
    /// So many of them must arrive if the end is an orderly one.
    pub(crate) firm: u32,
    /// What was published to it and has not arrived.
    pub(crate) published: VecDeque<u32>,
    /// All of that must arrive, too.
    pub(crate) publications_are_firm: bool,
    /// Words sent from outside, and how many have arrived.
    pub(crate) remote_sent: u32,
    pub(crate) remote_received: u32,
    /// The guest's messages that the application was given.
    pub(crate) told: u32,
    /// A bit for each topic that it listens to, or will when it opens.
    pub(crate) topics: u8,
    /// The word that is being sent in pieces, how much of it has gone, and its size.
    pub(crate) pieces: Option<(Word, usize, usize)>,
    /// It was sent a word in pieces once.
    pub(crate) pieced: bool,
    /// The application has closed it: nothing that is sent from here on may arrive.
    pub(crate) closing: bool,
    /// Somebody outside has asked to close it.
    pub(crate) doomed: bool,
    /// Its answer was given, to a request that waited for it.
    pub(crate) answered: bool,
    /// A timer was asked for, and so long ago that it must have fired.
    pub(crate) waking: bool,
    pub(crate) overdue: bool,
    /// At its bound what comes is dropped; so many words are known to be missing, and so many were told to be.
    pub(crate) dropping: bool,
    pub(crate) missing: u32,
    pub(crate) dropped: u32,
    /// As many as its stream was told in events named `gap`.
    pub(crate) gaps: u32,
    pub(crate) why: Option<Closed>,
}

impl Record {
    pub(crate) const fn new(id: PeerId, guest: usize, state: State) -> Self {
        Self {
            id,
            guest,
            state,
            sent: 0,
            received: 0,
            firm: 0,
            published: VecDeque::new(),
            publications_are_firm: false,
            remote_sent: 0,
            remote_received: 0,
            told: 0,
            topics: 0,
            pieces: None,
            pieced: false,
            closing: false,
            doomed: false,
            answered: false,
            waking: false,
            overdue: false,
            dropping: false,
            missing: 0,
            dropped: 0,
            gaps: 0,
            why: None,
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::WebSocket | State::Events)
    }

    /// Whether what is sent now will arrive, if nothing happens to it.
    pub(crate) const fn hears(&self) -> bool {
        self.is_open() && !self.closing
    }

    /// A word came where number `due` was expected, the `last` one that was sent being known: those between are missing.
    fn skip(&mut self, word: Word, due: u32, last: u32) -> Result<(), String> {
        if word.number < due || word.number > last || word.number > due && !self.dropping {
            return Err(format!("{word:?} came where number {due} of {last} was due"));
        }
        self.missing += word.number - due;
        Ok(())
    }

    /// How many words have not come, by number or as the last ones.
    pub(crate) fn owed(&self) -> u32 {
        let last = (self.sent - self.received) + (self.remote_sent - self.remote_received);
        self.missing + last + self.published.len() as u32
    }

    /// How many words were sent whole: what waits for the end of one in pieces, was not.
    pub(crate) const fn whole(&self) -> u32 {
        match self.pieces {
            Some((word, ..)) => word.number - 1,
            None => self.sent,
        }
    }

    /// From here on nothing more is sent: what was sent whole shall arrive.
    pub(crate) const fn seal(&mut self) {
        // Whom somebody outside has closed may have been closed already: then what was sent since is lost.
        if !self.doomed {
            self.firm = self.whole();
        }
        // What waited for the end of a message in pieces waits for ever.
        self.publications_are_firm = self.pieces.is_none() && !self.doomed;
        self.closing = true;
    }
}

/// What the answer to a request must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// A page with this word, so long.
    Page(Word, usize),
    /// The head of a page that is so long.
    Head(usize),
    Status(u16),
    WebSocket(usize),
    Events(usize),
}

/// Everything that was promised and has come.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) records: Vec<Record>,
    /// Those that are open, or wait for an answer.
    pub(crate) live: Vec<usize>,
    /// For each guest the answers that it has not seen yet, in their order.
    pub(crate) answers: Vec<VecDeque<Answer>>,
    pub(crate) published: u32,
    pub(crate) announced: u32,
    pub(crate) coverage: Coverage,
    /// The first thing that was not as it must be.
    pub(crate) violation: Option<String>,
    /// Connections of our own that were begun.
    pub(crate) dialled: u64,
    /// Connections whose end was told in the access log.
    pub(crate) connections_ended: u64,
    /// No deadline may pass.
    pub(crate) patient: bool,
    /// Limits that the model must know.
    pub(crate) most_topics: usize,
}

impl Model {
    /// Something is not as it must be.
    #[cold]
    pub(crate) fn violate(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    pub(crate) const fn meet(&mut self, met: Met) {
        self.coverage.meet(met);
    }

    /// Somebody new, by number.
    pub(crate) fn new_guest(&mut self) -> usize {
        self.answers.push(VecDeque::new());
        self.answers.len() - 1
    }

    pub(crate) fn begin(&mut self, id: PeerId, guest: usize, state: State) -> usize {
        self.records.push(Record::new(id, guest, state));
        let record = self.records.len() - 1;
        self.live.push(record);
        record
    }

    /// It is over.
    pub(crate) fn end(&mut self, record: usize) {
        self.records[record].state = State::Over;
        if let Some(at) = self.live.iter().position(|live| *live == record) {
            self.live.swap_remove(at);
        }
    }

    /// The next word to a record, or one that must not arrive if nobody hears it.
    pub(crate) fn next_word(&mut self, record: usize, about: u32) -> Word {
        let to = &mut self.records[record];
        if to.hears() {
            to.sent += 1;
            Word { kind: Kind::Direct, of: record as u32, number: to.sent, about }
        } else {
            Word::new(Kind::Lost, record as u32, 0)
        }
    }

    /// Publishes: whoever listens now shall hear it.
    pub(crate) fn publish(&mut self, topic: usize, except: Option<usize>) -> Word {
        self.published += 1;
        for live in &self.live {
            let record = &mut self.records[*live];
            if record.hears() && record.topics & (1 << topic) > 0 && except != Some(*live) {
                record.published.push_back(self.published);
            }
        }
        Word::new(Kind::Published, topic as u32, self.published)
    }

    /// Whether a record may listen to one more topic.
    pub(crate) fn subscribe(&mut self, record: usize, topic: usize) {
        let to = &mut self.records[record];
        if (to.topics.count_ones() as usize) < self.most_topics {
            to.topics |= 1 << topic;
        } else if to.topics & (1 << topic) == 0 {
            self.meet(Met::TooManyTopics);
        }
    }

    /// Timers that were asked for so far must have fired when time has passed.
    pub(crate) fn mark_wakes(&mut self) {
        for live in &self.live {
            let record = &mut self.records[*live];
            record.overdue = record.waking;
        }
    }

    /// Somebody whose timer has not fired.
    pub(crate) fn overslept(&self) -> Option<PeerId> {
        let live = self.live.iter().map(|live| &self.records[*live]);
        live.filter(|record| record.overdue && !record.closing && !record.doomed).map(|record| record.id).next()
    }

    /// A guest has heard a word on its WebSocket or stream.
    pub(crate) fn heard(&mut self, guest: usize, record: usize, word: Word) -> Result<(), String> {
        let to = &mut self.records[record];
        debug_assert_eq!(to.guest, guest);
        match word.kind {
            Kind::Direct if word.of as usize == record => {
                let due = to.received + 1;
                to.received = word.number;
                to.skip(word, due, to.sent)
            }
            Kind::Remote if word.of as usize == record => {
                let due = to.remote_received + 1;
                to.remote_received = word.number;
                to.skip(word, due, to.remote_sent)
            }
            Kind::Published => {
                while to.dropping && to.published.front().is_some_and(|due| *due < word.number) {
                    to.published.pop_front();
                    to.missing += 1;
                }
                match to.published.pop_front() {
                    Some(due) if due == word.number => Ok(()),
                    due => Err(format!("{word:?} came where publication {due:?} was due")),
                }
            }
            Kind::Announced => Ok(()),
            _ => Err(format!("{word:?} came to a guest whom it does not concern")),
        }
    }
}
