#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// The application's doors.
mod access;
mod closed;
mod handler;
mod peer;
mod peer_id;
mod publication;
mod remote;
mod reply;
mod request;
mod stats;

// How a server is set up.
mod forwarded;
mod limits;
mod network;
mod server;

// The loop, and what one connection is for.
mod connection;
mod due;
mod sending;
mod session;
mod turn;

// One mechanism each.
mod blocks;
mod carry;
mod crowd;
mod deadlines;
mod deflate;
mod encode;
mod ledger;
mod lent;
mod notices;
mod pool;
mod queue;
mod ready;
mod side;
mod slots;
mod tail;
mod topics;
mod unit;

// The machine.
pub mod sys;
mod wire;

pub use access::{Access, Record};
pub use closed::{Closed, Deadline};
pub use handler::{Dropped, Handler, Piece};
pub use limits::Limits;
pub use network::{Network, NotANetwork};
pub use peer::{Hub, Out, Peer};
pub use peer_id::PeerId;
pub use publication::Publication;
pub use remote::{Full, Remote};
pub use reply::Reply;
pub use request::Request;
pub use server::{Origins, Server};
pub use session::opening::Opening;
pub use stats::Stats;
pub use turn::{Loop, Turn};

pub use longwire_frame as frame;
pub use longwire_frame::{CloseCode, Message};
pub use longwire_handshake as handshake;
pub use longwire_handshake::{Deflate, DeflateOffer, FieldValue};
pub use longwire_sse as sse;
pub use longwire_sse::{Event, Id, Line};
