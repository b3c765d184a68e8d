//! Event streams, written and read. Every bench checks its answer.

#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longwire_sse::{Event, Id, Line, Parser};

const SIZES: [usize; 3] = [20, 1 << 10, 64 << 10];
const LINE: &str = "a line of forty bytes, its end included\n";

fn sse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sse");
    for size in SIZES {
        let text = LINE.repeat(size.div_ceil(LINE.len()));
        let text = &text[..size];
        let event = Event::data(text).id(Id::new("1767225600").expect("an id")).name(Line::literal("token"));
        let mut bytes = vec![0; event.encoded_len()];
        assert_eq!(event.encode(&mut bytes), Ok(bytes.len()));
        group.throughput(Throughput::Bytes(size as u64));
        let mut out = bytes.clone();
        group.bench_function(BenchmarkId::new("encode", size), |bencher| {
            bencher.iter(|| black_box(event).encode(&mut out));
        });
        assert_eq!(out, bytes);

        let mut parser = Parser::new(vec![0; 1 << 20]);
        let step = parser.parse(&bytes).expect("room");
        assert!(step.event.is_some_and(|event| event.name == "token" && event.data == text));
        group.bench_function(BenchmarkId::new("parse", size), |bencher| {
            bencher.iter(|| {
                let step = parser.parse(black_box(&bytes)).expect("room");
                assert!(step.event.is_some_and(|event| event.data.len() == text.len()));
            });
        });
    }
}

criterion_group!(benches, sse);
criterion_main!(benches);
