//! Images: what a machine can be made from.

use roadstead_api::{
    backend::OfferQuery,
    image::{Image, ImageList},
};

use crate::{Backend, error::Result};

impl Backend {
    /// Lists the images that `search` matches, or every one, as the backend tells them now. Talks to the server.
    pub async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let query = OfferQuery { search: search.map(str::to_owned) };
        Ok(self.client.call::<ImageList>(&self.id, &query, &()).await?.items)
    }
}
