//! API keys of the user who asks.

use roadstead_api::{
    PageQuery,
    api_key::{ApiKey, ApiKeyCreate, ApiKeyDelete, ApiKeyList, ApiKeyWithSecret, NewApiKey},
    id::ApiKeyId,
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the user's API keys. Talks to the server.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>> {
        self.list_all::<ApiKeyList, _>((), PageQuery::default()).await
    }

    /// Makes an API key; the reply alone shows its secret. Talks to the server.
    pub async fn create_api_key(&self, name: &str) -> Result<ApiKeyWithSecret> {
        self.call::<ApiKeyCreate>(&(), &(), &NewApiKey { name: name.to_owned() }).await
    }

    /// Deletes an API key. Talks to the server.
    pub async fn delete_api_key(&self, id: ApiKeyId) -> Result<()> {
        self.call::<ApiKeyDelete>(&id, &(), &()).await
    }
}
