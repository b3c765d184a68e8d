//! What other threads and other loops have said, in the order in which they said it, and no more of it in a turn than there is time for.

use std::collections::VecDeque;

use super::Loop;
use crate::handler::Handler;
use crate::remote::Command;
use crate::sys::Sys;

impl<H: Handler, S: Sys> Loop<H, S> {
    /// Whether something was said that has not been heard.
    pub(super) fn has_letters(&self) -> bool {
        self.woken || !self.letters.is_empty()
    }

    /// Takes everything out of the mailbox, behind what was taken out before.
    pub(super) fn collect_letters(&mut self) {
        self.woken = false;
        self.letters.extend(self.sending.fellows.collect().open());
    }

    /// Does what is in the mailbox. What this turn has no time for comes first in the next, and the mailbox stays as it is until then, so
    /// that no more waits here than it had room for.
    pub(super) fn read_letters(&mut self) {
        let enough = self.sending.work.after(self.quota);
        while !self.sending.work.has_come_to(enough) {
            match self.letters.pop_front() {
                Some(letter) => self.read_letter(letter),
                // Who stops has taken out what was said before that, and hears the rest when everybody was told.
                None if self.woken && !self.is_about_to_tell() => self.collect_letters(),
                None => {
                    // Its memory was for as many as there were.
                    self.letters = VecDeque::new();
                    return;
                }
            }
        }
    }

    fn read_letter(&mut self, letter: Command) {
        match letter {
            Command::Publish(batch, at) => {
                let (topic, parcel) = &batch[at];
                self.sending.publish_here(&mut self.wires, topic, &parcel.unpack(), None);
                if at + 1 < batch.len() {
                    self.letters.push_front(Command::Publish(batch, at + 1));
                }
            }
            Command::Send(id, parcel) => {
                if let Some(key) = self.sending.local(id) {
                    // What was published before it goes before it.
                    self.sending.deliver_now(&mut self.wires, key.slot);
                    self.sending.send(&mut self.wires, key.slot, &parcel.unpack());
                }
            }
            Command::Answer(id, reply) => {
                // At once: what is said next may be for whoever is open then.
                self.sending.answer_to(id, *reply);
                self.run_answers();
            }
            Command::Run(call) => self.guarded(|_, hub| call(hub)),
            Command::End(closing) => {
                if let Some(key) = self.sending.local(closing.id) {
                    self.sending.close(&mut self.wires, key.slot, closing.code, &closing.reason);
                }
            }
        }
    }
}
