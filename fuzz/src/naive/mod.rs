//! What the crates do, once more and as naively as it can be said: everything is there at once, every value is owned, every byte is
//! looked at by itself, and no rule knows what another has found. The properties hold the crates against these.

pub mod extensions;
pub mod frames;
pub mod head;
pub mod opening;
pub mod request;
