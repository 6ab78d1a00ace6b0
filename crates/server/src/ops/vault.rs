//! Vaults: listing them, deleting those that nobody backs up to, and the key that opens one with plain restic.

use std::collections::HashMap;

use roadstead_api::{
    Page, PageQuery,
    alarm::AlarmKind,
    event::Event,
    id::{AccountId, BackupId, VaultId},
    vault::{
        BackupStats, GrowthQuery, Vault, VaultDay, VaultDelete, VaultGrowth, VaultGrowthShow, VaultKey,
        VaultKeyExport, VaultList, VaultShow, VaultStats, VaultStatsShow,
    },
};

use super::{Context, page};
use crate::{
    Error, Result,
    db::{
        self, Write,
        alarm::Condition,
        row::timestamp,
        vault::VaultRow,
        vault_growth::{KEPT_DAYS, day_in_words, day_of},
    },
    worker::{self, Counted, Counts, Order, Task},
};

/// How many days of its growth are shown unless somebody says so.
const USUAL_DAYS: u32 = 90;

/// Lists the vaults.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<Vault>> {
    context.authorize::<VaultList>()?;
    let limit = page::limit(query.limit)?;
    let after = query.cursor.unwrap_or_default();
    let mut read = context.db.read().await?;
    let rows = db::vault::list(&mut read, context.account(), &after, page::fetch(limit)).await?;
    let rows = page::page(rows, limit, |row| row.id.0.clone());
    let mut items = Vec::new();
    for row in rows.items {
        items.push(described(context, row).await?);
    }
    Ok(Page { items, next: rows.next })
}

/// Shows one vault.
pub async fn show(context: &Context, id: &VaultId) -> Result<Vault> {
    context.authorize::<VaultShow>()?;
    described(context, get(context, id).await?).await
}

/// Shows what plain restic needs to open a managed vault.
pub async fn export_key(context: &Context, id: &VaultId) -> Result<VaultKey> {
    context.authorize::<VaultKeyExport>()?;
    let row = get(context, id).await?;
    let password = password(context, &row).await?;
    // Nothing changes, but whoever asks later is to find who has the key.
    context.change::<VaultKeyExport>().await?.commit(&row.id).await?;
    Ok(VaultKey { repository: context.vaults.folder(id).for_restic()?, password })
}

/// Deletes a vault that no agent backs up to any more.
pub async fn delete(context: &Context, id: &VaultId) -> Result<()> {
    context.authorize::<VaultDelete>()?;
    let row = get(context, id).await?;
    if row.current {
        return Err(Error::conflict(format!(
            "Agent {} backs up to this vault; delete it with its agent (roadstead agents delete {0} --delete-vault).",
            row.agent_id
        )));
    }
    let mut change = context.change::<VaultDelete>().await?;
    give_up(&mut change, row.account_id, &row.id, context.now_ms()).await?;
    change.commit(&row.id).await?;
    context.live.removals.notify_one();
    Ok(())
}

/// Deletes a vault, its quota, and what that has an alarm of.
pub async fn give_up(write: &mut Write, account_id: AccountId, id: &VaultId, now_ms: i64) -> Result<()> {
    db::vault::delete(write, id, now_ms).await?;
    db::quota::delete(write, account_id, Some(id)).await?;
    let alarm = Condition { account_id, kind: AlarmKind::Quota, noun: "quota", noun_id: &id.0 };
    db::alarm::close(write, alarm, now_ms).await?;
    write.tell(account_id, Event::new("vault", id, "delete"));
    Ok(())
}

/// Counts what a vault holds.
pub async fn stats(context: &Context, id: &VaultId) -> Result<VaultStats> {
    context.authorize::<VaultStatsShow>()?;
    let row = get(context, id).await?;
    let password = password(context, &row).await?;
    let known = backups(context, id).await?;
    let task = Task::Count { snapshots: known.iter().map(|(_, snapshot)| snapshot.clone()).collect() };
    let order = Order { folder: context.vaults.folder(&row.id), password, task };
    let counts: Counts = worker::call(&context.worker, &order).await?;
    let ids: HashMap<String, BackupId> = known.into_iter().map(|(id, snapshot)| (snapshot, id)).collect();
    let bytes_restored = counts.snapshots.iter().map(|counted| counted.bytes).sum();
    let told = |counted: Counted| {
        ids.get(&counted.snapshot).map(|&backup_id| BackupStats {
            backup_id,
            files: counted.files,
            bytes: counted.bytes,
            bytes_added: counted.bytes_added,
            bytes_added_stored: counted.bytes_added_stored,
        })
    };
    Ok(VaultStats {
        backups: counts.snapshots.into_iter().filter_map(told).collect(),
        bytes_restored,
        bytes: counts.bytes,
        bytes_stored: counts.bytes_stored,
        unreadable: counts.unreadable,
    })
}

/// Shows how large a vault was on each day; today's size is looked up now.
pub async fn growth(context: &Context, id: &VaultId, query: GrowthQuery) -> Result<VaultGrowth> {
    context.authorize::<VaultGrowthShow>()?;
    let days = i64::from(query.days.unwrap_or(USUAL_DAYS));
    if !(1..=KEPT_DAYS).contains(&days) {
        return Err(Error::invalid(format!("days is {days}; it goes from 1 to {KEPT_DAYS}.")));
    }
    let now = described(context, get(context, id).await?).await?;
    let today = day_of(context.now_ms());
    let mut days = db::vault_growth::list(&mut *context.db.read().await?, id, today - days).await?;
    let today = day_in_words(today)?;
    days.retain(|day| day.day < today);
    days.push(VaultDay { day: today, size_bytes: now.size_bytes, snapshot_count: now.snapshot_count });
    Ok(VaultGrowth { days })
}

/// The backups that a vault holds, oldest first, each with its snapshot.
pub async fn backups(context: &Context, id: &VaultId) -> Result<Vec<(BackupId, String)>> {
    let kept = db::cleanup::kept(&mut *context.db.read().await?, id).await?;
    let mut backups: Vec<_> = kept.into_iter().map(|kept| (kept.backup_id, kept.snapshot)).collect();
    backups.sort_unstable();
    Ok(backups)
}

/// A vault of the caller's account.
pub async fn get(context: &Context, id: &VaultId) -> Result<VaultRow> {
    let row = db::vault::get(&mut *context.db.read().await?, id).await?;
    row.filter(|row| row.account_id == context.account())
        .ok_or_else(|| Error::not_found(format!("There is no vault {:.100?}.", id.0)))
}

/// The password of a managed vault.
pub async fn password(context: &Context, row: &VaultRow) -> Result<String> {
    let sealed = || {
        Error::conflict(
            "This vault is sealed: the server does not hold its password, and cannot look into it. Restore from it with its \
             agent, or open it with restic and your password.",
        )
    };
    context.vault_password(row).await?.ok_or_else(sealed)
}

async fn described(context: &Context, row: VaultRow) -> Result<Vault> {
    let (checked, drilled) = db::vault_task::last_good(&mut *context.db.read().await?, &row.id).await?;
    let (vaults, id) = (context.vaults.clone(), row.id.clone());
    let size = tokio::task::spawn_blocking(move || vaults.size(&id)).await??;
    Ok(Vault {
        url: format!("{}/vaults/{}/", context.public_url, row.id),
        id: row.id,
        agent_id: row.agent_id,
        mode: row.mode,
        current: row.current,
        size_bytes: size.bytes,
        snapshot_count: size.snapshots,
        created_at: row.created_at,
        last_good_check_at: checked.map(timestamp).transpose()?,
        last_good_drill_at: drilled.map(timestamp).transpose()?,
    })
}
