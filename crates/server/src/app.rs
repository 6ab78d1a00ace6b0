//! The running server, as everything above it sees it.

use std::{net::IpAddr, sync::Arc};

use roadstead_api::{
    id::{AccountId, RestoreId},
    user::User,
};
use tokio::sync::watch;

use crate::{
    Clock, CopyTarget, Result, WorkerCommand,
    auth::{self, Actor, Presented, attempts::Attempts},
    creates::Creates,
    db::{self, Db, vault::VaultRow},
    drivers::Drivers,
    live::Live,
    program::AgentProgram,
    secrets::Key,
    usage::Usage,
    vaults::Vaults,
    views::Views,
};

/// The parts of a running server.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Wrong passwords of the last minute.
    pub attempts: Attempts,
    /// Creates that are in hand.
    pub creates: Arc<Creates>,
    /// What only memory knows.
    pub live: Live,
    /// The ways to the backends.
    pub drivers: Drivers,
    /// The vault store.
    pub vaults: Vaults,
    /// The backups that other agents restore.
    pub views: Views,
    /// Where backups may be copied to, outside of the vault store.
    pub copy_targets: Vec<CopyTarget>,
    /// The regions that the catalog of the RCBU facade lists; there is one at least.
    pub rcbu_regions: Vec<String>,
    /// How much the vaults hold.
    pub usage: Usage,
    /// What clients and agents call this server, without a slash at the end.
    pub public_url: String,
    /// How an enrolment token says that this server is to be known: `plain`, `public` or `ca:` and a hash.
    pub trust: String,
    /// The program that machines are given to run as agents.
    pub agent_program: Arc<AgentProgram>,
    /// How to start the children that work on vaults.
    pub worker: WorkerCommand,
    /// Becomes true when the server is to end.
    pub shutdown: watch::Receiver<bool>,
    /// The key that seals the accounts' keys.
    pub master_key: Key,
}

impl App {
    /// Now, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Finds who sent a request that shows this.
    pub async fn authenticate(&self, presented: &Presented) -> Result<Actor> {
        auth::authenticate(&self.db, &self.attempts, self.now_ms(), presented).await
    }

    /// Finds the user of this name and password, who comes from this address.
    pub async fn sign_in(&self, username: &str, password: String, source: Option<IpAddr>) -> Result<User> {
        auth::with_password(&self.db, &self.attempts, self.now_ms(), (username, password), source).await
    }

    /// The key that seals an account's secrets.
    pub async fn account_key(&self, account: AccountId) -> Result<Key> {
        let sealed = db::account::sealed_key(&mut *self.db.read().await?, account).await?;
        self.master_key.open(&account_key_place(account), &sealed)?.parse()
    }

    /// The password of a managed vault; `None` for a sealed one.
    pub async fn vault_password(&self, vault: &VaultRow) -> Result<Option<String>> {
        let Some(sealed) = &vault.sealed_password else { return Ok(None) };
        let key = self.account_key(vault.account_id).await?;
        key.open(&vault_password_place(&vault.id.0), sealed).map(Some)
    }

    /// Returns when the server is to end.
    pub async fn ending(&self) {
        // An error means that the sender is gone: the server is ending, too.
        let _ = self.shutdown.clone().wait_for(|&ending| ending).await;
    }
}

/// Where an account's key is sealed to.
pub fn account_key_place(account: AccountId) -> String {
    format!("accounts/{account}/sealed_key")
}

/// Where the values of a backend's fields are sealed to.
pub fn backend_fields_place(backend: &str) -> String {
    format!("backends/{backend}/sealed_fields")
}

/// Where the input of a job is sealed to.
pub fn job_input_place(token: &str) -> String {
    format!("jobs/{token}/sealed_input")
}

/// Where the password of a restore's view is sealed to.
pub fn restore_view_place(restore: RestoreId) -> String {
    format!("restores/{restore}/sealed_view")
}

/// Where a vault's password is sealed to.
pub fn vault_password_place(vault: &str) -> String {
    format!("vaults/{vault}/sealed_password")
}
