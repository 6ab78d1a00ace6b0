//! Networks: what a machine can be joined to.

use roadstead_api::{
    backend::OfferQuery,
    network::{Network, NetworkList},
};

use crate::{Backend, error::Result};

impl Backend {
    /// Lists the networks, as the backend tells them now. Talks to the server.
    pub async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.client.call::<NetworkList>(&self.id, &OfferQuery::default(), &()).await?.items)
    }
}
