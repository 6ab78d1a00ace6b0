//! Cleanups of vaults, what they would do, and what they threw away.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use roadstead_api::{
    Page, PageQuery,
    cleanup::{
        Cleanup, CleanupCreate, CleanupList, CleanupPlan, CleanupPlanShow, CleanupShow, CleanupVerdict,
        RetentionPlanShow, Trash, TrashRestore, TrashShow,
    },
    id::{BackupConfigurationId, CleanupId, SnapshotId, VaultId},
    retention::Retention,
    vault::VaultMode,
};
use roadstead_vault::store::FileKind;

use super::{Context, backup_configuration, page, upkeep, vault};
use crate::{
    Error, Result, db,
    db::{cleanup::Kept, row::timestamp, vault::VaultRow},
    worker::{self, Order, Policy, Task, Verdict, plan_unread},
};

/// After how many days a file of the trash is gone for good.
pub const TRASH_DAYS: u32 = 7;

/// Starts a cleanup: it is queued, and the cleaner is woken.
pub async fn create(context: &Context, vault: &VaultId) -> Result<Cleanup> {
    context.authorize::<CleanupCreate>()?;
    let row = vault::get(context, vault).await?;
    if !is_agent_s(&row) {
        vault::password(context, &row).await?;
    }
    let mut change = context.change::<CleanupCreate>().await?;
    let made = db::cleanup::insert(&mut change, context.account(), vault, None, context.now_ms()).await?;
    let id = made.ok_or_else(|| Error::internal("A cleanup without a slot stood against another."))?;
    change.commit(vault).await?;
    context.live.cleanups.notify_one();
    get(context, id).await
}

/// Whether its agent cleans the vault, since nobody else can look into it.
fn is_agent_s(row: &VaultRow) -> bool {
    row.mode == VaultMode::Sealed && row.current
}

/// Lists the cleanups of a vault.
pub async fn list(context: &Context, vault: &VaultId, query: PageQuery) -> Result<Page<Cleanup>> {
    context.authorize::<CleanupList>()?;
    let row = vault::get(context, vault).await?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let found = db::cleanup::list(&mut read, &row.id, before, page::fetch(limit)).await?;
    Ok(page::page(found, limit, |cleanup| cleanup.id.to_string()))
}

/// Shows one cleanup.
pub async fn show(context: &Context, id: CleanupId) -> Result<Cleanup> {
    context.authorize::<CleanupShow>()?;
    get(context, id).await
}

async fn get(context: &Context, id: CleanupId) -> Result<Cleanup> {
    let found = db::cleanup::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| Error::not_found(format!("There is no cleanup {id}.")))
}

/// Shows what a cleanup would keep and forget now. Changes nothing.
pub async fn plan(context: &Context, vault: &VaultId) -> Result<CleanupPlan> {
    context.authorize::<CleanupPlanShow>()?;
    let row = vault::get(context, vault).await?;
    let kept = db::cleanup::kept(&mut *context.db.read().await?, vault).await?;
    planned(context, &row, &kept).await
}

/// Shows what cleanups would keep and forget of a configuration now, if it had these rules. Changes nothing.
pub async fn retention_plan(
    context: &Context,
    id: BackupConfigurationId,
    retention: Retention,
) -> Result<CleanupPlan> {
    context.authorize::<RetentionPlanShow>()?;
    backup_configuration::check_retention(&retention)?;
    let configuration = backup_configuration::get(context, id).await?;
    let mut read = context.db.read().await?;
    let row = db::vault::by_agent(&mut read, configuration.agent_id).await?;
    let row = row.ok_or_else(|| Error::internal("The agent has no vault."))?;
    let mut kept = db::cleanup::kept(&mut read, &row.id).await?;
    drop(read);
    kept.retain(|kept| kept.configuration_id == id);
    for kept in &mut kept {
        kept.retention = retention.clone();
    }
    planned(context, &row, &kept).await
}

