//! Cleanups of vaults, what they would do, and what they threw away.

use roadstead_api::{
    PageQuery,
    cleanup::{
        Cleanup, CleanupCreate, CleanupList, CleanupPlan, CleanupPlanShow, CleanupShow, RetentionPlanShow,
        Trash, TrashRestore, TrashShow,
    },
    id::{BackupConfigurationId, CleanupId, VaultId},
    retention::Retention,
};

use crate::{Client, error::Result, poll};

impl Client {
    /// Starts a cleanup of a vault: what no rule of retention keeps goes to the trash. Talks to the server.
    pub async fn start_cleanup(&self, vault: &VaultId) -> Result<Cleanup> {
        self.call::<CleanupCreate>(vault, &(), &()).await
    }

    /// Reads one cleanup. Talks to the server.
    pub async fn get_cleanup(&self, id: CleanupId) -> Result<Cleanup> {
        self.call::<CleanupShow>(&id, &(), &()).await
    }

    /// Lists the cleanups of a vault, newest first. Talks to the server.
    pub async fn cleanups(&self, vault: &VaultId) -> Result<Vec<Cleanup>> {
        self.list_all::<CleanupList, _>(vault.clone(), PageQuery::default()).await
    }

    /// Waits until a cleanup has ended, and hands `progress` each answer on the way. Asks the server again and again.
    pub async fn wait_for_cleanup(
        &self,
        id: CleanupId,
        mut progress: impl FnMut(&Cleanup) + Send,
    ) -> Result<Cleanup> {
        let done = |cleanup: &Cleanup| {
            progress(cleanup);
            cleanup.state.has_ended()
        };
        poll::until(|| self.call::<CleanupShow>(&id, &(), &()), done).await
    }

    /// What a cleanup of a vault would keep and forget now. Talks to the server; changes nothing.
    pub async fn plan_cleanup(&self, vault: &VaultId) -> Result<CleanupPlan> {
        self.call::<CleanupPlanShow>(vault, &(), &()).await
    }

    /// What cleanups would keep and forget of a configuration now, if it had these rules. Talks to the server; changes
    /// nothing.
    pub async fn plan_retention(
        &self,
        id: BackupConfigurationId,
        retention: &Retention,
    ) -> Result<CleanupPlan> {
        self.call::<RetentionPlanShow>(&id, &(), retention).await
    }

    /// What lies in a vault's trash. Talks to the server.
    pub async fn trash(&self, vault: &VaultId) -> Result<Trash> {
        self.call::<TrashShow>(vault, &(), &()).await
    }

    /// Brings everything back from a vault's trash. Talks to the server.
    pub async fn restore_trash(&self, vault: &VaultId) -> Result<Trash> {
        self.call::<TrashRestore>(vault, &(), &()).await
    }
}
