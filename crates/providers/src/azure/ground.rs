//! What a machine stands on: its resource group, a security group, and a subnet. What is missing is made.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    order,
    resources::{SubnetResource, VirtualNetwork},
    wire::{Api, NETWORK, NETWORK_PROVIDER, RESOURCES, Version},
};
use crate::error::{Error, ErrorKind, Result};

/// How long what is made may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What machines at one location stand on.
#[derive(Debug)]
pub(super) struct Ground {
    /// The id of the security group.
    pub(super) security_group: String,
    /// The id of the subnet.
    pub(super) subnet: String,
}

/// The ground for machines of this order, made where it is missing.
pub(super) async fn prepare(api: &Api, group: &str, location: &str, networks: &[String]) -> Result<Ground> {
    let chosen = match networks {
        [] => None,
        [network] => Some(network.as_str()),
        _ => return Err(Error::invalid("networks", "takes one virtual network or subnet")),
    };
    let known = subnet(api.virtual_networks().await?, location, chosen)?;
    ensure(api, &["resourcegroups", group], RESOURCES, &json!({"location": location})).await?;
    let name = format!("roadstead-{location}");
    let path = |noun| [&["resourceGroups", group][..], &NETWORK_PROVIDER, &[noun, name.as_str()]].concat();
    let security_group =
        ensure(api, &path("networkSecurityGroups"), NETWORK, &order::security_group(location)).await?;
    let subnet = match known {
        Some(subnet) => subnet,
        None => {
            let network = ensure(api, &path("virtualNetworks"), NETWORK, &order::network(location)).await?;
            format!("{network}/subnets/default")
        }
    };
    Ok(Ground { security_group, subnet })
}

/// The id of the subnet that machines at this location join: the chosen one, or the only one there is. `None` where
/// nothing was chosen and there is none.
fn subnet(networks: Vec<VirtualNetwork>, location: &str, chosen: Option<&str>) -> Result<Option<String>> {
    let here: Vec<_> =
        networks.into_iter().filter(|network| network.location.eq_ignore_ascii_case(location)).collect();
    let first = |network: &VirtualNetwork| {
        let subnet = network.properties.subnets.first().map(|subnet| subnet.id.clone());
        subnet
            .ok_or_else(|| Error::invalid("networks", format!("names {}, which has no subnet", network.name)))
    };
    let Some(chosen) = chosen else {
        return match here.as_slice() {
            [] => Ok(None),
            [only] => first(only).map(Some),
            several => {
                let names: Vec<_> = several.iter().map(|network| network.name.as_str()).collect();
                let why = format!("is missing; there is more than one in {location}: {}", names.join(", "));
                Err(Error::invalid("networks", why))
            }
        };
    };
    if let Some(network) = here.iter().find(|network| network.id.eq_ignore_ascii_case(chosen)) {
        return first(network).map(Some);
    }
    let is_chosen = |subnet: &&SubnetResource| subnet.id.eq_ignore_ascii_case(chosen);
    let found = here.iter().flat_map(|network| &network.properties.subnets).find(is_chosen);
    let none = || Error::invalid("networks", format!("names no network in {location}"));
    found.map(|subnet| Some(subnet.id.clone())).ok_or_else(none)
}

/// The id of what is at this path, which is made by this document if it is not there. What is there is not changed.
async fn ensure(api: &Api, path: &[&str], version: Version, document: &Value) -> Result<String> {
    let id = |shown: Value| shown["id"].as_str().map(str::to_owned);
    let found = match api.send(api.call(Method::GET, path, version)?).await {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        outcome => Some(outcome?),
    };
    let reply = match found {
        Some(reply) => return id(reply.json()?).ok_or_else(|| reply.malformed()),
        None => api.send(api.call(Method::PUT, path, version)?.json(document)?).await?,
    };
    let id = id(reply.json()?).ok_or_else(|| reply.malformed())?;
    if !api.finish(reply, PATIENCE).await? {
        return Err(Error::new(
            ErrorKind::Timeout,
            "Azure takes long to make what the machine stands on; order it again",
        ));
    }
    Ok(id)
}
