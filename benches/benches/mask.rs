//! Masking (RFC 6455 §5.3): the fast form beside its naive twin and beside fastwebsockets'. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longwire_frame::Mask;

const SIZES: [usize; 5] = [20, 125, 1 << 10, 16 << 10, 64 << 10];
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A payload rarely begins where a line of the cache does: behind its header, it is 6 bytes or 8 further.
const BEGINS: [usize; 2] = [0, 6];

/// Of the cache.
const LINE: usize = 64;

/// What stays in the first cache.
const NEAR: usize = 24 << 10;

type Apply = fn(&mut [u8], [u8; 4]);

fn mask(criterion: &mut Criterion) {
    let forms: [(&str, Apply); 3] = [
        ("longwire", |payload, key| Mask::new(key).apply(payload)),
        ("fastwebsockets", fastwebsockets::unmask),
        ("naive", |payload, key| Mask::new(key).apply_naive(payload)),
    ];
    let mut group = criterion.benchmark_group("mask");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        // Several in turn, for no message is masked twice: what was just stored would be loaded again.
        let places = (NEAR / size).clamp(1, 16);
        let apart = size.next_multiple_of(LINE) + LINE;
        let mut memory = vec![0x5a; places * apart + LINE];
        let line = memory.as_ptr().align_offset(LINE);
        for begin in BEGINS {
            for (name, apply) in forms {
                let payload = &mut memory[line + begin..][..size];
                let mut expected = payload.to_vec();
                expected.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= KEY[at % 4]);
                apply(payload, KEY);
                assert_eq!(payload, expected);
                let mut place = 0;
                group.bench_function(BenchmarkId::new(format!("{name}/{begin}"), size), |bencher| {
                    bencher.iter(|| {
                        place = if place + 1 == places { 0 } else { place + 1 };
                        let payload = &mut memory[line + begin + place * apart..][..size];
                        black_box(apply)(black_box(payload), black_box(KEY));
                    });
                });
            }
        }
    }
}

criterion_group!(benches, mask);
criterion_main!(benches);
