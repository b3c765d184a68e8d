//! The opening handshake of RFC 6455, as a server takes it. Two judgements, because RFC 8441 (the same over HTTP/2)
//! shares only the second: [`Upgrade::from_request`] has the rules of HTTP/1.1, the key and the 101; [`negotiate`]
//! has version, origin and subprotocol.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::extensions::{Extension, extensions};
use crate::fields::Fields;
use crate::grammar::{elements, is_token, token};
use crate::response::PLAIN_TEXT;
use crate::{Accept, Content, FieldName, FieldValue, Origins, Refusal, Request, Token, Version};

/// The only version there is (RFC 6455 §4.1 item 9).
const VERSION: &str = "13";

const PROTOCOLS: &str = "sec-websocket-protocol";
const EXTENSIONS: &str = "sec-websocket-extensions";

/// A valid opening handshake. Answered with the 101 that [`negotiate`] allows, the connection speaks frames from the
/// next byte on, those that came behind the head included.
///
/// ```
/// use longwire_handshake::*;
///
/// let head = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// let mut slots = FieldSlots::new();
/// let request = Request::parse(head, &mut slots)?;
/// let upgrade = Upgrade::from_request(&request)?;
/// negotiate(&request, &Origins::Same, &[])?;
/// let accept = upgrade.accept();
/// let response = Response {
///     status: Status::SWITCHING_PROTOCOLS,
///     fields: &[
///         (FieldName::UPGRADE, FieldValue::WEBSOCKET),
///         (FieldName::SEC_WEBSOCKET_ACCEPT, accept.value()),
///     ],
///     body: Body::None,
///     connection: Connection::Upgrade,
/// };
/// # assert!(response.encoded_len() > 100);
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Upgrade<'h, 'b> {
    request: Request<'h, 'b>,
    key: &'b [u8],
}

impl<'h, 'b> Upgrade<'h, 'b> {
    /// Judges the request, clause by clause (§4.2.1). A key stands there once (§11.3.1), and RFC 9110 §7.8 has `Upgrade` ignored in
    /// HTTP/1.0.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that the first broken clause deserves.
    pub fn from_request(request: &Request<'h, 'b>) -> Result<Self, Refusal> {
        let fields = request.fields;
        // §4.2.1 item 1: GET, in HTTP/1.1 or later. (Item 2, Host, is a rule for every request.)
        if request.method() != "GET" {
            return Err(Refusal::MethodNotAllowed);
        }
        if request.version() == Version::Http10 {
            return Err(Refusal::UpgradeInHttp10);
        }
        // Item 3.
        if !fields.lists("upgrade", "websocket") {
            return Err(Refusal::UpgradeMissing);
        }
        // Item 4.
        if !fields.lists("connection", "upgrade") {
            return Err(Refusal::ConnectionLacksUpgrade);
        }
        // Item 6, before item 5: the key's form is this version's.
        version(fields)?;
        // Item 5.
        let key = match fields.single("sec-websocket-key").map_err(|_| Refusal::KeyRepeated)? {
            None => return Err(Refusal::KeyMissing),
            Some(key) if is_key(key) => key,
            Some(_) => return Err(Refusal::BadKey),
        };
        // Items 8 and 9.
        check_protocols(fields)?;
        if fields.values(EXTENSIONS).any(|value| !is_extension_list(value)) {
            return Err(Refusal::BadExtensions);
        }
        // RFC 6455 §4.1 has no place for a body: what follows the head would be read as frames.
        match request.content() {
            Content::None | Content::Length(0) => Ok(Self { request: *request, key }),
            Content::Length(_) | Content::Chunked => Err(Refusal::UpgradeWithContent),
        }
    }

    /// The answer to the request's key.
    #[must_use]
    pub fn accept(&self) -> Accept {
        Accept::for_key(self.key)
    }

    /// The subprotocols that the client would speak, the one that it likes best first.
    pub fn protocols(&self) -> impl Iterator<Item = &'b str> + use<'h, 'b> {
        self.request.fields.list(PROTOCOLS).filter_map(token)
    }

    /// The extensions that the client offers, the one that it likes best first.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'b>> + use<'h, 'b> {
        self.request.fields.values(EXTENSIONS).flat_map(extensions).filter_map(Result::ok)
    }
}

