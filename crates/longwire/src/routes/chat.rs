//! `/chat`: a room. The first message is the name, every later one is for everybody.

use longwire_reactor::{CloseCode, Hub, Message, Out};

const ROOM: &str = "room";
const LONGEST_NAME: usize = 40;

/// Somebody in the room, or at its door.
#[derive(Debug, Default)]
pub(crate) struct Guest {
    name: String,
}

impl Guest {
    pub(crate) fn says(&mut self, out: &mut Out, message: Message) {
        let Message::Text(text) = message else { return out.close(CloseCode::UNSUPPORTED, "text only") };
        if !self.name.is_empty() {
            return out.publish(ROOM, &format!("{}: {text}", self.name));
        }
        let name = text.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return out.close(CloseCode::POLICY, "a name has 1 to 40 characters");
        }
        self.name = name.to_owned();
        out.subscribe(ROOM);
        out.publish(ROOM, &format!("{name} came in"));
    }

    pub(crate) fn leaves(self, hub: &mut Hub) {
        if !self.name.is_empty() {
            hub.publish(ROOM, &format!("{} left", self.name));
        }
    }
}
