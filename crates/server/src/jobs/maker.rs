//! Makes the machines that were ordered. Each order is a job in a task of its own.
//!
//! Whether an order was carried out that a server died over, nobody can tell: such a job fails, and says that somebody
//! has to look. It is never ordered again.

use std::{sync::Arc, time::Duration};

use roadstead_api::{
    event::Event,
    id::{AccountId, JobId, KeyId, MachineId},
    job::{Job, JobState},
    key_machine::{DEFAULT_PORT, DEFAULT_USER},
    machine::{Machine, MachineState},
};
use roadstead_providers::{Driver, MachineOrder, Progress, SeenMachine};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    Error, Result,
    app::{App, job_input_place},
    db::{self, job::JobRow},
    ops::{backend, connection, machine::Input, refresh},
};

/// How many jobs are looked at, and so go on, at once.
const AT_ONCE: i64 = 50;
/// How long to wait for a signal before looking anyway.
const PERIOD: Duration = Duration::from_secs(5);
/// How often a job says that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// After how long without a sign of life a job counts as left behind, in milliseconds.
const LEFT_BEHIND_MS: i64 = 60_000;
/// How long a backend may take to take an order.
const ORDER_WITHIN: Duration = Duration::from_secs(900);
/// How long the machines may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(1800);
/// How often it is looked whether they are.
const LOOK: Duration = Duration::from_millis(500);

/// Works until the server ends.
pub async fn run(app: Arc<App>) {
    let mut working = JoinSet::new();
    loop {
        while working.try_join_next().is_some() {}
        if let Err(error) = begin(&app, &mut working).await {
            tracing::error!(error = error.chain(), "jobs could not be looked at; it is tried again");
        }
        tokio::select! {
            () = app.ending() => return,
            () = app.live.make.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Begins what is queued, and ends what was left behind.
async fn begin(app: &Arc<App>, working: &mut JoinSet<()>) -> Result<()> {
    let open = db::job::open(&mut *app.db.read().await?, AT_ONCE).await?;
    for row in open {
        if row.job.state == JobState::Running {
            if row.alive_ms + LEFT_BEHIND_MS < app.now_ms() {
                let reason = "The server ended in the middle of it. Machines may have been made: look at them before \
                              you order again.";
                end(app, &row, Err(Error::conflict(reason))).await?;
            }
            continue;
        }
        let mut write = app.db.write().await?;
        let mine = db::job::claim(&mut write, row.job.id, app.now_ms()).await?;
        if mine {
            write.tell(row.account_id, event(row.job.id, JobState::Running));
        }
        write.commit().await?;
        if mine {
            let app = app.clone();
            working.spawn(async move { work(&app, row).await });
        }
    }
    Ok(())
}

async fn work(app: &App, mut row: JobRow) {
    let id = row.job.id;
    let ended = tokio::select! {
        ended = make(app, &mut row) => ended,
        () = stay_alive(app, id) => return,
    };
    if let Err(error) = end(app, &row, ended).await {
        tracing::error!(job = %id, error = error.chain(), "a job's end could not be written down");
    }
}

/// Says again and again that the job is worked on; returns never.
async fn stay_alive(app: &App, id: JobId) {
    loop {
        tokio::time::sleep(SIGN_OF_LIFE).await;
        let told = async {
            let mut write = app.db.write().await?;
            db::job::keep_alive(&mut write, id, app.now_ms()).await?;
            write.commit().await
        };
        if let Err(error) = told.await {
            tracing::warn!(job = %id, error = error.chain(), "a job's sign of life could not be written down");
        }
    }
}

/// Orders the machines and waits until they are ready.
async fn make(app: &App, row: &mut JobRow) -> Result<()> {
    let key = app.account_key(row.account_id).await?;
    let input = key.open(&job_input_place(&row.token), &row.sealed_input)?;
    let input: Input = serde_json::from_str(&input)
        .map_err(|e| Error::internal("The input of a job is of another shape.").caused_by(e))?;
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

async fn advance(app: &App, job: &mut Job, text: String) -> Result<()> {
    let mut write = app.db.write().await?;
    db::job::advance(&mut write, job, text, app.now_ms()).await?;
    write.commit().await
}

async fn end(app: &App, row: &JobRow, ended: Result<()>) -> Result<()> {
    let (state, reason) = match ended {
        Ok(()) => (JobState::Completed, None),
        Err(error) => {
            tracing::warn!(job = %row.job.id, error = error.chain(), "a job failed");
            (JobState::Failed, Some(error.message))
        }
    };
    let mut write = app.db.write().await?;
    if db::job::end(&mut write, row.job.id, state, reason.as_deref(), app.now_ms()).await? {
        write.tell(row.account_id, event(row.job.id, state));
    }
    write.commit().await
}

fn event(id: JobId, state: JobState) -> Event {
    Event::new("job", id, "state").state(state)
}
