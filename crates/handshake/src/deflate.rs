//! permessage-deflate, as far as the handshake goes: RFC 7692 §5 and §7.1. What a client offers, what a server answers,
//! and what a client makes of the answer. Nothing is compressed here: the parameters are plain values for whoever does.
//!
//! An offer with anything in it that is not understood is declined, which is no fault: the next one may do, or the
//! connection goes without. An *answer* with anything in it that was not offered fails the connection.

use core::fmt;

use crate::extensions::Malformed;
use crate::output::Output;
use crate::{Extension, FieldValue, ParameterValue, Token};

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The size of a compressor's window, as its logarithm to base 2: 8 to 15 (§7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

/// §7.1.2.1: decimal, without leading zeros. The first is 8.
const NUMBERS: [&str; 8] = ["8", "9", "10", "11", "12", "13", "14", "15"];

impl WindowBits {
    /// 256 bytes: what may be asked for, and zlib cannot compress with.
    pub const MIN: Self = Self(8);
    /// 32 KiB: what holds where nothing is said.
    pub const MAX: Self = Self(15);

    /// The number, if it is 8 to 15.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        if bits >= Self::MIN.0 && bits <= Self::MAX.0 { Some(Self(bits)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// §7: another value is none.
    fn parse(value: ParameterValue<'_>) -> Result<Self, NotUnderstood> {
        let (bits, _) = (Self::MIN.0..).zip(NUMBERS).find(|(_, number)| value == *number).ok_or(NotUnderstood)?;
        Ok(Self(bits))
    }
}

/// The number in digits.
impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The parameters on which both sides agree: those of the server's answer (§5).
///
/// The same value, before, says what a server wants: the [default](Self::DEFAULT) is that no side keeps its window
/// between two messages, so that one compressor and one decompressor can serve everybody.
///
/// ```
/// use longwire_handshake::*;
///
/// # let head = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
/// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
/// #     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
/// # let mut slots = FieldSlots::new();
/// # let request = Request::parse(head, &mut slots)?;
/// # let upgrade = Upgrade::from_request(&request)?;
/// // The client: `Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits`
/// let agreed = Deflate::DEFAULT.answer(upgrade.extensions()).expect("there is nothing to decline");
/// let mut memory = [0; Deflate::MAX_LEN];
/// let field = (FieldName::SEC_WEBSOCKET_EXTENSIONS, agreed.value(&mut memory));
/// assert_eq!(
///     field.1.as_str(),
///     "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
/// );
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deflate {
    /// The server's compressor forgets its window with each message (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client's compressor does (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The window of the server's compressor; `None` says nothing, and means 15 (§7.1.2.1).
    pub server_max_window_bits: Option<WindowBits>,
    /// The window of the client's compressor; `None` says nothing, and means 15 (§7.1.2.2).
    pub client_max_window_bits: Option<WindowBits>,
}

impl Deflate {
    /// No context takeover, in neither direction, and windows of any size.
    pub const DEFAULT: Self = Self {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };

    /// Bytes of the longest value that [`value`](Self::value) writes.
    pub const MAX_LEN: usize = NAME.len()
        + SERVER_NO_CONTEXT_TAKEOVER.len()
        + CLIENT_NO_CONTEXT_TAKEOVER.len()
        + SERVER_MAX_WINDOW_BITS.len()
        + CLIENT_MAX_WINDOW_BITS.len()
        + 4 * "; ".len()
        + 2 * "=15".len();

