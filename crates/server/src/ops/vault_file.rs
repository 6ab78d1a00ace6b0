//! Single files of a vault, for whoever speaks restic's REST protocol: agents, and admins with plain restic.
//!
//! The rules (decision 9): everything can be read; data, index, snapshot and lock files can be added, under the name
//! that is the SHA-256 of their content; a lock can be removed by its maker. Nothing else: `config` and `keys` are
//! written when the vault is made, and nobody deletes data through this door. An agent that was granted a cleanup of its
//! sealed vault (`ops::upkeep`) deletes packs and indexes for that run, and what it deletes goes to the trash. A vault that
//! no agent backs up to any more takes locks only.

use roadstead_api::{
    id::{AccountId, AgentId, SnapshotId, VaultId},
    sealing::SealingKind,
    user::Role,
    vault::VaultMode,
};
use roadstead_vault::store::{FileKind, Name, Upload};

use super::alarm;
use crate::{
    Error, Result,
    app::App,
    auth::Actor,
    db::{self, Connection, vault::VaultRow},
    vaults::VaultStore,
};

/// A vault that the caller may use, and who the caller is to it.
#[derive(Debug)]
pub struct Access {
    /// The vault.
    pub id: VaultId,
    /// Whose it is.
    pub account: AccountId,
    /// Its files.
    pub store: VaultStore,
    /// Whether the caller may add data: somebody backs up to the vault, and the caller does not merely restore from it.
    writable: bool,
    /// What the caller is doing to the vault's keys.
    sealing: Option<SealingKind>,
    owner: String,
}

/// Lets the vault's agent and the account's admins in, and to read a sealed one whoever restores from it; to others it
/// does not exist.
pub async fn access(app: &App, actor: &Actor, id: &VaultId) -> Result<Access> {
    let nothing = || Error::not_found("There is no such vault.");
    let mut read = app.db.read().await?;
    let row = db::vault::get(&mut read, id).await?.ok_or_else(nothing)?;
    let is_own = may_use(actor, &row);
    if !is_own && !may_read(&mut read, actor, &row).await? {
        return Err(nothing());
    }
    let sealing = match actor {
        Actor::Agent(agent) if is_own && row.mode == VaultMode::Sealed => {
            db::sealing::active_in(&mut read, *agent, id).await?
        }
        _ => None,
    };
    drop(read);
    Ok(Access {
        store: app.vaults.store(&row.id),
        account: row.account_id,
        id: row.id,
        writable: row.current && is_own,
        sealing,
        owner: owner(actor),
    })
}

fn may_use(actor: &Actor, row: &VaultRow) -> bool {
    match actor {
        Actor::Agent(id) => *id == row.agent_id,
        Actor::User(user) | Actor::Session(user, _) => {
            user.account_id == row.account_id && user.role == Role::Admin
        }
    }
}

/// Of a managed vault other agents are shown a view (`ops::view`); a sealed one is closed to whoever has no password.
async fn may_read(db: &mut Connection, actor: &Actor, row: &VaultRow) -> Result<bool> {
    match actor {
        Actor::Agent(agent) if row.mode == VaultMode::Sealed => db::restore::reads(db, *agent, &row.id).await,
        _ => Ok(false),
    }
}

fn owner(actor: &Actor) -> String {
    match actor {
        Actor::Agent(id) => agent_owner(*id),
        Actor::User(user) | Actor::Session(user, _) => format!("user-{}", user.id),
    }
}

/// What an agent is called as the maker of files.
pub fn agent_owner(id: AgentId) -> String {
    format!("agent-{id}")
}

/// Refuses uploads that the rules do not allow, before a byte of them is read.
fn allow_upload(access: &Access, kind: FileKind) -> Result<()> {
    match (kind, access.sealing) {
        (FileKind::Lock, _)
        | (FileKind::Key, Some(SealingKind::Seal | SealingKind::PasswordChange))
        | (FileKind::Config, Some(SealingKind::Seal)) => Ok(()),
        (FileKind::Config | FileKind::Key, _) => {
            Err(Error::forbidden(format!("{kind} is written once, when the vault is made.")))
        }
        _ if access.writable => Ok(()),
        _ => Err(Error::forbidden("Nobody backs up to this vault any more: it can only be read.")),
    }
}

