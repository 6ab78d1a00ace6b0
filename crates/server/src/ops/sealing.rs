//! Sealing the vault of an agent, and changing a sealed one's password (decision 10).
//!
//! The server passes on what it cannot read: the password, encrypted to the agent. For a sealing it makes the row and the
//! folder of a new vault, to which the agent, and only while the sealing goes on, may write `config` and `keys`. When the
//! agent says that it is done, the files are looked at, and in one transaction the new vault becomes the agent's, and the
//! old one can only be read; an old one without a single snapshot goes. For a change of the password the agent adds a key,
//! and the server removes those before it.

use std::collections::HashSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{
    event::Event,
    id::{AgentId, SealingId, VaultId},
    link::{Outcome, RunRef},
    run::RunState,
    sealing::{
        AgentEncrypt, AgentKey, AgentKeyShow, AgentPasswordChange, EncryptedPassword, NewSealing,
        NewVaultPassword, Sealing, SealingKind, SealingShow,
    },
};
use roadstead_vault::store::{FileKind, Store};

use super::{Context, agent, vault};
use crate::{
    Error, Result,
    app::App,
    db::{self, Write, sealing::NewSealingRow, vault::VaultRow},
    random,
    vaults::Header,
};

/// How long an encrypted password may be, in characters: that of a key of 8192 bits has 1368.
const MAX_ENCRYPTED: usize = 2000;

/// Shows an agent's public key.
pub async fn key(context: &Context, id: AgentId) -> Result<AgentKey> {
    context.authorize::<AgentKeyShow>()?;
    let agent = agent::get(context, id).await?;
    let public_key = db::agent::public_key(&mut *context.db.read().await?, context.account(), id).await?;
    let gone = || Error::internal("The agent has no key.");
    Ok(AgentKey { public_key: public_key.ok_or_else(gone)?, fingerprint: agent.fingerprint })
}

/// Seals an agent's vault.
pub async fn encrypt(context: &Context, id: AgentId, new: NewSealing) -> Result<Sealing> {
    context.authorize::<AgentEncrypt>()?;
    let agent = agent::get(context, id).await?;
    check(&new.password)?;
    if agent.encrypted {
        return Err(Error::conflict(format!(
            "The vault of agent {} is sealed already; its password can be changed (roadstead agents password {id}).",
            agent.name
        )));
    }
    let vault = VaultId(random::id()?);
    let mut change = context.change::<AgentEncrypt>().await?;
    let now = context.now_ms();
    db::vault::insert_sealed(&mut change, &vault, (context.account(), id), now).await?;
    let row = NewSealingRow {
        account_id: context.account(),
        agent_id: id,
        vault_id: &vault,
        kind: SealingKind::Seal,
        passwords: &[new.password],
        now_ms: now,
    };
    let sealing = db::sealing::insert(&mut change, &row).await?;
    change.commit(id).await?;
    context.live.dispatch.notify_one();
    get(context, sealing).await
}

/// Changes the password of an agent's sealed vault.
pub async fn change_password(context: &Context, id: AgentId, new: NewVaultPassword) -> Result<Sealing> {
    context.authorize::<AgentPasswordChange>()?;
    let agent = agent::get(context, id).await?;
    check(&new.current)?;
    check(&new.new)?;
    if !agent.encrypted {
        return Err(Error::conflict(format!(
            "The vault of agent {} is not sealed: the server holds its password. Seal it (roadstead agents encrypt {id}).",
            agent.name
        )));
    }
    let mut change = context.change::<AgentPasswordChange>().await?;
    let row = NewSealingRow {
        account_id: context.account(),
        agent_id: id,
        vault_id: &agent.vault_id,
        kind: SealingKind::PasswordChange,
        passwords: &[new.current, new.new],
        now_ms: context.now_ms(),
    };
    let sealing = db::sealing::insert(&mut change, &row).await?;
    change.commit(id).await?;
    context.live.dispatch.notify_one();
    get(context, sealing).await
}

/// Refuses what cannot be the work of RSA.
pub fn check(password: &EncryptedPassword) -> Result<()> {
    let decoded = (password.text.len() <= MAX_ENCRYPTED)
        .then(|| BASE64_STANDARD.decode(&password.text).ok())
        .flatten()
        .filter(|bytes| (256..=1024).contains(&bytes.len()));
    let wrong = || {
        Error::invalid(
            "text must be a password encrypted to the agent's public key (GET /agents/ID/key), in base64.",
        )
    };
    decoded.map(drop).ok_or_else(wrong)
}

/// Shows one sealing.
pub async fn show(context: &Context, id: SealingId) -> Result<Sealing> {
    context.authorize::<SealingShow>()?;
    get(context, id).await
}

async fn get(context: &Context, id: SealingId) -> Result<Sealing> {
    let found = db::sealing::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| Error::not_found(format!("There is no sealing {id}.")))
}

/// Makes things ready for an agent that is about to begin: the new vault has its folder, and what an attempt before left
/// there is gone.
pub async fn prepare(app: &App, kind: SealingKind, vault: &VaultRow) -> Result<()> {
    let known = match kind {
        SealingKind::Seal => HashSet::new(),
        SealingKind::PasswordChange => known_keys(app, &vault.id).await?,
        SealingKind::TakeOver => return Ok(()),
    };
    let (vaults, id) = (app.vaults.clone(), vault.id.clone());
    tokio::task::spawn_blocking(move || {
        if kind == SealingKind::Seal {
            vaults.remove(&id)?;
        }
        vaults.make_folder(&id)?;
        remove_keys(vaults.store(&id).inner(), |name| !known.contains(name))
    })
    .await?
}

