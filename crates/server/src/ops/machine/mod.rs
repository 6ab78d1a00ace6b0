//! Machines: lists answer from what their backends last said; what changes one asks its backend.

mod action;
mod order;

use roadstead_api::{
    Page,
    id::{BackendId, MachineId},
    machine::{
        ConsoleOutput, Machine, MachineConsole, MachineCountShow, MachineCounts, MachineList, MachineProbe,
        MachineProbeNow, MachineQuery, MachineShow, RefreshQuery,
    },
};
use roadstead_providers::Capability;

pub use action::{destroy, reboot, rename, resize, start, stop, tag};
pub use order::{Input, create, ordered, plan};

use super::{Context, backend, connection, page, refresh};
use crate::{Error, Result, db};

/// Lists machines over all backends.
pub async fn list(context: &Context, query: MachineQuery) -> Result<Page<Machine>> {
    context.authorize::<MachineList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    // A reader of many pages has asked with the first.
    if query.refresh == Some(true) && query.cursor.is_none() {
        refresh::all(&context.app, context.account(), query.backend_id.as_ref()).await?;
    }
    let mut read = context.db.read().await?;
    let rows = db::machine::list(&mut read, context.account(), &query, after, page::fetch(limit)).await?;
    let Page { items, next } = page::page(rows, limit, |(number, _)| number.to_string());
    Ok(Page { items: items.into_iter().map(|(_, machine)| as_of_now(context, machine)).collect(), next })
}

/// Counts machines over all backends, and those of which nothing could be brought back.
pub async fn count(context: &Context) -> Result<MachineCounts> {
    context.authorize::<MachineCountShow>()?;
    let mut read = context.db.read().await?;
    let machines = db::machine::count(&mut read, context.account()).await?;
    let unprotected = db::machine::count_unprotected(&mut read, context.account()).await?;
    let number = |count| u64::try_from(count).unwrap_or_default();
    Ok(MachineCounts { machines: number(machines), unprotected: number(unprotected) })
}

/// Shows one machine.
pub async fn show(context: &Context, id: &MachineId, query: RefreshQuery) -> Result<Machine> {
    context.authorize::<MachineShow>()?;
    let machine = get(context, id).await?;
    if query.refresh != Some(true) {
        return Ok(machine);
    }
    refresh::now(&context.app, &machine.backend_id).await?;
    get(context, id).await
}

/// Asks a machine itself how it is.
pub async fn probe(context: &Context, id: &MachineId) -> Result<MachineProbe> {
    context.authorize::<MachineProbeNow>()?;
    let target = action::target(context, id, Capability::Probe).await?;
    let probe = target.driver.probe(&target.machine.external_id).await;
    connection::keep_pins(context, &target.row, &*target.driver).await?;
    Ok(probe?)
}

/// Shows what a machine printed on its console.
pub async fn console(context: &Context, id: &MachineId) -> Result<ConsoleOutput> {
    context.authorize::<MachineConsole>()?;
    let target = action::target(context, id, Capability::ConsoleOutput).await?;
    Ok(ConsoleOutput { text: target.driver.console_output(&target.machine.external_id).await? })
}

/// A machine of the caller's account.
pub async fn get(context: &Context, id: &MachineId) -> Result<Machine> {
    let found = db::machine::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.map(|machine| as_of_now(context, machine)).ok_or_else(|| not_found(id))
}

/// A machine of the caller's account by its cloud's id.
pub async fn by_external_id(context: &Context, backend: &BackendId, id: &str) -> Result<Machine> {
    context.authorize::<MachineShow>()?;
    let mut read = context.db.read().await?;
    let found = db::machine::by_external_id(&mut read, context.account(), backend, id).await?;
    found.ok_or_else(|| not_found(&MachineId(id.to_owned())))
}

/// Tells how old a machine's last good backup is.
fn as_of_now(context: &Context, mut machine: Machine) -> Machine {
    let age = |good: jiff::Timestamp| (context.now_ms() - good.as_millisecond()).max(0) / 1000;
    machine.last_good_backup_age_seconds = machine.last_good_backup_at.map(age);
    machine
}

/// There is no such machine.
pub fn not_found(id: &MachineId) -> Error {
    Error::not_found(format!("There is no machine {:.100?}.", id.0))
}
