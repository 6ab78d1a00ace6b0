//! Quotas: how much room backups may take, for a vault or for the whole account. Where both are set, both hold.
//!
//! What goes over a quota is refused at upload, with status 507 and the reason, which the backup's report repeats. What
//! is there already stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PageQuery, endpoint::endpoints, id::VaultId};

/// A quota.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// The vault that it is for; nothing where it is for all vaults of the account together.
    pub vault_id: Option<VaultId>,
    /// How much room there is, in bytes.
    pub bytes: u64,
    /// How much of it is taken, in bytes.
    pub used_bytes: u64,
}

/// A quota to be set; it takes the place of the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuota {
    /// The vault that it is for; absent for all vaults of the account together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<VaultId>,
    /// How much room there is to be, in bytes: 1 MiB or more.
    pub bytes: u64,
}

/// Names a quota to be removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaSubject {
    /// The vault that it is for; absent for the one of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<VaultId>,
}

endpoints! {
    /// Lists the quotas: the account's first, then those of vaults by id.
    QuotaList = "quota_list": Get "/quotas", Observer, (()) ? PageQuery, () => 200 Page<Quota>;
    /// Sets the quota of a vault or of the account.
    QuotaSet = "quota_set": Post "/quotas", Admin, (()) ? (), NewQuota => 200 Quota;
    /// Removes the quota of a vault or of the account.
    QuotaDelete = "quota_delete": Post "/quotas/delete", Admin, (()) ? (), QuotaSubject => 204 ();
}
