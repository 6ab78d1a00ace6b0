//! API keys: what programs sign in with. The secret is shown once, when the key is made.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PageQuery, endpoint::endpoints, id::ApiKeyId};

/// An API key of the user that asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for, 1 to 200 characters.
    pub name: String,
}

/// A key just made, with its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyWithSecret {
    /// The key's id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// The secret: sent as `Authorization: Bearer SECRET`, and never shown again.
    pub secret: String,
}

endpoints! {
    /// Makes an API key for the user that asks, and shows its secret, this once.
    ApiKeyCreate = "api_key_create": Post "/api-keys", Observer, (()) ? (), NewApiKey => 201 ApiKeyWithSecret;
    /// Lists the API keys of the user that asks.
    ApiKeyList = "api_key_list": Get "/api-keys", Observer, (()) ? PageQuery, () => 200 Page<ApiKey>;
    /// Deletes an API key of the user that asks; whoever uses it is signed out at once.
    ApiKeyDelete = "api_key_delete": Delete "/api-keys/{id}", Observer, (ApiKeyId) ? (), () => 204 ();
}
