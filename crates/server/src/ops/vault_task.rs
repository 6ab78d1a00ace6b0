//! Vault tasks: starting, watching and stopping them.

use roadstead_api::{
    Page, PageQuery, Permission,
    id::{VaultId, VaultTaskId},
    vault_task::{
        CopyTarget, CopyTargetList, NewVaultTask, VaultTask, VaultTaskCreate, VaultTaskList, VaultTaskShow,
        VaultTaskStop,
    },
};

use roadstead_vault::store::FileKind;

use super::{Context, drill_settings, page, quota, vault};
use crate::{Error, Result, db};

/// Starts a task: it is queued, and whoever does such work is woken.
pub async fn create(context: &Context, vault: &VaultId, new: NewVaultTask) -> Result<VaultTask> {
    context.authorize::<VaultTaskCreate>()?;
    let row = vault::get(context, vault).await?;
    vault::password(context, &row).await?;
    check(context, vault, &new).await?;
    let mut change = context.change::<VaultTaskCreate>().await?;
    let (account, now) = (context.account(), context.now_ms());
    let made = db::vault_task::insert(&mut change, account, vault, &new, None, now).await?;
    let id = made.ok_or_else(|| Error::internal("A task without a slot stood against another."))?;
    change.commit(id).await?;
    context.live.vault_tasks.notify_one();
    get(context, id).await
}

/// Refuses what cannot be done, or not by the caller.
async fn check(context: &Context, vault: &VaultId, new: &NewVaultTask) -> Result<()> {
    match new {
        NewVaultTask::Drill { files, bytes } => drill_settings::check_size(*files, *bytes),
        NewVaultTask::Copy { to_vault, to_target, backup_ids, rechunk: _ } => {
            check_destination(context, vault, (to_vault.as_ref(), to_target.as_deref())).await?;
            let held = vault::backups(context, vault).await?;
            match backup_ids.iter().find(|id| !held.iter().any(|(known, _)| known == *id)) {
                Some(id) => Err(Error::not_found(format!("This vault holds no backup {id}."))),
                None => Ok(()),
            }
        }
        NewVaultTask::Repair { .. } => context.require(Permission::Admin),
    }
}

async fn check_destination(
    context: &Context,
    vault: &VaultId,
    destination: (Option<&VaultId>, Option<&str>),
) -> Result<()> {
    match destination {
        (Some(other), None) if other == vault => {
            Err(Error::invalid("to_vault is this vault; copies go to another one."))
        }
        (Some(other), None) => {
            let row = vault::get(context, other).await?;
            vault::password(context, &row).await?;
            quota::room(context, context.account(), other, FileKind::Pack).await?.check(context, 1).await
        }
        (None, Some(name)) if context.copy_targets.iter().any(|target| target.name == name) => Ok(()),
        (None, Some(name)) => {
            let names: Vec<&str> = context.copy_targets.iter().map(|target| target.name.as_str()).collect();
            Err(Error::invalid(if names.is_empty() {
                "The server's operator has allowed no places to copy to (copy_targets).".to_owned()
            } else {
                format!("to_target is {name:.50?}; the server's operator has allowed {}.", names.join(", "))
            }))
        }
        _ => Err(Error::invalid("Either to_vault or to_target says where the copies go.")),
    }
}

/// Lists the places that the operator allows copies to.
pub fn copy_targets(context: &Context) -> Result<Page<CopyTarget>> {
    context.authorize::<CopyTargetList>()?;
    let told = |target: &crate::CopyTarget| CopyTarget { name: target.name.clone(), store: target.store() };
    Ok(Page { items: context.copy_targets.iter().map(told).collect(), next: None })
}

/// Lists the tasks of a vault.
pub async fn list(context: &Context, vault: &VaultId, query: PageQuery) -> Result<Page<VaultTask>> {
    context.authorize::<VaultTaskList>()?;
    let row = vault::get(context, vault).await?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let found = db::vault_task::list(&mut read, &row.id, before, page::fetch(limit)).await?;
    Ok(page::page(found, limit, |task| task.id.to_string()))
}

/// Shows one task.
pub async fn show(context: &Context, id: VaultTaskId) -> Result<VaultTask> {
    context.authorize::<VaultTaskShow>()?;
    get(context, id).await
}

/// Asks a task to end. One that has ended stays as it is.
pub async fn stop(context: &Context, id: VaultTaskId) -> Result<VaultTask> {
    context.authorize::<VaultTaskStop>()?;
    get(context, id).await?;
    let mut change = context.change::<VaultTaskStop>().await?;
    db::vault_task::ask_to_stop(&mut change, context.account(), id, context.now_ms()).await?;
    change.commit(id).await?;
    get(context, id).await
}

async fn get(context: &Context, id: VaultTaskId) -> Result<VaultTask> {
    let found = db::vault_task::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| Error::not_found(format!("There is no task {id}.")))
}
