//! The fields of a head: parsed by `httparse` into lent memory, looked up by name. What httparse lets pass and we may
//! not is refused here; what a field means is said in the file that asks for it.

use core::fmt;

use crate::grammar::elements;
use crate::{Refusal, Version};

/// Memory for the fields of a head while a [`Request`](crate::Request) lives: 32 bytes for each of `N`, on 64-bit
/// machines.
///
/// `FieldSlots::new()` has room for 100, the default of [`Limits::fields`](crate::Limits::fields).
pub struct FieldSlots<'b, const N: usize = 100>([httparse::Header<'b>; N]);

impl FieldSlots<'_> {
    /// Room for 100 fields.
    #[must_use]
    pub const fn new() -> Self {
        Self::of_any_size()
    }
}

impl<const N: usize> FieldSlots<'_, N> {
    /// Room for `N` fields: `FieldSlots::<20>::of_any_size()`.
    #[must_use]
    pub const fn of_any_size() -> Self {
        Self([httparse::EMPTY_HEADER; N])
    }
}

impl<const N: usize> Default for FieldSlots<'_, N> {
    fn default() -> Self {
        Self::of_any_size()
    }
}

impl<const N: usize> fmt::Debug for FieldSlots<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldSlots::<{N}>")
    }
}

/// One field line. The name is a token, as sent; the value has no blanks at its ends and no control bytes but tabs. It may be
/// empty, and need not be UTF-8. RFC 9110 §5.5: what is beyond ASCII in a value is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'b> {
    /// The name, in the case in which it was sent.
    pub name: &'b str,
    /// The value.
    pub value: &'b [u8],
}

/// All field lines of a head, in their order.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'h, 'b>(&'h [httparse::Header<'b>]);

/// A field that may stand there once stands there again.
pub(crate) struct Repeated;

impl<'h, 'b> Fields<'h, 'b> {
    /// Parses the lines behind the first, up to the blank one. RFC 9112 §5 and §5.1: no blank before the colon; RFC 9110 §5.5: the
    /// blanks around a value are not its part.
    pub(crate) fn parse<const N: usize>(lines: &'b [u8], slots: &'h mut FieldSlots<'b, N>) -> Result<Self, Refusal> {
        match httparse::parse_headers(lines, &mut slots.0) {
            Ok(httparse::Status::Complete((len, fields))) => {
                // RFC 9112 §2.2: httparse takes an LF alone for a line end.
                if ends_as_lines_do(lines.get(..len).unwrap_or_default()) {
                    Ok(Self(fields))
                } else {
                    Err(Refusal::BareLineEnd)
                }
            }
            Ok(httparse::Status::Partial) => Err(Refusal::HeadIncomplete),
            Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooManyFields),
            Err(_) => Err(Refusal::BadField),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Field<'b>> + use<'h, 'b> {
        self.0.iter().map(|field| Field { name: field.name, value: field.value })
    }

    /// The values of every field of that name. RFC 9110 §5.1: names have no case.
    pub(crate) fn values<'n>(self, name: &'n str) -> impl DoubleEndedIterator<Item = &'b [u8]> + use<'h, 'b, 'n> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value of a field that may stand there once.
    pub(crate) fn single(self, name: &str) -> Result<Option<&'b [u8]>, Repeated> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Repeated),
        }
    }

    /// The elements of a list. RFC 9110 §5.3: repeated fields are one list.
    pub(crate) fn list<'n>(self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'h, 'b, 'n> {
        self.values(name).flat_map(elements)
    }

    /// Whether the list has that element, in any case.
    pub(crate) fn lists(self, name: &str, element: &str) -> bool {
        self.list(name).any(|listed| listed.eq_ignore_ascii_case(element.as_bytes()))
    }

    /// RFC 9112 §9.3 and §9.6: whether the connection outlives this message, as far as the message itself says.
    pub(crate) fn persist(self, version: Version) -> bool {
        !self.lists("connection", "close") && (version == Version::Http11 || self.lists("connection", "keep-alive"))
    }
}

/// Whether each LF has its CR, and the last byte is an LF. All bytes are looked at, so that it can be many at a time.
fn ends_as_lines_do(lines: &[u8]) -> bool {
    let pairs = lines.iter().zip(lines.get(1..).unwrap_or_default());
    let alone =
        pairs.fold(lines.first() == Some(&b'\n'), |alone, (before, byte)| alone | (*byte == b'\n' && *before != b'\r'));
    !alone && lines.last().is_none_or(|last| *last == b'\n')
}
