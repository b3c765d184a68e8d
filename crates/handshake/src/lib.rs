#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, missing_docs)]

mod accept;
mod authority;
mod chunks;
pub mod client;
mod content;
mod date;
mod deflate;
mod extensions;
mod fields;
mod forwarded;
mod grammar;
mod head;
mod limits;
mod origin;
mod output;
mod refusal;
mod request;
mod request_line;
mod response;
mod status;
mod token;
mod upgrade;
mod value;

pub use accept::Accept;
pub use authority::loopback_host;
pub use chunks::{Chunks, Part};
pub use content::Content;
pub use date::Date;
pub use deflate::{ClientWindow, Deflate, DeflateOffer, WindowBits};
pub use extensions::{Extension, ParameterValue, Parameters};
pub use fields::{Field, FieldSlots};
pub use head::Head;
pub use limits::Limits;
pub use origin::Origins;
pub use output::Full;
pub use refusal::Refusal;
pub use request::Request;
pub use request_line::{Target, Version};
pub use response::{Body, Connection, Response};
pub use status::Status;
pub use token::{FieldName, Token};
pub use upgrade::{Negotiated, Upgrade, negotiate};
pub use value::{FieldValue, NotOneLine};
