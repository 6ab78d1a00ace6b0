//! Agents: their enrolment tokens, what they are and do, and whether they take work.

use std::{fmt, time::Duration};

use roadstead_api::{
    PageQuery,
    agent::{
        self, AgentDelete, AgentDeletion, AgentDeletionPlan, AgentDeletionPlanShow, AgentDisable,
        AgentEnable, AgentList, AgentShow, EnrolmentToken, EnrolmentTokenCreate, NewEnrolmentToken,
        VaultFate,
    },
    backup::BackupQuery,
    backup_configuration::BackupConfigurationQuery,
    id::AgentId,
    restore::RestoreQuery,
    restore_configuration::RestoreConfigurationQuery,
};

use crate::{
    BackupConfiguration, BackupStatus, Client, Handle, RestoreConfiguration, RestoreStatus, error::Result,
};

/// An agent.
pub type Agent = Handle<agent::Agent>;

impl Client {
    /// Lists the agents, oldest first. Talks to the server.
    pub async fn agents(&self) -> Result<Vec<Agent>> {
        Ok(Handle::all(self, self.list_all::<AgentList, _>((), PageQuery::default()).await?))
    }

    /// Reads one agent. Talks to the server.
    pub async fn get_agent(&self, id: AgentId) -> Result<Agent> {
        Ok(Handle::new(self, self.call::<AgentShow>(&id, &(), &()).await?))
    }

    /// Makes a token that enrols one agent, good for `ttl` (the server's choice when absent). Talks to the server.
    pub async fn create_enrolment_token(&self, ttl: Option<Duration>) -> Result<EnrolmentToken> {
        let ttl_seconds = ttl.map(|ttl| u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX));
        self.call::<EnrolmentTokenCreate>(&(), &(), &NewEnrolmentToken { ttl_seconds }).await
    }
}

impl Agent {
    /// Whether it has a backup or restore in hand, or waiting. From memory.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Whether it takes work. From memory.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether its vault is sealed. From memory.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Reads it again. Talks to the server.
    pub async fn refresh(&mut self) -> Result<()> {
        self.facts = self.client.call::<AgentShow>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Lets it take work again. Talks to the server.
    pub async fn enable(&mut self) -> Result<()> {
        self.facts = self.client.call::<AgentEnable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Keeps it from new work. Talks to the server.
    pub async fn disable(&mut self) -> Result<()> {
        self.facts = self.client.call::<AgentDisable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Reads what deleting it would do. Talks to the server.
    pub async fn plan_deletion(&self) -> Result<AgentDeletionPlan> {
        self.client.call::<AgentDeletionPlanShow>(&self.id, &(), &()).await
    }

    /// Deletes it and its configurations; its vault is kept or goes with it. Talks to the server.
    pub async fn delete(&self, vault: VaultFate) -> Result<()> {
        self.client.call::<AgentDelete>(&self.id, &AgentDeletion { vault: Some(vault) }, &()).await
    }

    /// Lists its backup configurations. Talks to the server.
    pub async fn backup_configurations(&self) -> Result<Vec<BackupConfiguration>> {
        let query =
            BackupConfigurationQuery { agent_id: Some(self.id), ..BackupConfigurationQuery::default() };
        self.client.find_backup_configurations(query).await
    }

    /// Lists the restore configurations that restore to it. Talks to the server.
    pub async fn restore_configurations(&self) -> Result<Vec<RestoreConfiguration>> {
        let query =
            RestoreConfigurationQuery { agent_id: Some(self.id), ..RestoreConfigurationQuery::default() };
        self.client.find_restore_configurations(query).await
    }

    /// Lists its backups that have not ended. Talks to the server.
    pub async fn active_backups(&self) -> Result<Vec<BackupStatus>> {
        let query = BackupQuery { agent_id: Some(self.id), active: Some(true), ..BackupQuery::default() };
        self.client.find_backups(query).await
    }

    /// Lists its restores that have not ended. Talks to the server.
    pub async fn active_restores(&self) -> Result<Vec<RestoreStatus>> {
        let query = RestoreQuery { agent_id: Some(self.id), active: Some(true), ..RestoreQuery::default() };
        self.client.find_restores(query).await
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.name)
    }
}
