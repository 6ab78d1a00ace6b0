//! Ids, one type a noun, so that an agent's id cannot be handed in where a backup's is wanted.
//!
//! Runs, configurations and agents are numbered with 64-bit integers; vaults, backends, machines and
//! keys carry short strings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PathParams;

macro_rules! integer_id {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self).map_err(|_| format!("{text:.50?} is no id: ids of these are numbers"))
            }
        }

        impl PathParams for $name {
            const TYPES: &'static [&'static str] = &["integer"];
            fn segments(&self) -> Vec<String> {
                vec![self.0.to_string()]
            }
        }
    )+};
}

macro_rules! string_id {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.to_owned()))
            }
        }

        impl PathParams for $name {
            const TYPES: &'static [&'static str] = &["string"];
            fn segments(&self) -> Vec<String> {
                vec![self.0.clone()]
            }
        }
    )+};
}

integer_id! {
    /// An account: the tenant that everything else belongs to.
    AccountId;
    /// A user.
    UserId;
    /// An API key (the record; never the secret).
    ApiKeyId;
    /// A session of a browser.
    SessionId;
    /// An agent.
    AgentId;
    /// A backup configuration.
    BackupConfigurationId;
    /// One backup run.
    BackupId;
    /// One restore run.
    RestoreId;
    /// A restore configuration.
    RestoreConfigurationId;
    /// One cleanup of a vault.
    CleanupId;
    /// One check of a vault.
    CheckId;
    /// An alarm.
    AlarmId;
    /// A job.
    JobId;
    /// A notification channel.
    NotificationChannelId;
    /// A sealing of a vault, or a change of its password.
    SealingId;
    /// A command on machines.
    CommandId;
    /// A saved view.
    SavedViewId;
    /// A task on a vault.
    VaultTaskId;
}

string_id! {
    /// A vault; also the name of its folder in the vault store.
    VaultId;
    /// A provider, such as `bare_metal` or `ec2`.
    ProviderId;
    /// A backend.
    BackendId;
    /// A machine: our id, not the cloud's.
    MachineId;
    /// An SSH key.
    KeyId;
    /// A snapshot of a vault: restic's id, 64 hexadecimal digits.
    SnapshotId;
}
