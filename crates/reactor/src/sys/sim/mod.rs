//! An imaginary machine: a clock, a network and randomness that are nothing but values, for running the real loop without a
//! socket.
//!
//! A [`Sim`] is handed to the loop; a [`World`] stays with whoever plays the clients. Time passes only when the world says
//! so or a poll sleeps, and the same acts give the same bytes. Everything else is as Linux does it: an edge is reported once
//! for each thing that happens, an accept without a descriptor fails before anybody looks who waits, closing with unread
//! input destroys what the client has not taken yet.
//!
//! Left alone the machine is a good one. [`World::set_fault`] lets each kind of [`Fault`] strike at a rate of its own, drawn from
//! the world's seed; [`World::fail`] lets one particular call fail.
//!
//! ```
//! use std::time::Duration;
//!
//! use longwire_reactor::sys::sim::{Fault, World};
//! use longwire_reactor::{Handler, Message, Peer, Server};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     type User = ();
//!
//!     fn message(&mut self, peer: &mut Peer, message: Message) {
//!         peer.send(message);
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let world = World::new(1);
//! let mut server = Server::default().build_on(world.machine(), Echo);
//! world.set_fault(Fault::ShortRead, 30_000);
//! let client = world.connect();
//! client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
//! for _ in 0..100 {
//!     let _ = server.turn(Some(Duration::ZERO))?;
//! }
//! assert!(client.receive().starts_with(b"HTTP/1.1 4"), "no upgrade was asked for");
//! assert!(world.faults().total() > 0);
//! # Ok(())
//! # }
//! ```

mod calls;
mod faults;
mod line;
mod machine;
mod random;
mod state;
mod world;

pub use calls::{Call, Calls, Done, Watch};
pub use faults::{Fault, FaultCounts, errno_name};
pub use machine::Sim;
pub use random::Random;
pub use world::{Client, World};
