//! Files of a backup, read from its vault by a child process.

use roadstead_api::{
    Page, Permission,
    file::{File, FileList, FileQuery},
    id::BackupId,
};

use super::{Context, backup, page, validate, vault};
use crate::{
    Error, Result,
    worker::{self, Content, Order, Task},
};

/// Lists a folder of a backup.
pub async fn list(context: &Context, id: BackupId, query: FileQuery) -> Result<Page<File>> {
    context.authorize::<FileList>()?;
    let limit = page::limit(query.limit)?;
    let offset = page::number(query.cursor.as_deref(), 0)?;
    let offset = usize::try_from(offset).map_err(|_| Error::invalid("cursor is negative."))?;
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

async fn order(context: &Context, id: BackupId, task: impl FnOnce(String) -> Task) -> Result<Order> {
    let backup = backup::get(context, id).await?;
    let nothing =
        || Error::conflict(format!("Backup {id} is {} and left no snapshot to look into.", backup.state));
    let snapshot = backup.snapshot_id.clone().ok_or_else(nothing)?;
    let row = vault::get(context, &backup.vault_id).await?;
    let password = vault::password(context, &row).await?;
    Ok(Order { folder: context.vaults.folder(&row.id), password, task: task(snapshot.0) })
}
