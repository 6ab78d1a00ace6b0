//! Networks: what machines of a backend can be joined to.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PathParams, backend::OfferQuery, endpoint::endpoints, id::BackendId};

/// A network of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The cloud's id of it.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// What else the cloud says of it.
    #[serde(default)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// A range of addresses within a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subnet {
    /// The cloud's id of it; its range, where the cloud gives it none.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its range, such as `10.0.0.0/24`.
    pub cidr: String,
}

/// A network to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNetwork {
    /// Its name for people.
    pub name: String,
    /// Whether other projects of the cloud may join machines to it, which most clouds leave to their operators.
    #[serde(default)]
    pub shared: bool,
    /// Its ranges of addresses, up to 10. Without one, machines that join get no address.
    #[serde(default)]
    pub subnets: Vec<NewSubnet>,
}

/// A range of addresses within a network to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubnet {
    /// Its name for people; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its range, such as `10.0.0.0/24`.
    pub cidr: String,
    /// The address of its router; the cloud's choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// Whether machines are given their addresses by DHCP; they are when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp: Option<bool>,
    /// The addresses that are given to machines; all but the router's when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<AddressPool>,
}

/// Addresses one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressPool {
    /// The first.
    pub first: IpAddr,
    /// The last.
    pub last: IpAddr,
}

impl PathParams for (BackendId, String) {
    const TYPES: &'static [&'static str] = &["string", "string"];
    fn segments(&self) -> Vec<String> {
        vec![self.0.0.clone(), self.1.clone()]
    }
}

endpoints! {
    /// Lists a backend's networks, as it tells them now.
    NetworkList = "network_list": Get "/backends/{id}/networks", Observer, (BackendId) ? OfferQuery, () => 200 Page<Network>;
    /// Makes a network, where the backend's provider has a way to.
    NetworkCreate = "network_create": Post "/backends/{id}/networks", Creator, (BackendId) ? (), NewNetwork => 201 Network;
    /// Deletes a network that no machine is joined to, with its subnets.
    NetworkDelete = "network_delete": Delete "/backends/{id}/networks/{network_id}", Admin, ((BackendId, String)) ? (), () => 204 ();
}
