//! Tasks of vaults, such as restore drills, and when drills are due.

use roadstead_api::{
    PageQuery,
    id::{VaultId, VaultTaskId},
    vault_task::{
        CopyTarget, CopyTargetList, DrillSettings, DrillSettingsSet, DrillSettingsShow, NewVaultTask,
        VaultTask, VaultTaskCreate, VaultTaskList, VaultTaskShow, VaultTaskStop,
    },
};

use crate::{Client, error::Result, poll};

impl Client {
    /// Starts a task on a managed vault. Talks to the server.
    pub async fn start_vault_task(&self, vault: &VaultId, new: &NewVaultTask) -> Result<VaultTask> {
        self.call::<VaultTaskCreate>(vault, &(), new).await
    }

    /// Reads one task. Talks to the server.
    pub async fn get_vault_task(&self, id: VaultTaskId) -> Result<VaultTask> {
        self.call::<VaultTaskShow>(&id, &(), &()).await
    }

    /// Lists the tasks of a vault, newest first. Talks to the server.
    pub async fn vault_tasks(&self, vault: &VaultId) -> Result<Vec<VaultTask>> {
        self.list_all::<VaultTaskList, _>(vault.clone(), PageQuery::default()).await
    }

    /// Asks a task to end, which takes it seconds at the most. Talks to the server.
    pub async fn stop_vault_task(&self, id: VaultTaskId) -> Result<VaultTask> {
        self.call::<VaultTaskStop>(&id, &(), &()).await
    }

    /// Waits until a task has ended, and hands `progress` each answer on the way. Listens to the server's
    /// events, and asks again and again where there are none.
    pub async fn wait_for_vault_task(
        &self,
        id: VaultTaskId,
        mut progress: impl FnMut(&VaultTask) + Send,
    ) -> Result<VaultTask> {
        let done = |task: &VaultTask| {
            progress(task);
            task.state.has_ended()
        };
        poll::told(self, "vault_task", id, || self.call::<VaultTaskShow>(&id, &(), &()), done).await
    }

    /// The places that the server's operator allows copies to. Talks to the server.
    pub async fn copy_targets(&self) -> Result<Vec<CopyTarget>> {
        Ok(self.call::<CopyTargetList>(&(), &(), &()).await?.items)
    }

    /// When vaults are drilled, and how much of each. Talks to the server.
    pub async fn drill_settings(&self) -> Result<DrillSettings> {
        self.call::<DrillSettingsShow>(&(), &(), &()).await
    }

    /// Sets when vaults are drilled, and how much of each. Talks to the server.
    pub async fn set_drill_settings(&self, new: &DrillSettings) -> Result<DrillSettings> {
        self.call::<DrillSettingsSet>(&(), &(), new).await
    }
}