async fn planned(context: &Context, row: &VaultRow, kept: &[Kept]) -> Result<CleanupPlan> {
    let verdicts = verdicts(context, row, policies(kept)).await?;
    let by_snapshot: HashMap<&str, &Kept> = kept.iter().map(|kept| (kept.snapshot.as_str(), kept)).collect();
    let told = |verdict: &Verdict| {
        let kept = by_snapshot.get(verdict.snapshot.as_str())?;
        Some(timestamp(kept.arrived_ms).map(|arrived_at| CleanupVerdict {
            backup_id: kept.backup_id,
            configuration_id: kept.configuration_id,
            snapshot_id: SnapshotId(verdict.snapshot.clone()),
            arrived_at,
            kept: verdict.kept,
            reasons: verdict.reasons.clone(),
        }))
    };
    Ok(CleanupPlan { verdicts: verdicts.iter().filter_map(told).collect::<Result<_>>()? })
}

async fn verdicts(context: &Context, row: &VaultRow, policies: Vec<Policy>) -> Result<Vec<Verdict>> {
    if is_agent_s(row) {
        let (store, now) = (context.vaults.store(&row.id), timestamp(context.now_ms())?);
        let plan = move || plan_unread(upkeep::snapshots(&store)?, &policies, now);
        return tokio::task::spawn_blocking(plan).await?;
    }
    let password = vault::password(context, row).await?;
    let task = Task::PlanCleanup { policies, now_ms: context.now_ms() };
    worker::call(&context.worker, &Order { folder: context.vaults.folder(&row.id), password, task }).await
}

/// The rules of each configuration, with what they decide over.
pub fn policies(kept: &[Kept]) -> Vec<Policy> {
    let mut policies = BTreeMap::new();
    for Kept { configuration_id, retention, timezone, snapshot, arrived_ms, .. } in kept {
        let policy = policies.entry(*configuration_id).or_insert_with(|| Policy {
            retention: retention.clone(),
            timezone: timezone.clone(),
            snapshots: Vec::new(),
        });
        policy.snapshots.push((snapshot.clone(), *arrived_ms));
    }
    policies.into_values().collect()
}

/// Shows what lies in a vault's trash.
pub async fn trash(context: &Context, vault: &VaultId) -> Result<Trash> {
    context.authorize::<TrashShow>()?;
    described(context, vault).await
}

/// Brings everything back from a vault's trash. The next cleanup decides anew.
pub async fn restore_trash(context: &Context, vault: &VaultId) -> Result<Trash> {
    context.authorize::<TrashRestore>()?;
    let row = vault::get(context, vault).await?;
    let store = context.vaults.store(&row.id);
    if is_agent_s(&row) {
        // Each index went to the trash with the packs that it names, and comes back with them.
        let store = store.clone();
        tokio::task::spawn_blocking(move || store.restore_from_trash(Timestamp::MIN)).await??;
    } else {
        let password = vault::password(context, &row).await?;
        let order = Order { folder: context.vaults.folder(&row.id), password, task: Task::RestoreTrash };
        worker::call::<()>(&context.worker, &order).await?;
    }
    let snapshots = tokio::task::spawn_blocking(move || store.list(FileKind::Snapshot)).await??;
    let mut change = context.change::<TrashRestore>().await?;
    for (name, _) in snapshots {
        db::cleanup::remember(&mut change, &row.id, &name.to_string()).await?;
    }
    change.commit(vault).await?;
    described(context, vault).await
}

async fn described(context: &Context, vault: &VaultId) -> Result<Trash> {
    let row = vault::get(context, vault).await?;
    let store = context.vaults.store(&row.id);
    let found = tokio::task::spawn_blocking(move || store.trash()).await??;
    Ok(Trash {
        files: found.len() as u64,
        size_bytes: found.iter().map(|file| file.size).sum(),
        snapshots: found.iter().filter(|file| file.kind == FileKind::Snapshot).count() as u64,
        oldest_at: found.iter().map(|file| file.discarded).min(),
        keep_days: TRASH_DAYS,
    })
}
