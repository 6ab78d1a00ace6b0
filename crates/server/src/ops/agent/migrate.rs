//! Giving an agent's vault to another agent: a machine was installed anew, and its new agent goes on where the old one
//! stood.
//!
//! In one transaction the two agents exchange their vaults, so that from one moment to the next the old agent's credential
//! opens nothing of what was its own; its configurations go along. The new agent's vault must be empty. Of a sealed vault
//! the new agent is given the password, encrypted to its own key; the server has none to give.

use roadstead_api::{
    agent::Agent,
    event::Event,
    id::AgentId,
    sealing::{AgentVaultMigrate, SealingKind, VaultMigration},
};

use super::{Context, get};
use crate::{
    Error, Result,
    db::{self, Write, sealing::NewSealingRow},
    ops::{sealing, vault},
};

/// Gives an agent's vault and configurations to another.
pub async fn migrate(context: &Context, id: AgentId, migration: VaultMigration) -> Result<Agent> {
    context.authorize::<AgentVaultMigrate>()?;
    let (from, to) = (get(context, id).await?, get(context, migration.to).await?);
    check(context, &from, &to, &migration).await?;
    let mut change = context.change::<AgentVaultMigrate>().await?;
    for agent in [&from, &to] {
        refuse_busy(&mut change, agent).await?;
    }
    let now = context.now_ms();
    db::vault::exchange(&mut change, from.id, to.id, &to.vault_id, now).await?;
    db::backup_configuration::move_to(&mut change, from.id, to.id).await?;
    db::restore_configuration::move_to(&mut change, from.id, to.id).await?;
    if let Some(password) = migration.password.filter(|_| from.encrypted) {
        let row = NewSealingRow {
            account_id: context.account(),
            agent_id: to.id,
            vault_id: &from.vault_id,
            kind: SealingKind::TakeOver,
            passwords: &[password],
            now_ms: now,
        };
        db::sealing::insert(&mut change, &row).await?;
    }
    change.tell(context.account(), Event::new("agent", to.id, "vault_migrate"));
    change.commit(format!("{} to {}", from.id, to.id)).await?;
    context.live.dispatch.notify_one();
    context.live.schedules.notify_one();
    get(context, to.id).await
}

async fn check(context: &Context, from: &Agent, to: &Agent, migration: &VaultMigration) -> Result<()> {
    if from.id == to.id {
        return Err(Error::invalid("to is the agent that has the vault already."));
    }
    if let Some(password) = &migration.password {
        sealing::check(password)?;
    }
    if from.encrypted && migration.password.is_none() {
        return Err(Error::conflict(
            "The vault is sealed: give its password, encrypted to the agent that gets it, or that agent could not open it.",
        ));
    }
    let own = vault::show(context, &to.vault_id).await?;
    if own.snapshot_count > 0 || to.encrypted {
        return Err(Error::conflict(format!(
            "The vault of agent {} is in use; an agent that gets another's vault must have backed up nothing yet.",
            to.name
        )));
    }
    Ok(())
}

async fn refuse_busy(write: &mut Write, agent: &Agent) -> Result<()> {
    match db::run::active(write, agent.id).await?.first() {
        None => Ok(()),
        Some(active) => Err(Error::conflict(format!(
            "Agent {} has {} in hand or waiting; wait for it, or stop it.",
            agent.name, active.run
        ))),
    }
}
