//! Checks: the verification of a vault.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    endpoint::endpoints,
    id::{CheckId, VaultId},
    run::RunState,
};

/// One check of a vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The check's id.
    pub id: CheckId,
    /// The vault that it checks.
    pub vault_id: VaultId,
    /// Whether it also reads and verifies data.
    pub read_data: bool,
    /// Which part of the data it reads, of `parts`; counted from 0.
    pub part: u32,
    /// In how many parts the data is read; 1 for all at once.
    pub parts: u32,
    /// The time of the vault's own schedule that it stands for; nothing when somebody asked for it.
    pub slot_at: Option<Timestamp>,
    /// Where it stands. A check that found problems has `completed_with_errors`.
    pub state: RunState,
    /// Why it failed; of one in the queue that has found problems, why it waits.
    pub reason: Option<String>,
    /// What it found, one sentence a problem; empty on a sound vault.
    pub problems: Vec<String>,
    /// Snapshots looked at.
    pub snapshots_checked: u64,
    /// Packs looked at.
    pub packs_checked: u64,
    /// Data read and verified, in bytes.
    pub bytes_read: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// A check to be started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheck {
    /// Whether to also read and verify all data.
    #[serde(default)]
    pub read_data: bool,
}

endpoints! {
    /// Starts a check of a vault.
    CheckCreate = "check_create": Post "/vaults/{id}/checks", Creator, (VaultId) ? (), NewCheck => 202 Check;
    /// Shows one check.
    CheckShow = "check_show": Get "/checks/{id}", Observer, (CheckId) ? (), () => 200 Check;
}
