//! What is said of panics: where, and which words. A handler that panics for every message would fill a disk; so for each place
//! there is a line a second at most, with the number of those that were left out.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::BTreeMap;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines about one place.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the place of the hook that prints each.
pub(crate) fn log_panics() {
    let places = Mutex::new(Places::default());
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or("an unknown place".into(), ToString::to_string);
        let left_out = places.lock().unwrap_or_else(PoisonError::into_inner).pass(&place, Instant::now());
        if let Some(left_out) = left_out {
            tell(&place, panic, left_out);
        }
    }));
}

fn tell(place: &str, panic: &PanicHookInfo<'_>, left_out: u64) {
    let words = panic.payload().downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.payload().downcast_ref().map(String::as_str)).unwrap_or("no words");
    let words = on_one_line(words);
    let more = if left_out > 0 { format!(" ({left_out} more there since the last line)") } else { String::new() };
    log::error!("panicked at {place}: {words}{more}");
    let trace = Backtrace::capture();
    // Only if RUST_BACKTRACE asks for it.
    if trace.status() == BacktraceStatus::Captured {
        log::error!("{trace}");
    }
}

/// A peer's words may stand in a panic's; they must not look like a line of their own.
fn on_one_line(words: &str) -> String {
    let one_line = |character: char| match character.is_control() {
        true => character.escape_default().collect(),
        false => String::from(character),
    };
    words.chars().map(one_line).collect()
}

/// When each place had its last line, and how many panics there were since. There are as many as the program has places that
/// panic.
#[derive(Debug, Default)]
struct Places(BTreeMap<String, (Instant, u64)>);

impl Places {
    /// Whether a panic is told now: then with the number of those that were not.
    fn pass(&mut self, place: &str, now: Instant) -> Option<u64> {
        let Some((last, left_out)) = self.0.get_mut(place) else {
            self.0.insert(place.to_owned(), (now, 0));
            return Some(0);
        };
        if now.duration_since(*last) < PAUSE {
            *left_out += 1;
            return None;
        }
        *last = now;
        Some(std::mem::take(left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_line_a_second_with_the_number_of_the_others() {
        let mut places = Places::default();
        let start = Instant::now();
        let told: Vec<u64> = (0..10_000)
            .filter_map(|number| places.pass("a.rs:1:1", start + Duration::from_micros(250) * number))
            .collect();
        assert_eq!(told, [0, 3_999, 3_999]);
        assert_eq!(places.pass("b.rs:1:1", start), Some(0), "another place does not wait");
    }

    #[test]
    fn words_of_several_lines_are_told_on_one() {
        assert_eq!(on_one_line("left: \"a\n[2026 ERROR] é\x1b[2J\""), "left: \"a\\n[2026 ERROR] é\\u{1b}[2J\"");
    }
}
