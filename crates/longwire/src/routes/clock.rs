//! `/clock`: one event a second, whose id is the Unix second. So a client that was cut off gets the seconds that it missed,
//! whatever happened to the server meanwhile: the id is all there is to remember.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longwire_reactor::{Event, Id, Line, Out, Reply, Request};

/// Missed seconds that are sent after all; what lies further back is a gap.
const MOST_MISSED: u64 = 60;

/// Somebody who listens to the clock: the last second that it knows.
#[derive(Debug)]
pub(crate) struct Listener {
    last: Option<u64>,
}

pub(crate) fn request(request: &Request) -> (Listener, Reply) {
    // A page cannot set the header of a new EventSource, so it may put the id into the query.
    let last = request.last_event_id().and_then(|id| id.parse().ok());
    let last = last.or_else(|| request.query("last_event_id").and_then(|id| id.parse().ok()));
    (Listener { last }, Reply::events().retry(Duration::from_secs(1)))
}

impl Listener {
    /// Sends every second up to now, and comes back with the next.
    pub(crate) fn catch_up(&mut self, out: &mut Out) {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = time.as_secs();
        // An id from the future is a clock that was set back, or somebody's invention.
        let mut last = self.last.filter(|last| *last <= now).unwrap_or(now - 1);
        let missed = now - last;
        if missed > MOST_MISSED {
            let gap = (missed - MOST_MISSED).to_string();
            out.send(Event::data(&gap).name(Line::literal("gap")));
            last = now - MOST_MISSED;
        }
        for second in last + 1..=now {
            let (id, text) = (second.to_string(), rfc_3339(second));
            out.send(Event::data(&text).id(Id::new(&id).expect("digits are an id")));
        }
        self.last = Some(now);
        out.wake_after(Duration::from_millis(1_000 - u64::from(time.subsec_millis())));
    }
}

fn rfc_3339(second: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(second)).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_second_is_written_as_rfc_3339() {
        assert_eq!(super::rfc_3339(1_767_225_600), "2026-01-01T00:00:00Z");
    }
}