async fn known_keys(app: &App, vault: &VaultId) -> Result<HashSet<String>> {
    let keys = db::vault_file::header_names(&mut *app.db.read().await?, vault, FileKind::Key.dir()).await?;
    Ok(keys.into_iter().collect())
}

fn remove_keys(store: &dyn Store, which: impl Fn(&String) -> bool) -> Result<()> {
    for (name, _) in store.list(FileKind::Key)? {
        if which(&name.to_string()) {
            store.remove(FileKind::Key, &name)?;
        }
    }
    Ok(())
}

/// What lies in the vault of a sealing that its agent calls done.
struct Left {
    kind: SealingKind,
    vault: VaultId,
    headers: Vec<Header>,
    /// The keys that were known before.
    old_keys: HashSet<String>,
    /// The vault that the agent has until now, and how many snapshots that holds.
    before: VaultRow,
    snapshots_before: u64,
}

async fn look(app: &App, agent: AgentId, id: SealingId) -> Result<Left> {
    let mut read = app.db.read().await?;
    let found = db::sealing::passwords(&mut read, id).await?;
    let (kind, vault, _) = found.ok_or_else(|| Error::internal("The sealing's row is gone."))?;
    let old_keys = db::vault_file::header_names(&mut read, &vault, FileKind::Key.dir()).await?;
    let before = db::vault::by_agent(&mut read, agent).await?;
    let before = before.ok_or_else(|| Error::internal("The agent has no vault."))?;
    drop(read);
    let (vaults, new, old) = (app.vaults.clone(), vault.clone(), before.id.clone());
    let (headers, size) =
        tokio::task::spawn_blocking(move || Ok::<_, Error>((vaults.headers(&new)?, vaults.size(&old)?)))
            .await??;
    let old_keys = old_keys.into_iter().collect();
    Ok(Left { kind, vault, headers, old_keys, before, snapshots_before: size.snapshots })
}

impl Left {
    /// Whether there is what was to be made.
    fn is_whole(&self) -> bool {
        let of = |kind: FileKind| self.headers.iter().filter(move |header| header.kind == kind.dir());
        let new_keys = of(FileKind::Key).filter(|header| !self.old_keys.contains(&header.name)).count();
        let wanted = if self.kind == SealingKind::TakeOver { 0 } else { 1 };
        new_keys == wanted && of(FileKind::Config).count() == 1
    }

    /// Writes it down.
    async fn settle(&self, app: &App, write: &mut Write, agent: AgentId) -> Result<()> {
        if self.kind == SealingKind::TakeOver {
            return Ok(());
        }
        db::vault_file::delete_headers(write, &self.vault).await?;
        for Header { kind, name, content } in self.headers.iter().filter(|h| !self.old_keys.contains(&h.name))
        {
            db::vault_file::insert_header(write, &self.vault, kind, name, content).await?;
        }
        match self.kind {
            SealingKind::Seal => self.change_over(app, write, agent).await,
            _ => Ok(()),
        }
    }

    /// The new vault becomes the agent's. The old one can only be read, and goes if there is nothing in it.
    async fn change_over(&self, app: &App, write: &mut Write, agent: AgentId) -> Result<()> {
        let (now, account) = (app.now_ms(), self.before.account_id);
        db::vault::retire(write, &self.before.id, now).await?;
        db::vault::make_current(write, &self.vault).await?;
        if self.snapshots_before == 0 {
            vault::give_up(write, account, &self.before.id, now).await?;
        } else {
            write.tell(account, Event::new("vault", &self.before.id, "retire"));
        }
        write.tell(account, Event::new("vault", &self.vault, "create"));
        write.tell(account, Event::new("agent", agent, "encrypt"));
        Ok(())
    }

    /// Takes the keys away that the new one has replaced. After it is written down which is the new one: what a crash
    /// leaves goes before the next change.
    async fn remove_old_keys(self, app: &App) -> Result<()> {
        let store = app.vaults.store(&self.vault);
        tokio::task::spawn_blocking(move || remove_keys(store.inner(), |name| self.old_keys.contains(name)))
            .await?
    }
}

/// A sealing has ended by its agent's word: what is there is looked at before it counts.
pub async fn ended(app: &App, agent: AgentId, run: RunRef, outcome: &mut Outcome) -> Result<()> {
    let known = db::run::get(&mut *app.db.read().await?, run).await?;
    let is_open = known.is_some_and(|known| known.agent_id == agent && !known.state.has_ended());
    if !is_open || outcome.state != RunState::Completed {
        return Ok(());
    }
    let left = look(app, agent, SealingId(run.id)).await?;
    if !left.is_whole() {
        outcome.state = RunState::Failed;
        outcome.reason =
            Some("The agent said that it was done, and left no new key in the vault.".to_owned());
        return Ok(());
    }
    let mut write = app.db.write().await?;
    if db::run::finish(&mut write, agent, run, outcome, app.now_ms()).await? {
        left.settle(app, &mut write, agent).await?;
        db::sealing::forget_passwords(&mut write, SealingId(run.id)).await?;
    }
    write.commit().await?;
    app.live.removals.notify_one();
    match left.kind {
        SealingKind::PasswordChange => left.remove_old_keys(app).await,
        _ => Ok(()),
    }
}