/// What both sides will speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated<'p> {
    /// The subprotocol: one of ours, or none if there is none in common.
    pub protocol: Option<&'p str>,
}

/// Decides who may connect, and what is spoken: the version, the origin, and the first of the client's subprotocols that is among
/// `ours` (they have case). Extensions are apart: what [`Upgrade::extensions`] offers, [`Deflate::answer`](crate::Deflate::answer)
/// may accept. RFC 6455 §10.2: an origin that is not wanted is 403.
///
/// # Errors
///
/// [`Refusal::UpgradeRequired`], [`Refusal::OriginNotAllowed`], or what a malformed field deserves.
pub fn negotiate<'p>(
    request: &Request<'_, '_>,
    origins: &Origins<'_>,
    ours: &[&'p str],
) -> Result<Negotiated<'p>, Refusal> {
    version(request.fields)?;
    // §4.2.2 item 4: an unacceptable origin is 403.
    if !origins.allow(request) {
        return Err(Refusal::OriginNotAllowed);
    }
    check_protocols(request.fields)?;
    // The same: what is answered was offered by the client and comes from our own list, so it can inject nothing.
    let protocol = request.fields.list(PROTOCOLS).find_map(|theirs| ours.iter().find(|ours| ours.as_bytes() == theirs));
    Ok(Negotiated { protocol: protocol.copied() })
}

impl Request<'_, '_> {
    /// Whether Upgrade speaks of WebSocket, in any way. A proxy may tunnel from here on, on the mere intent; so unless the answer
    /// is a 101, this request is the last of its connection. RFC 9110 §7.8: names of protocols have no case.
    #[must_use]
    pub fn names_websocket(&self) -> bool {
        // Wherever the word stands: proxies look for it with patterns.
        const WORD: &[u8] = b"websocket";
        self.fields
            .values("upgrade")
            .any(|value| value.windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD)))
    }
}

/// §4.4: another version is answered with the one that we speak.
fn version(fields: Fields<'_, '_>) -> Result<(), Refusal> {
    match fields.single("sec-websocket-version") {
        Ok(Some(version)) if version == VERSION.as_bytes() => Ok(()),
        Ok(_) => Err(Refusal::UpgradeRequired),
        Err(_) => Err(Refusal::VersionRepeated),
    }
}

/// §4.2.1 item 5: 16 bytes in Base64. The four bits that the last letter has to spare mean nothing, and some clients
/// leave them set.
fn is_key(key: &[u8]) -> bool {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );
    // The decoder wants room for three bytes of every four letters, and takes no more letters than fit.
    BASE64.decode_slice(key, &mut [0; 18]) == Ok(16)
}

/// §11.3.4: every field is a list of tokens, one at least.
fn check_protocols(fields: Fields<'_, '_>) -> Result<(), Refusal> {
    let well_formed = |value| elements(value).next().is_some() && elements(value).all(is_token);
    if fields.values(PROTOCOLS).all(well_formed) { Ok(()) } else { Err(Refusal::BadProtocols) }
}

/// §9.1: a list of extensions, one at least.
fn is_extension_list(value: &[u8]) -> bool {
    extensions(value).next().is_some() && extensions(value).all(|extension| extension.is_ok())
}

/// What the answer to another version says (RFC 6455 §4.4, RFC 9110 §15.5.22); `Connection` follows from `Upgrade`.
pub(crate) const REQUIRED: &[(FieldName<'static>, FieldValue<'static>)] = &[
    PLAIN_TEXT,
    (FieldName::UPGRADE, FieldValue::WEBSOCKET),
    (FieldName::SEC_WEBSOCKET_VERSION, FieldValue::literal(VERSION)),
];

impl Token<'static> {
    /// The field `Sec-WebSocket-Protocol` (RFC 6455 §11.3.4).
    pub const SEC_WEBSOCKET_PROTOCOL: Self = Self::literal("Sec-WebSocket-Protocol");
    /// The field `Sec-WebSocket-Version` (RFC 6455 §11.3.5).
    pub const SEC_WEBSOCKET_VERSION: Self = Self::literal("Sec-WebSocket-Version");
}

impl FieldValue<'static> {
    /// The value of `Upgrade` that names the protocol.
    pub const WEBSOCKET: Self = Self::literal("websocket");
}
