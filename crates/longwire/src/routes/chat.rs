//! `/chat`: a room. The first message is the name, every later one is for everybody.

use longwire_reactor::{CloseCode, Hub, Message, Out};

const ROOM: &str = "room";
/// In characters.
const LONGEST_NAME: usize = 40;
/// In bytes. What one guest says is sent to all.
const LONGEST_LINE: usize = 2_000;
/// What one guest may say in a second, for the same reason.
const MOST_LINES: u32 = 50;

/// Somebody in the room, or at its door.
#[derive(Debug, Default)]
pub(crate) struct Guest {
    name: String,
    /// It was shown the door and is not listened to any more.
    gone: bool,
    /// The second in which it spoke last, and how often.
    second: u64,
    lines: u32,
}

impl Guest {
    pub(crate) fn says(&mut self, out: &mut Out, message: Message) {
        if self.gone {
            return;
        }
        let Message::Text(text) = message else { return self.goes(out, CloseCode::UNSUPPORTED, "text only") };
        if text.len() > LONGEST_LINE {
            return self.goes(out, CloseCode::TOO_BIG, "a line has at most 2000 bytes");
        }
        let now = out.unix_time();
        self.lines = if self.second == now { self.lines + 1 } else { 1 };
        self.second = now;
        if self.lines > MOST_LINES {
            return self.goes(out, CloseCode::POLICY, "50 lines a second are enough");
        }
        if self.name.is_empty() { self.comes_in(out, text.trim()) } else { self.speaks(out, text) }
    }

    fn comes_in(&mut self, out: &mut Out, name: &str) {
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(misleads) {
            return self.goes(out, CloseCode::POLICY, "a name has 1 to 40 characters, and no colon");
        }
        self.name = name.to_owned();
        out.subscribe(ROOM);
        out.publish(ROOM, &format!("{name} came in"));
    }

    fn speaks(&self, out: &mut Out, text: &str) {
        // A line break would let one guest speak as two.
        let line = text.replace(char::is_control, " ");
        out.publish(ROOM, &format!("{}: {line}", self.name));
    }

    fn goes(&mut self, out: &mut Out, code: CloseCode, reason: &str) {
        self.gone = true;
        out.close(code, reason);
    }

    pub(crate) fn leaves(self, hub: &mut Hub) {
        if !self.name.is_empty() {
            hub.publish(ROOM, &format!("{} left", self.name));
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
    use super::misleads;

    #[test]
    fn a_name_can_be_anybodys_but_looks_like_itself() {
        assert!(!"Łukasz Ō'Brien 🪢 線".chars().any(misleads));
        for character in [':', '\n', '\u{202e}', '\u{200b}', '\u{feff}'] {
            assert!(misleads(character), "{character:?}");
        }
    }
}
