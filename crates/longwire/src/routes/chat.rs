//! `/chat`: a room. The first message is the name, every later one is for everybody.
//!
//! What one guest says costs as much as there are listeners. So each may say little in a second, and so may all of them together,
//! who come in and leave included; and nobody is closed for reading slowly, but misses lines and is told how many.

use longwire_reactor::{CloseCode, Hub, Message, Out};

const TOPIC: &str = "room";
/// In characters.
const LONGEST_NAME: usize = 40;
/// In bytes.
const LONGEST_LINE: usize = 500;
/// What one guest may say in a second.
const MOST_LINES_OF_ONE: u32 = 10;
/// What all guests of all loops may say in a second.
const MOST_LINES: usize = 64;
/// The same, in bytes.
const MOST_BYTES: usize = 8 << 10;
/// The same, in lines that listeners get: a few words to thousands are as much work as many to a few.
const MOST_DELIVERIES: usize = 64 << 10;
/// What a guest is told who was not heard. The page knows it word for word.
const BUSY: &str = "The room is busy, and nobody heard that. Say it again in a moment.";

/// The room, as far as one loop speaks into it: what was said there in the present second. What is said by all of them together is not known to
/// any, so each has its share; and who listens elsewhere is taken for as many as listen here.
#[derive(Debug)]
pub(crate) struct Room {
    loops: usize,
    second: u64,
    lines: usize,
    bytes: usize,
    deliveries: usize,
}

impl Room {
    /// One of so many.
    pub(crate) const fn new(loops: usize) -> Self {
        Self { loops, second: 0, lines: 0, bytes: 0, deliveries: 0 }
    }

    /// Whether one more line may be said now to so many listeners; if so, it counts. The first of a second always may.
    fn admits(&mut self, now: u64, line: &str, listeners: usize) -> bool {
        if self.second != now {
            *self = Self { second: now, ..Self::new(self.loops) };
        }
        let listeners = listeners * self.loops;
        let has_room = (self.lines + 1) * self.loops <= MOST_LINES
            && (self.bytes + line.len()) * self.loops <= MOST_BYTES
            && (self.deliveries + listeners) * self.loops <= MOST_DELIVERIES;
        let admits = self.lines == 0 || has_room;
        if admits {
            self.lines += 1;
            self.bytes += line.len();
            self.deliveries += listeners;
        }
        admits
    }
}

/// Somebody in the room, or at its door.
#[derive(Debug, Default)]
pub(crate) struct Guest {
    name: String,
    /// It was shown the door and is not listened to any more.
    gone: bool,
    /// The second in which it spoke last, and how often.
    second: u64,
    lines: u32,
    /// What it did not read in time, and was not told of yet.
    missed: u32,
}

impl Guest {
    pub(crate) fn says(&mut self, room: &mut Room, out: &mut Out, message: Message) {
        if self.gone {
            return;
        }
        let Message::Text(text) = message else { return self.goes(out, CloseCode::UNSUPPORTED, "text only") };
        if text.len() > LONGEST_LINE {
            return self.goes(out, CloseCode::TOO_BIG, "a line has at most 500 bytes");
        }
        let now = out.unix_time();
        self.lines = if self.second == now { self.lines + 1 } else { 1 };
        self.second = now;
        if self.lines > MOST_LINES_OF_ONE {
            return self.goes(out, CloseCode::POLICY, "10 lines a second are enough");
        }
        if self.name.is_empty() { self.comes_in(room, out, text.trim()) } else { self.speaks(room, out, text) }
    }

    fn comes_in(&mut self, room: &mut Room, out: &mut Out, name: &str) {
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(misleads) {
            return self.goes(out, CloseCode::POLICY, "a name has 1 to 40 characters, and no colon");
        }
        self.name = name.to_owned();
        out.subscribe(TOPIC);
        let line = format!("{name} came in");
        if room.admits(out.unix_time(), &line, out.subscribers(TOPIC)) {
            out.publish(TOPIC, &line);
        } else {
            out.send(&line);
        }
    }

    fn speaks(&self, room: &mut Room, out: &mut Out, text: &str) {
        // A line break would let one guest speak as two.
        let line = format!("{}: {}", self.name, text.replace(char::is_control, " "));
        if room.admits(out.unix_time(), &line, out.subscribers(TOPIC)) {
            out.publish(TOPIC, &line);
        } else {
            out.send(BUSY);
        }
    }

    fn goes(&mut self, out: &mut Out, code: CloseCode, reason: &str) {
        self.gone = true;
        out.close(code, reason);
    }

    /// Lines were dropped, because it has not read what waits for it already.
    pub(crate) const fn misses(&mut self, lines: u32) {
        self.missed = self.missed.saturating_add(lines);
    }

    /// It has read all that waited.
    pub(crate) fn has_read(&mut self, out: &mut Out) {
        match std::mem::take(&mut self.missed) {
            0 => {}
            1 => out.send("You missed a line."),
            missed => out.send(&format!("You missed {missed} lines.")),
        }
    }

    pub(crate) fn leaves(self, room: &mut Room, hub: &mut Hub) {
        let line = format!("{} left", self.name);
        if !self.name.is_empty() && room.admits(hub.unix_time(), &line, hub.subscribers(TOPIC)) {
            hub.publish(TOPIC, &line);
        }
    }
}

/// Whether a character would let a name look like another, or like a name and what it says.
fn misleads(character: char) -> bool {
    const INVISIBLE: [std::ops::RangeInclusive<char>; 5] = [
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
    ];
    character == ':'
        || character.is_control()
        || character == '\u{feff}'
        || INVISIBLE.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_anybodys_but_looks_like_itself() {
        assert!(!"Łukasz Ō'Brien 🪢 線".chars().any(misleads));
        for character in [':', '\n', '\u{202e}', '\u{200b}', '\u{feff}'] {
            assert!(misleads(character), "{character:?}");
        }
    }

    #[test]
    fn the_room_takes_so_many_lines_and_bytes_a_second() {
        let mut room = Room::new(1);
        assert!((0..MOST_LINES).all(|_| room.admits(1, "short", 9)) && !room.admits(1, "short", 9));
        let long = "x".repeat(LONGEST_LINE);
        let lines = (0..MOST_LINES).filter(|_| room.admits(2, &long, 9)).count();
        assert_eq!(lines, MOST_BYTES / LONGEST_LINE);
        assert!(room.admits(2, "what fits is said", 9));
        let lines = (0..MOST_LINES).filter(|_| room.admits(3, "to many", 20_000)).count();
        assert_eq!(lines, MOST_DELIVERIES / 20_000);
        assert!(room.admits(4, "to more than that", 2 * MOST_DELIVERIES));
    }

    #[test]
    fn several_loops_together_take_no_more_than_one() {
        for (text, listeners, most) in [("short", 9, MOST_LINES), ("to many", 2_000, MOST_DELIVERIES / 2_000)] {
            // Each loop has its share of those who listen.
            let said_by = |loops: usize| {
                let mut rooms: Vec<Room> = (0..loops).map(|_| Room::new(loops)).collect();
                let all =
                    rooms.iter_mut().map(|room| (0..100).filter(|_| room.admits(1, text, listeners / loops)).count());
                all.sum::<usize>()
            };
            assert_eq!(said_by(1), most);
            assert!([2, 4, 8].map(said_by).iter().all(|said| (most / 2..=most + 8).contains(said)));
        }
    }
}
