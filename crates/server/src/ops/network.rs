//! Networks of a backend, as it tells them now; made and deleted where its provider has a way to.

use std::net::IpAddr;

use roadstead_api::{
    Page,
    backend::OfferQuery,
    id::BackendId,
    network::{Network, NetworkCreate, NetworkDelete, NetworkList, NewNetwork, NewSubnet},
};
use roadstead_providers::Capability;

use super::{Context, backend, connection, validate};
use crate::{Error, Result};

/// How many subnets a network may be made with, and how many pools a subnet.
const MAX_SUBNETS: usize = 10;

/// Lists a backend's networks.
pub async fn list(context: &Context, id: &BackendId, query: OfferQuery) -> Result<Page<Network>> {
    context.authorize::<NetworkList>()?;
    let driver = backend::driver(context, id, Capability::Networks).await?;
    let mut found = driver.networks().await?;
    found.retain(|network| connection::matches(&query, [&network.id, &network.name]));
    Ok(Page { items: found, next: None })
}

/// Makes a network. What the backend refuses is not told to the audit log, for nothing has changed.
pub async fn create(context: &Context, id: &BackendId, new: NewNetwork) -> Result<Network> {
    context.authorize::<NetworkCreate>()?;
    require_sane(&new)?;
    let driver = backend::driver(context, id, Capability::CreateNetwork).await?;
    let made = driver.create_network(&new).await?;
    context.change::<NetworkCreate>().await?.commit(format!("{id}/{}", made.id)).await?;
    Ok(made)
}

/// Deletes a network. The audit log is told first, as with all that cannot be undone.
pub async fn delete(context: &Context, (id, network): (BackendId, String)) -> Result<()> {
    context.authorize::<NetworkDelete>()?;
    validate::name("network_id", &network)?;
    let driver = backend::driver(context, &id, Capability::DeleteNetwork).await?;
    context.change::<NetworkDelete>().await?.commit(format!("{id}/{network}")).await?;
    Ok(driver.delete_network(&network).await?)
}

fn require_sane(new: &NewNetwork) -> Result<()> {
    validate::name("name", &new.name)?;
    if new.subnets.len() > MAX_SUBNETS {
        return Err(Error::invalid(format!("subnets takes up to {MAX_SUBNETS}.")));
    }
    new.subnets.iter().try_for_each(require_sane_subnet)
}

fn require_sane_subnet(new: &NewSubnet) -> Result<()> {
    new.name.iter().try_for_each(|name| validate::name("a subnet's name", name))?;
    let range = range(&new.cidr).ok_or_else(|| {
        Error::invalid(format!("cidr: {:.100?} is no range such as 10.0.0.0/24.", new.cidr))
    })?;
    if new.pools.len() > MAX_SUBNETS {
        return Err(Error::invalid(format!("pools takes up to {MAX_SUBNETS}.")));
    }
    let inside = |address: IpAddr| contains(range, address);
    if let Some(gateway) = new.gateway.filter(|gateway| !inside(*gateway)) {
        return Err(Error::invalid(format!("gateway: {gateway} is not in {}.", new.cidr)));
    }
    for pool in &new.pools {
        if pool.first > pool.last || !inside(pool.first) || !inside(pool.last) {
            let message = format!("pools: {} to {} is no part of {}.", pool.first, pool.last, new.cidr);
            return Err(Error::invalid(message));
        }
    }
    Ok(())
}

/// A range's address and the length of its prefix.
fn range(cidr: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = cidr.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits = bits.parse().ok().filter(|_| bits.bytes().all(|byte| byte.is_ascii_digit()))?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

fn contains((network, bits): (IpAddr, u32), address: IpAddr) -> bool {
    // Both at the upper end of the same 128 bits, so that one shift compares either.
    let upper = |address: IpAddr| match address {
        IpAddr::V4(four) => u128::from(four.to_bits()) << 96,
        IpAddr::V6(six) => six.to_bits(),
    };
    let differ = upper(network) ^ upper(address);
    network.is_ipv4() == address.is_ipv4() && differ.checked_shr(128 - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};
    use roadstead_api::network::{AddressPool, NewSubnet};

    use super::{contains, range, require_sane_subnet};

    #[test]
    fn what_is_no_part_of_the_range_is_refused() {
        let subnet = |cidr: &str, gateway: Option<&str>, pool: Option<(&str, &str)>| NewSubnet {
            cidr: cidr.into(),
            gateway: gateway.map(|text| text.parse().unwrap()),
            pools: pool
                .map(|(first, last)| AddressPool {
                    first: first.parse().unwrap(),
                    last: last.parse().unwrap(),
                })
                .into_iter()
                .collect(),
            ..NewSubnet::default()
        };
        for good in [
            subnet("10.0.0.0/24", Some("10.0.0.1"), Some(("10.0.0.9", "10.0.0.250"))),
            subnet("0.0.0.0/0", Some("198.51.100.1"), None),
            subnet("fd00::/64", Some("fd00::1"), Some(("fd00::2", "fd00::ffff"))),
            subnet("10.0.0.7/32", Some("10.0.0.7"), None),
        ] {
            require_sane_subnet(&good).unwrap();
        }
        for wrong in [
            subnet("10.0.0.0", None, None),
            subnet("10.0.0.0/33", None, None),
            subnet("10.0.0.0/+4", None, None),
            subnet("fd00::/129", None, None),
            subnet("10.0.0.0/24", Some("10.0.1.1"), None),
            subnet("10.0.0.0/24", Some("fd00::1"), None),
            subnet("10.0.0.0/24", None, Some(("10.0.0.9", "10.0.0.2"))),
            subnet("10.0.0.0/24", None, Some(("10.0.0.9", "10.0.1.2"))),
        ] {
            assert!(require_sane_subnet(&wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall_over(text in ".{0,40}") {
            let _ = range(&text);
        }

        #[test]
        fn an_address_lies_in_every_range_around_it(address in any::<std::net::IpAddr>(), bits in 0u32..=128) {
            let bits = if address.is_ipv4() { bits.min(32) } else { bits };
            prop_assert!(contains((address, bits), address));
        }
    }
}
