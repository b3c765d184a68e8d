//! What a script promises, and how long it may take: each promise is looked at until it is kept, in bounded time of the machine.

use std::time::Duration;

use super::visitor::Visitor;
use super::{Play, Who};

/// What is promised is there within so many of these.
const LOOKS: u32 = 50;
const LOOK: Duration = Duration::from_millis(20);

impl Play {
    /// Within bounded time `who` has heard this since it was asked last, and nothing else.
    pub(crate) fn hears(&mut self, who: Who, due: &[&str]) {
        for _ in 0..LOOKS {
            self.settle();
            if self.violation.is_some() || self.visitors[who.0].heard == *due {
                break;
            }
            if self.is_void(who) {
                break;
            }
            self.waits(LOOK);
        }
        let heard = std::mem::take(&mut self.visitors[who.0].heard);
        if heard != *due && !self.is_void(who) {
            let name = &self.visitors[who.0].name;
            self.breaks(format!("{name} should have heard {due:?} and heard {heard:?}"));
        }
    }

    /// Within bounded time the application was told this about `who`, and nothing else. (That a queue drained is no promise.)
    pub(crate) fn told(&mut self, who: Who, due: &[&str]) {
        let is_it = |told: &[String]| told.iter().filter(|what| *what != "drained").eq(due);
        self.told_what(who, is_it, &format!("{due:?}"));
    }

    /// Among other things the application was told this, once at least.
    pub(crate) fn was_told(&mut self, who: Who, due: &str) {
        self.told_what(who, |told| told.iter().any(|what| what == due), &format!("among other things {due:?}"));
    }

    fn told_what(&mut self, who: Who, is_it: impl Fn(&[String]) -> bool, due: &str) {
        let name = self.visitors[who.0].name.clone();
        for _ in 0..LOOKS {
            self.settle();
            let told = self.on.handler().told.get(&name);
            if is_it(told.map_or(&[], Vec::as_slice)) || self.is_void(who) || self.violation.is_some() {
                return;
            }
            self.waits(LOOK);
        }
        let told = self.on.handler().told.get(&name).cloned().unwrap_or_default();
        self.breaks(format!("of {name} the application should have been told {due}, and was told {told:?}"));
    }

    /// Within bounded time one of these.
    pub(crate) fn hears_one_of(&mut self, who: Who, due: &[&[&str]]) {
        self.waits(LOOK);
        let heard = &self.visitors[who.0].heard;
        let due = due.iter().find(|due| heard == *due).or(due.first()).copied().unwrap_or_default();
        self.hears(who, due);
    }

    /// Whatever is on its way to this one was promised to nobody.
    pub(crate) fn forgets(&mut self, who: Who) {
        self.settle();
        self.visitors[who.0].wire = None;
    }

    /// So many connections are there, if nothing has happened to any of these.
    pub(crate) fn expects_connections(&mut self, of: &[Who], due: u64) {
        self.settle();
        let found = self.on.stats().connections;
        if found != due && !of.iter().any(|who| self.is_void(*who)) {
            self.breaks(format!("{found} connections are there, and {due} should be"));
        }
    }

    /// So much was dropped and counted, if nothing has happened to any of these.
    pub(crate) fn expects_dropped(&mut self, from: &[Who], due: u64) {
        self.settle();
        let found = self.on.stats().dropped;
        if found != due && !from.iter().any(|who| self.is_void(*who)) {
            self.breaks(format!("{found} were counted as dropped, and {due} should be"));
        }
    }

    /// The server is through with everybody.
    pub(crate) fn has_ended(&mut self) {
        self.settle();
        if !self.ended {
            self.breaks("the server should have ended".into());
        }
    }

    /// Something that must be so.
    pub(crate) fn expects(&mut self, is_so: bool, what: &str) {
        if !is_so {
            self.breaks(what.into());
        }
    }

    /// Something that must be so where no fault has come in between.
    pub(crate) fn expects_in_peace(&mut self, is_so: bool, what: &str) {
        self.expects(is_so || self.fails, what);
    }

    /// Whether nothing is owed to `who` any more.
    pub(crate) fn is_void(&self, who: Who) -> bool {
        let visitor = &self.visitors[who.0];
        let is_harmed = |at: &usize| !self.visitors[*at].is_unharmed();
        self.fails && (is_harmed(&who.0) || visitor.needs.iter().any(is_harmed))
    }

    pub(super) fn breaks(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// The script is over: whatever was said was promised; everybody leaves, somebody new is served, and nothing is left.
    pub(crate) fn ends(mut self) -> Result<(), String> {
        self.settle();
        for at in 0..self.visitors.len() {
            self.visitors[at].deaf = false;
            self.hears(Who(at), &[]);
        }
        if let Some(name) = self.unnoticed() {
            self.breaks(format!("a fault has ended {name}, and nobody has noticed"));
        }
        self.ladder.rule(format_args!("everybody leaves"));
        self.world.calm();
        self.world.set_descriptors(usize::MAX);
        (0..self.visitors.len()).for_each(|at| if at % 2 == 0 { self.finishes(Who(at)) } else { self.resets(Who(at)) });
        self.empties();
        if !self.ended {
            let last = self.comes("the last");
            self.gets(last, "/page/last");
            self.hears(last, &["200 a page"]);
            self.finishes(last);
            self.empties();
        }
        self.violation.map_or(Ok(()), Err)
    }

    /// Whom a fault has ended while the server goes on with it.
    fn unnoticed(&self) -> Option<String> {
        let goes_on =
            |visitor: &&Visitor| visitor.wire.as_ref().is_some_and(|wire| wire.was_struck() && !wire.is_closed());
        self.visitors.iter().find(goes_on).map(|visitor| visitor.name.clone())
    }

    /// Time passes until everybody is gone, and then nothing is left.
    fn empties(&mut self) {
        for _ in 0..100 {
            if self.on.stats().connections == 0 || self.ended {
                break;
            }
            self.waits(Duration::from_secs(10));
        }
        let stats = self.on.stats();
        if (stats.connections, stats.pinned) != (0, 0) {
            self.breaks(format!("in the end {} connections pin {} bytes", stats.connections, stats.pinned));
        }
        let open = self.on.handler().open().next().cloned();
        if let Some(name) = open {
            self.breaks(format!("nobody was told that {name} is closed"));
        }
    }
}
