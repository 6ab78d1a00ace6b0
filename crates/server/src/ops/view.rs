//! A backup shown to another agent than the one that made it, for as long as that restores it (decision 10): the server
//! opens what the backup needs of the managed vault, and seals it for this one restore. The vault's key stays here, and
//! the rest of the vault is not shown.
//!
//! To the agent a view is one more vault, of the name `restore-ID`. Its password is kept, sealed, in the restore's row, so
//! that any server can show it; the work is done by a child process, opened at the first request.

use std::sync::Arc;

use roadstead_api::id::{RestoreId, VaultId};
use tokio::sync::OnceCell;

use crate::{
    Error, Result,
    app::{App, restore_view_place},
    auth::Actor,
    db::{self, restore::ViewRow, vault::VaultRow},
    random,
    worker::{self, Order, Shown, Task},
};

const PREFIX: &str = "restore-";

/// What a view is called as a vault.
pub fn vault_name(restore: RestoreId) -> VaultId {
    VaultId(format!("{PREFIX}{restore}"))
}

/// The restore whose view has this name as a vault.
pub fn restore_of(vault: &str) -> Option<RestoreId> {
    vault.strip_prefix(PREFIX)?.parse().ok()
}

/// Makes the password of a restore's view, and keeps it. A restore that is sent again has it already.
pub async fn password(app: &App, restore: RestoreId) -> Result<String> {
    let row = db::restore::view(&mut *app.db.read().await?, restore).await?;
    let row = row.ok_or_else(|| Error::internal("The restore's row is gone."))?;
    let key = app.account_key(row.account_id).await?;
    let place = restore_view_place(restore);
    if let Some(sealed) = &row.sealed_view {
        return key.open(&place, sealed);
    }
    let password = random::secret("")?;
    let mut write = app.db.write().await?;
    db::restore::set_view(&mut write, restore, &key.seal(&place, &password)?).await?;
    write.commit().await?;
    Ok(password)
}

/// The view of a restore, for the agent that carries it out; to others, and when it has ended, it does not exist.
pub async fn access(app: &App, actor: &Actor, restore: RestoreId) -> Result<Arc<OnceCell<Shown>>> {
    let nothing = || Error::not_found("There is no such vault.");
    let row = db::restore::view(&mut *app.db.read().await?, restore).await?.ok_or_else(nothing)?;
    let is_its_agent = matches!(actor, Actor::Agent(agent) if *agent == row.agent_id);
    if !is_its_agent || row.state.has_ended() {
        return Err(nothing());
    }
    let sealed = row.sealed_view.clone().ok_or_else(nothing)?;
    let place = app.views.place(restore).await;
    place.get_or_try_init(|| open(app, restore, row, sealed)).await?;
    Ok(place)
}

async fn open(app: &App, restore: RestoreId, row: ViewRow, sealed: String) -> Result<Shown> {
    let (vault, snapshot) = source(app, &row).await?;
    let not_managed = || Error::conflict("The vault is sealed: the server cannot open it.");
    let password = app.vault_password(&vault).await?.ok_or_else(not_managed)?;
    let shown_under = app.account_key(row.account_id).await?.open(&restore_view_place(restore), &sealed)?;
    let task = Task::View { snapshot, password: shown_under };
    let order = Order { folder: app.vaults.folder(&vault.id), password, task };
    tracing::info!(%restore, vault = %vault.id, "a backup is shown to another agent");
    worker::open_view(&app.worker, &order).await
}

/// The vault and the snapshot that a restore is of.
async fn source(app: &App, row: &ViewRow) -> Result<(VaultRow, String)> {
    let mut read = app.db.read().await?;
    let backup = db::backup::get(&mut read, row.account_id, row.backup_id).await?;
    let backup = backup.ok_or_else(|| Error::internal("The backup's row is gone."))?;
    let vault = db::vault::get(&mut read, &backup.vault_id).await?;
    let gone = || Error::conflict("The backup's files are gone.");
    Ok((vault.ok_or_else(gone)?, backup.snapshot_id.ok_or_else(gone)?.0))
}

/// Shows a restore's backup no longer.
async fn close(app: &App, restore: RestoreId) {
    let place = app.views.remove(restore).await;
    // Its child may take a moment to end, for which nobody has to wait.
    tokio::spawn(async move {
        if let Some(shown) = place.as_deref().and_then(OnceCell::get) {
            shown.close().await;
        }
    });
}

/// Shows no longer what is restored no longer, however that ended.
pub async fn close_ended(app: &App) -> Result<()> {
    for restore in app.views.restores().await {
        let row = db::restore::view(&mut *app.db.read().await?, restore).await?;
        if row.is_none_or(|row| row.state.has_ended()) {
            close(app, restore).await;
        }
    }
    Ok(())
}
