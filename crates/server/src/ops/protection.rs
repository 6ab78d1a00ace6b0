//! Protecting machines: what it comes to, the job that does it, and what does it where the server cannot log in.
//!
//! A job acts for the user who asked for it: all that it changes is in the audit log under that name, and none of it goes
//! beyond that user's role.

use std::sync::Arc;

use roadstead_api::{
    Permission,
    agent::Agent,
    id::{AccountId, AgentId, MachineId, UserId},
    job::{Job, JobKind},
    machine::Machine,
    protection::{
        AgentInstall, Installation, MachineProtect, MachineProtectionPlanShow, NewInstallation,
        NewProtection, ProtectionPlan,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Context, agent, backup_configuration, enrolment, job, machine,
    protection_template::{check_folder, configuration},
    remote,
};
use crate::{
    Error, Result,
    app::{App, job_input_place},
    db::{self, job::NewJob},
    installer::{Installer, Place},
    random,
};

/// How long a command that installs an agent can be used where nobody says, in seconds.
const DEFAULT_TTL: u32 = 24 * 3600;

/// A protection as its job keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Input {
    user_id: UserId,
    source: String,
    /// What is asked for.
    pub new: NewProtection,
}

impl Input {
    /// What this caller asks for.
    pub fn of(context: &Context, new: NewProtection) -> Self {
        Self { user_id: context.user.id, source: context.source.clone(), new }
    }

    /// A call by the user who asked, as that user is now.
    pub async fn context(&self, app: &Arc<App>, account: AccountId) -> Result<Context> {
        let user = db::user::get(&mut *app.db.read().await?, account, self.user_id).await?;
        let user = user.ok_or_else(|| Error::conflict("The user who asked for it was deleted."))?;
        let source = self.source.parse().ok();
        let context = Context::new(app.clone(), user, source);
        context.require(Permission::Admin)?;
        Ok(context)
    }
}

/// Shows what protecting a machine comes to.
pub async fn plan(context: &Context, id: &MachineId, new: &NewProtection) -> Result<ProtectionPlan> {
    context.authorize::<MachineProtectionPlanShow>()?;
    let machine = checked(context, id, new).await?;
    let template = configuration(new, &machine.name, AgentId(0), None);
    let installer = installer(context, new, &machine.name).await?;
    Ok(ProtectionPlan {
        machine_id: machine.id.clone(),
        machine_name: machine.name.clone(),
        way: remote::way(context, &machine).await?,
        agent_id: machine.agent_id,
        program: installer.place.program,
        program_bytes: installer.program.size,
        folder: installer.place.folder,
        inclusions: template.inclusions,
        exclusions: template.exclusions,
        schedule: template.schedule,
        timezone: template.timezone,
        retention: template.retention,
        start: new.start,
    })
}

/// Has a job put an agent on a machine, and have it backed up.
pub async fn protect(context: &Context, id: &MachineId, new: NewProtection) -> Result<Job> {
    context.authorize::<MachineProtect>()?;
    let machine = checked(context, id, &new).await?;
    remote::way(context, &machine).await?;
    let token = random::id()?;
    let key = context.account_key(context.account()).await?;
    let input = db::row::json(&Input::of(context, new))?;
    let row = NewJob {
        account_id: context.account(),
        kind: JobKind::MachineProtect,
        backend_id: &machine.backend_id,
        token: &token,
        sealed_input: &key.seal(&job_input_place(&token), &input)?,
        machine_ids: std::slice::from_ref(&machine.id),
        total: 1,
        created_by: &context.user.username,
        now_ms: context.now_ms(),
    };
    let mut change = context.change::<MachineProtect>().await?;
    let job = db::job::insert(&mut change, &row).await?;
    change.commit(&machine.id).await?;
    context.live.make.notify_one();
    job::get(context, job).await
}

/// Makes a command, and user data for cloud-init, that install an agent.
pub async fn install(context: &Context, new: NewInstallation) -> Result<Installation> {
    context.authorize::<AgentInstall>()?;
    let wanted = &new.protection;
    check(wanted)?;
    let installer = installer(context, wanted, wanted.name.as_deref().unwrap_or_default()).await?;
    let ttl = new.ttl_seconds.unwrap_or(DEFAULT_TTL);
    let made = enrolment::make_token::<AgentInstall>(context, ttl, Some(wanted)).await?;
    Ok(Installation {
        command: installer.in_one_line(&made.token),
        cloud_init: installer.whole(&made.token),
        expires_at: made.expires_at,
    })
}

/// What puts the agent on a machine of this name.
pub async fn installer(app: &App, new: &NewProtection, machine: &str) -> Result<Installer> {
    let program = app.agent_program.clone();
    let program = tokio::task::spawn_blocking(move || program.facts()).await??;
    Ok(Installer {
        place: Place::of(new.folder.as_deref()),
        server: app.public_url.clone(),
        name: new.name.as_deref().unwrap_or(machine).to_owned(),
        program,
    })
}

/// The agent of the caller's account whose key has this fingerprint.
pub async fn agent_of_key(context: &Context, fingerprint: &str) -> Result<Option<Agent>> {
    let mut read = context.db.read().await?;
    let id = db::agent::by_fingerprint(&mut read, context.account(), fingerprint).await?;
    drop(read);
    match id {
        Some(id) => agent::get(context, id).await.map(Some),
        None => Ok(None),
    }
}

async fn checked(context: &Context, id: &MachineId, new: &NewProtection) -> Result<Machine> {
    check(new)?;
    machine::get(context, id).await
}

fn check(new: &NewProtection) -> Result<()> {
    check_folder(new.folder.as_deref())?;
    backup_configuration::check_new(&configuration(new, "machine", AgentId(0), None))
}