    /// The answer of a server that wants this, to the first offer that it can accept (§5.1: the client likes the first one best);
    /// `None` declines them all, and the connection goes without. RFC 6455 §4.2.2, §5.2, §5.8 and §9: an extension is agreed on
    /// here or not at all, and only if it was offered.
    ///
    /// What the server wants and an offer does not let it ask for, it goes without: the size of the client's window is
    /// the client's, unless it offers to be told. What an offer demands is granted, but for a window of 8 bits, which
    /// zlib's compressor does not have: that offer is declined.
    #[must_use]
    pub fn answer<'b>(self, offers: impl IntoIterator<Item = Extension<'b>>) -> Option<Self> {
        offers.into_iter().filter_map(|offer| DeflateOffer::parse(&offer)).find_map(|offer| self.answer_one(offer))
    }

    /// §7: what is not supported is declined. RFC 6455 §9: as the extension says.
    fn answer_one(self, offer: DeflateOffer) -> Option<Self> {
        // §7.1.2.1: what was offered is answered, by the same number or a smaller one; a server may also begin.
        let server_max_window_bits = smaller(offer.server_max_window_bits, self.server_max_window_bits);
        if server_max_window_bits == Some(WindowBits::MIN) {
            return None;
        }
        Some(Self {
            // §7.1.1.1: what was asked for must be answered; a server may also say so unasked.
            server_no_context_takeover: offer.server_no_context_takeover || self.server_no_context_takeover,
            // §7.1.1.2: the offer is a hint; a server may also demand it unasked.
            client_no_context_takeover: offer.client_no_context_takeover || self.client_no_context_takeover,
            server_max_window_bits,
            // §7.1.2.2: must not be answered unless offered.
            client_max_window_bits: match offer.client_max_window_bits {
                ClientWindow::Unsaid => None,
                ClientWindow::Any => self.client_max_window_bits,
                ClientWindow::AtMost(bits) => smaller(Some(bits), self.client_max_window_bits),
            },
        })
    }

    /// What stands in an answer; parameters that an answer cannot have are not understood. §7: what no answer can say is a fault.
    fn parse(extension: &Extension<'_>) -> Option<Self> {
        let answer = DeflateOffer::parse(extension)?;
        Some(Self {
            server_no_context_takeover: answer.server_no_context_takeover,
            client_no_context_takeover: answer.client_no_context_takeover,
            server_max_window_bits: answer.server_max_window_bits,
            client_max_window_bits: match answer.client_max_window_bits {
                ClientWindow::Unsaid => None,
                ClientWindow::Any => return None, // §7.1.2.2: in an answer it has a value
                ClientWindow::AtMost(bits) => Some(bits),
            },
        })
    }

    /// The value of the answer's field `Sec-WebSocket-Extensions`, in lent memory.
    #[must_use]
    pub fn value<'m>(&self, memory: &'m mut [u8; Self::MAX_LEN]) -> FieldValue<'m> {
        let mut output = Output::new(memory);
        self.write(&mut output);
        let len = output.len();
        let text = str::from_utf8(memory.get(..len).unwrap_or_default()).unwrap_or_default();
        FieldValue::new(text).unwrap_or_default()
    }

    fn write(&self, output: &mut Output<'_>) {
        let client_max_window_bits = self.client_max_window_bits.map_or(ClientWindow::Unsaid, ClientWindow::AtMost);
        DeflateOffer {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits,
        }
        .write(output);
    }
}

impl Default for Deflate {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a client asks for: one offer of permessage-deflate (§7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateOffer {
    /// The server's compressor must forget its window with each message (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client's compressor will, whatever is answered (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The server's compressor must not have a larger window (§7.1.2.1).
    pub server_max_window_bits: Option<WindowBits>,
    /// Whether the server may say how large the client's window may be (§7.1.2.2).
    pub client_max_window_bits: ClientWindow,
}

/// What a client says of its own window: `client_max_window_bits` in an offer (§7.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientWindow {
    /// Nothing: the server must not ask for one.
    Unsaid,
    /// The parameter without a value: the server may ask for any.
    Any,
    /// The parameter with a value: it will not be larger than this, and the server may ask for less.
    AtMost(WindowBits),
}

impl DeflateOffer {
    /// Takes any answer: the server may keep its window or not, and ask for a smaller one of the client's.
    pub const DEFAULT: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: ClientWindow::Any,
    };

    /// The offer, if that is what the extension is, and all of it is understood.
    ///
    /// §7.1: an unknown name, a second parameter of the same name, a value where none belongs, and one that is out of
    /// range decline the offer.
    #[must_use]
    pub fn parse(extension: &Extension<'_>) -> Option<Self> {
        let nothing_said = Self { client_max_window_bits: ClientWindow::Unsaid, ..Self::DEFAULT };
        if extension.name() != NAME {
            return None;
        }
        extension.params().try_fold(nothing_said, Self::with).ok()
    }

