//! Puts an agent on a machine and has it backed up. What is there already stays, so the same can be asked for again.
//!
//! ```text
//!   log in -> look -> [send the program] -> [enrol] -> start -> wait until it is there -> join -> [configure] -> [back up]
//! ```

use std::{pin::pin, sync::Arc, time::Duration};

use roadstead_api::{
    agent::Agent,
    agent_machine::NewAgentMachine,
    backup::NewBackup,
    backup_configuration::{BackupConfigurationList, BackupConfigurationQuery},
    id::{AgentId, BackupConfigurationId},
    job::Job,
    machine::Machine,
    protection::{AgentInstall, MachineProtect, NewProtection, USUAL_INCLUSIONS},
};
use roadstead_providers::Program;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::story::{advance, input};
use crate::{
    Error, ErrorKind, Result,
    app::App,
    db::job::JobRow,
    installer::{Installer, Seen},
    ops::{
        Context, agent, agent_machine, backup, backup_configuration, enrolment, machine,
        protection::{self, Input, agent_of_key},
        protection_template,
        remote::Opener,
    },
    remote_shell::RemoteShell,
};

/// How long the machine may take to answer its first question.
const FIRST_WITHIN: Duration = Duration::from_secs(30);
/// How long a token lives that is used at once, in seconds.
const TOKEN_TTL: u32 = 600;
/// How long an agent may take to be there once it was started.
const THERE_WITHIN: Duration = Duration::from_secs(90);
/// How often it is looked whether it is.
const LOOK: Duration = Duration::from_millis(250);
/// How many times the sending of the program is told of.
const PARTS: u64 = 4;

/// Protects the machine of a job.
pub async fn run(app: &Arc<App>, row: &mut JobRow) -> Result<()> {
    let asked: Input = input(app, row).await?;
    let context = asked.context(app, row.account_id).await?;
    context.authorize::<MachineProtect>()?;
    let id = row.job.machine_ids.first().cloned();
    let machine =
        machine::get(&context, &id.ok_or_else(|| Error::internal("A job has no machine."))?).await?;
    let (agent, seen) = install(&context, &mut row.job, &machine, &asked.new).await?;
    let configuration = configure(&context, &mut row.job, (&agent, &machine), &asked.new, &seen).await?;
    if asked.new.start {
        back_up(&context, &mut row.job, configuration).await?;
    }
    row.job.done = 1;
    advance(app, &mut row.job, format!("{} is protected.", machine.name)).await
}

/// Sees to it that the agent of a machine runs there and is joined to it.
pub async fn install(
    context: &Context,
    job: &mut Job,
    machine: &Machine,
    new: &NewProtection,
) -> Result<(Agent, Seen)> {
    let installer = protection::installer(context, new, &machine.name).await?;
    advance(context, job, format!("Logging in to {}.", machine.name)).await?;
    let remote = Opener::new(context.app.clone(), context.account()).open(machine, Program::Commands).await?;
    let mut shell = RemoteShell::new(remote)?;
    shell.become_root(FIRST_WITHIN).await?;
    let usual = USUAL_INCLUSIONS.map(str::to_owned);
    let seen = installer.look(&mut shell, &usual).await?;
    let mut has_changed = installer.wants_program(&seen);
    if has_changed {
        send(context, job, &installer, &mut shell).await?;
    }
    let known = known(context, &installer, &mut shell, &seen).await?;
    let agent = match known {
        Some(agent) => {
            advance(context, job, format!("The agent {} is there already.", agent.name)).await?;
            agent
        }
        None => {
            has_changed = true;
            enrol(context, job, &installer, &mut shell).await?
        }
    };
    let begun = context.now_ms();
    installer.start(&mut shell, has_changed).await?;
    advance(context, job, "The agent was started.").await?;
    wait_for(context, agent.id, begun, &installer, &mut shell).await?;
    job.agent_id = Some(agent.id);
    if agent.machine_id.as_ref() != Some(&machine.id) {
        let to = NewAgentMachine { machine_id: machine.id.clone() };
        agent_machine::attach(context, agent.id, to).await?;
    }
    advance(context, job, format!("The agent {} is connected.", agent.name)).await?;
    Ok((agent, seen))
}

