//! Sizes: how large a machine can be made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, backend::OfferQuery, endpoint::endpoints, id::BackendId};

/// A size of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// The cloud's id of it.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Processors.
    pub cpus: Option<u32>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Disk, in bytes.
    pub disk_bytes: Option<u64>,
    /// What it costs, where the cloud tells.
    pub price: Option<Price>,
    /// What else the cloud says of it.
    #[serde(default)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// What a size costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// The amount for an hour.
    pub per_hour: f64,
    /// The currency, as ISO 4217 names it.
    pub currency: String,
}

endpoints! {
    /// Lists a backend's sizes, as it tells them now.
    SizeList = "size_list": Get "/backends/{id}/sizes", Observer, (BackendId) ? OfferQuery, () => 200 Page<Size>;
}
