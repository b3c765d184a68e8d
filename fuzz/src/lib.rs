//! What must hold for any bytes, as functions: fuzz targets call them with bytes that libFuzzer makes up, `cargo test` with the
//! seeds. A function here returns if the property holds and panics if it does not. No property may live in a target.

#![forbid(unsafe_code)]

pub mod deflate;
pub mod frame;
pub mod frames;
pub mod handshake;
pub mod history;
pub mod naive;
pub mod pair;
pub mod peer;
pub mod request;
pub mod sse;
pub mod terms;
pub mod vectors;

/// A property: it panics if the bytes refute it.
pub type Property = fn(&[u8]);

/// Every property, under the name of its target and of its folder of seeds.
pub const PROPERTIES: [(&str, Property); 19] = [
    ("head", handshake::head),
    ("upgrade", handshake::upgrade),
    ("client_response", handshake::client_response),
    ("naive_request", request::naive_request),
    ("fields", request::fields),
    ("deflate_terms", terms::deflate_terms),
    ("frame_header", frame::frame_header),
    ("decoder", frames::decoder),
    ("naive_frames", frames::naive_frames),
    ("connection", frames::connection),
    ("tungstenite", peer::tungstenite),
    ("pair", pair::pair),
    ("utf8", frame::utf8),
    ("mask", frame::mask),
    ("inflate", deflate::inflate),
    ("deflate_round_trip", deflate::deflate_round_trip),
    ("sse_parser", sse::sse_parser),
    ("sse_round_trip", sse::sse_round_trip),
    ("history", history::history),
];

/// The `main` of a target. Under libFuzzer it is the fuzzer's; otherwise it runs the property on the files that are named on
/// the command line, so that a crash is replayed with stable Rust and an ordinary debugger.
#[macro_export]
macro_rules! target {
    ($module:ident :: $property:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$module::$property(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                $crate::$module::$property(&std::fs::read(path)?);
            }
            Ok(())
        }
    };
}

/// The three ways in which bytes arrive: at once, one by one, and in packets whose sizes `cut` decides.
pub(crate) fn arrivals(bytes: &[u8], cut: u8) -> [Vec<&[u8]>; 3] {
    [vec![bytes], bytes.chunks(1).collect(), packets(bytes, cut)]
}

/// Packets of 1 to 16 bytes and now and then of more: small enough to part what belongs together, various enough to part it
/// everywhere.
fn packets(mut bytes: &[u8], cut: u8) -> Vec<&[u8]> {
    let mut packets = Vec::new();
    let mut state = u32::from(cut) + 1;
    while !bytes.is_empty() {
        // Any generator will do; this one is Knuth's.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = if state >> 29 == 0 { 1 + (state >> 20) as usize } else { 1 + (state >> 28) as usize };
        let (packet, rest) = bytes.split_at(size.min(bytes.len()));
        packets.push(packet);
        bytes = rest;
    }
    packets
}

/// The first bytes of the input choose, the rest is the subject.
pub(crate) fn choices<const N: usize>(data: &[u8]) -> Option<([u8; N], &[u8])> {
    let (choices, subject) = data.split_first_chunk()?;
    Some((*choices, subject))
}
