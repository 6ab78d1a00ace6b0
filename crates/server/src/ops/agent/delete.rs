//! Deleting an agent, keeping its vault or with it. Its runs are cancelled and its configurations deleted in the same
//! transaction, after which its credential opens nothing; its link is closed, and the files of a deleted vault removed.

use roadstead_api::{
    agent::{Agent, AgentDelete, AgentDeletion, AgentDeletionPlan, AgentDeletionPlanShow, VaultFate},
    backup_configuration::{BackupConfiguration, BackupConfigurationQuery},
    event::Event,
    id::AgentId,
    run::RunState,
};

use super::{Context, get};
use crate::{
    Error, Result,
    db::{self, Write},
    ops::vault,
};

/// Shows what deleting an agent would do.
pub async fn plan(context: &Context, id: AgentId) -> Result<AgentDeletionPlan> {
    context.authorize::<AgentDeletionPlanShow>()?;
    let agent = get(context, id).await?;
    let vault = vault::show(context, &agent.vault_id).await?;
    let mut read = context.db.read().await?;
    let filter = BackupConfigurationQuery { agent_id: Some(id), ..BackupConfigurationQuery::default() };
    let configurations =
        db::backup_configuration::list(&mut read, context.account(), &filter, 0, i64::MAX).await?;
    let name = |configuration: BackupConfiguration| configuration.name;
    Ok(AgentDeletionPlan {
        agent_id: id,
        name: agent.name,
        vault_id: vault.id,
        vault_size_bytes: vault.size_bytes,
        vault_snapshot_count: vault.snapshot_count,
        backup_configurations: configurations.into_iter().map(name).collect(),
        older_vaults: db::vault::older_of_agent(&mut read, id).await?,
        active_runs: db::run::active(&mut read, id).await?.len() as u64,
    })
}

/// Deletes an agent.
pub async fn delete(context: &Context, id: AgentId, how: AgentDeletion) -> Result<()> {
    context.authorize::<AgentDelete>()?;
    let agent = get(context, id).await?;
    let unsaid = || {
        Error::invalid("Say what becomes of the agent's vault: vault=keep, vault=delete or vault=delete_all.")
    };
    let fate = how.vault.ok_or_else(unsaid)?;
    let mut change = context.change::<AgentDelete>().await?;
    let now = context.now_ms();
    if !db::agent::delete(&mut change, context.account(), id, now).await? {
        return Err(super::not_found(id));
    }
    cancel_runs(&mut change, id, now).await?;
    let account = context.account();
    for configuration in db::backup_configuration::delete_of_agent(&mut change, id, now).await? {
        change.tell(account, Event::new("backup_configuration", configuration, "delete"));
    }
    for configuration in db::restore_configuration::delete_of_agent(&mut change, id, now).await? {
        change.tell(account, Event::new("restore_configuration", configuration, "delete"));
    }
    settle_vault(&mut change, context, &agent, fate).await?;
    change.commit(id).await?;
    context.live.refuse(id, "The agent was deleted on its server.");
    context.live.removals.notify_one();
    Ok(())
}

async fn cancel_runs(write: &mut Write, agent: AgentId, now_ms: i64) -> Result<()> {
    for active in db::run::active(write, agent).await? {
        let reason = Some("The agent was deleted.");
        db::run::end(write, active.run, RunState::Cancelled, reason, now_ms).await?;
    }
    Ok(())
}

async fn settle_vault(write: &mut Write, context: &Context, agent: &Agent, fate: VaultFate) -> Result<()> {
    let now = context.now_ms();
    match fate {
        VaultFate::Keep => {
            db::vault::retire(write, &agent.vault_id, now).await?;
            write.tell(context.account(), Event::new("vault", &agent.vault_id, "retire"));
            Ok(())
        }
        VaultFate::Delete => vault::give_up(write, context.account(), &agent.vault_id, now).await,
        VaultFate::DeleteAll => {
            for older in db::vault::older_of_agent(write, agent.id).await? {
                vault::give_up(write, context.account(), &older, now).await?;
            }
            vault::give_up(write, context.account(), &agent.vault_id, now).await
        }
    }
}
