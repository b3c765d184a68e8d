//! What compression costs in memory, told by the allocator. One test, since others would count in it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::alloc::System;

use cap::Cap;
use longwire_frame::{Context, Deflater, Error, Event, Inflater, Limits, Opcode};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// What it returns, and how much more is allocated behind it.
fn cost<T>(of: impl FnOnce() -> T) -> (T, usize) {
    let before = HEAP.allocated();
    let value = of();
    (value, HEAP.allocated() - before)
}

#[test]
fn a_machine_pins_what_it_says_and_a_bomb_allocates_nothing() {
    for bits in 9..=15 {
        let (_deflater, heap) = cost(|| Deflater::new(Context::TakenOver, bits).unwrap());
        assert_eq!(heap, Deflater::capacity(bits), "a deflater of {bits} bits");
    }
    let (mut inflater, heap) = cost(|| Inflater::new(Context::Fresh, Limits::DEFAULT));
    assert_eq!(heap, inflater.capacity());

    let mut deflater = Deflater::new(Context::Fresh, 15).unwrap();
    let mut bomb = Vec::new();
    deflater.message(&vec![b'a'; 64 << 20], &mut bomb);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let mut memory = vec![0; 20_000];
    let (mut inflated, mut at) = (0, 0);
    let (fault, grown) = cost(|| {
        loop {
            match inflater.inflate(Opcode::Binary, &bomb[at..], true, &mut memory) {
                Ok(step) => {
                    at += step.consumed;
                    if let Some(Event::Binary { bytes, .. }) = step.event {
                        inflated += bytes.len();
                    }
                }
                Err(fault) => return fault,
            }
        }
    });
    assert_eq!(fault, Error::MessageTooBig);
    assert!(inflated <= 1 << 20, "{inflated} bytes were handed out");
    assert!(grown <= 32 << 10, "{grown} bytes for what was put out last");
    assert_eq!(heap + grown, inflater.capacity());
    assert!(at < 16 << 10, "and {at} bytes of the bomb were looked at");
}
