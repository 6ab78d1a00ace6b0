//! Rebuilds machines: makes one, puts an agent on it, restores a backup onto it.
//!
//! A machine that was made stays, whatever comes after: it has cost, and whoever asked looks at it.

use std::{sync::Arc, time::Duration};

use roadstead_api::{
    id::{KeyId, MachineId, RestoreId},
    job::Job,
    key_machine::NewKeyMachine,
    machine::Machine,
    rebuild::MachineRebuild,
    restore::{NewRestore, Restore},
    run::RunState,
};
use roadstead_providers::{ErrorKind as ProviderErrorKind, Program};
use tokio::time::{Instant, sleep};

use super::{
    maker, protector,
    story::{advance, input},
};
use crate::{
    Error, ErrorKind, Result,
    app::App,
    db::job::JobRow,
    ops::{Context, key_machine, machine, rebuild::Input, refresh, remote::Opener, restore},
};

/// How long a machine that runs may take to let somebody in.
const IN_WITHIN: Duration = Duration::from_secs(600);
/// How often it is tried.
const TRY: Duration = Duration::from_secs(3);
/// How often it is looked how far the restore is.
const LOOK: Duration = Duration::from_millis(500);
/// How many times it is told.
const PARTS: u64 = 10;

/// Rebuilds the machine of a job.
pub async fn run(app: &Arc<App>, row: &mut JobRow) -> Result<()> {
    let Input { asked, order, user, restore, protect } = input(app, row).await?;
    let context = asked.context(app, row.account_id).await?;
    context.authorize::<MachineRebuild>()?;
    let key = order.key_id.clone();
    maker::make(app, row, order).await?;
    row.job.done = 0;
    let made = row.job.machine_ids.first().cloned();
    let id = made.ok_or_else(|| Error::conflict("The backend has made no machine."))?;
    if let Some((key, user)) = key.zip(user) {
        log_in_as(&context, (&key, &id), user).await?;
    }
    let machine = let_in(&context, &mut row.job, &id).await?;
    let (agent, seen) = protector::install(&context, &mut row.job, &machine, &asked.new).await?;
    restored(&context, &mut row.job, NewRestore { agent_id: Some(agent.id), ..restore }).await?;
    if protect {
        protector::configure(&context, &mut row.job, (&agent, &machine), &asked.new, &seen).await?;
    }
    row.job.done = 1;
    advance(app, &mut row.job, format!("{} is rebuilt.", machine.name)).await
}

/// Has a machine logged in to as another user than it was thought.
async fn log_in_as(context: &Context, (key, machine): (&KeyId, &MachineId), user: String) -> Result<()> {
    let known = key_machine::one(context, key, machine).await?;
    let (machine_id, port, host) = (machine.clone(), Some(known.port), known.host);
    key_machine::create(context, key, NewKeyMachine { machine_id, user: Some(user), port, host })
        .await
        .map(drop)
}

/// Waits until a machine that has just been made lets somebody in.
async fn let_in(context: &Context, job: &mut Job, id: &MachineId) -> Result<Machine> {
    let until = Instant::now() + IN_WITHIN;
    let opener = Opener::new(Arc::clone(&context.app), context.account());
    let mut is_told = false;
    loop {
        let machine = machine::get(context, id).await?;
        match opener.open(&machine, Program::Commands).await {
            Ok(_) => return Ok(machine),
            Err(error) if is_too_early(&error) && Instant::now() < until => {
                if !is_told {
                    is_told = true;
                    let text = format!("{} lets nobody in yet: {}", machine.name, error.message);
                    advance(context, job, text).await?;
                }
                // It may have no address yet, or another one.
                refresh::soon(context, &machine.backend_id).await?;
                sleep(TRY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether a machine that is still starting may be the reason.
fn is_too_early(error: &Error) -> bool {
    match error.kind {
        ErrorKind::Backend(kind) => matches!(
            kind,
            ProviderErrorKind::Unreachable | ProviderErrorKind::Timeout | ProviderErrorKind::WrongCredentials
        ),
        // Its key has no address to go to.
        ErrorKind::Conflict => error.message.contains("no address"),
        _ => false,
    }
}

/// Restores onto the machine, to the end.
async fn restored(context: &Context, job: &mut Job, new: NewRestore) -> Result<()> {
    let begun = restore::create(context, new).await?;
    job.restore_id = Some(begun.id);
    advance(context, job, format!("The restore {} was started.", begun.name)).await?;
    let ended = ended(context, job, begun.id).await?;
    let files = ended.progress.files_done;
    match ended.state {
        RunState::Completed => advance(context, job, format!("{files} files are restored.")).await,
        RunState::CompletedWithErrors => {
            let text = format!(
                "{files} files are restored; some were not: `roadstead restores report {}` says which.",
                ended.id
            );
            advance(context, job, text).await
        }
        state => {
            let reason = ended.reason.unwrap_or_default();
            Err(Error::conflict(format!("The machine is there, and its restore is {state}. {reason}")))
        }
    }
}

/// Waits until a restore has ended, and tells how far it is on the way.
async fn ended(context: &Context, job: &mut Job, id: RestoreId) -> Result<Restore> {
    let mut next = 1;
    loop {
        let now = restore::show(context, id).await?;
        if now.state.has_ended() {
            return Ok(now);
        }
        let (done, total) = (now.progress.bytes_done, now.progress.bytes_total.max(1));
        let parts = done.saturating_mul(PARTS) / total;
        if parts >= next && parts < PARTS && now.progress.totals_final {
            next = parts + 1;
            advance(context, job, format!("{done} of {total} bytes are restored.")).await?;
        }
        sleep(LOOK).await;
    }
}
