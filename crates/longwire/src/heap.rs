//! What the allocator keeps of what was freed.
//!
//! glibc's malloc takes large pieces from the system and gives them back; but with each that is freed it learns to keep such pieces
//! in its heap instead, up to 32 MiB. Buffers that grow and go, as those of many peers do, then leave holes: half as much again as
//! was ever in use stays with the process. A threshold that is set does not move, and it can be set in one way without a line of
//! unsafe code: in the environment, before the process begins.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// From this size on a piece is the system's. glibc's own first choice is four times as much; then a queue's blocks, of up to 64 KiB,
/// stay in the heap, and an attack that makes many of them leaves holes there. Whoever has set it has chosen.
const THRESHOLD: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "32768");

/// Says that it was tried. (From a program with more rights than its user the threshold is taken away on the way.)
const TRIED: &str = "LONGWIRE_HEAP";

/// Starts the program once more with that setting, in the same process. Where that cannot be, it goes on as it is: it is a matter
/// of how much is kept, not of what is served.
pub(crate) fn settle() {
    let (name, value) = THRESHOLD;
    let is_settled = [name, TRIED].into_iter().any(|name| env::var_os(name).is_some());
    if !cfg!(target_env = "gnu") || is_settled {
        return;
    }
    let mut words = env::args_os();
    if let (Some(own), Ok(program)) = (words.next(), env::current_exe()) {
        let failed = Command::new(program).arg0(own).args(words).env(name, value).env(TRIED, "settled").exec();
        drop(failed);
    }
}
