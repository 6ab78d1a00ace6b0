//! Providers: the kinds of backend that the server can add.

use roadstead_api::{
    id::ProviderId,
    provider::{Provider, ProviderList, ProviderShow},
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the supported providers with their regions. Talks to the server.
    pub async fn supported_providers(&self) -> Result<Vec<Provider>> {
        Ok(self.call::<ProviderList>(&(), &(), &()).await?.items)
    }

    /// Reads one provider. Talks to the server.
    pub async fn get_provider(&self, id: &str) -> Result<Provider> {
        self.call::<ProviderShow>(&ProviderId(id.to_owned()), &(), &()).await
    }
}
