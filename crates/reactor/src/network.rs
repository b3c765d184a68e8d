//! A network, as one is written in a configuration.

use std::net::IpAddr;
use std::str::FromStr;

/// Addresses with a common beginning, such as `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`; or `unix`, whoever connects to a
/// Unix socket.
///
/// An IPv4 address that is dressed as one of IPv6 (`::ffff:192.0.2.7`) counts as what it is, here and in what is compared.
///
/// ```
/// use longwire_reactor::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?) && network.contains("::ffff:10.1.2.3".parse()?));
/// assert_eq!(network.to_string(), "10.0.0.0/8");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// So many bits of this address.
    Ip(IpAddr, u8),
    Unix,
}

impl Network {
    /// Whoever connects to a Unix socket.
    pub const UNIX: Self = Self(Kind::Unix);

    /// Whether an address lies in it. In [`Network::UNIX`] lies none.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.0, address.to_canonical()) {
            (Kind::Ip(IpAddr::V4(base), length), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(length)
            }
            (Kind::Ip(IpAddr::V6(base), length), IpAddr::V6(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(length)
            }
            _ => false,
        }
    }

    /// Whether a peer is one of it; those of Unix sockets have no address.
    fn has(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(*self == Self::UNIX, |address| self.contains(address))
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        if text == "unix" {
            return Ok(Self::UNIX);
        }
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let written: IpAddr = address.parse().map_err(|_| NotANetwork::Malformed)?;
        let bits = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => bits(written),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|length| *length <= bits(written)).ok_or(NotANetwork::Malformed)?
            }
            Some(_) => return Err(NotANetwork::Malformed),
        };
        // The first 96 bits of an IPv4 address in the clothes of IPv6 are the clothes.
        let base = if length >= bits(written) - 32 { written.to_canonical() } else { written };
        let length = length - (bits(written) - bits(base));
        let rest = match base {
            IpAddr::V4(base) => base.to_bits().checked_shl(u32::from(length)).unwrap_or(0) != 0,
            IpAddr::V6(base) => base.to_bits().checked_shl(u32::from(length)).unwrap_or(0) != 0,
        };
        if rest {
            // Most likely a slip of the pen, and the wrong moment to guess which.
            return Err(NotANetwork::LongerThanItsLength);
        }
        Ok(Self(Kind::Ip(base, length)))
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Kind::Ip(base, length) => write!(f, "{base}/{length}"),
            Kind::Unix => f.write_str("unix"),
        }
    }
}

/// What is wrong with a network that was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotANetwork {
    /// It is none of the three forms.
    Malformed,
    /// The address has bits behind the length.
    LongerThanItsLength,
}

impl std::fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a network like 10.0.0.0/8 or 2001:db8::/32, an address, or unix",
            Self::LongerThanItsLength => {
                "the address goes on behind the length of the network, where it has to be zero"
            }
        })
    }
}

impl std::error::Error for NotANetwork {}

/// Whether a peer is a proxy whose word is believed; those of Unix sockets have no address.
pub(crate) fn is_trusted(peer: Option<IpAddr>, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.has(peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_ends_at_its_last_bit() {
        for (text, inside, outside) in [
            (
                "10.0.0.0/8",
                vec!["10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"],
                vec!["9.255.255.255", "11.0.0.0", "::a00:0"],
            ),
            ("192.0.2.128/25", vec!["192.0.2.128", "192.0.2.255"], vec!["192.0.2.127", "192.0.3.0"]),
            ("192.0.2.7", vec!["192.0.2.7", "::ffff:192.0.2.7"], vec!["192.0.2.6", "192.0.2.8"]),
            ("0.0.0.0/0", vec!["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], vec!["::", "2001:db8::"]),
            ("::/0", vec!["::", "2001:db8::1"], vec!["1.2.3.4", "::ffff:1.2.3.4"]),
            ("2001:db8::/33", vec!["2001:db8::", "2001:db8:7fff::1"], vec!["2001:db8:8000::", "2001:db9::"]),
            ("::1", vec!["::1"], vec!["::", "::2", "127.0.0.1", "::ffff:127.0.0.1"]),
            ("::ffff:10.0.0.0/104", vec!["10.1.2.3", "::ffff:10.1.2.3"], vec!["11.0.0.0"]),
            ("::ffff:0:0/96", vec!["10.1.2.3"], vec!["::1"]),
            ("unix", vec![], vec!["0.0.0.0", "::", "127.0.0.1"]),
        ] {
            for at in inside {
                assert!(network(text).contains(address(at)), "{at} lies in {text}");
            }
            for at in outside {
                assert!(!network(text).contains(address(at)), "{at} does not lie in {text}");
            }
            assert_eq!(network(&network(text).to_string()), network(text));
        }
        assert!(network("unix").has(None) && !network("0.0.0.0/0").has(None) && !network("::/0").has(None));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "/8",
            "10/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.0/256",
            "::/129",
            "[::1]",
            "localhost",
            "Unix",
            " ::1",
            "fe80::1%eth0",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork::Malformed), "{text}");
        }
        for text in ["10.0.0.1/8", "2001:db8::1/64", "::ffff:10.0.0.1/104", "255.255.255.255/0"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork::LongerThanItsLength), "{text}");
        }
    }
}
