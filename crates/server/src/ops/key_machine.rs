//! Keys of machines: what it takes to log in to a machine of any backend.

use roadstead_api::{
    Page, PageQuery,
    id::{KeyId, MachineId},
    key_machine::{
        AcceptedHostKey, DEFAULT_PORT, DEFAULT_USER, KeyMachine, KeyMachineAccept, KeyMachineCreate,
        KeyMachineDelete, KeyMachineList, NewKeyMachine,
    },
};

use roadstead_providers::{SshTarget, Timeouts};

use super::{Context, key, machine, page, remote, validate};
use crate::{Error, Result, db};

/// Associates a key with a machine.
pub async fn create(context: &Context, key_id: &KeyId, new: NewKeyMachine) -> Result<KeyMachine> {
    context.authorize::<KeyMachineCreate>()?;
    let user = new.user.as_deref().unwrap_or(DEFAULT_USER);
    validate::login("user", user)?;
    let port = new.port.unwrap_or(DEFAULT_PORT);
    if port == 0 {
        return Err(Error::invalid("port goes from 1 to 65535."));
    }
    if let Some(host) = &new.host {
        validate::host("host", host)?;
    }
    key::get(context, key_id).await?;
    let machine = machine::get(context, &new.machine_id).await?.id;
    let pair = (key_id, &machine);
    let mut change = context.change::<KeyMachineCreate>().await?;
    db::key_machine::put(&mut change, pair, (user, port, new.host.as_deref()), context.now_ms()).await?;
    change.commit(format!("{key_id}/{machine}")).await?;
    one(context, key_id, &machine).await
}

/// Trusts the host key that a machine shows now, in place of the one that it showed before.
pub async fn accept(
    context: &Context,
    (key_id, machine_id): (KeyId, MachineId),
    accepted: AcceptedHostKey,
) -> Result<KeyMachine> {
    context.authorize::<KeyMachineAccept>()?;
    key::get(context, &key_id).await?;
    let machine = machine::get(context, &machine_id).await?;
    let association = one(context, &key_id, &machine_id).await?;
    let host = remote::address(&machine, &association)?;
    let guard = context.drivers.guard;
    let shown = SshTarget::shown(&host, association.port, guard, Timeouts::default()).await?;
    if let Some(wanted) = accepted.fingerprint.filter(|wanted| *wanted != shown.fingerprint) {
        let message =
            format!("{} shows the host key {}, not {wanted:.100}.", machine.name, shown.fingerprint);
        return Err(Error::conflict(message));
    }
    let pair = (&key_id, &machine_id);
    let mut change = context.change::<KeyMachineAccept>().await?;
    db::key_machine::unpin(&mut change, pair).await?;
    db::key_machine::pin(&mut change, pair, &shown.line, &shown.fingerprint).await?;
    change.commit(format!("{key_id}/{machine_id} {}", shown.fingerprint)).await?;
    one(context, &key_id, &machine_id).await
}

/// The association of a key with a machine, both of the caller's account.
pub async fn one(context: &Context, key_id: &KeyId, machine: &MachineId) -> Result<KeyMachine> {
    let of_machine = of_machine(context, machine).await?;
    of_machine.into_iter().find(|found| found.key_id == *key_id).ok_or_else(|| not_found(key_id, machine))
}

/// Lists the machines that a key is associated with.
pub async fn list(context: &Context, key_id: &KeyId, query: PageQuery) -> Result<Page<KeyMachine>> {
    context.authorize::<KeyMachineList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    key::get(context, key_id).await?;
    let mut read = context.db.read().await?;
    let rows = db::key_machine::list(&mut read, context.account(), key_id, after, page::fetch(limit)).await?;
    let page = page::page(rows, limit, |row| row.number.to_string());
    Ok(Page { items: page.items.into_iter().map(|row| row.association).collect(), next: page.next })
}

/// Ends the association of a key with a machine.
pub async fn delete(context: &Context, (key_id, machine): (KeyId, MachineId)) -> Result<()> {
    let mut change = context.change::<KeyMachineDelete>().await?;
    if !db::key_machine::delete(&mut change, context.account(), &key_id, &machine).await? {
        return Err(not_found(&key_id, &machine));
    }
    change.commit(format!("{key_id}/{machine}")).await
}

/// The keys of a machine of the caller's account, the one to try first at the front.
pub async fn of_machine(context: &Context, machine: &MachineId) -> Result<Vec<KeyMachine>> {
    db::key_machine::of_machine(&mut *context.db.read().await?, context.account(), machine).await
}

fn not_found(key: &KeyId, machine: &MachineId) -> Error {
    Error::not_found(format!(
        "The key {:.100?} is not associated with the machine {:.100?}.",
        key.0, machine.0
    ))
}
