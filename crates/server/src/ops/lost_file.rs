//! Files that the server knows a vault to hold, and that are not there. Nothing in a vault tells that there ever was a
//! snapshot or a key; but backups are in the one, and the database has copies of the other.
//!
//! What a cleanup has given to the trash is not lost, and what was forgotten or replaced while we looked is not either:
//! what is missing is looked for twice.

use std::collections::HashSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{
    id::{BackupId, VaultId},
    link::MAX_PROBLEMS,
};
use roadstead_vault::store::{FileKind, Name};

use crate::{
    Error, Result,
    app::App,
    db::{self, Connection},
    vaults::VaultStore,
};

/// A file that ought to be there.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    kind: FileKind,
    name: Name,
    holds: Holds,
}

#[derive(Clone, Debug, PartialEq)]
enum Holds {
    /// A config or key: these bytes.
    Header(Vec<u8>),
    /// A snapshot: this backup.
    Backup(BackupId),
}

/// A sentence for each file that a vault has lost.
pub async fn find(app: &App, vault: &VaultId) -> Result<Vec<String>> {
    Ok(lost(app, vault).await?.iter().take(MAX_PROBLEMS.0).map(sentence).collect())
}

/// Puts back the config and the keys that a vault has lost, each as it was when the vault was made or sealed.
pub async fn put_back(app: &App, vault: &VaultId) -> Result<()> {
    for Known { kind, name, holds } in lost(app, vault).await? {
        let Holds::Header(content) = holds else { continue };
        tracing::warn!(%vault, %kind, %name, "a lost header of a vault is put back");
        let store = app.vaults.store(vault);
        tokio::task::spawn_blocking(move || {
            match store.remove(kind, &name) {
                Err(error) if error.kind() != roadstead_vault::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            store.inner().save(kind, &name, &content)
        })
        .await??;
    }
    Ok(())
}

fn sentence(file: &Known) -> String {
    let Known { kind, name, holds } = file;
    match holds {
        Holds::Header(_) if *kind == FileKind::Config => {
            "config is gone, or not what it was; the server has a copy".to_owned()
        }
        Holds::Header(_) => format!("{kind}/{name} is gone, or not what it was; the server has a copy"),
        Holds::Backup(backup) => format!("{kind}/{name} is gone, and backup {backup} with it"),
    }
}

async fn lost(app: &App, vault: &VaultId) -> Result<Vec<Known>> {
    let mut missing = missing(app, vault).await?;
    if !missing.is_empty() {
        let again = self::missing(app, vault).await?;
        missing.retain(|file| again.contains(file));
    }
    Ok(missing)
}

/// What is not there just now.
async fn missing(app: &App, vault: &VaultId) -> Result<Vec<Known>> {
    let known = known(&mut *app.db.read().await?, vault).await?;
    let store = app.vaults.store(vault);
    tokio::task::spawn_blocking(move || not_in(&store, known)).await?
}

async fn known(db: &mut Connection, vault: &VaultId) -> Result<Vec<Known>> {
    let mut known = Vec::new();
    for [kind, name, content] in db::vault_file::headers(db, vault).await? {
        let unreadable = |e| Error::internal("The copy of a vault's header cannot be read.").caused_by(e);
        let content = BASE64_STANDARD.decode(content).map_err(unreadable)?;
        let (kind, name) = match kind == FileKind::Config.dir() {
            true => (FileKind::Config, Name::CONFIG),
            false => (FileKind::Key, name.parse()?),
        };
        known.push(Known { kind, name, holds: Holds::Header(content) });
    }
    for kept in db::cleanup::kept(db, vault).await? {
        let (name, holds) = (kept.snapshot.parse()?, Holds::Backup(kept.backup_id));
        known.push(Known { kind: FileKind::Snapshot, name, holds });
    }
    Ok(known)
}

fn not_in(store: &VaultStore, mut known: Vec<Known>) -> Result<Vec<Known>> {
    let snapshots: HashSet<Name> =
        store.list(FileKind::Snapshot)?.into_iter().map(|(name, _)| name).collect();
    let mut missing = Vec::new();
    for file in known.drain(..) {
        let is_there = match &file.holds {
            Holds::Backup(_) => snapshots.contains(&file.name),
            Holds::Header(content) => match store.inner().read(file.kind, &file.name) {
                Err(error) if error.kind() == roadstead_vault::ErrorKind::NotFound => false,
                read => read? == *content,
            },
        };
        if !is_there {
            missing.push(file);
        }
    }
    if missing.iter().any(|file| file.kind == FileKind::Snapshot) {
        let trash: HashSet<Name> = store.trash()?.into_iter().map(|trashed| trashed.name).collect();
        missing.retain(|file| !trash.contains(&file.name));
    }
    Ok(missing)
}
