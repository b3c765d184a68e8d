//! Compressed messages (RFC 7692): ours, which is zlib-rs with what the RFC wants around it, beside zlib-rs alone and flate2 on
//! zlib-rs. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use longwire_frame::{Context, Deflater, Event, Inflater, Limits, Opcode};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush};

const SIZES: [usize; 3] = [256, 1 << 10, 64 << 10];
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Text that looks like what is sent.
fn speech(len: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for at in 0_u32.. {
        if text.len() >= len {
            break;
        }
        let noise = at.wrapping_mul(2_654_435_761);
        let side = if noise & 0x800 == 0 { "buy" } else { "sell" };
        let line =
            format!("{{\"id\":{},\"user\":\"u{}\",\"price\":{},\"side\":\"{side}\"}},", noise, noise >> 20, at % 997);
        text.extend(line.into_bytes());
    }
    text.truncate(len);
    text
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(Context::Fresh, 15).expect("15 bits").message(payload, &mut out);
    out
}

fn compress(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compress");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let payload = speech(size);
        let expected = compressed(&payload);
        println!("{size} bytes become {}", expected.len());
        let mut out = Vec::new();

        let mut deflater = Deflater::new(Context::Fresh, 15).expect("15 bits");
        group.bench_function(BenchmarkId::new("ours", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                deflater.message(black_box(&payload), &mut out);
            });
        });
        assert_eq!(out, expected);

        let mut out = vec![0; 2 * size];
        for mem_level in [1, 8] {
            let config = DeflateConfig { level: 1, window_bits: -15, mem_level, ..DeflateConfig::default() };
            let mut deflate = Deflate::new_with_config(config);
            let name = format!("zlib-rs, memory level {mem_level}");
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    deflate.reset();
                    deflate.compress(black_box(&payload), &mut out, DeflateFlush::SyncFlush)
                });
            });
            assert_eq!(deflate.total_out() as usize, expected.len() + TAIL.len());
        }

        for level in [1, 2, 6] {
            let mut deflate = Compress::new(Compression::new(level), false);
            group.bench_function(BenchmarkId::new(format!("flate2, level {level}"), size), |bencher| {
                bencher.iter(|| {
                    deflate.reset();
                    deflate.compress(black_box(&payload), &mut out, FlushCompress::Sync)
                });
            });
            let length = deflate.total_out() as usize - TAIL.len();
            let mut inflater = Inflater::new(Context::Fresh, Limits::default());
            let mut answer = vec![0; size + 1];
            inflater.inflate(Opcode::Binary, &out[..length], true, &mut answer).expect("it inflates");
            assert_eq!(answer[..size], payload);
            println!("{size} bytes become {length} at level {level}");
        }
    }
}

fn inflate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inflate");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let payload = speech(size);
        let input = compressed(&payload);
        // One byte more shows that there is no more.
        let mut out = vec![0; size + 1];

        for (opcode, name) in [(Opcode::Text, "ours, text"), (Opcode::Binary, "ours, binary")] {
            let mut inflater = Inflater::new(Context::Fresh, Limits::default());
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    let step = inflater.inflate(opcode, black_box(&input), true, &mut out).expect("it inflates");
                    assert!(matches!(
                        step.event,
                        Some(Event::Text { end: true, .. } | Event::Binary { end: true, .. })
                    ));
                });
            });
            assert_eq!(out[..size], payload);
        }

        let mut alone = Inflate::new(false, 15);
        group.bench_function(BenchmarkId::new("zlib-rs", size), |bencher| {
            bencher.iter(|| {
                alone.reset(false);
                alone.decompress(black_box(&input), &mut out, InflateFlush::NoFlush)
            });
        });
        assert_eq!(alone.total_out() as usize, size);

        let mut wrapped = Decompress::new(false);
        group.bench_function(BenchmarkId::new("flate2", size), |bencher| {
            bencher.iter(|| {
                wrapped.reset(false);
                wrapped.decompress(black_box(&input), &mut out, FlushDecompress::None)
            });
        });
        assert_eq!(wrapped.total_out() as usize, size);
    }

    // What a final block costs: two bytes that make zlib begin anew, with a window of 32 KiB.
    let many = [compressed(&speech(32 << 10)), TAIL.to_vec(), [3, 0].repeat(4000)].concat();
    let mut inflater = Inflater::new(Context::Fresh, Limits::default());
    let mut out = vec![0; (32 << 10) + 1];
    group.throughput(Throughput::Elements(4000));
    group.bench_function("4000 final blocks", |bencher| {
        bencher.iter(|| {
            let step = inflater.inflate(Opcode::Binary, black_box(&many), true, &mut out).expect("it inflates");
            assert!(matches!(step.event, Some(Event::Binary { end: true, .. })));
        });
    });
}

criterion_group!(benches, compress, inflate);
criterion_main!(benches);