/// Begins an upload of so many bytes, if the sender said.
pub fn begin(app: &App, access: &Access, kind: FileKind, length: Option<u64>) -> Result<Upload> {
    allow_upload(access, kind)?;
    app.vaults.begin(&access.id, kind, length)
}

/// Ends an upload: the file is under its name and on disk, and its arrival is noted.
pub async fn finish(app: &App, access: &Access, kind: FileKind, name: Name, upload: Upload) -> Result<()> {
    if kind == FileKind::Lock {
        // Before the file, so that every lock there is has a known maker.
        let mut write = app.db.write().await?;
        db::vault_file::insert_lock(&mut write, &access.id, &name.to_string(), &access.owner).await?;
        write.commit().await?;
    }
    let store = access.store.clone();
    tokio::task::spawn_blocking(move || store.finish(kind, &name, upload)).await??;
    if let Some(too_many) = app.live.arrivals.count(&access.id, kind, app.now_ms()) {
        alarm::flood(app, &access.id, too_many).await?;
    }
    if kind == FileKind::Snapshot {
        let mut write = app.db.write().await?;
        let name = name.to_string();
        db::vault_file::insert_snapshot(&mut write, &access.id, &name, &access.owner, app.now_ms()).await?;
        write.commit().await?;
    }
    Ok(())
}

/// Whether an agent's vault holds a snapshot. An error where that cannot be seen just now.
pub async fn has_snapshot(app: &App, agent: AgentId, snapshot: &SnapshotId) -> Result<bool> {
    let vault = db::vault::by_agent(&mut *app.db.read().await?, agent).await?;
    let (Some(vault), Ok(name)) = (vault, snapshot.0.parse::<Name>()) else { return Ok(false) };
    let store = app.vaults.store(&vault.id);
    match tokio::task::spawn_blocking(move || store.size(FileKind::Snapshot, &name)).await? {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == roadstead_vault::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Removes a lock of the caller's own. Packs and indexes go to the trash, from an agent that was granted it.
pub async fn remove(app: &App, access: Access, kind: FileKind, name: Name) -> Result<()> {
    if matches!(kind, FileKind::Pack | FileKind::Index) && is_granted(app, &access).await? {
        let store = access.store;
        return Ok(tokio::task::spawn_blocking(move || store.inner().discard(kind, &name)).await??);
    }
    if kind != FileKind::Lock {
        return Err(Error::forbidden(format!("Nothing is deleted from {kind} through this door.")));
    }
    let text = name.to_string();
    let owner = db::vault_file::lock_owner(&mut *app.db.read().await?, &access.id, &text).await?;
    let owner = owner.ok_or_else(|| Error::not_found("There is no such lock."))?;
    if owner != access.owner {
        return Err(Error::forbidden(format!("This lock was made by {owner}, which alone removes it.")));
    }
    remove_lock(app, &access.id, name).await
}

/// Whether the caller is an agent whose cleanup of its sealed vault goes on.
async fn is_granted(app: &App, access: &Access) -> Result<bool> {
    let agent = db::upkeep::granted(&mut *app.db.read().await?, &access.id, app.now_ms()).await?;
    Ok(agent.is_some_and(|agent| agent_owner(agent) == access.owner))
}

/// Removes the locks that an agent's ended runs left behind. Only to be called while it has no run in hand.
pub async fn remove_leftover_locks(app: &App, vault: &VaultRow) -> Result<()> {
    let owner = agent_owner(vault.agent_id);
    let names = db::vault_file::locks_of(&mut *app.db.read().await?, &vault.id, &owner).await?;
    for name in names.iter().filter_map(|name| name.parse().ok()) {
        tracing::info!(vault = %vault.id, lock = %name, "a lock that an ended run left behind is removed");
        remove_lock(app, &vault.id, name).await?;
    }
    Ok(())
}

async fn remove_lock(app: &App, vault: &VaultId, name: Name) -> Result<()> {
    let store = app.vaults.store(vault);
    let removed = tokio::task::spawn_blocking(move || store.remove(FileKind::Lock, &name)).await?;
    if let Err(error) = removed
        && error.kind() != roadstead_vault::ErrorKind::NotFound
    {
        return Err(error.into());
    }
    let mut write = app.db.write().await?;
    db::vault_file::delete_lock(&mut write, vault, &name.to_string()).await?;
    write.commit().await
}
