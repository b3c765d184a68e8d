//! What a message costs, measured. There is no code here; see `benches/`:
//!
//! * `mask`, `utf8`: the fast paths, beside their naive twins and what others have;
//! * `frames`: headers, and from a stream in memory to messages, beside other libraries;
//! * `heads`: the opening handshake; `sse`: event streams;
//! * `deflate`: compressed messages, beside what the compressor alone and a wrapper of it need;
//! * `turn`: the whole loop on the imaginary machine, so without a kernel: an echo, and a publication to many.
//!
//! `cargo bench -p longwire-benches` runs all; `-- mask` only what has that in its name.

#![forbid(unsafe_code)]
