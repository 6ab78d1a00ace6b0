//! How a server is set up, and what its first admin has still to do.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoint::endpoints;

/// How the server is set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setup {
    /// The server's version.
    pub version: String,
    /// What clients and agents call it.
    pub public_url: String,
    /// Where its state is.
    pub database: DatabaseKind,
    /// Where backup data is.
    pub vault_store: VaultStoreKind,
    /// How its connections are protected.
    pub tls: TlsKind,
    /// SHA-256 of the key of its own CA, in hexadecimal, where it has one: what agents are enrolled with.
    pub ca_fingerprint: Option<String>,
    /// When the user that asks last changed their password; never where absent.
    pub password_changed_at: Option<Timestamp>,
    /// When the master key was shown; not yet where absent.
    pub master_key_shown_at: Option<Timestamp>,
}

/// Where the state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    /// In a file of the data folder.
    Sqlite,
    /// In a PostgreSQL database.
    Postgres,
}

/// Where backup data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultStoreKind {
    /// In a folder of the server.
    Disk,
    /// In a bucket of an object store.
    Bucket,
}

/// How connections are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TlsKind {
    /// Not at all: nobody but the machine itself reaches it.
    None,
    /// With a certificate by the server's own CA.
    Own,
    /// With a certificate that was given.
    Given,
}

/// The key that everything sealed in the database opens with.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MasterKey {
    /// What stands in `master.key`, in hexadecimal.
    pub key: String,
}

/// Leaves out the key.
impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

endpoints! {
    /// Shows how the server is set up.
    SetupShow = "setup_show": Get "/setup", Admin, (()) ? (), () => 200 Setup;
    /// Shows the server's master key, once, to an admin of the first account: to be kept elsewhere.
    SetupMasterKey = "setup_master_key": Post "/setup/master-key", Admin, (()) ? (), () => 200 MasterKey;
}
