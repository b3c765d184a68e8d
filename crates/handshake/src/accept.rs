//! `Accept`: the proof that a server has understood the opening handshake of RFC 6455. Nobody else answers a key so.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::{FieldValue, Token};

/// The value of Sec-WebSocket-Accept: 28 bytes.
///
/// ```
/// use longwire_handshake::Accept;
///
/// assert_eq!(Accept::for_key("dGhlIHNhbXBsZSBub25jZQ==").as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Accept([u8; 28]);

impl Accept {
    /// The answer to a key, as the key stands in its field (not decoded). RFC 6455 §1.3 has an example.
    #[must_use]
    pub fn for_key(key: impl AsRef<[u8]>) -> Self {
        // §4.2.2 item 5.4: the key and this text, hashed, in Base64.
        let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
        let mut accept = [0; 28];
        // 20 bytes are 28 letters: it always fits.
        let _ = STANDARD.encode_slice(digest, &mut accept);
        Self(accept)
    }

    /// The 28 bytes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The same as a field's value.
    #[must_use]
    pub fn value(&self) -> FieldValue<'_> {
        FieldValue::new(self.as_str()).unwrap_or_default()
    }
}

impl Token<'static> {
    /// The field `Sec-WebSocket-Accept` (RFC 6455 §11.3.3).
    pub const SEC_WEBSOCKET_ACCEPT: Self = Self::literal("Sec-WebSocket-Accept");
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
