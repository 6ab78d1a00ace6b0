//! The way to a program on a machine: over SSH with a key that is associated with it, else by its backend's own.
//!
//! A machine is trusted as it shows itself to the first who logs in with an association; from then on it has to show the
//! same host key, until somebody accepts another.

use std::{collections::HashMap, sync::Arc};

use roadstead_api::{
    id::{AccountId, KeyId},
    key_machine::KeyMachine,
    machine::Machine,
};
use roadstead_providers::{
    Capability, ErrorKind as ProviderErrorKind, Program, Remote, SshKey, SshTarget, Timeouts,
};
use tokio::sync::Mutex;

use super::{Context, backend, connection, key};
use crate::{Error, ErrorKind, Result, app::App, db};

/// How a machine was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By SSH with this key.
    Key(KeyId),
    /// By a way of its backend's own.
    Backend,
}

/// Opens ways to the machines of one account. Keys are read once.
#[derive(Debug)]
pub struct Opener {
    app: Arc<App>,
    account: AccountId,
    keys: Mutex<HashMap<KeyId, SshKey>>,
}

impl Opener {
    /// Ways to the machines of this account.
    pub fn new(app: Arc<App>, account: AccountId) -> Self {
        Self { app, account, keys: Mutex::default() }
    }

    /// Starts a program on a machine.
    pub async fn open(&self, machine: &Machine, program: Program) -> Result<Remote> {
        let associations = self.associations(machine).await?;
        if associations.is_empty() {
            return self.by_backend(machine, program).await;
        }
        let mut refused = None;
        for association in associations {
            match self.by_key(machine, &association, program).await {
                // The next key may be the right one.
                Err(error) if is_wrong_key(&error) => refused = Some(error),
                opened => return opened,
            }
        }
        Err(refused.unwrap_or_else(|| no_way(machine)))
    }

    /// Starts a program on a machine by a way that does without this key: another that is associated, else its backend's.
    pub async fn by_another(
        &self,
        machine: &Machine,
        key: &KeyId,
        program: Program,
    ) -> Result<(Remote, Way)> {
        for association in self.associations(machine).await? {
            if association.key_id == *key {
                continue;
            }
            match self.by_key(machine, &association, program).await {
                Err(error) if is_wrong_key(&error) => {}
                opened => return Ok((opened?, Way::Key(association.key_id))),
            }
        }
        Ok((self.by_backend(machine, program).await?, Way::Backend))
    }

    async fn associations(&self, machine: &Machine) -> Result<Vec<KeyMachine>> {
        db::key_machine::of_machine(&mut *self.app.db.read().await?, self.account, &machine.id).await
    }

    /// Starts a program on a machine by one key.
    pub async fn by_key(
        &self,
        machine: &Machine,
        association: &KeyMachine,
        program: Program,
    ) -> Result<Remote> {
        let host = address(machine, association)?;
        let pin = self.pin(association).await?;
        let target = SshTarget {
            host,
            port: association.port,
            user: association.user.clone(),
            key: self.key(&association.key_id).await?,
            pin,
        };
        let (opened, seen) = target.open(program, self.app.drivers.guard, Timeouts::default()).await;
        if let Some(seen) = seen.filter(|_| target.pin.is_none()) {
            let pair = (&association.key_id, &machine.id);
            let mut write = self.app.db.write().await?;
            db::key_machine::pin(&mut write, pair, &seen.line, &seen.fingerprint).await?;
            write.commit().await?;
        }
        opened.map_err(|error| {
            let is_changed = error.kind() == ProviderErrorKind::HostKeyChanged;
            let mut error = Error::from(error);
            if is_changed {
                let (key, machine) = (&association.key_id, &machine.name);
                let way_out = format!(
                    " If {machine} was set up anew, `roadstead keys accept-host-key {key} {machine}` takes the new key."
                );
                error.message = format!("{}{way_out}", error.message).into();
            }
            error
        })
    }

    async fn pin(&self, association: &KeyMachine) -> Result<Option<String>> {
        if association.host_key.is_none() {
            return Ok(None);
        }
        let pair = (&association.key_id, &association.machine_id);
        db::key_machine::pinned(&mut *self.app.db.read().await?, pair).await
    }

    async fn key(&self, id: &KeyId) -> Result<SshKey> {
        let mut keys = self.keys.lock().await;
        if let Some(key) = keys.get(id) {
            return Ok(key.clone());
        }
        let text = key::private_of(&self.app, self.account, id).await?;
        let read = tokio::task::spawn_blocking(move || SshKey::parse("private_key", &text, None)).await?;
        let key = read?;
        keys.insert(id.clone(), key.clone());
        Ok(key)
    }

    async fn by_backend(&self, machine: &Machine, program: Program) -> Result<Remote> {
        let mut read = self.app.db.read().await?;
        let found = db::backend::get(&mut read, self.account, &machine.backend_id).await?;
        drop(read);
        let row = found.ok_or_else(|| no_way(machine))?;
        backend::require_enabled(&row)?;
        let driver = connection::driver(&self.app, &row).await?;
        if !driver.capabilities().contains(Capability::Exec) {
            return Err(no_way(machine));
        }
        let opened = driver.open(&machine.external_id, program).await;
        connection::keep_pins(&self.app, &row, &*driver).await?;
        Ok(opened?)
    }
}

/// Whether a login has failed for its key alone.
fn is_wrong_key(error: &Error) -> bool {
    error.kind == ErrorKind::Backend(ProviderErrorKind::WrongCredentials)
}

/// How a machine of the caller's account is reached, in words; refuses one that is not.
pub async fn way(context: &Context, machine: &Machine) -> Result<String> {
    let associations =
        db::key_machine::of_machine(&mut *context.db.read().await?, context.account(), &machine.id).await?;
    if let Some(association) = associations.first() {
        let host = address(machine, association)?;
        let key = key::get(context, &association.key_id).await?.name;
        return Ok(format!("by SSH to {}@{host}:{} with the key {key}", association.user, association.port));
    }
    let row = backend::get(context, &machine.backend_id).await?;
    backend::require_enabled(&row)?;
    let driver = connection::driver(context, &row).await?;
    match driver.capabilities().contains(Capability::Exec) {
        true => Ok(format!("by the way that {} has to its own machines", row.backend.title)),
        false => Err(no_way(machine)),
    }
}

/// Where a machine is reached with an association.
pub fn address(machine: &Machine, association: &KeyMachine) -> Result<String> {
    let own = || machine.public_ips.first().or(machine.private_ips.first()).map(ToString::to_string);
    association.host.clone().or_else(own).ok_or_else(|| {
        Error::conflict(format!(
            "{} has no address that is known; associate its key with --host.",
            machine.name
        ))
    })
}

fn no_way(machine: &Machine) -> Error {
    let name = &machine.name;
    Error::conflict(format!(
        "No key is associated with {name}; `roadstead keys associate KEY {name} --user USER` does that."
    ))
}
