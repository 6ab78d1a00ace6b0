//! What each kind of task is: an order for a child, and what its answer means for the backups of the vault.

use std::collections::{HashMap, HashSet};

use roadstead_api::{
    id::{BackupId, VaultId},
    vault_task::{CopyReport, DrillReport, NewVaultTask, RepairReport},
};

use super::watched;
use crate::{
    Error, Result,
    app::App,
    db::{
        self,
        vault::VaultRow,
        vault_task::{Claimed, Report},
    },
    ops::lost_file,
    worker::{Copied, Destination, Drilled, Order, Repaired, Task},
};

/// How many configurations one drill takes files of; those with the newest backups.
const MAX_DRILLED: usize = 100;

/// Does what a task asks for; `None` when it was stopped.
pub async fn of(app: &App, claimed: &Claimed) -> Result<Option<Report>> {
    let vault = known(app, &claimed.vault_id).await?;
    let password = password(app, &vault).await?;
    let order = |task| Order { folder: app.vaults.folder(&vault.id), password, task };
    match &claimed.input {
        NewVaultTask::Drill { files, bytes } => {
            let (task, backups) = drill(app, claimed, (*files, *bytes)).await?;
            let drilled: Option<Drilled> = watched(app, claimed, &order(task)).await?;
            Ok(drilled.map(|drilled| Report::Drill(told(drilled, &backups))))
        }
        NewVaultTask::Copy { to_vault, to_target, backup_ids, rechunk } => {
            let order = order(Task::Copy {
                snapshots: snapshots(app, &vault.id, backup_ids).await?,
                destination: destination(app, &vault, to_vault.as_ref(), to_target.as_deref()).await?,
                rechunk: *rechunk,
            });
            let copied: Option<Copied> = watched(app, claimed, &order).await?;
            Ok(copied.map(|copied| Report::Copy(copy_report(copied))))
        }
        NewVaultTask::Repair { read_data, dry_run } => {
            if !dry_run {
                lost_file::put_back(app, &vault.id).await?;
            }
            let task = Task::Repair { read_data: *read_data, dry_run: *dry_run };
            let repaired: Option<Repaired> = watched(app, claimed, &order(task)).await?;
            match repaired {
                Some(repaired) => Ok(Some(Report::Repair(noted(app, claimed, repaired, *dry_run).await?))),
                None => Ok(None),
            }
        }
    }
}

async fn known(app: &App, id: &VaultId) -> Result<VaultRow> {
    let vault = db::vault::get(&mut *app.db.read().await?, id).await?;
    vault.ok_or_else(|| Error::not_found("The vault is gone."))
}

async fn password(app: &App, vault: &VaultRow) -> Result<String> {
    let sealed = || Error::conflict("This vault is sealed: the server cannot look into it.");
    app.vault_password(vault).await?.ok_or_else(sealed)
}

/// A drill of the last good backup of each configuration, and which backups those are, by snapshot.
async fn drill(
    app: &App,
    claimed: &Claimed,
    (files, bytes): (Option<u32>, Option<u64>),
) -> Result<(Task, HashMap<String, BackupId>)> {
    let mut read = app.db.read().await?;
    let settings = db::drill_settings::get(&mut read, claimed.account_id).await?;
    let mut newest = HashMap::new();
    // They come by configuration, the newest last.
    for kept in db::cleanup::kept(&mut read, &claimed.vault_id).await? {
        newest.insert(kept.configuration_id, (kept.backup_id, kept.snapshot));
    }
    let mut newest: Vec<_> = newest.into_values().collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(MAX_DRILLED);
    let task = Task::Drill {
        snapshots: newest.iter().map(|(_, snapshot)| snapshot.clone()).collect(),
        files: files.unwrap_or(settings.files),
        bytes: bytes.unwrap_or(settings.bytes),
        scratch: app.vaults.scratch(&format!("drill-{}", claimed.id)),
    };
    Ok((task, newest.into_iter().map(|(id, snapshot)| (snapshot, id)).collect()))
}

fn told(drilled: Drilled, backups: &HashMap<String, BackupId>) -> DrillReport {
    let ids = drilled.snapshots.iter().filter_map(|snapshot| backups.get(snapshot)).copied();
    DrillReport {
        backup_ids: ids.collect(),
        files_held: drilled.files_held,
        files_restored: drilled.files,
        bytes_restored: drilled.bytes,
        problems: drilled.problems,
    }
}

/// The snapshots of these backups, as far as retention has left them.
async fn snapshots(app: &App, vault: &VaultId, backups: &[BackupId]) -> Result<Vec<String>> {
    if backups.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: HashSet<_> = backups.iter().collect();
    let kept = db::cleanup::kept(&mut *app.db.read().await?, vault).await?;
    let found: Vec<_> =
        kept.into_iter().filter(|kept| wanted.contains(&kept.backup_id)).map(|kept| kept.snapshot).collect();
    // None at all would stand for everything.
    if found.is_empty() { Err(Error::not_found("The backups to be copied are gone.")) } else { Ok(found) }
}

/// Another vault, or the vault's own repository at a place that the operator allows.
async fn destination(
    app: &App,
    vault: &VaultRow,
    to_vault: Option<&VaultId>,
    to_target: Option<&str>,
) -> Result<Destination> {
    if let Some(other) = to_vault {
        let other = known(app, other).await?;
        let password = password(app, &other).await?;
        return Ok(Destination { folder: app.vaults.folder(&other.id), password, make: false });
    }
    let target = app.copy_targets.iter().find(|target| Some(target.name.as_str()) == to_target);
    let target = target.ok_or_else(|| Error::conflict("The operator does not allow this place any more."))?;
    Ok(Destination { folder: target.folder(&vault.id)?, password: password(app, vault).await?, make: true })
}

fn copy_report(copied: Copied) -> CopyReport {
    CopyReport {
        backups_copied: copied.copied,
        backups_skipped: copied.skipped,
        backups_failed: copied.failed,
        bytes_added: copied.bytes_added,
        problems: copied.problems,
    }
}

/// Notes which snapshots the backups are in by now, and tells what was done in their numbers.
async fn noted(app: &App, claimed: &Claimed, repaired: Repaired, dry_run: bool) -> Result<RepairReport> {
    let vault = &claimed.vault_id;
    let kept = db::cleanup::kept(&mut *app.db.read().await?, vault).await?;
    let backups: HashMap<String, BackupId> =
        kept.into_iter().map(|kept| (kept.snapshot, kept.backup_id)).collect();
    let mut report = RepairReport {
        dry_run,
        index_rewritten: repaired.index_rewritten,
        packs_unreadable: repaired.packs_unreadable,
        packs_damaged: repaired.packs_damaged,
        parts_saved: repaired.blobs_saved,
        parts_lost: repaired.blobs_lost,
        problems: repaired.problems,
        ..RepairReport::default()
    };
    let mut write = app.db.write().await?;
    for (old, new) in &repaired.snapshots {
        let backup = backups.get(old).copied();
        if new.is_some() || dry_run {
            report.backups_with_holes.extend(backup);
        } else {
            report.backups_lost.extend(backup);
            db::vault_task::lose_snapshot(&mut write, vault, old, app.now_ms()).await?;
        }
    }
    for (old, new) in repaired.replaced.iter().filter(|_| !dry_run) {
        db::vault_task::replace_snapshot(&mut write, vault, old, new).await?;
    }
    write.commit().await?;
    Ok(report)
}
