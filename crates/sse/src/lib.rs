#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, missing_docs)]

mod comment;
mod error;
mod event;
mod id;
mod line;
mod memory;
mod output;
mod parser;
mod utf8;

pub use comment::Comment;
pub use error::Error;
pub use event::Event;
pub use id::{Id, NotAnId};
pub use line::{Line, NotOneLine};
pub use output::Full;
pub use parser::{Dispatched, Parser, Step};

/// The media type of an event stream, as `Content-Type` says it and as a client asks for it in `Accept`.
///
/// It has no parameters: the text is UTF-8, whatever a `charset` might say.
pub const MEDIA_TYPE: &str = "text/event-stream";
