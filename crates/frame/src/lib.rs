#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;

// Values: what stands on the wire.
mod close;
mod header;
mod mask;
mod message;
mod opcode;
mod rsv;

// Machines: what a connection remembers.
mod assembler;
#[cfg(feature = "alloc")]
mod assembly;
mod connection;
mod decoder;
#[cfg(feature = "deflate")]
mod deflate;
mod encoder;
mod event;
mod limits;
mod reply;
mod role;
mod utf8;
mod whole;

mod display;
mod error;
mod unsent;

pub use assembler::Assembler;
#[cfg(feature = "alloc")]
pub use assembly::Assembly;
pub use close::{Close, CloseCode};
pub use connection::{Connection, State};
pub use decoder::Decoder;
#[cfg(feature = "deflate")]
pub use deflate::{Context, Deflater, Inflater};
pub use encoder::Encoder;
pub use error::Error;
pub use event::{Event, Step};
pub use header::Header;
pub use limits::Limits;
pub use mask::Mask;
pub use message::{Kind, Message};
pub use opcode::Opcode;
pub use reply::Reply;
pub use role::Role;
pub use rsv::Rsv;
pub use unsent::{Closed, Full, Unfinished, Unsent};
pub use utf8::Utf8;
pub use whole::Whole;
