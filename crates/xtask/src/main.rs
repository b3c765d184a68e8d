//! Stub.
#![forbid(unsafe_code)]
fn main() {}
