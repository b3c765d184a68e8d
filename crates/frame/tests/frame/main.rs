//! What RFC 6455 §5 to §8 demands, a module per section, through the public API only.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

mod section_10_4_limits;
mod section_5_1_roles;
mod section_5_2_headers;
mod section_5_2_verdicts;
mod section_5_3_masking;
mod section_5_4_fragmentation;
mod section_5_5_control;
mod section_5_8_extensions;
mod section_6_1_sending;
mod section_7_closing;
mod section_8_1_utf8;

#[cfg(feature = "deflate")]
mod section_7692_6_frames;
#[cfg(feature = "deflate")]
mod section_7692_7_2_1_compressing;
#[cfg(feature = "deflate")]
mod section_7692_7_2_2_inflating;
#[cfg(feature = "deflate")]
mod section_7692_properties;
#[cfg(feature = "deflate")]
mod section_7692_vectors;

mod assembling;
mod closings;
mod display;
mod properties;
mod recorded;
mod size;
mod vectors;
mod whole;

/// The key of RFC 6455 §5.7.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame of less than 64 KiB as a client sends it, put together here and not by the crate.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, 0x80, payload.len());
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A frame of less than 64 KiB as a server sends it.
fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, 0, payload.len());
    frame.extend(payload);
    frame
}

fn header(first: u8, mask: u8, len: usize) -> Vec<u8> {
    match len {
        0..=125 => vec![first, mask | len as u8],
        _ => vec![first, mask | 126, (len >> 8) as u8, len as u8],
    }
}
