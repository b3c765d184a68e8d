//! The C library is linked for its entry point and for `memcpy` and its like, which compiled code calls.

fn main() {
    println!("cargo:rustc-link-lib=c");
    println!("cargo:rerun-if-changed=build.rs");
}
