//! UTF-8 (RFC 6455 §8.1): ours, whole and in pieces, beside `core`'s and simdutf8's. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longwire_frame::Utf8;

const SIZES: [usize; 4] = [20, 125, 1 << 10, 64 << 10];

/// What a read may bring of a long text, and no multiple of any character's length.
const PIECE: usize = 1399;

type Judge = fn(&[u8]) -> bool;

fn whole(bytes: &[u8]) -> bool {
    let mut utf8 = Utf8::new();
    utf8.push(bytes).is_ok_and(|(_, text)| text.len() == bytes.len())
}

fn in_pieces(bytes: &[u8]) -> bool {
    let mut utf8 = Utf8::new();
    bytes.chunks(PIECE).all(|piece| utf8.push(piece).is_ok()) && utf8.finish().is_ok()
}

/// As much of it as there is room for.
fn text(of: &str, size: usize) -> String {
    let text = of.repeat(size / of.len() + 1);
    let whole = (0..=size).rev().find(|&len| text.is_char_boundary(len)).unwrap_or_default();
    text[..whole].to_owned()
}

fn utf8(criterion: &mut Criterion) {
    let judges: [(&str, Judge); 4] = [
        ("longwire", whole),
        ("longwire-pieces", in_pieces),
        ("simdutf8", |bytes| simdutf8::basic::from_utf8(bytes).is_ok()),
        ("core", |bytes| str::from_utf8(bytes).is_ok()),
    ];
    for (kind, of) in [("ascii", "wire"), ("two-byte", "дрот"), ("mixed", "wire дрот 線 🪢 ")] {
        let mut group = criterion.benchmark_group(format!("utf8/{kind}"));
        for size in SIZES {
            let text = text(of, size);
            let mut wrong = text.clone().into_bytes();
            wrong.extend(b"\xED\xA0\x80"); // a surrogate
            group.throughput(Throughput::Bytes(text.len() as u64));
            for (name, judge) in judges {
                if name == "longwire-pieces" && size <= PIECE {
                    continue;
                }
                assert!(judge(text.as_bytes()) && !judge(&wrong));
                group.bench_function(BenchmarkId::new(name, size), |bencher| {
                    bencher.iter(|| assert!(black_box(judge)(black_box(text.as_bytes()))));
                });
            }
        }
    }
}

criterion_group!(benches, utf8);
criterion_main!(benches);
