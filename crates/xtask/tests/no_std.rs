//! The proof in no_std/, checked: it links, it runs, and nothing in it asks for memory or unwinds.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The bytes that the proof writes; it says so with its exit status.
const WRITTEN: i32 = 204;

#[test]
fn the_protocol_crates_need_neither_std_nor_an_allocator() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std");
    let built = Command::new(env::var_os("CARGO").expect("cargo runs the tests"))
        .args(["build", "--quiet", "--release", "--target-dir"])
        .arg(&target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("no_std"))
        .status();
    assert!(built.expect("cargo can be run").success(), "the proof links");

    let program = target.join("release/longwire-no-std");
    let status = Command::new(&program).status().expect("the proof can be run");
    assert_eq!(status.code(), Some(WRITTEN), "a handshake, a frame there and back, an event");

    let program = fs::read(program).expect("the proof can be read");
    assert!(names(&program, "memcpy"), "symbols can be found in it at all");
    for symbol in
        ["malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "mmap", "sbrk", "_Unwind_Resume"]
    {
        assert!(!names(&program, symbol), "{symbol} is called");
    }
    for part in ["__rust_alloc", "__rust_realloc", "__rust_dealloc", "rust_eh_personality"] {
        assert!(!contains(&program, part), "{part} is linked");
    }
}

/// Whether a symbol of exactly that name stands in one of the program's string tables, with or without a version behind it.
fn names(program: &[u8], symbol: &str) -> bool {
    [0, b'@'].into_iter().any(|end| contains(program, [&[0], symbol.as_bytes(), &[end]].concat()))
}

fn contains(program: &[u8], part: impl AsRef<[u8]>) -> bool {
    let part = part.as_ref();
    program.windows(part.len()).any(|window| window == part)
}
