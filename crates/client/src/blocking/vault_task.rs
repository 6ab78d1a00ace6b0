//! Tasks of vaults and their growth, blocking.

use std::sync::Arc;

use roadstead_api::{
    id::{VaultId, VaultTaskId},
    vault::VaultGrowth,
    vault_task::{CopyTarget, DrillSettings, NewVaultTask, VaultTask},
};
use tokio::runtime::Runtime;

use super::{Client, IntoBlocking, Vault, refuse_async};
use crate::error::Result;

answers!(VaultTask, CopyTarget, DrillSettings, VaultGrowth);

namesakes! { Client:
    fn start_vault_task(&self, vault: &VaultId, new: &NewVaultTask) -> VaultTask;
    fn get_vault_task(&self, id: VaultTaskId) -> VaultTask;
    fn vault_tasks(&self, vault: &VaultId) -> Vec<VaultTask>;
    fn stop_vault_task(&self, id: VaultTaskId) -> VaultTask;
    fn wait_for_vault_task(&self, id: VaultTaskId, progress: impl FnMut(&VaultTask) + Send) -> VaultTask;
    fn copy_targets(&self) -> Vec<CopyTarget>;
    fn drill_settings(&self) -> DrillSettings;
    fn set_drill_settings(&self, new: &DrillSettings) -> DrillSettings;
}

namesakes! { Vault:
    fn growth(&self, days: Option<u32>) -> VaultGrowth;
}