async fn send(
    context: &Context,
    job: &mut Job,
    installer: &Installer,
    shell: &mut RemoteShell,
) -> Result<()> {
    let size = installer.program.size;
    advance(context, job, format!("Sending the program, {} MB.", megabytes(size))).await?;
    let (sent, mut heard) = watch::channel(0);
    let told = move |bytes| {
        sent.send_replace(bytes);
    };
    let mut sending = pin!(installer.send_program(shell, &context.agent_program, told));
    let mut next = size / PARTS;
    loop {
        tokio::select! {
            done = &mut sending => break done?,
            Ok(()) = heard.changed() => {
                let bytes = *heard.borrow_and_update();
                if bytes >= next && bytes < size {
                    next = bytes + size / PARTS;
                    advance(context, job, format!("{} of {} MB are sent.", megabytes(bytes), megabytes(size))).await?;
                }
            }
        }
    }
    advance(context, job, format!("The program is at {}.", installer.place.program)).await
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// The agent that is enrolled there, if it is one of this account; one that was deleted since is put aside.
async fn known(
    context: &Context,
    installer: &Installer,
    shell: &mut RemoteShell,
    seen: &Seen,
) -> Result<Option<Agent>> {
    if !seen.is_enrolled {
        return Ok(None);
    }
    let identity = installer.identity(shell).await?;
    if let Some(agent) = agent_of_key(context, &identity.fingerprint).await? {
        return Ok(Some(agent));
    }
    let server = identity.server.trim_end_matches('/');
    if server != installer.server {
        return Err(Error::conflict(format!(
            "An agent of {server:.200} runs there from {}. Remove it, or name another folder (--folder).",
            installer.place.folder
        )));
    }
    installer.forget(shell).await?;
    Ok(None)
}

async fn enrol(
    context: &Context,
    job: &mut Job,
    installer: &Installer,
    shell: &mut RemoteShell,
) -> Result<Agent> {
    advance(context, job, "Enrolling the agent.").await?;
    let token = enrolment::make_token::<AgentInstall>(context, TOKEN_TTL, None).await?.token;
    installer.enrol(shell, &token).await?;
    let fingerprint = installer.identity(shell).await?.fingerprint;
    let agent = agent_of_key(context, &fingerprint).await?;
    agent.ok_or_else(|| Error::conflict("The agent was enrolled with another server than this."))
}

/// Waits until the agent was heard of, here or by another server on the same database.
async fn wait_for(
    context: &Context,
    id: AgentId,
    begun_ms: i64,
    installer: &Installer,
    shell: &mut RemoteShell,
) -> Result<()> {
    let until = Instant::now() + THERE_WITHIN;
    loop {
        let agent = agent::get(context, id).await?;
        let is_fresh = agent.last_seen_at.is_some_and(|seen| seen.as_millisecond() >= begun_ms);
        if agent.connected || is_fresh {
            return Ok(());
        }
        if Instant::now() >= until {
            let said = installer.last_words(shell).await?;
            return Err(Error::conflict(format!(
                "The agent runs there, and does not reach {}: {said}",
                installer.server
            )));
        }
        sleep(LOOK).await;
    }
}

/// The agent's configuration: the first that it has, or a new one.
pub async fn configure(
    context: &Context,
    job: &mut Job,
    (agent, machine): (&Agent, &Machine),
    new: &NewProtection,
    seen: &Seen,
) -> Result<BackupConfigurationId> {
    context.authorize::<BackupConfigurationList>()?;
    let query = BackupConfigurationQuery { agent_id: Some(agent.id), ..BackupConfigurationQuery::default() };
    if let Some(known) = backup_configuration::list(context, query).await?.items.into_iter().next() {
        advance(context, job, format!("It is backed up by {} already.", known.name)).await?;
        return Ok(known.id);
    }
    let wanted = protection_template::configuration(new, &machine.name, agent.id, Some(&seen.there));
    let made = backup_configuration::create(context, wanted).await?;
    let (paths, schedule) = (made.inclusions.join(", "), &made.schedule);
    advance(context, job, format!("{} is backed up from now on: {paths}; {schedule}.", machine.name)).await?;
    Ok(made.id)
}

async fn back_up(context: &Context, job: &mut Job, configuration: BackupConfigurationId) -> Result<()> {
    match backup::create(context, NewBackup { configuration_id: configuration }).await {
        Ok(backup) => {
            job.backup_id = Some(backup.id);
            advance(context, job, format!("The backup {} was started.", backup.name)).await
        }
        Err(error) if error.kind == ErrorKind::Conflict => {
            advance(context, job, format!("No backup was started: {}", error.message)).await
        }
        Err(error) => Err(error),
    }
}
