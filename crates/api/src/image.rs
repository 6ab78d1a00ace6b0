//! Images: what a machine can be made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, backend::OfferQuery, endpoint::endpoints, id::BackendId};

/// An image of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// The cloud's id of it.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What else the cloud says of it.
    #[serde(default)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

endpoints! {
    /// Lists a backend's images, as it tells them now.
    ImageList = "image_list": Get "/backends/{id}/images", Observer, (BackendId) ? OfferQuery, () => 200 Page<Image>;
}
