//! Networks, which the old clients name as OpenStack does.

use roadstead_api::{
    backend::OfferQuery,
    id::BackendId,
    network::{AddressPool, Network, NewNetwork, NewSubnet},
};
use serde_json::{Value, json};

use super::{asked::Asked, offer::listed, reply::Reply};
use crate::{
    Error, Result,
    ops::{Context, network as ops},
};

/// `GET /backends/ID/networks`.
pub async fn list(context: &Context, id: &str) -> Result<Reply> {
    listed(ops::list(context, &BackendId(id.to_owned()), OfferQuery::default()).await, shown)
}

/// `POST /backends/ID/networks`: `network`, and a `subnet` where there is to be one.
pub async fn create(context: &Context, id: &str, asked: &Asked) -> Result<Reply> {
    let given = |name: &str| asked.given().get(name).filter(|value| value.is_object());
    let network = given("network").ok_or_else(|| Error::invalid("The parameter network is missing."))?;
    let new = NewNetwork {
        name: text(network, "name").ok_or_else(|| Error::invalid("The network has no name."))?,
        shared: network["shared"] == true,
        subnets: given("subnet").map(subnet).transpose()?.into_iter().collect(),
    };
    Ok(Reply::Json(shown(ops::create(context, &BackendId(id.to_owned()), new).await?)))
}

/// `DELETE /backends/ID/networks/NETWORK`.
pub async fn delete(context: &Context, id: &str, network: &str) -> Result<Reply> {
    ops::delete(context, (BackendId(id.to_owned()), network.to_owned())).await?;
    Ok(Reply::Done)
}

fn subnet(given: &Value) -> Result<NewSubnet> {
    let address = |value: &Value, name: &str| match text(value, name) {
        Some(text) => {
            text.parse().map(Some).map_err(|_| Error::invalid(format!("{name}: {text:.100?} is no address.")))
        }
        None => Ok(None),
    };
    let missing = || Error::invalid("allocation_pools is a list of {\"start\": ADDRESS, \"end\": ADDRESS}.");
    let pool = |pool: &Value| {
        let (first, last) = (address(pool, "start")?, address(pool, "end")?);
        Ok(AddressPool { first: first.ok_or_else(missing)?, last: last.ok_or_else(missing)? })
    };
    let pools = given["allocation_pools"].as_array();
    Ok(NewSubnet {
        name: text(given, "name"),
        cidr: text(given, "cidr").ok_or_else(|| Error::invalid("The subnet has no cidr."))?,
        gateway: address(given, "gateway_ip")?,
        dhcp: given["enable_dhcp"].as_bool(),
        pools: pools.into_iter().flatten().map(pool).collect::<Result<_>>()?,
    })
}

fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn shown(network: Network) -> Value {
    let mut extra = network.extra;
    let status = extra.remove("status").unwrap_or_else(|| "ACTIVE".into());
    let subnets: Vec<_> =
        network.subnets.iter().map(|s| json!({"id": s.id, "name": s.name, "cidr": s.cidr})).collect();
    json!({"id": network.id, "name": network.name, "status": status, "subnets": subnets, "extra": extra})
}
