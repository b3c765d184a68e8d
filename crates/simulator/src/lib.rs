//! The real event loop on an imaginary machine: one seed is one history, with every fault of the world.
//!
//! ```text
//!   seed ─► plan (limits, faults, tempers) ─► turns: guests act ─► the loop turns ─► audit ─► guests hear ─► … ─► all is calm,
//!                                             everybody is served ─► everybody leaves ─► nothing is left
//! ```
//!
//! Nothing of the loop is replaced but the machine under it. An application (`app`) that does anything at all writes down in a
//! `model` what it was told and what it said; guests hold every byte that arrives against it. What the loop alone knows,
//! `Loop::audit` checks after every turn. A violation names its seed, and the seed replays it:
//!
//! ```text
//! cargo xtask simulate --seed 4711 --trace
//! ```
//!
//! Beside the histories stands the [`sweep()`]: `scenarios` are scripts of what visitors do and of what everybody shall then have
//! heard; `play` plays them, once without a fault and once for each fault that each of their system calls may have:
//!
//! ```text
//! cargo xtask simulate --scenario "echo" --fail 5:EPIPE --trace
//! ```

#![forbid(unsafe_code)]

mod app;
mod campaign;
mod coverage;
mod guest;
mod history;
mod ladder;
mod model;
mod outcome;
mod plan;
mod play;
mod scenarios;
mod stage;
mod sweep;
mod words;

pub use campaign::{Campaign, Findings};
pub use coverage::{Coverage, Met};
pub use history::{run, run_tape, trace, trace_tape};
pub use outcome::{Outcome, Violation};
pub use sweep::{Broken, Failure, Replay, Swept, names, replay, steady_faults, sweep};
