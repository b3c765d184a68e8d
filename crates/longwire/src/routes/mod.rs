//! What is served, a file each.

pub(crate) mod chat;
pub(crate) mod clock;
pub(crate) mod page;
pub(crate) mod tokens;
