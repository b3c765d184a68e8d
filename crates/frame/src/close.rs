//! Why a connection ends: RFC 6455 §5.5.1 and §7.4. Only what may stand in a frame can be constructed.

use crate::{Error, Full};

/// A close code that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999.
///
/// 1004 is reserved, and 1005, 1006 and 1015 are for reporting what no frame said (§7.4.1). 1012 to 1014 are in IANA's
/// registry of close codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: what the connection was for is done.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server shuts down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// 1003: a kind of data that this endpoint does not take.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1007: data that is not what its kind promises, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: against the endpoint's policy, when no other code fits.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message too big to be dealt with.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the client needs an extension that the server did not negotiate.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: something unforeseen at this endpoint.
    pub const INTERNAL: Self = Self(1011);
    /// 1012: the service restarts.
    pub const RESTART: Self = Self(1012);
    /// 1013: too much to do; come back later.
    pub const TRY_AGAIN: Self = Self(1013);
    /// 1014: a gateway's upstream answered with nonsense.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The code, if it may stand in a frame.
    #[inline]
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// What the code says, in a few words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1007 => "invalid data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            3000..=3999 => "registered",
            _ => "private",
        }
    }
}

/// The payload of a Close frame that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Close<'a> {
    /// Why.
    pub code: CloseCode,
    /// Why, for whoever reads logs: at most 123 bytes, of which more cannot be received and are not sent.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    /// Bytes that a reason may have: a control frame's 125 without the code (§5.5).
    pub const MAX_REASON: usize = 123;

    /// A code and as much of the reason as a frame can hold, cut between characters.
    #[must_use]
    pub fn new(code: CloseCode, reason: &'a str) -> Self {
        Self { code, reason: cut(reason) }
    }

    /// What the payload of a Close frame says; `None` if it is empty. The reason is what stands behind the code (§7.1.6).
    pub fn parse(payload: &'a [u8]) -> Result<Option<Self>, Error> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            // §5.5.1: if there is a payload, a code of two bytes comes first.
            return if payload.is_empty() { Ok(None) } else { Err(Error::ShortClose) };
        };
        if reason.len() > Self::MAX_REASON {
            return Err(Error::LongControl); // §5.5
        }
        let code = CloseCode::new(u16::from_be_bytes(*code)).ok_or(Error::CloseCode)?; // §7.4.1, §7.4.2
        let reason = core::str::from_utf8(reason).map_err(|_| Error::NotUtf8)?; // §5.5.1, §8.1
        Ok(Some(Self { code, reason }))
    }

    /// Bytes that [`encode`](Self::encode) writes: 2 to 125.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        2 + cut(self.reason).len()
    }

    /// Writes the payload, unmasked, to the front of `out` and says how many bytes that took.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Full> {
        let reason = cut(self.reason).as_bytes();
        let encoded_len = 2 + reason.len();
        let (code, rest) = out.get_mut(..encoded_len).and_then(|out| out.split_first_chunk_mut::<2>()).ok_or(Full)?;
        *code = self.code.get().to_be_bytes();
        rest.copy_from_slice(reason);
        Ok(encoded_len)
    }
}

/// As much of a reason as fits, without half a character at its end: it must be UTF-8 (§5.5.1).
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(Close::MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}
