//! Backends: the clouds, hosts and servers that an account has added.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{BackendId, ProviderId},
};

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

impl BackendState {
    /// The state's word, as JSON and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for BackendState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for BackendState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| format!("{text:?} is not a state of a backend"))
    }
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

/// A change to a backend: what is absent stays as it is. Where more than the title changes, the backend is asked before
/// anything is stored.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackendChange {
    /// Its new name for people, 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its new region; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// New values for some of the provider's fields; a null takes a value away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Trust the hosts anew, whatever keys they show: for those that were set up again.
    #[serde(default)]
    pub forget_host_keys: bool,
}

/// Shows the names of the fields and no value: any of them may be a secret.
impl std::fmt::Debug for BackendChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackendChange")
            .field("title", &self.title)
            .field("region", &self.region)
            .field("fields", &self.fields.keys())
            .field("forget_host_keys", &self.forget_host_keys)
            .finish()
    }
}

/// Which backends to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendQuery {
    /// Only the one with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<BackendId>,
    /// Only those with exactly this title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only those with this in their title, provider or id, in capitals or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only those of this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which images, sizes, locations or networks of a backend to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferQuery {
    /// Only those with this in their name or id, in capitals or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

endpoints! {
    /// Adds a backend. It is asked for its machines first; nothing is stored when it does not answer.
    BackendCreate = "backend_create": Post "/backends", Creator, (()) ? (), NewBackend => 201 Backend;
    /// Lists backends, oldest first.
    BackendList = "backend_list": Get "/backends", Observer, (()) ? BackendQuery, () => 200 Page<Backend>;
    /// Shows one backend.
    BackendShow = "backend_show": Get "/backends/{id}", Observer, (BackendId) ? (), () => 200 Backend;
    /// Changes a backend's title or credentials; new credentials are tried first.
    BackendUpdate = "backend_update": Patch "/backends/{id}", Creator, (BackendId) ? (), BackendChange => 200 Backend;
    /// Lets a backend be asked again, and its machines driven.
    BackendEnable = "backend_enable": Post "/backends/{id}/enable", Creator, (BackendId) ? (), () => 200 Backend;
    /// Keeps a backend from being asked; its machines stay listed as they were.
    BackendDisable = "backend_disable": Post "/backends/{id}/disable", Creator, (BackendId) ? (), () => 200 Backend;
    /// Asks a backend for its machines, and returns when it has answered or failed.
    BackendRefresh = "backend_refresh": Post "/backends/{id}/refresh", Creator, (BackendId) ? (), () => 200 Backend;
    /// Deletes a backend with the rows of its machines. The machines themselves stay, and so do agents and vaults.
    BackendDelete = "backend_delete": Delete "/backends/{id}", Admin, (BackendId) ? (), () => 204 ();
}
