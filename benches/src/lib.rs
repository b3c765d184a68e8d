//! What a message costs, measured. There is no code here; see `benches/`:
//!
//! * `micro`: the protocol crates, value by value, each fast path beside its naive twin;
//! * `deflate`: compressed messages, beside what the compressor alone and a wrapper of it need;
//! * `turn`: the whole loop on the imaginary machine, so without a kernel: an echo, and a publication to many.
//!
//! `cargo bench -p longwire-benches` runs all; `-- mask` only what has that in its name.

#![forbid(unsafe_code)]
