//! `Refusal`: all that a peer can do wrong before a connection is anything but HTTP, in one table. Each row knows the
//! rule, the status and the words of the answer.

use core::fmt;

use crate::response::PLAIN_TEXT;
use crate::upgrade;
use crate::{Body, Connection, FieldName, FieldValue, Response, Status};

/// A row is the name, the status, the rule, and what was wrong.
macro_rules! refusals {
    ($(#[$about:meta])* $($name:ident $status:ident $section:literal $text:literal)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal {
            $(#[doc = concat!($text, " (", $section, ").")] $name,)+
        }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The rule that was broken, as `RFC number §section`.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $(Self::$name => $section,)+
                }
            }

            /// The status of the answer.
            #[must_use]
            pub const fn status(self) -> Status {
                match self {
                    $(Self::$name => Status::$status,)+
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            const fn body(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($text, " (", $section, ")\n"),)+
                }
            }
        }
    };
}

refusals! {
    /// The peer's fault, and the answer to it. After the answer the connection ends: where one request begins cannot be
    /// known once another was not understood.
    ///
    /// ```
    /// use longwire_handshake::{Head, Limits, Status};
    ///
    /// let refusal = Head::new(Limits::default()).scan(b"\x16\x03\x01").expect_err("that is TLS");
    /// assert_eq!(refusal.status(), Status::BAD_REQUEST);
    /// assert_eq!(refusal.to_string(), "a control byte stands in the head");
    /// assert_eq!(refusal.section(), "RFC 9110 §5.5");
    /// ```

    // Before anything is parsed.
    EmptyLines BAD_REQUEST "RFC 9112 §2.2" "more than one empty line stands before the request"
    BareLineEnd BAD_REQUEST "RFC 9112 §2.2" "a line ends with CR or LF alone"
    ControlByte BAD_REQUEST "RFC 9110 §5.5" "a control byte stands in the head"
    FoldedLine BAD_REQUEST "RFC 9112 §5.2" "a line of the head begins with a blank"
    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "RFC 6585 §5" "the head is longer than the limit"
    TooManyFields REQUEST_HEADER_FIELDS_TOO_LARGE "RFC 6585 §5" "the head has more fields than the limit"
    TargetTooLong URI_TOO_LONG "RFC 9112 §3" "the request target is longer than the limit"
    HeadIncomplete BAD_REQUEST "RFC 9112 §8" "the head has no end"

    // The request line.
    BadRequestLine BAD_REQUEST "RFC 9112 §3"
        "the request line is not a method, a target and a version with one blank between"
    BadMethod BAD_REQUEST "RFC 9112 §3.1" "the method is no token"
    BadTarget BAD_REQUEST "RFC 9112 §3.2" "the request target has none of the forms that its method may have"
    BadVersion BAD_REQUEST "RFC 9112 §2.3" "the version is not HTTP, a slash, a digit, a dot and a digit"
    VersionNotSupported HTTP_VERSION_NOT_SUPPORTED "RFC 9110 §15.6.6" "only HTTP/1 is spoken here"
    ConnectNotImplemented NOT_IMPLEMENTED "RFC 9110 §9.3.6" "no tunnels are made here"

    // The fields.
    BadField BAD_REQUEST "RFC 9112 §5" "a field line is not a token, a colon at once and a value"
    HostMissing BAD_REQUEST "RFC 9112 §3.2" "Host is missing"
    HostRepeated BAD_REQUEST "RFC 9112 §3.2" "Host stands there more than once"
    BadHost BAD_REQUEST "RFC 9112 §3.2" "Host is not a host with or without a port"
    HostNotAllowed FORBIDDEN "RFC 9110 §15.5.4"
        "Host is not localhost, 127.0.0.1 or ::1; other names must be allowed, against DNS rebinding (longwire: --allow-host, library: Server::host)"

    // The content.
    BadContentLength BAD_REQUEST "RFC 9112 §6.3" "Content-Length is no number"
    ContentLengthRepeated BAD_REQUEST "RFC 9112 §6.3" "Content-Length stands there more than once"
    TwoLengths BAD_REQUEST "RFC 9112 §6.3" "Content-Length stands beside Transfer-Encoding"
    TransferEncodingRepeated BAD_REQUEST "RFC 9112 §6.1" "Transfer-Encoding stands there more than once"
    TransferEncodingInHttp10 BAD_REQUEST "RFC 9112 §6.1" "HTTP/1.0 has no Transfer-Encoding"
    ChunkedNotFinal BAD_REQUEST "RFC 9112 §6.3" "chunked is not the final transfer coding, or not there once"
    TransferCodingUnknown NOT_IMPLEMENTED "RFC 9112 §6.1" "no transfer coding but chunked is known here"
    BadChunk BAD_REQUEST "RFC 9112 §7.1" "a chunk is malformed"
    BodyTooLarge CONTENT_TOO_LARGE "RFC 9110 §15.5.14" "the body is longer than the limit"
    RequestTimeout REQUEST_TIMEOUT "RFC 9110 §15.5.9" "the request took too long to arrive"

    // The upgrade.
    MethodNotAllowed METHOD_NOT_ALLOWED "RFC 6455 §4.2.1" "the method of an opening handshake is GET"
    UpgradeInHttp10 BAD_REQUEST "RFC 6455 §4.2.1" "HTTP/1.0 has no Upgrade"
    UpgradeMissing BAD_REQUEST "RFC 6455 §4.2.1" "an opening handshake is expected here, and Upgrade does not ask for one"
    ConnectionLacksUpgrade BAD_REQUEST "RFC 6455 §4.2.1" "Connection does not name Upgrade"
    KeyMissing BAD_REQUEST "RFC 6455 §4.2.1" "the key of the handshake is missing"
    KeyRepeated BAD_REQUEST "RFC 6455 §11.3.1" "the key of the handshake stands there more than once"
    BadKey BAD_REQUEST "RFC 6455 §4.2.1" "the key of the handshake is not 16 bytes in Base64"
    VersionRepeated BAD_REQUEST "RFC 6455 §11.3.5" "the version of the handshake stands there more than once"
    UpgradeRequired UPGRADE_REQUIRED "RFC 6455 §4.4" "the version of the handshake is 13"
    BadProtocols BAD_REQUEST "RFC 6455 §11.3.4" "the subprotocols are no list of tokens"
    BadExtensions BAD_REQUEST "RFC 6455 §9.1" "the extensions are no list of names with parameters"
    UpgradeWithContent BAD_REQUEST "RFC 6455 §4.1" "an opening handshake has no body"
    OriginNotAllowed FORBIDDEN "RFC 6455 §10.2"
        "pages of this Origin may not connect: it is not that of Host, port included, and not one that is allowed (longwire: --allow-origin, library: Server::origins)"
}

impl Refusal {
    /// The answer, whole: a line of text that says why, and `Connection: close`. RFC 6455 §10.7: by a status; RFC 9110 §15.5: and
    /// in words.
    #[must_use]
    pub const fn response(self) -> Response<'static> {
        // RFC 9110 §15.5.6: a 405 says what is allowed.
        const GET: &[(FieldName<'static>, FieldValue<'static>)] =
            &[PLAIN_TEXT, (FieldName::ALLOW, FieldValue::literal("GET"))];
        let fields = match self {
            Self::MethodNotAllowed => GET,
            Self::UpgradeRequired => upgrade::REQUIRED,
            _ => &[PLAIN_TEXT],
        };
        Response {
            status: self.status(),
            fields,
            body: Body::Bytes(self.body().as_bytes()),
            connection: Connection::Close,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Refusal {}
