//! The floor: bytes go back as they came. No protocol, no message, one buffer for all: what the kernel and mio cost anybody.

use longwire_peers::{Task, serve, task};

fn main() {
    assert_eq!(task(), Task::Echo, "for fan-out the floor is `send-loop`");
    serve::<()>(|lines, key, bytes| lines.get_mut(key).is_some_and(|line| line.send(bytes)))
}
