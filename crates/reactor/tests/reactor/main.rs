//! The loop's tests: on the imaginary machine, where time is a value and every call is counted, and on loopback sockets.

mod live;
mod misfortunes;
mod stage;

mod accepting;
mod access;
mod backpressure;
mod body;
mod budget;
mod chaos;
mod client;
mod closing;
mod deadlines;
#[cfg(feature = "deflate")]
mod deflate;
mod drain;
mod dropping;
mod echo;
mod equivalence;
mod events;
mod fairness;
mod faults;
mod http;
mod later;
mod lent;
mod limits;
mod listening;
mod loopback;
mod machine;
mod panics;
mod proxies;
mod publishing;
mod refusals;
mod remote;
mod sending;
mod upgrade;
#[cfg(feature = "deflate")]
mod walk;
