//! Locations: the places of a backend where machines can be made, such as zones or data centres.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, backend::OfferQuery, endpoint::endpoints, id::BackendId};

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

endpoints! {
    /// Lists a backend's locations, as it tells them now.
    LocationList = "location_list": Get "/backends/{id}/locations", Observer, (BackendId) ? OfferQuery, () => 200 Page<Location>;
}