    /// With one parameter more. §7: an unknown name, a second time, a value that cannot be: declined, or in an answer a fault.
    fn with(self, (name, value): (&str, Option<ParameterValue<'_>>)) -> Result<Self, NotUnderstood> {
        match (name, value) {
            (SERVER_NO_CONTEXT_TAKEOVER, None) if !self.server_no_context_takeover => {
                Ok(Self { server_no_context_takeover: true, ..self })
            }
            (CLIENT_NO_CONTEXT_TAKEOVER, None) if !self.client_no_context_takeover => {
                Ok(Self { client_no_context_takeover: true, ..self })
            }
            (SERVER_MAX_WINDOW_BITS, Some(bits)) if self.server_max_window_bits.is_none() => {
                Ok(Self { server_max_window_bits: Some(WindowBits::parse(bits)?), ..self })
            }
            (CLIENT_MAX_WINDOW_BITS, bits) if self.client_max_window_bits == ClientWindow::Unsaid => {
                let bits = bits.map(WindowBits::parse).transpose()?;
                Ok(Self { client_max_window_bits: bits.map_or(ClientWindow::Any, ClientWindow::AtMost), ..self })
            }
            _ => Err(NotUnderstood),
        }
    }

    /// Whether a server that keeps to §7.1 can have given this answer to this offer. §7: nor does a client take terms that it
    /// cannot keep.
    const fn allows(&self, answer: &Deflate) -> bool {
        // §7.1.1.1: to accept is to answer it.
        if self.server_no_context_takeover && !answer.server_no_context_takeover {
            return false;
        }
        // §7.1.2.1: to accept is to answer it, with the same number or a smaller one.
        let server = match (self.server_max_window_bits, answer.server_max_window_bits) {
            (Some(asked), Some(given)) => given.0 <= asked.0,
            (Some(_), None) => false,
            (None, _) => true,
        };
        // §7.1.2.2: only if offered, and not larger.
        let client = match (self.client_max_window_bits, answer.client_max_window_bits) {
            (ClientWindow::Unsaid, Some(_)) => false,
            (ClientWindow::AtMost(offered), Some(given)) => given.0 <= offered.0,
            (_, _) => true,
        };
        server && client
    }

    /// The name is registered, and the parameters are its own (RFC 6455 §9.1).
    pub(crate) fn write(&self, output: &mut Output<'_>) {
        output.put(NAME);
        for (said, name) in [
            (self.server_no_context_takeover, SERVER_NO_CONTEXT_TAKEOVER),
            (self.client_no_context_takeover, CLIENT_NO_CONTEXT_TAKEOVER),
        ] {
            if said {
                put_parameter(output, name, None);
            }
        }
        if let Some(bits) = self.server_max_window_bits {
            put_parameter(output, SERVER_MAX_WINDOW_BITS, Some(bits));
        }
        match self.client_max_window_bits {
            ClientWindow::Unsaid => {}
            ClientWindow::Any => put_parameter(output, CLIENT_MAX_WINDOW_BITS, None),
            ClientWindow::AtMost(bits) => put_parameter(output, CLIENT_MAX_WINDOW_BITS, Some(bits)),
        }
    }
}

impl Default for DeflateOffer {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The parameter is none of ours, stands there again, or has a value that it cannot have.
struct NotUnderstood;

/// An answer was given that the offers do not allow (§5.1, §7.1).
pub(crate) struct NotOffered;

/// What the server's answer makes of our offer: `None` if it goes without. RFC 6455 §4.1 item 5 says so for every extension.
///
/// §5.1: what was not offered, what was not understood and what is accepted twice fail the connection.
pub(crate) fn check_answer<'b>(
    offer: Option<DeflateOffer>,
    mut answers: impl Iterator<Item = Result<Extension<'b>, Malformed>>,
) -> Result<Option<Deflate>, NotOffered> {
    let Some(answer) = answers.next() else { return Ok(None) };
    let (answer, offer) = (answer.map_err(|_| NotOffered)?, offer.ok_or(NotOffered)?);
    let mut agreed = Deflate::parse(&answer).filter(|answer| offer.allows(answer)).ok_or(NotOffered)?;
    // §7.1.1.2: what the client has announced it does, whatever is answered.
    agreed.client_no_context_takeover |= offer.client_no_context_takeover;
    // §7.1.2.2: the same with the largest window that it may use.
    if let ClientWindow::AtMost(most) = offer.client_max_window_bits {
        agreed.client_max_window_bits = smaller(agreed.client_max_window_bits, Some(most));
    }
    if answers.next().is_some() { Err(NotOffered) } else { Ok(Some(agreed)) }
}

fn smaller(one: Option<WindowBits>, other: Option<WindowBits>) -> Option<WindowBits> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn put_parameter(output: &mut Output<'_>, name: &str, bits: Option<WindowBits>) {
    output.put("; ");
    output.put(name);
    if let Some(bits) = bits {
        output.put("=");
        output.put_decimal(u64::from(bits.get()));
    }
}

impl Token<'static> {
    /// The field `Sec-WebSocket-Extensions` (RFC 6455 §11.3.2).
    pub const SEC_WEBSOCKET_EXTENSIONS: Self = Self::literal("Sec-WebSocket-Extensions");
}
