//! Makes the machines that were ordered.
//!
//! Whether an order was carried out that a server died over, nobody can tell. It is never ordered again.

use std::time::Duration;

use roadstead_api::{
    event::Event,
    id::{AccountId, KeyId, MachineId},
    job::Job,
    key_machine::{DEFAULT_PORT, DEFAULT_USER},
    machine::{Machine, MachineState},
};
use roadstead_providers::{Driver, MachineOrder, Progress, SeenMachine};
use serde_json::Value;
use tokio::sync::mpsc;

use super::story::{advance, input};
use crate::{
    Error, Result,
    app::App,
    db::{self, job::JobRow},
    ops::{backend, connection, machine::Input, refresh},
};

/// How long a backend may take to take an order.
const ORDER_WITHIN: Duration = Duration::from_secs(900);
/// How long the machines may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(1800);
/// How often it is looked whether they are.
const LOOK: Duration = Duration::from_millis(500);

/// Orders the machines of a job and waits until they are ready.
pub async fn run(app: &App, row: &mut JobRow) -> Result<()> {
    let input = input(app, row).await?;
    make(app, row, input).await
}

/// Orders machines and waits until they are ready.
pub async fn make(app: &App, row: &mut JobRow, input: Input) -> Result<()> {
    let Input { mut order, key_id } = input;
    let found = db::backend::get(&mut *app.db.read().await?, row.account_id, &row.job.backend_id).await?;
    let backend = found.ok_or_else(|| Error::not_found("The backend was deleted."))?;
    backend::require_enabled(&backend)?;
    let driver = connection::driver(app, &backend).await?;
    let wanted = format!("Ordering {} from {}.", order.names().join(", "), backend.backend.title);
    advance(app, &mut row.job, wanted).await?;
    let made = tokio::time::timeout(ORDER_WITHIN, create(app, &mut row.job, &*driver, &mut order)).await;
    // Even what failed may have been carried out, in part: the backend is asked in any case.
    refresh::soon(app, &backend.backend.id).await?;
    let late = |_| {
        Error::conflict("The backend did not say whether it took the order; look before you order again.")
    };
    let machines = refresh::add(app, &backend, made.map_err(late)??).await?;
    if let Some(key) = key_id {
        associate(app, row.account_id, &key, &machines).await?;
    }
    row.job.machine_ids = machines.iter().map(|machine| machine.id.clone()).collect();
    let names: Vec<_> =
        machines.iter().map(|machine| format!("{} ({})", machine.name, machine.external_id)).collect();
    advance(app, &mut row.job, format!("The backend took the order: {}.", names.join(", "))).await?;
    let ready = tokio::time::timeout(READY_WITHIN, wait(app, row)).await;
    ready.map_err(|_| {
        Error::conflict("The machines were made, and are not ready yet; they go on by themselves.")
    })?
}

/// The key that machines were made with is the way in to them, unless it was deleted meanwhile.
async fn associate(app: &App, account: AccountId, key: &KeyId, machines: &[Machine]) -> Result<()> {
    let mut write = app.db.write().await?;
    if db::key::get(&mut write, account, key).await?.is_none() {
        return Ok(());
    }
    for machine in machines {
        let user = machine.extra.get("user").and_then(Value::as_str).unwrap_or(DEFAULT_USER);
        let port = machine.extra.get("ssh_port").and_then(Value::as_u64);
        let port = port.and_then(|port| u16::try_from(port).ok()).filter(|&port| port > 0);
        let login = (user, port.unwrap_or(DEFAULT_PORT), None);
        db::key_machine::put(&mut write, (key, &machine.id), login, app.now_ms()).await?;
    }
    write.tell(account, Event::new("key", key, "update"));
    write.commit().await
}

/// Orders, and writes down what the driver tells meanwhile. Lines that come faster than they are written are left out.
async fn create(
    app: &App,
    job: &mut Job,
    driver: &dyn Driver,
    order: &mut MachineOrder,
) -> Result<Vec<SeenMachine>> {
    let (lines, mut told) = mpsc::channel(1);
    order.progress = Progress::to(move |line| drop(lines.try_send(line.to_owned())));
    let mut creating = driver.create(order);
    loop {
        tokio::select! {
            made = &mut creating => return Ok(made?),
            Some(line) = told.recv() => {
                // An order in hand is not dropped for a line of its log.
                if let Err(error) = advance(app, job, line).await {
                    tracing::warn!(job = %job.id, error = error.chain(), "a job's log is not kept just now");
                }
            }
        }
    }
}

/// Waits until every machine has come to rest; one that is broken or gone fails the job.
async fn wait(app: &App, row: &mut JobRow) -> Result<()> {
    let mut waited_for: Vec<MachineId> = row.job.machine_ids.clone();
    while !waited_for.is_empty() {
        let mut still = Vec::new();
        for id in waited_for {
            let found = db::machine::get(&mut *app.db.read().await?, row.account_id, &id).await?;
            let machine = found.ok_or_else(|| Error::conflict(format!("The machine {id} is gone again.")))?;
            if machine.state == MachineState::Pending {
                still.push(id);
            } else {
                ready(app, &mut row.job, &machine).await?;
            }
        }
        waited_for = still;
        if !waited_for.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

async fn ready(app: &App, job: &mut Job, machine: &Machine) -> Result<()> {
    let broken = matches!(machine.state, MachineState::Error | MachineState::Terminated);
    job.done += u32::from(!broken);
    advance(app, job, format!("{} is {}.", machine.name, machine.state)).await?;
    if broken {
        let message = format!("The machine {} is {}; its backend says more.", machine.name, machine.state);
        return Err(Error::conflict(message));
    }
    Ok(())
}
