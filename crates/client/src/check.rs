//! Checks: the verification of a vault.

use roadstead_api::{
    check::{Check, CheckCreate, CheckShow, NewCheck},
    id::{CheckId, VaultId},
};

use crate::{Client, error::Result, poll};

impl Client {
    /// Starts a check of a vault; with `read_data` it also reads and verifies all data. Talks to the server.
    pub async fn start_check(&self, vault: &VaultId, read_data: bool) -> Result<Check> {
        self.call::<CheckCreate>(vault, &(), &NewCheck { read_data }).await
    }

    /// Reads one check. Talks to the server.
    pub async fn get_check(&self, id: CheckId) -> Result<Check> {
        self.call::<CheckShow>(&id, &(), &()).await
    }

    /// Waits until a check has ended, and hands `progress` each answer on the way. Listens to the server's
    /// events, and asks again and again where there are none.
    pub async fn wait_for_check(
        &self,
        id: CheckId,
        mut progress: impl FnMut(&Check) + Send,
    ) -> Result<Check> {
        let done = |check: &Check| {
            progress(check);
            check.state.has_ended()
        };
        poll::told(self, "check", id, || self.call::<CheckShow>(&id, &(), &()), done).await
    }
}
