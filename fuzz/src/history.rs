//! The whole loop, on an imaginary machine, where the bytes decide what happens.

use longwire_simulator::{run_tape, trace_tape};

/// Whoever comes, whatever they do and whatever fails: every byte that arrives is one that was promised, the loop's own books are in
/// order after every turn, everybody is served when all is calm, and nothing is left when everybody has gone.
///
/// The input stands in for all that the simulator draws, two bytes for a draw: first the limits, the faults and the tempers, then who
/// acts, what the application does, and which call fails.
pub fn history(data: &[u8]) {
    if run_tape(data).violation.is_none() {
        return;
    }
    let (outcome, ladder) = trace_tape(data);
    let violation =
        outcome.violation.map_or_else(|| "not twice, so it depends on something else".into(), |it| it.to_string());
    panic!("{ladder}\n{violation}");
}
