//! Networks: what a machine can be joined to.

use roadstead_api::{
    backend::OfferQuery,
    network::{Network, NetworkCreate, NetworkDelete, NetworkList, NewNetwork},
};

use crate::{Backend, error::Result};

impl Backend {
    /// Lists the networks, as the backend tells them now. Talks to the server.
    pub async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.client.call::<NetworkList>(&self.id, &OfferQuery::default(), &()).await?.items)
    }

    /// Makes a network, where the backend's provider has a way to. Talks to the server.
    pub async fn create_network(&self, new: &NewNetwork) -> Result<Network> {
        self.client.call::<NetworkCreate>(&self.id, &(), new).await
    }

    /// Deletes a network that no machine is joined to. Talks to the server.
    pub async fn delete_network(&self, id: &str) -> Result<()> {
        self.client.call::<NetworkDelete>(&(self.id.clone(), id.to_owned()), &(), &()).await
    }
}
