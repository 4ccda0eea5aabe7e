//! Which addresses belong to the public internet, and which hosts may be private
//! all the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Whether this is a unicast address that anybody may reach: none of the special
/// ones of RFC 6890 and IANA's registries, and none that leads to one of them.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IANA's special blocks, and the one public address at which a cloud (Azure)
/// answers its guests' questions.
const SPECIAL_V4: [(Ipv4Addr, u8); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4
        .iter()
        .any(|&(block, bits)| within(address.into(), block.into(), bits))
}

/// Those within `2000::/3`, which is all that was ever given out: IETF's own (Teredo,
/// benchmarks, ORCHID), documentation, 6to4 (whose relays are somebody else's),
/// AS112, documentation again.
const SPECIAL_V6: [(Ipv6Addr, u8); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    if address.to_ipv4_mapped().is_some() || well_known_nat64(address) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let given_out = address.to_bits() >> 125 == 1;
    let special = SPECIAL_V6
        .iter()
        .any(|&(block, bits)| within_v6(address.into(), block.into(), bits));
    given_out && !special
}

/// `64:ff9b::/96` (RFC 6052): the network translates it into IPv4.
fn well_known_nat64(address: Ipv6Addr) -> bool {
    address.to_bits() >> 32 == 0x0064_ff9b_u128 << 64
}

/// A host that may be asked although its address is private: a name
/// (`files.internal`), all names below one (`*.internal`), an address or a block
/// (`10.1.0.0/16`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// This name.
    Name(String),
    /// Any name that ends so, beginning with the dot.
    Below(String),
    /// All addresses whose first bits are these.
    Block(IpAddr, u8),
}

/// The text is no [`Host`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name, *.domain, an address or a block as 10.1.0.0/16")]
pub struct InvalidHost;

impl Host {
    /// Whether it means the host of this name. `name` is in lower case, as URLs
    /// have it.
    pub fn names(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        match self {
            Self::Name(own) => own == name,
            Self::Below(end) => name.ends_with(end.as_str()),
            Self::Block(..) => false,
        }
    }

    /// Whether it means this address. An IPv4 address in IPv6's clothes is the
    /// IPv4 address.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self, address.to_canonical()) {
            (Self::Block(IpAddr::V4(block), bits), IpAddr::V4(address)) => {
                within(address.into(), (*block).into(), *bits)
            }
            (Self::Block(IpAddr::V6(block), bits), IpAddr::V6(address)) => {
                within_v6(address.into(), (*block).into(), *bits)
            }
            _ => false,
        }
    }
}

fn within(address: u32, block: u32, bits: u8) -> bool {
    let rest = 32_u32.saturating_sub(bits.into());
    rest >= 32 || address >> rest == block >> rest
}

fn within_v6(address: u128, block: u128, bits: u8) -> bool {
    let rest = 128_u32.saturating_sub(bits.into());
    rest >= 128 || address >> rest == block >> rest
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        if let Ok(address) = address.parse::<IpAddr>() {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = match bits {
                Some(bits) => bits.parse().map_err(|_| InvalidHost)?,
                None => most,
            };
            return if bits <= most {
                Ok(Self::Block(address, bits))
            } else {
                Err(InvalidHost)
            };
        }
        let text = text.to_ascii_lowercase();
        let (below, name) = match text.strip_prefix('*') {
            Some(end) => (true, end.strip_prefix('.').ok_or(InvalidHost)?),
            None => (false, text.as_str()),
        };
        let name = name.trim_end_matches('.');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(allowed) {
            return Err(InvalidHost);
        }
        Ok(if below {
            Self::Below(format!(".{name}"))
        } else {
            Self::Name(name.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.254",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_domains_addresses_and_blocks() {
        let host = |text: &str| text.parse::<Host>().unwrap();
        assert!(host("Files.Internal").names("files.internal"));
        assert!(!host("files.internal").names("files.internal.evil.com"));
        assert!(host("*.internal").names("a.b.internal"));
        assert!(!host("*.internal").names("internal"));
        assert!(!host("*.internal").names("evilinternal"));
        assert!(host("10.1.0.0/16").holds("10.1.200.3".parse().unwrap()));
        assert!(host("10.1.0.0/16").holds("::ffff:10.1.0.1".parse().unwrap()));
        assert!(!host("10.1.0.0/16").holds("10.2.0.1".parse().unwrap()));
        assert!(host("127.0.0.1").holds("127.0.0.1".parse().unwrap()));
        assert!(!host("127.0.0.1").holds("127.0.0.2".parse().unwrap()));
        assert!(host("fd00::/8").holds("fd12::1".parse().unwrap()));
        for text in [
            "",
            "*",
            "*internal",
            "a b",
            "10.0.0.0/33",
            "http://a",
            "a:80",
            ".a",
        ] {
            assert_eq!(text.parse::<Host>(), Err(InvalidHost), "{text:?}");
        }
    }
}
