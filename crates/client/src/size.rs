//! Sizes: how large a machine can be made.

use roadstead_api::{
    backend::OfferQuery,
    size::{Size, SizeList},
};

use crate::{Backend, error::Result};

impl Backend {
    /// Lists the sizes, as the backend tells them now. Talks to the server.
    pub async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(self.client.call::<SizeList>(&self.id, &OfferQuery::default(), &()).await?.items)
    }
}
