//! Networks: what machines of a backend can be joined to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, backend::OfferQuery, endpoint::endpoints, id::BackendId};

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

endpoints! {
    /// Lists a backend's networks, as it tells them now.
    NetworkList = "network_list": Get "/backends/{id}/networks", Observer, (BackendId) ? OfferQuery, () => 200 Page<Network>;
}
