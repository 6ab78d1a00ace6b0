//! Backends: the clouds, hosts and servers that an account has added.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BackendId, ProviderId};

/// A backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backend {
    /// The backend's id.
    pub id: BackendId,
    /// Its name for people.
    pub title: String,
    /// What kind of backend it is.
    pub provider: ProviderId,
    /// Its region, where the provider has regions.
    pub region: Option<String>,
    /// Whether it is refreshed, and its machines driven.
    pub enabled: bool,
    /// Whether it answered when it was last asked.
    pub state: BackendState,
    /// Why it is offline.
    pub reason: Option<String>,
    /// Machines that it was last seen with.
    pub machine_count: u64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last asked for its machines and answered.
    pub refreshed_at: Option<Timestamp>,
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Backend => {}, {}, {}", self.title, self.provider, self.id)
    }
}

/// Whether a backend answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackendState {
    /// It answered when it was last asked.
    Online,
    /// It did not.
    Offline,
    /// It was not asked yet, or is disabled.
    Unknown,
}

/// A backend to be added.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackend {
    /// What kind of backend it is.
    pub provider: ProviderId,
    /// Its name for people, 1 to 200 characters.
    pub title: String,
    /// Its region, for providers that have regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The provider's fields: texts, numbers and booleans by name. A null counts as absent.
    #[serde(default)]
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// Shows the names of the fields and no value: any of them may be a secret.
impl std::fmt::Debug for NewBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewBackend")
            .field("provider", &self.provider)
            .field("title", &self.title)
            .field("region", &self.region)
            .field("fields", &self.fields.keys())
            .finish()
    }
}
