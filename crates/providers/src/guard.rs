//! Which addresses Roadstead talks to on a user's word.
//!
//! Whoever may add a backend chooses a host, and the server then connects to it from inside its own network. So
//! link-local addresses and the metadata services of clouds, which hand out the server's own credentials, are always
//! refused. Loopback and private networks are what a self-hosted system is there for: they are allowed unless the
//! operator sets `deny_private`.
//!
//! Invariants: the check is made on addresses, after names are resolved, and the connection goes to the very address
//! that was checked, so a name cannot resolve to something else in between. An IPv4 address inside an IPv6 one
//! (mapped, compatible, 6to4, NAT64) counts as itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::{Error, ErrorKind, Result};

/// Metadata services that are not link-local: Alibaba Cloud, Azure's wire server, Oracle's older one.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

/// The same of IPv6: EC2's and Google's.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Decides which addresses may be connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressGuard {
    /// Whether loopback and private networks are refused, too.
    pub deny_private: bool,
}

impl AddressGuard {
    /// Checks one address.
    pub fn check(self, address: IpAddr) -> Result<()> {
        let address = innermost(address);
        let why = if never_allowed(address) {
            "is link-local, a metadata service or not an address of one host"
        } else if self.deny_private && is_private(address) {
            "is private, and the operator of this server does not allow private addresses"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::ForbiddenAddress, format!("the address {address} {why}")))
    }

    /// The addresses of `host`, which is a name or an address, that may be connected to. There is at least one.
    pub async fn resolve(self, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((bare, port))
                .await
                .map_err(|source| {
                    Error::new(ErrorKind::Unreachable, format!("the name {bare} does not resolve"))
                        .caused_by(source)
                })?
                .collect(),
        };
        self.allowed(bare, found)
    }

    /// Those of a name's addresses that may be connected to: a name that has some of either kind leads to none that is
    /// refused.
    fn allowed(self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>> {
        let mut refusal = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.check(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => refusal = Some(error),
            }
        }
        match refusal {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(error) => Err(error),
            None => Err(Error::new(ErrorKind::Unreachable, format!("the name {name} has no address"))),
        }
    }
}

/// Whether the address belongs to this machine or a private network.
pub fn is_private(address: IpAddr) -> bool {
    match innermost(address) {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback() || v4.is_private() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            v6.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0
        }
    }
}

fn never_allowed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let first = v4.octets()[0];
            v4.is_link_local() || v4.is_multicast() || first == 0 || first >= 240 || METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => {
            let link_local = v6.segments()[0] & 0xffc0 == 0xfe80;
            link_local || v6.is_multicast() || v6.is_unspecified() || METADATA_V6.contains(&v6)
        }
    }
}

/// The IPv4 address that an IPv6 address stands for, or the address itself.
fn innermost(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressGuard, is_private};
    use crate::ErrorKind;

    const OPEN: AddressGuard = AddressGuard { deny_private: false };
    const STRICT: AddressGuard = AddressGuard { deny_private: true };

    fn allows(guard: AddressGuard, address: &str) -> bool {
        guard.check(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn metadata_and_link_local_are_always_refused() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(!allows(OPEN, address), "{address}");
            assert!(!allows(STRICT, address), "{address}");
        }
    }

    #[test]
    fn private_addresses_are_refused_only_when_the_operator_says_so() {
        for address in [
            "127.0.0.1",
            "127.8.9.10",
            "::1",
            "::ffff:127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "fd12::1",
            "fec0::1",
            "2002:c0a8:0101::1",
        ] {
            assert!(allows(OPEN, address), "{address}");
            assert!(!allows(STRICT, address), "{address}");
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "169.253.0.1"]
        {
            assert!(allows(STRICT, address), "{address}");
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn of_a_name_with_several_addresses_only_the_good_ones_are_left() {
        let found = |addresses: &[&str]| addresses.iter().map(|text| text.parse().unwrap()).collect();
        let (good, bad) = ("192.0.2.1:22", "169.254.169.254:22");
        assert_eq!(OPEN.allowed("mixed", found(&[bad, good, "[fe80::1]:22"])).unwrap(), found(&[good]));
        let refused = OPEN.allowed("bad", found(&[bad])).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ForbiddenAddress);
        assert_eq!(OPEN.allowed("none", found(&[])).unwrap_err().kind(), ErrorKind::Unreachable);
    }

    #[tokio::test]
    async fn names_are_checked_by_what_they_resolve_to() {
        assert!(OPEN.resolve("localhost", 22).await.unwrap().iter().all(|found| found.ip().is_loopback()));
        assert_eq!(STRICT.resolve("localhost", 22).await.unwrap_err().kind(), ErrorKind::ForbiddenAddress);
        let refused = OPEN.resolve("[::ffff:169.254.169.254]", 80).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ForbiddenAddress);
        // Names that the resolver reads as the metadata service's address.
        for name in ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"] {
            let refused = OPEN.resolve(name, 80).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ForbiddenAddress, "{name}");
        }
        let unknown = OPEN.resolve("no-such-host.invalid", 22).await.unwrap_err();
        assert_eq!((unknown.kind(), unknown.is_temporary()), (ErrorKind::Unreachable, true));
    }
}
