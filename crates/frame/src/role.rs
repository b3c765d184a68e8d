//! Which end of the connection this is: the one asymmetry of the protocol once the handshake is over.

/// Who *we* are.
///
/// RFC 6455 §5.1: a client masks every frame it sends, a server none, and each refuses what the other may not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We accepted the connection: frames come masked and leave unmasked.
    Server,
    /// We opened the connection: frames come unmasked and leave masked.
    Client,
}
