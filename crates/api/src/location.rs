//! Locations: the places of a backend where machines can be made, such as zones or data centres.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A location of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The cloud's id of it.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The country, where the cloud tells.
    pub country: Option<String>,
}
