//! Files of a backup, read from its vault by a child process.

use std::collections::HashMap;

use roadstead_api::{
    Page, Permission,
    file::{
        ArchiveForm, DiffQuery, File, FileChange, FileDiff, FileFind, FileList, FileQuery, FindQuery,
        FoundFile,
    },
    id::{BackupId, VaultId},
};

use super::{Context, backup, page, validate, vault};
use crate::{
    Error, Result,
    worker::{self, Content, FoundEntry, Order, Task},
};

/// Lists a folder of a backup.
pub async fn list(context: &Context, id: BackupId, query: FileQuery) -> Result<Page<File>> {
    context.authorize::<FileList>()?;
    let (limit, offset) = places(query.limit, query.cursor.as_deref())?;
    let path = query.path.unwrap_or_else(|| "/".to_owned());
    validate::path("path", &path)?;
    let order =
        order(context, id, |snapshot| Task::List { snapshot, path, offset, limit: limit + 1 }).await?;
    let files: Vec<File> = worker::call(&context.worker, &order).await?;
    Ok(page::page(files, limit, |_| (offset + limit).to_string()))
}

/// The content of a regular file of a backup, as a stream. Observers may not: it is what the roles call content.
pub async fn content(context: &Context, id: BackupId, path: String) -> Result<Content> {
    context.require(Permission::Creator)?;
    validate::path("path", &path)?;
    let order = order(context, id, |snapshot| Task::Content { snapshot, path }).await?;
    worker::content(&context.worker, &order).await
}

/// A file or folder of a backup, with all that is beneath it, as a stream of an archive. Observers may not.
pub async fn archive(context: &Context, id: BackupId, path: String, form: ArchiveForm) -> Result<Content> {
    context.require(Permission::Creator)?;
    validate::path("path", &path)?;
    let is_zip = form == ArchiveForm::Zip;
    let order = order(context, id, |snapshot| Task::Archive { snapshot, path, is_zip }).await?;
    worker::content(&context.worker, &order).await
}

/// Finds files in the backups of a vault.
pub async fn find(context: &Context, vault: &VaultId, query: FindQuery) -> Result<Page<FoundFile>> {
    context.authorize::<FileFind>()?;
    let row = vault::get(context, vault).await?;
    let pattern = query.pattern.ok_or_else(|| Error::invalid("Say what to find: pattern."))?;
    validate::patterns("pattern", std::slice::from_ref(&pattern))?;
    let (limit, offset) = places(query.limit, query.cursor.as_deref())?;
    let password = vault::password(context, &row).await?;
    let backups = vault::backups(context, vault).await?;
    let task = Task::Find {
        snapshots: backups.iter().rev().map(|(_, snapshot)| snapshot.clone()).collect(),
        pattern,
        ignore_case: query.ignore_case.unwrap_or(false),
        offset,
        limit: limit + 1,
    };
    let order = Order { folder: context.vaults.folder(&row.id), password, task };
    let found: Vec<FoundEntry> = worker::call(&context.worker, &order).await?;
    let ids: HashMap<String, BackupId> = backups.into_iter().map(|(id, snapshot)| (snapshot, id)).collect();
    let told = |FoundEntry { snapshot, path, file }| {
        ids.get(&snapshot).map(|&backup_id| FoundFile { backup_id, path, file })
    };
    let found = found.into_iter().filter_map(told).collect();
    Ok(page::page(found, limit, |_| (offset + limit).to_string()))
}

/// Compares two backups of a vault.
pub async fn diff(context: &Context, id: BackupId, query: DiffQuery) -> Result<Page<FileChange>> {
    context.authorize::<FileDiff>()?;
    let before = backup::get(context, id).await?;
    let with = query.with.ok_or_else(|| Error::invalid("Say which backup to compare with: with."))?;
    let after = backup::get(context, with).await?;
    if before.vault_id != after.vault_id {
        return Err(Error::invalid(format!("Backup {with} is in another vault than backup {id}.")));
    }
    let gone = || Error::conflict(format!("Backup {with} left no snapshot to look into."));
    let after = after.snapshot_id.ok_or_else(gone)?.0;
    let (limit, offset) = places(query.limit, query.cursor.as_deref())?;
    let task = |before| Task::Diff { before, after, offset, limit: limit + 1 };
    let changes: Vec<FileChange> = worker::call(&context.worker, &order(context, id, task).await?).await?;
    Ok(page::page(changes, limit, |_| (offset + limit).to_string()))
}

/// How many items a page has, and how many to pass over before it.
fn places(limit: Option<u32>, cursor: Option<&str>) -> Result<(usize, usize)> {
    let offset =
        usize::try_from(page::number(cursor, 0)?).map_err(|_| Error::invalid("cursor is negative."))?;
    Ok((page::limit(limit)?, offset))
}

async fn order(context: &Context, id: BackupId, task: impl FnOnce(String) -> Task) -> Result<Order> {
    let backup = backup::get(context, id).await?;
    let nothing =
        || Error::conflict(format!("Backup {id} is {} and left no snapshot to look into.", backup.state));
    let snapshot = backup.snapshot_id.clone().ok_or_else(nothing)?;
    let row = vault::get(context, &backup.vault_id).await?;
    let password = vault::password(context, &row).await?;
    Ok(Order { folder: context.vaults.folder(&row.id), password, task: task(snapshot.0) })
}
