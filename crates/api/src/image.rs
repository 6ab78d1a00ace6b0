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

/// Whether an image is one of those that people pick from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageStar {
    /// The cloud's id of the image.
    pub image: String,
    /// Whether it is starred.
    pub starred: bool,
}

endpoints! {
    /// Lists a backend's images, as it tells them now.
    ImageList = "image_list": Get "/backends/{id}/images", Observer, (BackendId) ? OfferQuery, () => 200 Page<Image>;
    /// Lists what was said of a backend's images: which are starred, and which are so no more.
    ImageStarList = "image_star_list": Get "/backends/{id}/images/stars", Observer, (BackendId) ? (), () => 200 Page<ImageStar>;
    /// Stars an image of a backend, or takes its star away.
    ImageStarSet = "image_star": Post "/backends/{id}/images/stars", Creator, (BackendId) ? (), ImageStar => 200 ImageStar;
}
