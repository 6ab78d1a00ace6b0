//! Locations: where a machine can be made.

use roadstead_api::{
    backend::OfferQuery,
    location::{Location, LocationList},
};

use crate::{Backend, error::Result};

impl Backend {
    /// Lists the locations, as the backend tells them now. Talks to the server.
    pub async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.client.call::<LocationList>(&self.id, &OfferQuery::default(), &()).await?.items)
    }
}
